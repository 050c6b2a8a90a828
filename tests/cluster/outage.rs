//! ZooKeeper goes away and comes back.

use std::time::Duration;

use barnabas_tests::cluster::Cluster;
use barnabas_tests::liveness::wait_until;
use barnabas_tests::zookeeper::{Znodes, ZooKeeper};

use crate::failover::lines;

/// How long ZooKeeper is away: longer than the brokers' session.
const OUTAGE: Duration = Duration::from_secs(10);

/// S21: while ZooKeeper is away brokers serve what they lead; when it is back topics can be made
/// again, by itself.
#[test]
fn brokers_serve_through_an_outage_and_recover_by_themselves() {
    let mut zookeeper = ZooKeeper::start();
    let mut cluster = Cluster::prepare(zookeeper.chroot("outage"), 3, &[]);
    cluster.start_brokers();
    cluster
        .tool(&["topic", "create", "through", "--partitions", "3"])
        .ok();
    zookeeper.kill();
    cluster
        .tool_with_input(&["produce", "through"], &lines(30))
        .ok();
    std::thread::sleep(OUTAGE);
    cluster
        .tool_with_input(&["produce", "through"], &lines(30))
        .ok();
    let consume = ["consume", "through", "--from-beginning", "--exit-at-end"];
    assert_eq!(cluster.tool(&consume).ok().lines().count(), 60);
    zookeeper.restart();
    let znodes = Znodes::new(cluster.zookeeper());
    wait_until("all are registered", || {
        znodes.children("/brokers/ids").len() == 3
    });
    wait_until("topics can be made again", || {
        cluster
            .tool(&["topic", "create", "after", "--partitions", "3"])
            .code
            == 0
            || znodes.get("/brokers/topics/after").is_some()
    });
    cluster
        .tool_with_input(&["produce", "after"], &lines(9))
        .ok();
    assert_eq!(cluster.tool(&consume).ok().lines().count(), 60);
}
