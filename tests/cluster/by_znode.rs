//! Topics made and deleted by tools that write the znodes themselves.

use barnabas_tests::cluster::Cluster;
use barnabas_tests::liveness::wait_until;
use barnabas_tests::zookeeper::Znodes;

/// S18: a topic znode written by hand is served like any other, and so is its deletion.
#[test]
fn a_topic_written_by_hand_is_served_and_deleted() {
    let cluster = Cluster::start("by-znode", 3, &[]);
    let znodes = Znodes::new(cluster.zookeeper());
    let placed = r#"{"version":1,"partitions":{"0":[2],"1":[0]}}"#;
    znodes.create("/brokers/topics/hand", placed);
    let state = "/brokers/topics/hand/partitions/1/state";
    wait_until("the partitions have leaders", || {
        znodes.get(state).is_some()
    });
    wait_until("the tool sees it", || {
        cluster
            .tool(&["topic", "list"])
            .ok()
            .lines()
            .any(|line| line.contains("hand"))
    });
    cluster
        .tool_with_input(&["produce", "hand"], b"one\ntwo\n")
        .ok();
    let back = cluster
        .tool(&["consume", "hand", "--from-beginning", "--exit-at-end"])
        .ok();
    let mut back: Vec<&str> = back.lines().collect();
    back.sort_unstable();
    assert_eq!(back, ["one", "two"]);
    assert!(cluster.brokers[2].data().join("hand-0").is_dir());
    assert!(cluster.brokers[0].data().join("hand-1").is_dir());

    znodes.create("/admin/delete_topics/hand", "");
    znodes.wait_gone("/brokers/topics/hand");
    znodes.wait_gone("/admin/delete_topics/hand");
    wait_until("the folders are gone", || {
        !cluster.brokers[2].data().join("hand-0").exists()
            && !cluster.brokers[0].data().join("hand-1").exists()
    });
}

/// S22: partitions added by hand are taken up.
#[test]
fn a_partition_added_by_hand_is_served() {
    let cluster = Cluster::start("by-znode-more", 2, &[]);
    let znodes = Znodes::new(cluster.zookeeper());
    cluster
        .tool(&["topic", "create", "grows", "--partitions", "1"])
        .ok();
    znodes.set(
        "/brokers/topics/grows",
        r#"{"version":1,"partitions":{"0":[0],"1":[1]}}"#,
    );
    let state = "/brokers/topics/grows/partitions/1/state";
    wait_until("the new partition has a leader", || {
        znodes.get(state).is_some()
    });
    wait_until("the tool sees it", || {
        cluster
            .tool(&["topic", "describe", "grows"])
            .ok()
            .contains("2 partitions")
    });
}
