//! What a broker shows of itself while it runs, and how it can be configured.

use std::process::Command;

use barnabas_tests::cluster::{Cluster, broker_binary, kcat};
use barnabas_tests::liveness::wait_until;
use barnabas_tests::process::{Process, steady_port};
use barnabas_tests::zookeeper::ZooKeeper;

#[test]
fn metrics_follow_a_topic_from_its_first_record_to_its_end() {
    let cluster = Cluster::start("metrics", 1, &[("delete.topic.enable", "true")]);
    let broker = &cluster.brokers[0];
    cluster.tool(&["topic", "create", "seen", "-p", "2"]).ok();
    let partition = ["-b", &cluster.bootstrap(), "-P", "-t", "seen", "-p", "1"];
    kcat(&partition, b"a\nb\nc\n").ok();
    let expected = [
        ("kafka_server_brokertopicmetrics_messagesin_total", 3.0),
        (
            "kafka_server_brokertopicmetrics_messagesin_total{topic=\"seen\"}",
            3.0,
        ),
        ("kafka_server_replicamanager_partitioncount", 2.0),
        ("kafka_server_replicamanager_leadercount", 2.0),
        ("kafka_server_replicamanager_underreplicatedpartitions", 0.0),
        (
            "kafka_controller_kafkacontroller_activecontrollercount",
            1.0,
        ),
        (
            "kafka_log_log_logendoffset{topic=\"seen\",partition=\"0\"}",
            0.0,
        ),
        (
            "kafka_log_log_logendoffset{topic=\"seen\",partition=\"1\"}",
            3.0,
        ),
    ];
    for (series, value) in expected {
        assert_eq!(
            broker.metric(series),
            Some(value),
            "{series}\n{}",
            broker.metrics()
        );
    }
    cluster.tool(&["topic", "delete", "seen"]).ok();
    wait_until("the series of the topic are gone", || {
        !broker.metrics().contains("\"seen\"")
    });
    let sum = broker.metric("kafka_server_brokertopicmetrics_messagesin_total");
    assert_eq!(sum, Some(3.0), "what was counted stays counted");
}

/// A file as Kafka's administrators have it: settings of Java's kind, some that only Kafka knows.
#[test]
fn a_server_properties_as_it_lies_starts_a_broker() {
    let chroot = ZooKeeper::shared().chroot("properties");
    let folder = tempfile::tempdir().unwrap();
    let (port, data) = (steady_port(), folder.path().join("data"));
    let file = folder.path().join("server.properties");
    let text = format!(
        "# a comment\nbroker.id=5\nlisteners=PLAINTEXT://127.0.0.1:{port}\nlog.dirs={}\n\
         zookeeper.connect={}\nnum.network.threads = 2\nlog.cleaner.threads: 1\n\
         inter.broker.protocol.version=2.6\n",
        data.display(),
        chroot.connect_string(),
    );
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(broker_binary());
    command.arg("start").arg("--config").arg(&file);
    let mut broker = Process::spawn("broker", command, &folder.path().join("log"));
    let bootstrap = format!("127.0.0.1:{port}");
    wait_until("the broker answers", || {
        assert_eq!(broker.status(), None, "{}", broker.log_text());
        kcat(&["-b", &bootstrap, "-L", "-m", "2"], b"").code == 0
    });
    let listed = kcat(&["-b", &bootstrap, "-L"], b"").ok();
    assert!(
        listed.contains(&format!("broker 5 at {bootstrap}")),
        "{listed}"
    );
    let log = broker.log_text();
    assert!(
        log.contains("log.cleaner.threads"),
        "the ignored setting is told: {log}"
    );
    assert!(broker.terminate().success(), "{}", broker.log_text());
}

/// The control of the one above: what would weaken security is not ignored.
#[test]
fn an_authorizer_in_it_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.properties");
    let text = "zookeeper.connect=localhost:1\nauthorizer.class.name=kafka.security.Acl\n";
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(broker_binary());
    command.arg("start").arg("--config").arg(&file);
    let mut broker = Process::spawn("broker", command, &folder.path().join("log"));
    assert_eq!(broker.wait().code(), Some(2));
    assert!(
        broker.log_text().contains("authorizer.class.name"),
        "{}",
        broker.log_text()
    );
}
