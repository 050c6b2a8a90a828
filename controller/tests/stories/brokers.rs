//! Brokers come, go and bounce. S4, S13.

use barnabas_controller::request::{ControlBody, LEADER_DURING_DELETE};
use barnabas_wire::id::BrokerId;
use barnabas_zk_schema::broker::BrokerIdZnode;
use barnabas_zk_schema::config::{ConfigEntity, ConfigZnode};
use barnabas_zk_schema::{Expected, ZkOp, Znode};

use crate::partition;
use crate::support::world::{Faults, World, registration, settings};

/// S13: the leader dies, a new one is elected from the ISR, and the dead one leaves the ISR.
#[test]
fn when_a_leader_dies_the_next_of_the_isr_leads() {
    let mut world = World::with_brokers(&[1, 2, 3]);
    world.create_topic("t", &[&[2, 3, 1]]);
    world.stop(2);
    world.settle();
    assert_eq!(world.leading("t", 0), (3, 1, vec![3, 1]));
    assert_eq!(
        (world.told(3, "t", 0), world.told(1, "t", 0)),
        (Some((3, 1)), Some((3, 1)))
    );
}

/// S13: the one elected stays leader when the old one returns.
#[test]
fn a_leader_stays_when_its_predecessor_returns() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("t", &[&[2, 1]]);
    world.stop(2);
    world.settle();
    world.start(BrokerId(2));
    world.settle();
    assert_eq!(world.leading("t", 0), (1, 1, vec![1]));
    assert_eq!(world.told(2, "t", 0), Some((1, 1)));
}

/// S13: a follower's death shrinks the ISR with a higher leader epoch, and the leader is told.
#[test]
fn a_dead_follower_leaves_the_isr() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("t", &[&[1, 2]]);
    world.stop(2);
    world.settle();
    assert_eq!(world.leading("t", 0), (1, 1, vec![1]));
    assert_eq!(world.told(1, "t", 0), Some((1, 1)));
}

/// S13, S14: with the last of the ISR dead nobody leads, and it is kept who has the data; its return
/// brings the partition back.
#[test]
fn a_partition_whose_isr_is_dead_waits_for_a_member() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("t", &[&[2, 1]]);
    world.leader_writes_isr("t", 0, &[2]);
    world.stop(2);
    world.settle();
    assert_eq!(world.leading("t", 0), (-1, 1, vec![2]));
    assert_eq!(world.told(1, "t", 0), Some((-1, 1)));
    world.start(BrokerId(2));
    world.settle();
    assert_eq!(world.leading("t", 0), (2, 2, vec![2]));
    world.check_at_rest();
    assert_eq!(world.checker.violation, None);
}

/// S14: where a topic allows it, a live replica outside the ISR leads, and is the ISR.
#[test]
fn an_unclean_election_needs_the_topics_leave() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("t", &[&[2, 1]]);
    world.leader_writes_isr("t", 0, &[2]);
    let znode = ConfigZnode(ConfigEntity::Topic("t".into()));
    let allowed = [(
        "unclean.leader.election.enable".to_owned(),
        "true".to_owned(),
    )]
    .into();
    world.tool(&znode.set(&allowed, Expected::Any));
    world.kill(BrokerId(2));
    // The checker holds elections to the ISR; this one is meant to leave it.
    world.checker = crate::support::check::Checker::default();
    world.expire(BrokerId(2));
    while world.checker.violation.is_none() && world.leading("t", 0).0 == 2 {
        world.run_for(1);
    }
    assert_eq!(world.leading("t", 0), (1, 1, vec![1]));
    assert!(
        world
            .checker
            .violation
            .as_ref()
            .unwrap()
            .starts_with("elected from outside the ISR")
    );
}

