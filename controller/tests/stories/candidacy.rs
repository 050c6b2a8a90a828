//! Who is controller. S15.

use barnabas_controller::Announcement;
use barnabas_wire::id::{BrokerId, ControllerEpoch};
use barnabas_zk_schema::controller::{ControllerEpochZnode, ControllerZnode};
use barnabas_zk_schema::partition::{PartitionState, PartitionStateZnode};
use barnabas_zk_schema::{Expected, ZkOp, Znode};

use crate::support::check::Checker;
use crate::support::world::{Faults, World, settings};

fn epoch_of(world: &World, id: i32) -> Option<i32> {
    let controller = world.nodes[&BrokerId(id)].controller.as_ref()?;
    controller.active_epoch().map(|epoch| epoch.0)
}

/// S15: the first broker of an empty ensemble becomes controller, with epoch 1.
#[test]
fn the_first_broker_becomes_controller_of_epoch_1() {
    let world = World::with_brokers(&[1]);
    assert_eq!(epoch_of(&world, 1), Some(1));
    assert_eq!(world.zookeeper.text("/controller_epoch"), "1");
    let holder = world.zookeeper.get(&ControllerZnode).unwrap();
    assert_eq!(holder.broker, BrokerId(1));
    assert_eq!(holder.timestamp_ms, 1_700_000_000_000);
}

/// S15: one broker is controller by winning a znode; the others stand by and know who it is.
#[test]
fn of_several_brokers_one_is_controller_and_the_others_know_it() {
    let world = World::with_brokers(&[1, 2, 3]);
    assert_eq!(world.active(), Some(BrokerId(1)));
    for (id, node) in &world.nodes {
        let controller = node.controller.as_ref().unwrap();
        assert_eq!(controller.holder(), Some(BrokerId(1)));
        assert_eq!(controller.active_epoch().is_some(), *id == BrokerId(1));
    }
}

/// S15: when the controller dies another wins, with a higher epoch.
#[test]
fn when_the_controller_dies_another_wins() {
    let mut world = World::with_brokers(&[1, 2, 3]);
    world.stop(1);
    world.settle();
    let active = world.active().unwrap();
    assert_ne!(active, BrokerId(1));
    assert_eq!(epoch_of(&world, active.0), Some(2));
    assert_eq!(world.zookeeper.text("/controller_epoch"), "2");
}

/// S15: an election whose reply was lost is found by reading: the znode is my session's.
#[test]
fn an_election_whose_reply_was_lost_is_won_nevertheless() {
    for seed in 0..40 {
        let mut world = World::new(settings(), seed);
        world.faults = Faults {
            cut: 2,
            ..Faults::default()
        };
        world.start(BrokerId(1));
        world.settle();
        assert_eq!(world.active(), Some(BrokerId(1)), "seed {seed}");
        let elections = world.executed.iter().filter(|op| is_election(op)).count();
        let epoch = epoch_of(&world, 1).unwrap();
        assert!(elections >= 1 && epoch >= 1);
        assert_eq!(
            world.zookeeper.text("/controller_epoch"),
            epoch.to_string(),
            "seed {seed}"
        );
    }
}

fn is_election(op: &ZkOp) -> bool {
    let ZkOp::Multi(writes) = op else {
        return false;
    };
    writes
        .iter()
        .any(|write| *write.path() == ControllerZnode.path())
}

/// S15: a controller whose session expires resigns, and is controller again or cleanly not.
#[test]
fn a_controller_whose_session_expires_resigns_and_stands_by() {
    let mut world = World::with_brokers(&[1, 2]);
    world.expire(BrokerId(1));
    world.settle();
    assert_eq!(world.active(), Some(BrokerId(2)));
    world.renew(BrokerId(1));
    world.settle();
    assert_eq!(epoch_of(&world, 1), None);
    assert_eq!(epoch_of(&world, 2), Some(2));
    let resigned = Announcement::Resigned {
        epoch: ControllerEpoch(1),
    };
    assert!(world.nodes[&BrokerId(1)].announcements.contains(&resigned));
    world.check_at_rest();
    assert_eq!(world.checker.violation, None);
}

/// S15: a lone controller whose session expired is controller again.
#[test]
fn a_lone_controller_whose_session_expired_is_controller_again() {
    let mut world = World::with_brokers(&[1]);
    world.create_topic("t", &[&[1]]);
    world.expire(BrokerId(1));
    world.renew(BrokerId(1));
    world.settle();
    assert_eq!(epoch_of(&world, 1), Some(2));
    assert_eq!(world.leading("t", 0).0, 1);
    world.check_at_rest();
    assert_eq!(world.checker.violation, None);
}

/// S15: an operator who removes `/controller` by hand forces an election.
#[test]
fn removing_the_znode_by_hand_forces_an_election() {
    let mut world = World::with_brokers(&[1, 2]);
    world.tool(&ControllerZnode.delete(Expected::Any));
    world.settle();
    let active: Vec<_> = [1, 2]
        .iter()
        .filter_map(|id| epoch_of(&world, *id))
        .collect();
    assert_eq!(active, [2]);
    world.check_at_rest();
    assert_eq!(world.checker.violation, None);
}

/// S15: a controller that was cut off while another took over writes nothing and resigns (KAFKA-6082).
#[test]
fn a_deposed_controller_writes_nothing() {
    let mut world = World::with_brokers(&[1, 2]);
    // Broker 2 is elected while broker 1 still believes and has heard nothing.
    world.tool(&ControllerZnode.delete(Expected::Any));
    world.tool_creates_topic("t", &[&[1], &[2]]);
    world.settle();
    let states: Vec<_> = (0..2)
        .map(|index| world.state("t", index).controller_epoch.0)
        .collect();
    assert_eq!(states, [2, 2]);
}

#[test]
fn the_controller_is_known_to_nobody_while_there_is_no_session() {
    let mut world = World::with_brokers(&[1]);
    world.faults.delay_ms = 0;
    world.expire(BrokerId(1));
    let node = world.nodes.get_mut(&BrokerId(1)).unwrap();
    let controller = node.controller.as_mut().unwrap();
    let mut effects = Vec::new();
    controller.step(0, barnabas_controller::Event::SessionExpired, &mut effects);
    assert_eq!(controller.holder(), None);
    assert_eq!(controller.active_epoch(), None);
    assert_eq!(controller.next_deadline(), None);
    assert_eq!(controller.counts(), barnabas_controller::Counts::default());
}

/// A state of a later epoch than there is: somebody set the epoch back. No state is written, and the
/// controller does not spin.
#[test]
fn a_state_of_a_later_epoch_is_not_written_over() {
    let mut world = World::with_brokers(&[1]);
    world.create_topic("t", &[&[1]]);
    let znode = PartitionStateZnode(crate::partition("t", 0));
    let later = PartitionState {
        controller_epoch: ControllerEpoch(99),
        ..world.state("t", 0)
    };
    world.tool(&znode.set(&later, Expected::Any));
    world.executed.clear();
    world.expire(BrokerId(1));
    world.renew(BrokerId(1));
    world.run_for(1000);
    assert_eq!(world.state("t", 0), later);
    assert!(world.batches < 200, "{} batches", world.batches);
}

/// Somebody removed `/controller_epoch` by hand: it begins anew, and somebody is controller.
#[test]
fn without_an_epoch_it_begins_anew() {
    let mut world = World::with_brokers(&[1]);
    world.tool(&ControllerEpochZnode.delete(Expected::Any));
    world.checker = Checker::default();
    world.tool(&ControllerZnode.delete(Expected::Any));
    world.settle();
    assert_eq!(epoch_of(&world, 1), Some(1));
}
