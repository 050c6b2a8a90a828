# shellcheck shell=bash disable=SC2154
# What a command needs and does not find is installed here: Debian packages by apt-get.

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
    fail "not root and no sudo: please run as root:  $*"
  fi
}

apt_updated=
apt_install() {
  command -v apt-get >/dev/null || fail "no apt-get here: please install by hand: $*"
  step "installing $*"
  [ -n "$apt_updated" ] || as_root apt-get update -qq >&2
  apt_updated=yes
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

need_build() {
  command -v cargo >/dev/null || fail "Rust is missing: https://rustup.rs installs it"
  # The linker, and the C compiler that zstd is built with.
  command -v cc >/dev/null || apt_install gcc libc6-dev
}

# A JDK rather than a runtime: one test locks a directory from a small Java program.
need_zookeeper() {
  command -v javac >/dev/null || apt_install default-jdk-headless
  [ -n "${ZOOKEEPER_HOME:-}" ] || [ -e /usr/share/java/zookeeper.jar ] ||
    apt_install libzookeeper-java libslf4j-java
}

need_shellcheck() { command -v shellcheck >/dev/null || apt_install shellcheck; }

need_kcat() { command -v kcat >/dev/null || apt_install kcat; }

# Foreign clients of the interop tests, in a folder of their own.
need_python() {
  local python=$state/python
  if [ ! -e "$python/ready" ]; then
    python3 -c 'import ensurepip' 2>/dev/null || apt_install python3 python3-venv
    step "making a Python environment with kafka-python and confluent-kafka"
    mkdir -p "$state"
    python3 -m venv --clear "$python"
    "$python/bin/pip" install --quiet --disable-pip-version-check \
      kafka-python==3.0.12 confluent-kafka==2.16.1 lz4 python-snappy zstandard
    touch "$python/ready"
  fi
  export BARNABAS_PYTHON=$python/bin/python
}

# Succeeds where a Docker daemon answers, starting one where that is possible.
need_docker() {
  if docker info >/dev/null 2>&1; then return 0; fi
  if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then return 1; fi
  command -v dockerd >/dev/null || (apt_install docker.io) || return 1
  mkdir -p "$state"
  step "starting the Docker daemon"
  as_root dockerd --pidfile "$state/dockerd.pid" >"$state/dockerd.log" 2>&1 &
  local waited
  for waited in $(seq 30); do
    if as_root docker info >/dev/null 2>&1; then
      say "Docker answers after $waited s"
      trap 'as_root kill "$(cat "$state/dockerd.pid")" 2>/dev/null || true' EXIT
      docker info >/dev/null 2>&1
      return
    fi
    sleep 1
  done
  say "Docker does not start here; see $state/dockerd.log"
  return 1
}

# Succeeds where the image zookeeper:3.8 is at hand, pulling or making it where that is possible.
need_image() {
  docker image inspect zookeeper:3.8 >/dev/null 2>&1 && return 0
  timeout 60 docker pull -q zookeeper:3.8 >/dev/null 2>&1 && return 0
  [ -e /usr/share/java/zookeeper.jar ] || return 1
  [ -e /bin/busybox ] || apt_install busybox-static
  command -v unzip >/dev/null || apt_install unzip
  step "no image can be pulled: making zookeeper:3.8 from this machine's packages"
  bash tests/container/make-image zookeeper:3.8
}
