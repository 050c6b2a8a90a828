//! A broker is about to stop.

use barnabas_controller::call::{Answer, Call, CallError};
use barnabas_controller::request::ControlBody;
use barnabas_wire::id::{BrokerEpoch, BrokerId};

use crate::partition;
use crate::support::world::World;

fn leave(id: i32) -> Call {
    Call::ControlledShutdown {
        broker: BrokerId(id),
        broker_epoch: BrokerEpoch::NONE,
    }
}

#[test]
fn a_leaving_broker_hands_its_leaderships_over_before_it_is_gone() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("t", &[&[2, 1]]);
    assert_eq!(world.ask(leave(2)), Answer::Remaining(Vec::new()));
    assert_eq!(world.leading("t", 0), (1, 1, vec![1]));
    assert_eq!(world.told(1, "t", 0), Some((1, 1)));
}

#[test]
fn a_leaving_follower_leaves_the_isr_and_is_stopped() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("t", &[&[1, 2]]);
    world.sent.clear();
    assert_eq!(world.ask(leave(2)), Answer::Remaining(Vec::new()));
    assert_eq!(world.leading("t", 0), (1, 1, vec![1]));
    let stops = world
        .sent
        .iter()
        .filter_map(|(_, to, request)| match &request.body {
            ControlBody::StopReplica(body) => Some((*to, body.partitions[&partition("t", 0)])),
            ControlBody::LeaderAndIsr(_) | ControlBody::UpdateMetadata(_) => None,
        });
    let stops: Vec<_> = stops.collect();
    assert_eq!(stops.len(), 1);
    assert_eq!(
        (stops[0].0, stops[0].1.leader_epoch.0, stops[0].1.delete),
        (BrokerId(2), 1, false)
    );
}

/// A partition that nobody else keeps stays until its broker is dead.
#[test]
fn partitions_of_one_replica_are_not_moved_and_not_waited_for() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("t", &[&[2]]);
    assert_eq!(world.ask(leave(2)), Answer::Remaining(Vec::new()));
    assert_eq!(world.leading("t", 0), (2, 0, vec![2]));
    assert_eq!(world.told(2, "t", 0), Some((2, 0)));
}

#[test]
fn a_partition_that_nobody_else_is_in_sync_for_remains() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("t", &[&[2, 1]]);
    world.leader_writes_isr("t", 0, &[2]);
    world.tool(&barnabas_zk_schema::Znode::create(
        &barnabas_zk_schema::isr_change::IsrChangeZnode,
        &vec![partition("t", 0)],
    ));
    world.settle();
    assert_eq!(
        world.ask(leave(2)),
        Answer::Remaining(vec![partition("t", 0)])
    );
    assert_eq!(world.leading("t", 0), (2, 0, vec![2]));
}

#[test]
fn a_leaving_broker_is_given_no_new_replicas() {
    let mut world = World::with_brokers(&[1, 2]);
    world.ask(leave(2));
    let assignment = crate::placed(world.ask(crate::create(crate::counted("t", 2, 1)))).unwrap();
    assert_eq!(assignment.partitions, crate::lists(&[&[1], &[1]]));
}

#[test]
fn a_broker_that_left_and_came_back_is_as_any_other() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("t", &[&[2, 1]]);
    world.ask(leave(2));
    world.stop(2);
    world.settle();
    world.start(BrokerId(2));
    world.settle();
    world.leader_writes_isr("t", 0, &[1, 2]);
    world.stop(1);
    world.settle();
    assert_eq!(world.leading("t", 0).0, 2);
}

#[test]
fn an_earlier_incarnation_and_a_stranger_are_refused() {
    let mut world = World::with_brokers(&[1, 2]);
    let stale = Call::ControlledShutdown {
        broker: BrokerId(2),
        broker_epoch: BrokerEpoch(0),
    };
    let refused = |error| Answer::Refused(error);
    assert_eq!(
        world.ask(stale),
        refused(CallError::StaleBrokerEpoch {
            broker: BrokerId(2)
        })
    );
    assert_eq!(
        world.ask(leave(9)),
        refused(CallError::UnknownBroker {
            broker: BrokerId(9)
        })
    );
}