/// S4: a broker that registers is told who is live before it is told what it keeps.
#[test]
fn a_broker_that_returns_hears_of_brokers_and_partitions_and_then_what_it_keeps() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("t", &[&[2], &[1]]);
    world.stop(2);
    world.settle();
    world.sent.clear();
    world.start(BrokerId(2));
    world.settle();
    let to_2: Vec<_> = world
        .sent
        .iter()
        .filter(|(_, to, _)| *to == BrokerId(2))
        .collect();
    let ControlBody::UpdateMetadata(first) = &to_2[0].2.body else {
        panic!("{:?}", to_2[0])
    };
    assert_eq!(first.live_brokers.len(), 2);
    assert!(first.partitions.contains_key(&partition("t", 1)));
    let ControlBody::LeaderAndIsr(second) = &to_2[1].2.body else {
        panic!("{:?}", to_2[1])
    };
    assert_eq!(
        second.partitions.keys().collect::<Vec<_>>(),
        [&partition("t", 0)]
    );
    assert_eq!(world.told(2, "t", 0), Some((2, 2)));
}

/// S4: every request names the incarnation it is meant for.
#[test]
fn requests_carry_the_epoch_of_the_receiver_and_of_the_controller() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("t", &[&[1, 2]]);
    for (from, to, request) in &world.sent {
        assert_eq!(request.controller, *from);
        assert_eq!(request.controller_epoch.0, 1);
        let stat = world.zookeeper.stat(&BrokerIdZnode(*to).path()).unwrap();
        assert_eq!(request.broker_epoch.0, stat.czxid.0);
    }
    assert!(world.sent.len() >= 4);
}

/// A broker that registers anew before anyone noticed leaves every ISR that has another member.
#[test]
fn a_bounced_leader_hands_over_to_another_of_the_isr() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("t", &[&[2, 1]]);
    world.kill(BrokerId(2));
    world.start(BrokerId(2));
    world.settle();
    assert_eq!(world.leading("t", 0), (1, 1, vec![1]));
    assert_eq!(world.told(2, "t", 0), Some((1, 1)));
}

/// A bounced broker outside the ISR raises the epoch too: what its earlier incarnation has under way
/// must not bring it into the ISR (KIP-903).
#[test]
fn a_bounced_replica_outside_the_isr_raises_the_leader_epoch() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("t", &[&[1, 2]]);
    world.leader_writes_isr("t", 0, &[1]);
    world.kill(BrokerId(2));
    world.start(BrokerId(2));
    world.settle();
    assert_eq!(world.leading("t", 0), (1, 1, vec![1]));
    assert_eq!(
        (world.told(1, "t", 0), world.told(2, "t", 0)),
        (Some((1, 1)), Some((1, 1)))
    );
}

#[test]
fn a_bounced_only_replica_leads_on_with_a_higher_epoch() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("t", &[&[2]]);
    world.kill(BrokerId(2));
    world.start(BrokerId(2));
    world.settle();
    assert_eq!(world.leading("t", 0), (2, 1, vec![2]));
    assert_eq!(world.told(2, "t", 0), Some((2, 1)));
}

/// A controller that finds a broker registered after the state was written drops it from the ISR: it
/// bounced while nobody looked.
#[test]
fn a_new_controller_notices_a_bounce_that_nobody_saw() {
    let mut world = World::with_brokers(&[1, 2, 3]);
    world.create_topic("t", &[&[2, 3]]);
    world.create_topic("u", &[&[2]]);
    world.expire(BrokerId(1));
    world.kill(BrokerId(1));
    world.kill(BrokerId(2));
    world.start(BrokerId(2));
    world.settle();
    let (leader, _, isr) = world.leading("t", 0);
    assert_eq!((leader, isr), (3, vec![3]));
    // The only member leads on: nobody else has the data.
    assert_eq!(world.leading("u", 0).0, 2);
}

/// S4: after a failover every broker is told everything anew.
#[test]
fn a_new_controller_tells_every_broker_everything() {
    let mut world = World::with_brokers(&[1, 2, 3]);
    world.tool_creates_topic("t", &[&[2, 3], &[3, 2], &[1]]);
    world.settle();
    world.sent.clear();
    world.stop(1);
    world.settle();
    for to in [2, 3] {
        let mut told = std::collections::BTreeSet::new();
        for (_, _, request) in world.sent.iter().filter(|(_, id, _)| *id == BrokerId(to)) {
            assert_eq!(request.controller_epoch.0, 2);
            if let ControlBody::UpdateMetadata(body) = &request.body {
                told.extend(body.partitions.keys().cloned());
                assert!(
                    body.partitions
                        .values()
                        .all(|word| word.leader != LEADER_DURING_DELETE)
                );
            }
        }
        assert_eq!(told.len(), 3);
    }
    assert_eq!(world.leading("t", 2), (-1, 1, vec![1]));
}

