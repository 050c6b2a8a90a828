//! Brokers that die, stand still, or meet their own name.

use barnabas_tests::cluster::{Broker, Cluster};
use barnabas_tests::liveness::{wait_for, wait_until};
use barnabas_tests::process::Signal;
use barnabas_tests::zookeeper::Znodes;

/// A session short enough for a test to outwait.
const SHORT_SESSION: (&str, &str) = ("zookeeper.session.timeout.ms", "2000");

fn epoch(znodes: &Znodes) -> i64 {
    znodes
        .get("/controller_epoch")
        .expect("a controller was elected")
        .parse()
        .expect("a number")
}

fn controller(znodes: &Znodes) -> usize {
    let id = wait_for("a controller", || znodes.controller());
    usize::try_from(id).expect("an id")
}

/// S4, S15: the controller dies, another broker wins the znode with the next epoch, and topics are
/// made and deleted again.
#[test]
fn when_the_controller_dies_another_wins() {
    let mut cluster = Cluster::start("failover", 3, &[SHORT_SESSION]);
    let znodes = Znodes::new(cluster.zookeeper());
    let (first, first_epoch) = (controller(&znodes), epoch(&znodes));
    cluster
        .tool(&["topic", "create", "before", "--partitions", "3"])
        .ok();
    cluster.brokers[first].kill();
    let second = wait_for("another controller", || {
        znodes
            .controller()
            .filter(|id| *id != i64::try_from(first).unwrap())
    });
    assert_eq!(epoch(&znodes), first_epoch + 1);
    wait_until("the dead broker is gone", || {
        znodes.children("/brokers/ids").len() == 2
    });
    cluster
        .tool(&["topic", "create", "after", "--partitions", "4"])
        .ok();
    let state = znodes.get("/brokers/topics/after/partitions/3/state");
    let state = wait_for("the new topic has leaders", || state.clone());
    assert!(
        state.contains(&format!("\"controller_epoch\":{}", first_epoch + 1)),
        "{state}"
    );
    cluster.tool(&["topic", "delete", "after"]).ok();
    znodes.wait_gone("/brokers/topics/after");

    // The dead one comes back as an ordinary broker, and leads its partition again.
    cluster.brokers[first].start();
    cluster.brokers[first].wait_ready();
    assert_eq!(znodes.controller(), Some(second));
    let state = format!("/brokers/topics/before/partitions/{first}/state");
    wait_until("its partition has its leader again", || {
        znodes
            .get(&state)
            .is_some_and(|text| text.contains(&format!("\"leader\":{first}")))
    });
}

/// S15: a controller that stands still past its session finds another in its place when it goes
/// on; it registers again and does not claim to be what it was.
#[test]
fn a_controller_that_overslept_its_session_comes_back_as_a_broker() {
    let mut cluster = Cluster::start("oversleep", 3, &[SHORT_SESSION]);
    let znodes = Znodes::new(cluster.zookeeper());
    let (first, first_epoch) = (controller(&znodes), epoch(&znodes));
    cluster.brokers[first].signal(Signal::Stop);
    let name = first.to_string();
    wait_until("its registration is gone", || {
        !znodes.children("/brokers/ids").contains(&name)
    });
    let second = wait_for("another controller", || {
        znodes
            .controller()
            .filter(|id| *id != i64::try_from(first).unwrap())
    });
    cluster.brokers[first].signal(Signal::Continue);
    wait_until("it is registered again", || {
        znodes.children("/brokers/ids").contains(&name)
    });
    cluster.brokers[first].wait_ready();
    assert_eq!(znodes.controller(), Some(second));
    assert_eq!(epoch(&znodes), first_epoch + 1);
    cluster
        .tool(&["topic", "create", "whole", "--partitions", "6"])
        .ok();
    cluster
        .tool_with_input(&["produce", "whole"], &lines(60))
        .ok();
    let back = cluster
        .tool(&["consume", "whole", "--from-beginning", "--exit-at-end"])
        .ok();
    assert_eq!(back.lines().count(), 60);
}

/// A second broker of the same id is refused with a sentence, and the first goes on.
#[test]
fn a_second_broker_of_the_same_id_is_refused() {
    let cluster = Cluster::start("twin", 1, &[SHORT_SESSION]);
    let folder = cluster.folder().join("twin");
    let mut twin = Broker::new(0, &folder, cluster.zookeeper(), &[SHORT_SESSION]);
    twin.start();
    let status = twin.process().expect("it was started").wait();
    assert!(!status.success());
    assert!(
        twin.log_text().contains("/brokers/ids/0"),
        "{}",
        twin.log_text()
    );
    cluster.tool(&["topic", "create", "goes-on"]).ok();
}

/// S27: a broker that was stopped in order has nothing to recover, and hands over its port.
#[test]
fn a_broker_stopped_in_order_comes_back_with_its_records() {
    let mut cluster = Cluster::start("orderly", 1, &[]);
    cluster
        .tool(&["topic", "create", "kept", "--partitions", "2"])
        .ok();
    cluster
        .tool_with_input(&["produce", "kept"], &lines(100))
        .ok();
    let broker = &mut cluster.brokers[0];
    assert!(broker.stop(), "{}", broker.log_text());
    assert!(broker.data().join(".kafka_cleanshutdown").exists());
    broker.start();
    broker.wait_ready();
    let back = cluster
        .tool(&["consume", "kept", "--from-beginning", "--exit-at-end"])
        .ok();
    assert_eq!(back.lines().count(), 100);
}

pub(crate) fn lines(count: usize) -> Vec<u8> {
    (0..count)
        .flat_map(|number| format!("line {number}\n").into_bytes())
        .collect()
}
