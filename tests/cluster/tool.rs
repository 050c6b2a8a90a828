//! The tool as people use it: what it prints, what it advises, how it ends.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use barnabas_tests::cluster::{Answer, Cluster, tool_binary};
use barnabas_tests::liveness::wait_until;
use barnabas_tests::process::{Process, Signal};
use barnabas_tests::zookeeper::Znodes;
use serde_json::Value;

#[track_caller]
fn check(answer: &Answer, code: i32, out: &[&str], err: &[&str]) {
    assert_eq!(answer.code, code, "{answer:#?}");
    for word in out {
        assert!(answer.out.contains(word), "{word}: {answer:#?}");
    }
    for word in err {
        assert!(answer.err.contains(word), "{word}: {answer:#?}");
    }
}

#[track_caller]
fn json(answer: Answer) -> Value {
    serde_json::from_str(&answer.ok()).expect("one document")
}

/// S24: several topics at once are told one by one; a name that is not there is told with the one
/// that was probably meant, a factor that cannot be with the brokers that live.
#[test]
fn what_failed_is_told_with_what_to_do_next() {
    let cluster = Cluster::start("tool", 2, &[]);
    let meant = "Did you mean 'orders'?";
    let live = "live brokers: 0, 1.";
    let said = [
        (
            "topic create orders -p 3",
            0,
            "        2       0         0",
            "created topic orders",
        ),
        (
            "topic create orders payments",
            3,
            "TOPIC_ALREADY_EXISTS",
            "--if-not-exists",
        ),
        (
            "topic create orders payments",
            1,
            "TOPIC_ALREADY_EXISTS",
            "--if-not-exists",
        ),
        (
            "topic create orders --if-not-exists",
            0,
            "",
            "there already",
        ),
        ("topic create wide -r 3", 1, "", live),
        (
            "topic create wide -r 3",
            1,
            "",
            "error: INVALID_REPLICATION_FACTOR: ",
        ),
        ("topic create twice twice", 2, "", "'twice' is named twice"),
        (
            "topic create dry --dry-run",
            0,
            "",
            "could create topic dry",
        ),
        (
            "topic describe ordrs",
            1,
            "",
            "error: UNKNOWN_TOPIC_OR_PARTITION: ",
        ),
        ("topic describe ordrs", 1, "", meant),
        ("topic delete ordrs", 1, "", meant),
        ("consume ordrs", 1, "", meant),
        ("perf consume ordrs", 1, "", meant),
        ("topic delete nothing --if-exists", 0, "", "not there"),
        ("consume orders -p 3", 1, "", "it has 3, counted from 0"),
        ("produce orders -z rar", 2, "", "compression.type"),
        ("topic list --property no.such=1", 2, "", "no.such"),
    ];
    for (line, code, out, err) in said {
        let answer = cluster.tool(&line.split(' ').collect::<Vec<_>>());
        check(&answer, code, &[out], &[err]);
    }
}

/// S24: scripts get names, or one document.
#[test]
fn a_script_gets_documents() {
    let cluster = Cluster::start("tool-script", 2, &[]);
    let tool = |line: &str| cluster.tool(&line.split(' ').collect::<Vec<_>>());
    let created = json(tool("topic create orders payments -p 3 --output json"));
    assert_eq!(created[1]["status"], "created");
    assert_eq!(tool("topic list --quiet").ok(), "orders\npayments\n");
    let listed = json(tool("topic list --output json"));
    assert_eq!(listed[0]["partitions"], 3);
    let described = json(tool("topic describe orders --output json"));
    assert_eq!(described[0]["partitions"][1]["leader"], 1);
    let brokers = json(tool("cluster describe --output json"));
    assert_eq!(brokers["brokers"][1]["id"], 1);
}

/// S10: replicas are where the tool says: by the ring with the broker's own number of partitions,
/// and where a person typed them.
#[test]
fn the_tool_places_replicas_when_it_is_asked_to() {
    let cluster = Cluster::start("tool-ring", 3, &[("num.partitions", "4")]);
    let znodes = Znodes::new(cluster.zookeeper());
    let placed = |topic: &str, how: &[&str]| {
        cluster
            .tool(&[&["topic", "create", topic], how].concat())
            .ok();
        let znode = znodes
            .get(&format!("/brokers/topics/{topic}"))
            .expect("the topic");
        serde_json::from_str::<Value>(&znode).unwrap()["partitions"].clone()
    };
    assert_eq!(
        placed("ring", &["-r", "2", "--placement", "modulo"]),
        serde_json::json!({"0": [0, 1], "1": [1, 2], "2": [2, 0], "3": [0, 1]})
    );
    assert_eq!(
        placed("typed", &["--replica-assignment", "2:0,1:2"]),
        serde_json::json!({"0": [2, 0], "1": [1, 2]})
    );
}