#[test]
fn a_broker_that_changes_its_address_is_reached_at_the_new_one() {
    let mut world = World::with_brokers(&[1, 2]);
    let mut changed = registration(BrokerId(2));
    changed.endpoints[0].host = "elsewhere".to_owned();
    world.sent.clear();
    world.tool(&BrokerIdZnode(BrokerId(2)).set(&changed, Expected::Any));
    world.settle();
    let hosts = world
        .sent
        .iter()
        .filter_map(|(_, _, request)| match &request.body {
            ControlBody::UpdateMetadata(body) => {
                Some(body.live_brokers[1].endpoints[0].host.clone())
            }
            ControlBody::LeaderAndIsr(_) | ControlBody::StopReplica(_) => None,
        });
    assert_eq!(hosts.collect::<Vec<_>>(), ["elsewhere", "elsewhere"]);
}

/// Requests that get lost are sent again until they are answered.
#[test]
fn requests_that_get_lost_are_sent_again() {
    let mut world = World::new(settings(), 3);
    world.faults = Faults {
        lost_request: 2,
        ..Faults::default()
    };
    for id in [1, 2] {
        world.start(BrokerId(id));
        world.settle();
    }
    world.create_topic("t", &[&[1, 2], &[2, 1]]);
    world.settle();
    world.check_at_rest();
    assert_eq!(world.checker.violation, None);
}

/// S4: the counts that metrics show.
#[test]
fn counts_tell_what_is_offline() {
    let mut world = World::with_brokers(&[1, 2]);
    world.tool_creates_topic("t", &[&[2], &[2, 1], &[1]]);
    world.settle();
    world.stop(2);
    world.settle();
    let counts = world.nodes[&BrokerId(1)]
        .controller
        .as_ref()
        .unwrap()
        .counts();
    assert_eq!(
        (
            counts.live_brokers,
            counts.topics,
            counts.partitions,
            counts.offline_partitions
        ),
        (1, 1, 3, 1)
    );
    assert_eq!(counts.preferred_replica_imbalance, 2);
}

/// A leadership that a broker could not take when it was told is told again, still as new.
#[test]
fn a_leadership_that_was_not_taken_is_told_again() {
    let mut world = World::with_brokers(&[1, 2]);
    let broker = &mut world.nodes.get_mut(&BrokerId(2)).unwrap().broker;
    broker.untakeable.insert(partition("t", 0));
    world.create_topic("t", &[&[2], &[2]]);
    world.settle();
    assert_eq!(
        (world.told(2, "t", 0), world.told(2, "t", 1)),
        (Some((2, 0)), Some((2, 0)))
    );
    let known = &world.nodes[&BrokerId(2)].broker.replicas[&partition("t", 0)];
    assert!(known.is_new);
    assert_eq!(world.leading("t", 0), (2, 0, vec![2]));
}

/// However many partitions there are, a failover asks ZooKeeper the same few times: what it costs
/// beyond that is bulk.
#[test]
fn a_failover_takes_a_few_rounds_however_many_partitions_there_are() {
    let mut world = World::with_brokers(&[1, 2, 3]);
    let topics = (0..10)
        .map(|index| crate::counted(&format!("t{index}"), 200, 2))
        .collect();
    let call = barnabas_controller::call::Call::CreateTopics {
        topics,
        validate_only: false,
        random: 0,
    };
    world.ask(call);
    world.batches = 0;
    world.executed.clear();
    world.stop(1);
    world.settle();
    assert!(world.batches < 20, "{} rounds", world.batches);
    let multis = world
        .executed
        .iter()
        .filter(|op| matches!(op, ZkOp::Multi(_)))
        .count();
    // An election each of two brokers, and packs of 50 for two thirds of 2000 partitions.
    assert!(multis < 2 + 2000 / 50, "{multis} multis");
    for index in 0..200 {
        let (leader, _, isr) = world.leading("t7", index);
        assert!(leader > 1 && !isr.contains(&1), "{leader} {isr:?}");
    }
}
