//! The shortest way through everything, on whichever ZooKeeper `TEST_ZOOKEEPER` names. The suite
//! runs it on a ZooKeeper container too, where there is Docker.
#![forbid(unsafe_code)]

use barnabas_tests::cluster::Cluster;
use barnabas_tests::zookeeper::Znodes;

/// S4, S6, S18: a broker registers, a topic is made, a record goes in and comes back, the topic
/// goes.
#[test]
fn a_record_goes_through_a_cluster() {
    let cluster = Cluster::start("smoke", 3, &[]);
    let znodes = Znodes::new(cluster.zookeeper());
    assert_eq!(znodes.children("/brokers/ids"), ["0", "1", "2"]);
    cluster
        .tool(&["topic", "create", "smoke", "--partitions", "3"])
        .ok();
    cluster
        .tool_with_input(&["produce", "smoke"], b"through the chimney\n")
        .ok();
    let back = cluster
        .tool(&["consume", "smoke", "--from-beginning", "--exit-at-end"])
        .ok();
    assert_eq!(back, "through the chimney\n");
    cluster.tool(&["topic", "delete", "smoke"]).ok();
    znodes.wait_gone("/brokers/topics/smoke");
}
