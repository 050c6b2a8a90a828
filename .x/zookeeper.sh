# shellcheck shell=bash disable=SC2154
# A ZooKeeper of our own on the loopback interface, and processes that are ended by their id only
# while they are still the ones we started.

# Succeeds where something accepts connections on this port of 127.0.0.1.
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# The first of the given port and those after it that nobody listens on.
free_port_from() {
  local port=$1
  while listens "$port"; do port=$((port + 1)); done
  echo "$port"
}

# The first of three neighbours, from the given port on, that nobody listens on.
free_ports_from() {
  local port=$1
  while listens "$port" || listens $((port + 1)) || listens $((port + 2)); do port=$((port + 10)); done
  echo "$port"
}

# Removes a folder, also what a container has written into it as root.
remove() { rm -rf "$1" 2>/dev/null || as_root rm -rf "$1"; }

# Waits until a command succeeds. Usage: wait_for SECONDS WHAT COMMAND...
wait_for() {
  local seconds=$1 what=$2 end
  shift 2
  end=$((SECONDS + seconds))
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || fail "$what: not within $seconds s"
    sleep 0.1
  done
}

# When a process started, as the system tells it: tells a recycled id from the process we mean.
# Nothing for one that has ended, be it not yet waited for.
started_at() {
  local stat
  if [ -d /proc/self ]; then
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
    # Behind the name, which may hold anything: state, ..., and 19 fields on the start.
    read -ra stat <<<"${stat##*) }"
    [ "${stat[0]}" = Z ] || echo "${stat[19]}"
  else
    ps -o lstart= -p "$1" 2>/dev/null | xargs || true
  fi
}

# Starts a background process. Usage: start_process FOLDER COMMAND...; FOLDER gets log and pid.
start_process() {
  local folder=$1
  shift
  mkdir -p "$folder"
  setsid "$@" >>"$folder/log" 2>&1 </dev/null &
  printf '%s\n%s\n' "$!" "$(started_at "$!")" >"$folder/pid"
}

# Whether the process of a folder runs and is the one that was started.
process_runs() {
  local pid when
  [ -e "$1/pid" ] || return 1
  { read -r pid; read -r when; } <"$1/pid" || true
  [ -n "$pid" ] && [ -n "$when" ] && [ "$(started_at "$pid")" = "$when" ]
}

# Ends the process of a folder: in order, and by force after 30 s.
stop_process() {
  local folder=$1 pid waited
  if process_runs "$folder"; then
    pid=$(head -n 1 "$folder/pid")
    kill "$pid" 2>/dev/null || true
    for waited in $(seq 300); do
      process_runs "$folder" || break
      [ "$waited" != 300 ] || kill -9 "$pid" 2>/dev/null || true
      sleep 0.1
    done
  fi
  rm -f "$folder/pid"
}

zookeeper_serves() {
  local line
  { exec 3<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null || return 1
  printf srvr >&3
  while IFS= read -r -t 2 line <&3 2>/dev/null; do
    case $line in Mode:*) exec 3>&-; return 0 ;; esac
  done
  exec 3>&-
  return 1
}

zookeeper_class_path() {
  if [ -n "${ZOOKEEPER_HOME:-}" ]; then echo "$ZOOKEEPER_HOME/lib/*"; else
    echo /usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar
  fi
}

# Starts ZooKeeper below a folder, on a container where Docker answers and has the image, else as a
# java process. Usage: start_zookeeper FOLDER PORT
start_zookeeper() {
  local folder=$1 port=$2
  mkdir -p "$folder/data" "$folder/datalog"
  if docker image inspect zookeeper:3.8 >/dev/null 2>&1; then
    say "ZooKeeper: container zookeeper:3.8 on 127.0.0.1:$port"
    docker run -d --rm -p "127.0.0.1:$port:2181" -e ZOO_ADMINSERVER_ENABLED=false \
      -e ZOO_MAX_CLIENT_CNXNS=0 -v "$folder/data:/data" -v "$folder/datalog:/datalog" \
      zookeeper:3.8 >"$folder/container"
  else
    need_zookeeper
    say "ZooKeeper: java process on 127.0.0.1:$port"
    cat >"$folder/zoo.cfg" <<TEXT
tickTime=2000
dataDir=$folder/data
clientPort=$port
clientPortAddress=127.0.0.1
admin.enableServer=false
maxClientCnxns=0
TEXT
    start_process "$folder" java -Xmx256m -cp "$(zookeeper_class_path)" \
      org.apache.zookeeper.server.quorum.QuorumPeerMain "$folder/zoo.cfg"
  fi
  wait_for 60 "ZooKeeper on port $port" zookeeper_serves "$port"
}

stop_zookeeper() {
  local folder=$1
  if [ -s "$folder/container" ]; then
    docker stop -t 5 "$(cat "$folder/container")" >/dev/null 2>&1 || true
    rm -f "$folder/container"
  fi
  stop_process "$folder"
}
