# shellcheck shell=bash disable=SC2154
# Speed and size of the released binaries, each median of five beside its limit.

# The middle of five numbers. Usage: median N N N N N
median() { printf '%s\n' "$@" | sort -g | sed -n 3p; }

# One line of the result. Usage: verdict WHAT MEDIAN at-least|at-most LIMIT UNIT ALL...
verdict() {
  local what=$1 middle=$2 direction=$3 limit=$4 unit=$5 mark=ok
  shift 5
  case $direction in
    at-least) awk "BEGIN { exit !($middle < $limit) }" && mark=MISSED ;;
    at-most) awk "BEGIN { exit !($middle > $limit) }" && mark=MISSED ;;
  esac
  printf '%-34s %12s %-9s %s %s  %s   (%s)\n' "$what" "$middle" "$unit" "$direction" "$limit" "$mark" "$*"
}

# Starts one broker on an empty folder and waits for it; sets perf_ready_ms.
perf_start() {
  local begin end
  remove "$perf/broker-0"
  mkdir -p "$perf/broker-0"
  begin=$(date +%s%N)
  start_process "$perf/broker-0" "$target/release/barnabas-broker" start --config config/server.toml \
    --override "listeners=PLAINTEXT://127.0.0.1:$perf_port" \
    --override "metrics.listeners=127.0.0.1:$perf_metrics" \
    --override "zookeeper.connect=127.0.0.1:$perf_zookeeper/perf-$begin" \
    --override "log.dirs=$perf/broker-0/data" --override log.segment.delete.delay.ms=0
  until broker_ready "$perf_metrics" "$perf/broker-0"; do sleep 0.002; done
  end=$(date +%s%N)
  perf_ready_ms=$(((end - begin) / 1000000))
}

perf_stop() { stop_process "$perf/broker-0"; }

perf_end() { perf_stop; stop_zookeeper "$perf/zookeeper"; }

# A line of /proc/PID/status in KiB. Usage: perf_memory NAME
perf_memory() { awk -v name="$1:" '$1 == name { print $2 }' "/proc/$(head -n 1 "$perf/broker-0/pid")/status"; }

perf_idle() {
  local ready=() resident=() anonymous=() _
  for _ in 1 2 3 4 5; do
    perf_start
    ready+=("$perf_ready_ms")
    sleep 3
    resident+=("$(perf_memory VmRSS)")
    anonymous+=("$(perf_memory RssAnon)")
    perf_stop
  done
  verdict "ready on an empty directory" "$(median "${ready[@]}")" at-most 100 ms "${ready[@]}"
  verdict "resident, idle" "$(median "${resident[@]}")" at-most 12288 KiB "${resident[@]}"
  printf '%-34s %12s KiB       (%s)\n' "  of it anonymous" "$(median "${anonymous[@]}")" "${anonymous[*]}"
}

# The named number of a JSON document, without its fraction. Usage: json_number NAME <DOCUMENT
json_number() { grep -o "\"$1\": *[0-9.]*" | head -n 1 | sed 's/.*: *//; s/[.].*//'; }

# Records of 100 bytes to one broker, and back.
perf_records() {
  local count=${PERF_RECORDS:-10M} in=() out=() run
  local tool=("$target/release/barnabas" --quiet --output json -b "127.0.0.1:$perf_port")
  perf_start
  for run in 1 2 3 4 5; do
    "${tool[@]}" topic create "perf-$run" --partitions 6 >/dev/null
    in+=("$("${tool[@]}" perf produce "perf-$run" -n "$count" -s 100 --acks 1 |
      json_number recordsPerSecond)")
    out+=("$("${tool[@]}" perf consume "perf-$run" | json_number recordsPerSecond)")
    "${tool[@]}" topic delete "perf-$run" >/dev/null
  done
  verdict "produce, 100 bytes, acks=1" "$(median "${in[@]}")" at-least 2000000 records/s "${in[@]}"
  verdict "consume, 100 bytes" "$(median "${out[@]}")" at-least 3000000 records/s "${out[@]}"
  printf '%-34s %12s KiB       (anonymous %s)\n' "  broker resident after it" \
    "$(perf_memory VmRSS)" "$(perf_memory RssAnon)"
  perf_stop
}

run_perf() {
  need_zookeeper
  step "building"
  cargo build --release --locked --bins -p barnabas-broker -p barnabas-client
  perf=$state/perf
  [ ! -d "$perf" ] || perf_end
  remove "$perf"
  mkdir -p "$perf"
  perf_zookeeper=$(free_port_from 21910)
  perf_port=$(free_port_from 19192)
  perf_metrics=$(free_port_from 19404)
  trap perf_end EXIT
  trap 'exit 130' INT TERM
  start_zookeeper "$perf/zookeeper" "$perf_zookeeper"
  step "medians of five on $(nproc) processors"
  perf_idle
  perf_records
}
