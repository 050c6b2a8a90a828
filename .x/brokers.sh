# shellcheck shell=bash disable=SC2154
# Three brokers beside a ZooKeeper: the cluster of `./x up` and of the demo.

broker_ready() {
  local line
  process_runs "$2" || fail "a broker ended; see $2/log: $(tail -n 3 "$2/log")"
  { exec 3<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null || return 1
  printf 'GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
  IFS= read -r -t 5 line <&3 || line=
  exec 3>&-
  case $line in *" 200 "*) return 0 ;; *) return 1 ;; esac
}

# Starts brokers 0, 1, 2. Usage: start_brokers FOLDER BINARY ZOOKEEPER PORT METRICS_PORT [K=V]...
start_brokers() {
  local folder=$1 binary=$2 zookeeper=$3 port=$4 metrics=$5 id setting
  shift 5
  for id in 0 1 2; do
    local arguments=(start --config config/server.toml
      --override "broker.id=$id"
      --override "listeners=PLAINTEXT://127.0.0.1:$((port + id))"
      --override "metrics.listeners=127.0.0.1:$((metrics + id))"
      --override "zookeeper.connect=$zookeeper"
      --override "log.dirs=$folder/broker-$id/data")
    for setting in "$@"; do arguments+=(--override "$setting"); done
    start_process "$folder/broker-$id" "$binary" "${arguments[@]}"
  done
  for id in 0 1 2; do
    wait_for 60 "broker $id" broker_ready "$((metrics + id))" "$folder/broker-$id"
  done
}

stop_brokers() {
  local id
  for id in 0 1 2; do stop_process "$1/broker-$id"; done
}

run_up() {
  local folder=$state/up settings=() port metrics id
  while [ $# -gt 0 ]; do
    case $1 in
      --clean) run_down; remove "$folder" ;;
      --set) [ $# -gt 1 ] || fail "--set needs key=value"; settings+=("$2"); shift ;;
      *) fail "up knows --clean and --set key=value, not $1" ;;
    esac
    shift
  done
  need_build
  for id in 0 1 2; do
    ! process_runs "$folder/broker-$id" || fail "already up; ./x down stops it"
    ! listens "$((9092 + id))" || fail "port $((9092 + id)) is in use by somebody else"
  done
  # Left over where an earlier `up` was cut short.
  stop_zookeeper "$folder/zookeeper"
  trap run_down EXIT
  trap 'exit 130' INT TERM
  step "building"
  cargo build --release --locked --bins -p barnabas-broker -p barnabas-client
  port=$(free_port_from 2181)
  metrics=$(free_ports_from 9404)
  mkdir -p "$folder"
  start_zookeeper "$folder/zookeeper" "$port"
  start_brokers "$folder" "$target/release/barnabas-broker" "127.0.0.1:$port" 9092 "$metrics" \
    ${settings[@]+"${settings[@]}"}
  trap - EXIT
  cat <<TEXT
ZooKeeper  127.0.0.1:$port
broker 0   127.0.0.1:9092   metrics http://127.0.0.1:$metrics/metrics
broker 1   127.0.0.1:9093   metrics http://127.0.0.1:$((metrics + 1))/metrics
broker 2   127.0.0.1:9094   metrics http://127.0.0.1:$((metrics + 2))/metrics
data and logs: $folder

Try:  target/release/barnabas topic create hello --partitions 3
      echo world | target/release/barnabas produce hello
      target/release/barnabas consume hello --from-beginning --exit-at-end
      kcat -b localhost:9092 -L
TEXT
}

run_down() {
  local folder=$state/up
  [ -d "$folder" ] || { say "nothing is up"; return 0; }
  stop_brokers "$folder"
  stop_zookeeper "$folder/zookeeper"
  say "down; data stays in $folder"
}
