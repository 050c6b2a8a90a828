# shellcheck shell=bash disable=SC2154
# A topic's whole life on a real cluster: made, filled from a real file, read back, compared, deleted.

demo_end() {
  stop_brokers "$demo"
  stop_zookeeper "$demo/zookeeper"
}

# The project's own source as lines.
demo_text() {
  git ls-files -z 2>/dev/null | grep -zE '\.(rs|md|toml|sh)$' | xargs -0 cat -- | grep -v '^[[:space:]]*$'
}

# Children of a znode, as ZooKeeper's own shell prints them.
demo_znodes() {
  java -Dorg.slf4j.simpleLogger.defaultLogLevel=error -cp "$(zookeeper_class_path)" \
    org.apache.zookeeper.ZooKeeperMain -server "127.0.0.1:$demo_zookeeper" ls "$1" 2>/dev/null | tail -n 1
}

no_znode() { [ "$(demo_znodes /brokers/topics)" = "[]" ] && [ "$(demo_znodes /admin/delete_topics)" = "[]" ]; }
no_folders() { ! ls -d "$demo"/broker-*/data/demo-* >/dev/null 2>&1; }

run_demo() {
  local topic=demo sent back tool=barnabas
  need_build
  need_zookeeper
  step "building (the first time takes a few minutes)"
  # Unoptimized: built in a third of the time, and fast enough for a file of this size.
  cargo build --locked --bins -p barnabas-broker -p barnabas-client
  PATH=$target/debug:$PATH
  demo=$state/demo
  [ ! -d "$demo" ] || demo_end
  remove "$demo"
  mkdir -p "$demo"
  trap demo_end EXIT
  trap 'exit 130' INT TERM

  step "ZooKeeper and three brokers"
  demo_zookeeper=$(free_port_from 21810)
  start_zookeeper "$demo/zookeeper" "$demo_zookeeper"
  local port metrics
  port=$(free_ports_from 19092)
  metrics=$(free_ports_from 19404)
  start_brokers "$demo" barnabas-broker "127.0.0.1:$demo_zookeeper" "$port" "$metrics" \
    log.segment.delete.delay.ms=1000 # a minute by default: long to watch
  export KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:$port,127.0.0.1:$((port + 1)),127.0.0.1:$((port + 2))
  printf '\n$ export KAFKA_BOOTSTRAP_SERVERS=%s\n' "$KAFKA_BOOTSTRAP_SERVERS"
  show $tool cluster describe

  step "a topic with 6 partitions: partition i is led by broker i mod 3"
  show $tool topic create $topic --partitions 6

  step "every line of this project's source goes in"
  demo_text >"$demo/in.txt"
  sent=$(wc -l <"$demo/in.txt")
  show $tool produce $topic --file "$demo/in.txt"
  show $tool topic describe $topic
  step "and comes back"
  printf '\n$ %s\n' "$tool consume $topic --from-beginning --exit-at-end > out.txt"
  $tool consume $topic --from-beginning --exit-at-end >"$demo/out.txt"
  back=$(wc -l <"$demo/out.txt")
  [ "$sent" = "$back" ] || fail "$sent records went in and $back came back"
  # Order holds within a partition, not across them: compare what, not where.
  cmp <(LC_ALL=C sort "$demo/in.txt") <(LC_ALL=C sort "$demo/out.txt") || fail "the text differs"

  step "the topic goes, with its znodes and its folders"
  printf '\n$ %s\n' "ls /brokers/topics   (in ZooKeeper, before)"
  demo_znodes /brokers/topics
  show $tool topic delete $topic
  wait_for 60 "the deletion" no_znode
  wait_for 90 "the removal of the folders" no_folders
  printf '\n$ %s\n%s\n' "ls /brokers/topics   (in ZooKeeper, after)" "$(demo_znodes /brokers/topics)"
  printf '\n$ %s\n%s\n' "ls -d broker-*/data/$topic-*" "none left"
  printf '\nDone: %s records went in, %s came back, byte for byte the same.\n' "$sent" "$back"
}
