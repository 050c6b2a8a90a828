//! Topics through the tool: made, listed, described, refused, deleted.

use std::collections::BTreeSet;

use barnabas_tests::cluster::{Answer, Cluster};
use barnabas_tests::liveness::wait_until;
use barnabas_tests::zookeeper::Znodes;

/// Whether a broker has a folder of this partition, deleted ones not counted.
fn has_folder(cluster: &Cluster, broker: usize, partition: &str) -> bool {
    cluster.brokers[broker].data().join(partition).is_dir()
}

/// Names of folders that belong to a topic, also those on their way out.
fn folders_of(cluster: &Cluster, topic: &str) -> Vec<String> {
    let all = cluster
        .brokers
        .iter()
        .flat_map(|broker| std::fs::read_dir(broker.data()).expect("the data folder can be read"));
    all.map(|entry| {
        entry
            .expect("an entry")
            .file_name()
            .to_string_lossy()
            .into_owned()
    })
    .filter(|name| name.starts_with(&format!("{topic}-")))
    .collect()
}

/// S4, S10, S18, S24: creation puts Kafka's znodes there, partition i on broker i mod n; deletion
/// removes znodes and folders everywhere.
#[test]
fn a_topic_comes_and_goes_with_its_znodes_and_folders() {
    let cluster = Cluster::start("topic", 3, &[]);
    let znodes = Znodes::new(cluster.zookeeper());
    assert_eq!(znodes.children("/brokers/ids"), ["0", "1", "2"]);
    cluster
        .tool(&["topic", "create", "orders", "--partitions", "6"])
        .ok();
    let placed: serde_json::Value =
        serde_json::from_str(&znodes.get("/brokers/topics/orders").expect("the topic")).unwrap();
    for partition in 0..6_i64 {
        assert_eq!(
            placed["partitions"][partition.to_string()][0],
            partition % 3
        );
        let state = format!("/brokers/topics/orders/partitions/{partition}/state");
        let state: serde_json::Value =
            serde_json::from_str(&znodes.get(&state).expect("the state")).unwrap();
        assert_eq!(state["leader"], partition % 3);
        assert_eq!(state["isr"], serde_json::json!([partition % 3]));
        let broker = usize::try_from(partition % 3).unwrap();
        let folder = format!("orders-{partition}");
        wait_until("the folder is there", || {
            has_folder(&cluster, broker, &folder)
        });
    }
    assert!(
        cluster
            .tool(&["topic", "list"])
            .ok()
            .lines()
            .any(|line| line.contains("orders"))
    );
    let told = cluster.tool(&["topic", "describe", "orders"]).ok();
    assert!(told.contains("6 partitions"), "{told}");

    cluster.tool(&["topic", "delete", "orders"]).ok();
    znodes.wait_gone("/brokers/topics/orders");
    znodes.wait_gone("/admin/delete_topics/orders");
    znodes.wait_gone("/config/topics/orders");
    wait_until("the folders are gone", || {
        folders_of(&cluster, "orders").is_empty()
    });
    assert!(!cluster.tool(&["topic", "list"]).ok().contains("orders"));
}

#[track_caller]
fn refused(answer: &Answer, code: i32, word: &str) {
    assert_eq!(answer.code, code, "{answer:#?}");
    let said = format!("{}{}", answer.out, answer.err);
    assert!(said.contains(word), "{word}: {answer:#?}");
    assert!(!said.contains("panicked"), "{answer:#?}");
}

/// S9: the factor is chosen at creation and cannot exceed the live brokers. Wrong requests get the
/// protocol's error and a helpful line, and the broker goes on.
#[test]
fn wrong_creations_are_refused_and_the_broker_goes_on() {
    let cluster = Cluster::start("topic-wrong", 1, &[]);
    let create = |arguments: &[&str]| cluster.tool(&[&["topic", "create"], arguments].concat());
    refused(
        &create(&["many", "--replication-factor", "3"]),
        1,
        "INVALID_REPLICATION_FACTOR",
    );
    refused(&create(&["bad/name"]), 1, "INVALID_TOPIC_EXCEPTION");
    refused(
        &create(&["none", "--partitions", "0"]),
        1,
        "INVALID_PARTITIONS",
    );
    create(&["there"]).ok();
    refused(&create(&["there"]), 1, "TOPIC_ALREADY_EXISTS");
    refused(
        &cluster.tool(&["topic", "delete", "nowhere"]),
        1,
        "UNKNOWN_TOPIC_OR_PARTITION",
    );
    refused(
        &cluster.tool(&["topic", "describe", "nowhere"]),
        1,
        "nowhere",
    );
    let wrong = create(&["odd", "--config", "no.such.setting=1"]);
    refused(&wrong, 1, "INVALID_CONFIG");
    assert!(cluster.tool(&["topic", "list"]).ok().contains("there"));
}

