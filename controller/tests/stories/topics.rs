//! Topics come. S4, S10, S18.

use barnabas_controller::call::{Answer, AssignmentError, Call, MorePartitions, TopicError};
use barnabas_controller::request::ControlBody;
use barnabas_wire::id::BrokerId;
use barnabas_zk_schema::config::{ConfigEntity, ConfigZnode};
use barnabas_zk_schema::topic::TopicZnode;
use barnabas_zk_schema::topic_deletion::TopicDeletionZnode;
use barnabas_zk_schema::{Expected, ZkOp, ZkWrite};

use crate::support::world::{Faults, World, settings};
use crate::{counted, create, lists, new_topic, partition, placed};

/// S18, S4: creating a topic goes through ZooKeeper: settings, assignment, then a state for each partition.
#[test]
fn a_created_topic_is_in_zookeeper_with_a_leader_for_each_partition() {
    let mut world = World::with_brokers(&[1, 2]);
    let assignment = placed(world.ask(create(counted("t", 2, 2)))).unwrap();
    assert_eq!(assignment.partitions, lists(&[&[1, 2], &[2, 1]]));
    assert_eq!(
        world.zookeeper.text("/brokers/topics/t"),
        r#"{"version":2,"partitions":{"0":[1,2],"1":[2,1]},"adding_replicas":{},"removing_replicas":{}}"#
    );
    assert_eq!(
        world.zookeeper.text("/config/topics/t"),
        r#"{"version":1,"config":{}}"#
    );
    assert_eq!(
        world.zookeeper.text("/brokers/topics/t/partitions/0/state"),
        r#"{"controller_epoch":1,"leader":1,"version":1,"leader_epoch":0,"isr":[1,2]}"#
    );
    assert_eq!(world.leading("t", 1), (2, 0, vec![2, 1]));
    world.check_at_rest();
    assert_eq!(world.checker.violation, None);
}

/// S18: a topic that a tool wrote into ZooKeeper is made exactly as one created through a broker.
#[test]
fn a_topic_written_by_a_tool_is_made_as_any_other() {
    let mut world = World::with_brokers(&[1, 2]);
    world.tool_creates_topic("t", &[&[2, 1]]);
    world.settle();
    assert_eq!(world.leading("t", 0), (2, 0, vec![2, 1]));
    assert_eq!(
        (world.told(1, "t", 0), world.told(2, "t", 0)),
        (Some((2, 0)), Some((2, 0)))
    );
    world.check_at_rest();
    assert_eq!(world.checker.violation, None);
}

#[test]
fn brokers_are_told_of_a_new_partition_once_and_that_it_is_new() {
    let mut world = World::with_brokers(&[1]);
    world.sent.clear();
    world.create_topic("t", &[&[1]]);
    let leaderships = world
        .sent
        .iter()
        .filter_map(|(_, _, request)| match &request.body {
            ControlBody::LeaderAndIsr(body) => Some(body),
            ControlBody::UpdateMetadata(_) | ControlBody::StopReplica(_) => None,
        });
    let leaderships: Vec<_> = leaderships.collect();
    assert_eq!(leaderships.len(), 1);
    assert!(leaderships[0].partitions[&partition("t", 0)].is_new);
    assert_eq!(leaderships[0].live_leaders[0].host, "broker-1");
}

#[test]
fn settings_of_a_new_topic_are_written_with_it_and_replace_what_was_left() {
    let mut world = World::with_brokers(&[1]);
    let znode = ConfigZnode(ConfigEntity::Topic("t".into()));
    world.tool(&barnabas_zk_schema::Znode::create(
        &znode,
        &[("old".into(), "1".into())].into(),
    ));
    let mut topic = new_topic("t", &[&[1]]);
    topic.config = [("retention.ms".to_owned(), "60000".to_owned())].into();
    placed(world.ask(create(topic))).unwrap();
    assert_eq!(
        world.zookeeper.text("/config/topics/t"),
        r#"{"version":1,"config":{"retention.ms":"60000"}}"#
    );
}

#[track_caller]
fn check_refused(
    world: &mut World,
    topic: barnabas_controller::call::NewTopic,
    expected: &TopicError,
) {
    let name = topic.name.clone();
    assert_eq!(placed(world.ask(create(topic))).as_ref(), Err(expected));
    if *expected != TopicError::Exists(name.clone()) {
        assert!(!world.zookeeper.exists(&format!("/config/topics/{name}")));
    }
}

