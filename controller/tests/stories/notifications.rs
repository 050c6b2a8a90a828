//! Hints in ZooKeeper: ISR changes, lost log directories, wishes for preferred leaders.

use barnabas_controller::request::ControlBody;
use barnabas_wire::id::BrokerId;
use barnabas_zk_schema::Znode;
use barnabas_zk_schema::isr_change::IsrChangeZnode;
use barnabas_zk_schema::log_dir_event::LogDirEventZnode;
use barnabas_zk_schema::preferred_election::PreferredElectionZnode;

use crate::partition;
use crate::support::world::World;

/// S11: a leader's change of the ISR reaches every broker, and its notification is removed.
#[test]
fn an_isr_change_is_told_to_every_broker_and_its_notification_removed() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("t", &[&[2, 1]]);
    world.leader_writes_isr("t", 0, &[2]);
    world.sent.clear();
    world.tool(&IsrChangeZnode.create(&vec![partition("t", 0), partition("unknown", 0)]));
    world.settle();
    assert!(
        world
            .zookeeper
            .children("/isr_change_notification")
            .is_empty()
    );
    for id in [1, 2] {
        let known = &world.nodes[&BrokerId(id)].broker.metadata[&partition("t", 0)];
        assert_eq!(known.isr, crate::brokers(&[2]));
        assert_eq!(known.zk_version.0, 1);
    }
    assert_eq!(world.leading("t", 0), (2, 0, vec![2]));
    world.check_at_rest();
    assert_eq!(world.checker.violation, None);
}

#[test]
fn a_notification_that_cannot_be_read_is_removed() {
    let mut world = World::with_brokers(&[1]);
    for parent in [
        "isr_change_notification/isr_change_",
        "log_dir_event_notification/log_dir_event_",
    ] {
        world.tool(&barnabas_zk_schema::ZkWrite::Create {
            path: format!("/{parent}").into(),
            data: b"?".to_vec(),
            mode: barnabas_zk_schema::CreateMode::PersistentSequential,
        });
    }
    world.settle();
    assert!(
        world
            .zookeeper
            .children("/isr_change_notification")
            .is_empty()
    );
    assert!(
        world
            .zookeeper
            .children("/log_dir_event_notification")
            .is_empty()
    );
}

/// A leader that took a dead broker into the ISR, unaware: the controller takes it out again.
#[test]
fn a_dead_broker_taken_into_the_isr_is_taken_out_again() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("t", &[&[1, 2]]);
    world.stop(2);
    world.settle();
    world.leader_writes_isr("t", 0, &[1, 2]);
    world.tool(&IsrChangeZnode.create(&vec![partition("t", 0)]));
    world.settle();
    assert_eq!(world.leading("t", 0), (1, 2, vec![1]));
}

/// A decision on a state that a leader has changed meanwhile is made anew.
#[test]
fn a_leaders_write_that_came_first_is_read_and_decided_upon() {
    let mut world = World::with_brokers(&[1, 2, 3]);
    world.create_topic("t", &[&[2, 3, 1]]);
    // Nobody tells the controller.
    world.leader_writes_isr("t", 0, &[2, 1]);
    world.stop(2);
    world.settle();
    assert_eq!(world.leading("t", 0), (1, 1, vec![1]));
}

/// A broker that lost a log directory is asked which replicas are gone; others lead those.
#[test]
fn replicas_in_a_lost_log_directory_are_offline() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("t", &[&[2, 1], &[2, 1]]);
    let broker = &mut world.nodes.get_mut(&BrokerId(2)).unwrap().broker;
    broker.lost.insert(partition("t", 0));
    world.tool(&LogDirEventZnode.create(&BrokerId(2)));
    world.settle();
    assert_eq!(world.leading("t", 0), (1, 1, vec![1]));
    assert_eq!(world.leading("t", 1), (2, 0, vec![2, 1]));
    assert!(
        world
            .zookeeper
            .children("/log_dir_event_notification")
            .is_empty()
    );
    let known = &world.nodes[&BrokerId(1)].broker.metadata[&partition("t", 0)];
    assert_eq!(known.offline_replicas, crate::brokers(&[2]));
    // After a restart with the directory mended it is a replica again.
    world.stop(2);
    world.start(BrokerId(2));
    world.settle();
    let known = &world.nodes[&BrokerId(1)].broker.metadata[&partition("t", 0)];
    assert!(known.offline_replicas.is_empty());
}

/// The preferred replica leads again where a tool wishes it and it is in sync.
#[test]
fn a_wish_for_preferred_leaders_is_fulfilled_and_removed() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("t", &[&[2, 1], &[2, 1]]);
    world.stop(2);
    world.settle();
    world.start(BrokerId(2));
    world.settle();
    assert_eq!(world.leading("t", 0), (1, 1, vec![1]));
    world.leader_writes_isr("t", 0, &[1, 2]);
    world.tool(&IsrChangeZnode.create(&vec![partition("t", 0)]));
    world.tool(&PreferredElectionZnode.create(&vec![
        partition("t", 0),
        partition("t", 1),
        partition("unknown", 7),
    ]));
    world.settle();
    assert_eq!(world.leading("t", 0), (2, 2, vec![1, 2]));
    // Not in sync, so not elected.
    assert_eq!(world.leading("t", 1), (1, 1, vec![1]));
    assert!(!world.zookeeper.exists("/admin/preferred_replica_election"));
    assert_eq!(world.told(1, "t", 0), Some((2, 2)));
}

#[test]
fn a_wish_that_was_there_before_the_controller_is_fulfilled() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("t", &[&[2, 1]]);
    world.stop(2);
    world.settle();
    world.start(BrokerId(2));
    world.settle();
    world.leader_writes_isr("t", 0, &[1, 2]);
    world.expire(BrokerId(1));
    world.tool(&PreferredElectionZnode.create(&vec![partition("t", 0)]));
    world.renew(BrokerId(1));
    world.settle();
    let (leader, _, _) = world.leading("t", 0);
    assert_eq!(leader, 2);
    assert!(!world.zookeeper.exists("/admin/preferred_replica_election"));
}

#[test]
fn a_wish_that_cannot_be_read_is_removed() {
    let mut world = World::with_brokers(&[1]);
    world.tool(&barnabas_zk_schema::ZkWrite::Create {
        path: PreferredElectionZnode.path(),
        data: b"?".to_vec(),
        mode: barnabas_zk_schema::CreateMode::Persistent,
    });
    world.settle();
    assert!(!world.zookeeper.exists("/admin/preferred_replica_election"));
}

#[test]
fn metadata_is_sent_to_every_broker_when_one_comes_or_goes() {
    let mut world = World::with_brokers(&[1, 2, 3]);
    world.sent.clear();
    world.stop(3);
    world.settle();
    let told: Vec<_> = world
        .sent
        .iter()
        .map(|(_, to, request)| (to.0, &request.body))
        .collect();
    assert_eq!(told.len(), 2);
    for (_, body) in told {
        let ControlBody::UpdateMetadata(body) = body else {
            panic!("{body:?}")
        };
        assert_eq!(body.live_brokers.len(), 2);
    }
}
