//! Data that belongs to one broker of one cluster.

use barnabas_tests::cluster::{Broker, Cluster};
use barnabas_tests::liveness::wait_until;
use barnabas_tests::zookeeper::Znodes;

#[track_caller]
fn refuses(broker: &mut Broker, reason: &str) {
    broker.start();
    let status = broker.process().expect("it was started").wait();
    assert!(!status.success());
    let log = broker.log_text();
    assert!(log.contains(reason), "{log}");
}

/// A broker whose data belongs to a cluster neither joins another nor founds one, and takes no other
/// broker's name; set right, it goes on.
#[test]
fn data_of_one_broker_serves_no_other() {
    let mut cluster = Cluster::start("identity", 1, &[]);
    cluster.tool(&["topic", "create", "mine"]).ok();
    let home = cluster.zookeeper().to_owned();
    let (elsewhere, other) = (format!("{home}/elsewhere"), format!("{home}/other"));
    let folder = cluster.folder().join("other");
    let mut founder = Broker::new(1, &folder, &other, &[]);
    founder.start();
    founder.wait_ready();

    let broker = &mut cluster.brokers[0];
    assert!(broker.stop());
    broker.set("zookeeper.connect", &elsewhere);
    refuses(broker, "holds no cluster");
    assert_eq!(Znodes::new(&elsewhere).get("/cluster/id"), None);
    broker.set("zookeeper.connect", &other);
    refuses(broker, "Correct zookeeper.connect");
    broker.set("zookeeper.connect", &home);
    broker.set("broker.id", "2");
    refuses(broker, "belongs to broker 0");

    broker.set("broker.id", "0");
    broker.start();
    broker.wait_ready();
    wait_until("the topic is served again", || {
        cluster.tool(&["topic", "list"]).ok().contains("mine")
    });
    assert!(founder.stop());
}