#[test]
fn a_topic_that_cannot_be_is_refused_and_leaves_nothing() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("a.b", &[&[1]]);
    let factor = |factor| TopicError::ReplicationFactor {
        factor,
        live_count: 2,
    };
    check_refused(&mut world, counted("t", 1, 3), &factor(3));
    check_refused(&mut world, counted("t", 1, 0), &factor(0));
    let partitions = |count| TopicError::Partitions {
        count,
        max: 100_000,
    };
    check_refused(&mut world, counted("t", 0, 1), &partitions(0));
    check_refused(&mut world, counted("t", -5, 1), &partitions(-5));
    check_refused(&mut world, counted("t", 100_001, 1), &partitions(100_001));
    check_refused(
        &mut world,
        counted("a.b", 1, 1),
        &TopicError::Exists("a.b".to_owned()),
    );
    let collides = TopicError::Collides {
        name: "a_b".to_owned(),
        other: "a.b".to_owned(),
    };
    check_refused(&mut world, counted("a_b", 1, 1), &collides);
    let not_live = AssignmentError::NotLive {
        partition: 0,
        broker: BrokerId(9),
    };
    check_refused(
        &mut world,
        new_topic("t", &[&[9]]),
        &TopicError::Assignment(not_live),
    );
    let answer = placed(world.ask(create(counted("not a name", 1, 1))));
    assert!(matches!(answer, Err(TopicError::Name(_))), "{answer:?}");
}

#[test]
fn an_assignment_larger_than_zookeeper_takes_is_refused() {
    let mut world = World::with_brokers(&[1_000_000_001, 1_000_000_002, 1_000_000_003]);
    let answer = placed(world.ask(create(counted("t", 30_000, 3))));
    assert!(
        matches!(answer, Err(TopicError::TooLarge { .. })),
        "{answer:?}"
    );
}

#[test]
fn only_validating_changes_nothing() {
    let mut world = World::with_brokers(&[1]);
    let call = Call::CreateTopics {
        topics: vec![counted("t", 1, 1)],
        validate_only: true,
        random: 0,
    };
    assert_eq!(placed(world.ask(call)).unwrap().partitions, lists(&[&[1]]));
    assert!(!world.zookeeper.exists("/brokers/topics/t"));
}

#[test]
fn topics_of_one_call_succeed_or_fail_each_by_itself() {
    let mut world = World::with_brokers(&[1]);
    let topics = vec![counted("t", 1, 1), counted("u", 0, 1), counted("t", 1, 1)];
    let call = Call::CreateTopics {
        topics,
        validate_only: false,
        random: 0,
    };
    let Answer::Placed(results) = world.ask(call) else {
        panic!("not placed")
    };
    let outcomes: Vec<_> = results
        .iter()
        .map(|(name, result)| (name.as_str(), result.is_ok()))
        .collect();
    assert_eq!(outcomes, [("t", true), ("u", false), ("t", false)]);
    assert!(world.zookeeper.exists("/brokers/topics/t"));
}

#[test]
fn counts_that_are_not_given_come_from_the_settings() {
    let mut settings = settings();
    settings.num_partitions = 3;
    settings.default_replication_factor = 2;
    let mut world = World::with_settings(settings, &[1, 2]);
    let mut topic = counted("t", 1, 1);
    topic.placement = barnabas_controller::call::Placement::Counts {
        partitions: None,
        replication_factor: None,
    };
    let assignment = placed(world.ask(create(topic))).unwrap();
    assert_eq!(assignment.partitions, lists(&[&[1, 2], &[2, 1], &[1, 2]]));
}

#[test]
fn a_call_to_a_broker_that_is_not_the_controller_is_refused() {
    let mut world = World::with_brokers(&[1, 2]);
    let call = world.call(BrokerId(2), create(counted("t", 1, 1)));
    world.settle();
    let answer = &world.nodes[&BrokerId(2)].answers[&call];
    assert_eq!(
        *answer,
        Answer::Refused(barnabas_controller::call::CallError::NotController)
    );
}