/// S6, S24: every way to begin, to stop and to print.
#[test]
fn records_come_out_as_they_went_in() {
    let cluster = Cluster::start("tool-records", 1, &[]);
    let tool = |line: &str| cluster.tool(&line.split(' ').collect::<Vec<_>>());
    let send = |line: &str, input: &[u8]| {
        cluster.tool_with_input(&line.split(' ').collect::<Vec<_>>(), input)
    };
    tool("topic create letters --partitions 2").ok();
    send("produce letters --partition 0", b"one\n\ntwo\r\nlast").ok();
    let all = tool("consume letters --offset start -e --format %o=%v|");
    assert_eq!(all.ok(), "0=one|1=|2=two\r|3=last|");
    assert_eq!(tool("consume letters -o -1 -e").ok(), "last\n");
    assert_eq!(tool("consume letters -o 1 -p 0 -n 2").ok(), "\ntwo\r\n");
    check(
        &tool("consume letters -o 9 -p 0 -n 1"),
        1,
        &[],
        &["offset 9 is not in the log"],
    );

    let keyed = "produce letters --partition 1 -K = -H from=castle";
    send(keyed, b"k=v\n\xff=\xfe\n").ok();
    let lines = tool("consume letters -p 1 -o start -e --output json").ok();
    let [text, bytes]: [Value; 2] = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    assert_eq!((&text["key"], &text["value"]), (&"k".into(), &"v".into()));
    assert_eq!(
        text["headers"],
        serde_json::json!([{"key": "from", "value": "castle"}])
    );
    assert_eq!(
        (&bytes["valueEncoding"], &bytes["value"]),
        (&"base64".into(), &"/g==".into())
    );
    let since = format!("consume letters -e --format %v; -o @{}", text["timestamp"]);
    assert!(tool(&since).ok().contains("v;"));

    let partly = send(keyed, b"a=1\nno key\nb=2\n");
    check(
        &partly,
        3,
        &[],
        &["line 2 has no '='", "1 records were acknowledged"],
    );
    let none = send(keyed, b"no key\n");
    check(&none, 1, &[], &["line 1 has no '='"]);
    let large = vec![b'x'; 2_000_000];
    check(
        &send("produce letters", &large),
        1,
        &[],
        &["line 1", "max.request.size"],
    );
}

/// What goes in by `perf produce` comes out by `perf consume`; both tell it to a script.
#[test]
fn a_measurement_counts_what_it_sent() {
    let cluster = Cluster::start("tool-perf", 1, &[]);
    let tool = |line: &str| cluster.tool(&line.split(' ').collect::<Vec<_>>());
    tool("topic create bench --partitions 3").ok();
    let sent = json(tool(
        "perf produce bench -n 20k --record-size 50 --output json",
    ));
    assert_eq!(
        (&sent["records"], &sent["bytes"]),
        (&20_000.into(), &1_000_000.into())
    );
    assert!(sent["latencyMs"]["p999"].as_f64() >= sent["latencyMs"]["p50"].as_f64());
    let read = json(tool("perf consume bench --output json"));
    assert_eq!(
        (&read["records"], &read["bytes"]),
        (&20_000.into(), &1_000_000.into())
    );
    check(
        &tool("perf produce bench -n 1000"),
        0,
        &["1000 records sent, ", "ms 99.9th."],
        &[],
    );
    check(
        &tool("perf consume bench -n 5k"),
        0,
        &["data.consumed.in.nMsg"],
        &[],
    );
    let more = tool("perf consume bench -n 1M --timeout 1");
    check(&more, 3, &[], &["21000 came"]);
}

/// A consumer that waits ends with Ctrl-C, and tells how many records it printed.
#[test]
fn a_waiting_consumer_is_interrupted_by_hand() {
    let cluster = Cluster::start("tool-interrupt", 1, &[]);
    cluster.tool(&["topic", "create", "t"]).ok();
    cluster
        .tool_with_input(&["produce", "t"], b"one\ntwo\n")
        .ok();
    let mut command = Command::new(tool_binary());
    command.args([
        "consume",
        "t",
        "--from-beginning",
        "-b",
        &cluster.bootstrap(),
    ]);
    let log = cluster.folder().join("consume.log");
    let mut consumer = Process::spawn("consume", command, &log);
    wait_until("the records are printed", || {
        consumer.log_text() == "one\ntwo\n"
    });
    consumer.signal(Signal::Interrupt);
    let status = consumer.wait();
    assert_eq!(status.code(), Some(130), "{}", consumer.log_text());
    assert_eq!(
        consumer.log_text(),
        "one\ntwo\nProcessed a total of 2 messages\n"
    );
}

/// A consumer that waits ends in silence when nobody reads its output any more.
#[test]
fn a_waiting_consumer_goes_with_its_reader() {
    let cluster = Cluster::start("tool-reader", 1, &[]);
    cluster.tool(&["topic", "create", "t"]).ok();
    cluster
        .tool_with_input(&["produce", "t"], b"one\ntwo\n")
        .ok();
    let mut consumer = Command::new(tool_binary())
        .args([
            "consume",
            "t",
            "--from-beginning",
            "-b",
            &cluster.bootstrap(),
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut reader = BufReader::new(consumer.stdout.take().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert_eq!(line, "one\n");
    drop(reader);
    let ended = consumer.wait_with_output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
}