/// A wrong port is an unreachable cluster: exit code 4, and what to do next.
#[test]
fn a_wrong_port_says_that_nobody_answers() {
    let tool = barnabas_tests::cluster::tool_binary();
    let list = ["topic", "list", "--bootstrap-server", "127.0.0.1:1"];
    let answer = barnabas_tests::cluster::run(&tool, &list);
    refused(&answer, 4, "127.0.0.1:1");
}

/// S18: with `delete.topic.enable=false` the API refuses and writes no marker; a marker written
/// there by hand stays, the topic serves on and is listed as marked; with true it is deleted.
#[test]
fn a_marker_waits_until_deletion_is_allowed() {
    let mut cluster = Cluster::start("topic-marker", 1, &[("delete.topic.enable", "false")]);
    let znodes = Znodes::new(cluster.zookeeper());
    cluster.tool(&["topic", "create", "kept"]).ok();
    refused(
        &cluster.tool(&["topic", "delete", "kept"]),
        1,
        "TOPIC_DELETION_DISABLED",
    );
    assert_eq!(
        znodes.children("/admin/delete_topics"),
        Vec::<String>::new()
    );
    znodes.create("/admin/delete_topics/kept", "");
    cluster
        .tool_with_input(&["produce", "kept"], b"still serving\n")
        .ok();
    let back = cluster
        .tool(&["consume", "kept", "--from-beginning", "--exit-at-end"])
        .ok();
    assert_eq!(back, "still serving\n");
    assert_eq!(znodes.get("/admin/delete_topics/kept"), Some(String::new()));
    let listed = cluster.tool(&["topic", "list"]).ok();
    assert!(listed.contains("marked for deletion"), "{listed}");

    let broker = &mut cluster.brokers[0];
    assert!(broker.stop(), "{}", broker.log_text());
    broker.set("delete.topic.enable", "true");
    broker.start();
    broker.wait_ready();
    znodes.wait_gone("/brokers/topics/kept");
    znodes.wait_gone("/admin/delete_topics/kept");
    wait_until("the folders are gone", || {
        folders_of(&cluster, "kept").is_empty()
    });
}

/// S19: with `auto.create.topics.enable=true` a deleted topic comes back when someone writes to
/// it; with false it does not.
#[test]
fn a_deleted_topic_comes_back_only_where_auto_creation_is_on() {
    for (auto, comes_back) in [("true", true), ("false", false)] {
        let settings = [
            ("auto.create.topics.enable", auto),
            ("delete.topic.enable", "true"),
        ];
        let cluster = Cluster::start("topic-auto", 1, &settings);
        let znodes = Znodes::new(cluster.zookeeper());
        cluster.tool(&["topic", "create", "again"]).ok();
        cluster.tool(&["topic", "delete", "again"]).ok();
        znodes.wait_gone("/brokers/topics/again");
        let server = cluster.bootstrap();
        let send = [
            "-b",
            &server,
            "-P",
            "-t",
            "again",
            "-X",
            "message.timeout.ms=10000",
        ];
        let sent = barnabas_tests::cluster::kcat(&send, b"once more\n");
        assert_eq!(sent.code == 0, comes_back, "{sent:#?}");
        assert_eq!(znodes.get("/brokers/topics/again").is_some(), comes_back);
    }
}

/// The ring of the policy `rotated` begins where the fewest partitions are led, so that topics of
/// one partition do not all lead on the first broker.
#[test]
fn another_policy_places_otherwise() {
    let cluster = Cluster::start("topic-rotated", 3, &[("assignment.policy", "rotated")]);
    let znodes = Znodes::new(cluster.zookeeper());
    let mut leaders = BTreeSet::new();
    for topic in ["one", "two", "three"] {
        cluster
            .tool(&["topic", "create", topic, "--partitions", "1"])
            .ok();
        let path = format!("/brokers/topics/{topic}");
        let placed = znodes.get(&path).expect("the topic");
        let placed: serde_json::Value = serde_json::from_str(&placed).expect("JSON");
        leaders.insert(placed["partitions"]["0"][0].as_i64().expect("a broker"));
    }
    assert_eq!(leaders, BTreeSet::from([0, 1, 2]));
}