/// A creation whose reply was lost is not written twice: what is in ZooKeeper tells what happened.
#[test]
fn a_creation_whose_reply_was_lost_is_resolved_by_reading() {
    for seed in 0..60 {
        let mut world = World::new(settings(), seed);
        world.start(BrokerId(1));
        world.settle();
        world.faults = Faults {
            cut: 2,
            ..Faults::default()
        };
        let call = world.call(BrokerId(1), create(counted("t", 2, 1)));
        world.settle();
        world.faults = Faults::default();
        world.settle();
        let result = placed(world.nodes[&BrokerId(1)].answers[&call].clone());
        let is_there = world.zookeeper.exists("/brokers/topics/t");
        match result {
            Ok(_) => assert!(is_there, "seed {seed}"),
            Err(TopicError::Unresolved) => assert!(!is_there, "seed {seed}"),
            Err(error) => panic!("seed {seed}: {error}"),
        }
        world.check_at_rest();
        assert_eq!(world.checker.violation, None, "seed {seed}");
    }
}

#[test]
fn a_topic_waits_for_a_broker_and_gets_its_leader_when_one_comes() {
    let mut world = World::with_brokers(&[1]);
    world.tool_creates_topic("t", &[&[2]]);
    world.settle();
    assert!(
        !world
            .zookeeper
            .exists("/brokers/topics/t/partitions/0/state")
    );
    world.start(BrokerId(2));
    world.settle();
    assert_eq!(world.leading("t", 0), (2, 0, vec![2]));
    world.check_at_rest();
    assert_eq!(world.checker.violation, None);
}

/// S22: partitions are added while everything runs; the ring goes on where the formula says.
#[test]
fn added_partitions_follow_the_formula() {
    let mut world = World::with_brokers(&[1, 2, 3]);
    placed(world.ask(create(counted("t", 2, 2)))).unwrap();
    let topics = vec![MorePartitions {
        topic: "t".into(),
        total: 5,
        replicas: None,
    }];
    let call = Call::CreatePartitions {
        topics,
        validate_only: false,
    };
    let assignment = placed(world.ask(call)).unwrap();
    let expected = lists(&[&[1, 2], &[2, 3], &[3, 1], &[1, 2], &[2, 3]]);
    assert_eq!(assignment.partitions, expected);
    assert_eq!(
        world
            .zookeeper
            .get(&TopicZnode("t".into()))
            .unwrap()
            .partitions,
        expected
    );
    assert_eq!(world.leading("t", 4).0, 2);
    assert_eq!(world.leading("t", 0), (1, 0, vec![1, 2]));
    world.check_at_rest();
    assert_eq!(world.checker.violation, None);
}

#[test]
fn partitions_can_be_added_by_a_tool_and_replicas_cannot_be_changed_that_way() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("t", &[&[1]]);
    let znode = TopicZnode("t".into());
    let mut assignment = world.zookeeper.get(&znode).unwrap();
    assignment.partitions = lists(&[&[2], &[2]]);
    world.tool(&barnabas_zk_schema::Znode::set(
        &znode,
        &assignment,
        Expected::Any,
    ));
    world.settle();
    assert_eq!(world.leading("t", 0), (1, 0, vec![1]));
    assert_eq!(world.leading("t", 1), (2, 0, vec![2]));
    assert_eq!(world.told(2, "t", 0), None);
}

#[test]
fn fewer_partitions_or_none_to_add_to_are_refused() {
    let mut world = World::with_brokers(&[1]);
    world.create_topic("t", &[&[1], &[1]]);
    let mut ask = |topic: &str, total, replicas| {
        let topics = vec![MorePartitions {
            topic: topic.into(),
            total,
            replicas,
        }];
        placed(world.ask(Call::CreatePartitions {
            topics,
            validate_only: false,
        }))
        .unwrap_err()
    };
    let not_more = |total| TopicError::NotMore {
        topic: "t".to_owned(),
        current: 2,
        total,
    };
    assert_eq!(ask("t", 2, None), not_more(2));
    assert_eq!(ask("t", 1, None), not_more(1));
    assert_eq!(ask("u", 3, None), TopicError::Unknown("u".to_owned()));
    let count = AssignmentError::Count {
        given: 1,
        wanted: 2,
    };
    let one = Some(vec![crate::brokers(&[1])]);
    assert_eq!(ask("t", 4, one), TopicError::Assignment(count));
}

#[test]
fn a_name_in_zookeeper_that_no_topic_can_have_is_left_alone() {
    let mut world = World::with_brokers(&[1]);
    world.tool_creates_topic("not a name", &[&[1]]);
    world.tool_creates_topic("t", &[&[1]]);
    world.settle();
    assert!(
        !world
            .zookeeper
            .exists("/brokers/topics/not a name/partitions")
    );
    assert_eq!(world.leading("t", 0).0, 1);
}

#[test]
fn a_topic_that_cannot_be_read_does_no_harm_to_others() {
    let mut world = World::with_brokers(&[1]);
    let bad = ZkWrite::Create {
        path: "/brokers/topics/bad".into(),
        data: b"{".to_vec(),
        mode: barnabas_zk_schema::CreateMode::Persistent,
    };
    world.tool(&bad);
    world.tool_creates_topic("t", &[&[1]]);
    world.settle();
    assert_eq!(world.leading("t", 0).0, 1);
    // Nor to a controller that finds it there.
    world.expire(BrokerId(1));
    world.renew(BrokerId(1));
    world.settle();
    assert_eq!(world.leading("t", 0).0, 1);
}

/// S18: a topic that is being deleted cannot be created (KAFKA-13175).
#[test]
fn a_topic_with_a_mark_cannot_be_created() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("t", &[&[2]]);
    world.stop(2);
    world.settle();
    world.tool(&barnabas_zk_schema::Znode::create(
        &TopicDeletionZnode("t".into()),
        &(),
    ));
    world.settle();
    let marked = TopicError::MarkedForDeletion("t".to_owned());
    assert_eq!(placed(world.ask(create(counted("t", 1, 1)))), Err(marked));
}

/// Bulk: a topic of many partitions takes few requests to ZooKeeper.
#[test]
fn states_of_many_partitions_are_written_in_packs() {
    let mut world = World::with_brokers(&[1, 2, 3]);
    world.executed.clear();
    placed(world.ask(create(counted("t", 500, 3)))).unwrap();
    let writes = world
        .executed
        .iter()
        .filter(|op| matches!(op, ZkOp::Multi(_)))
        .count();
    assert_eq!(
        writes,
        1 + 1 + 10,
        "topic, its parent znode, ten packs of states"
    );
    assert_eq!(world.leading("t", 499).0, 2);
}

/// A pack in which one partition is not as expected is taken apart; the others are written.
#[test]
fn one_bad_partition_does_not_keep_a_pack_from_being_written() {
    let mut world = World::with_brokers(&[1]);
    let znode = barnabas_zk_schema::partition::PartitionZnode(partition("t", 1));
    world.expire(BrokerId(1));
    world.tool_creates_topic("t", &[&[1], &[1], &[1]]);
    let parent = barnabas_zk_schema::partition::PartitionsZnode("t".into());
    world.tool(&barnabas_zk_schema::Znode::create(&parent, &()));
    world.tool(&barnabas_zk_schema::Znode::create(&znode, &()));
    world.renew(BrokerId(1));
    world.settle();
    let leaders: Vec<_> = (0..3).map(|index| world.leading("t", index).0).collect();
    assert_eq!(leaders, [1, 1, 1]);
}

/// A topic whose znodes somebody removed by hand is stopped everywhere, its logs stay, and one of the
/// same name begins anew.
#[test]
fn a_topic_removed_by_hand_is_stopped_but_its_logs_stay() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("t", &[&[1, 2]]);
    world.stop(2);
    world.start(BrokerId(2));
    world.settle();
    assert_eq!(world.leading("t", 0).1, 1);
    let root = "/brokers/topics/t";
    for below in ["/partitions/0/state", "/partitions/0", "/partitions", ""] {
        let path = format!("{root}{below}").into();
        world.tool(&ZkWrite::Delete {
            path,
            expected: Expected::Any,
        });
    }
    world.settle();
    assert_eq!((world.told(1, "t", 0), world.told(2, "t", 0)), (None, None));
    for node in world.nodes.values() {
        assert!(node.broker.metadata.is_empty());
        assert!(node.broker.logs.contains(&partition("t", 0)));
    }
    world.tool_creates_topic("t", &[&[2, 1]]);
    world.settle();
    assert_eq!(world.leading("t", 0), (2, 0, vec![2, 1]));
    world.check_at_rest();
    assert_eq!(world.checker.violation, None);
}
