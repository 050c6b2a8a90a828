//! Topics go. S18.

use barnabas_controller::call::{Answer, Call, MorePartitions, TopicError};
use barnabas_controller::request::{ControlBody, LEADER_DURING_DELETE, LEADER_EPOCH_DURING_DELETE};
use barnabas_wire::id::BrokerId;
use barnabas_zk_schema::config::{ConfigEntity, ConfigZnode};
use barnabas_zk_schema::topic::{TopicAssignment, TopicZnode};
use barnabas_zk_schema::topic_deletion::TopicDeletionZnode;
use barnabas_zk_schema::{Expected, Znode};

use crate::support::world::{Faults, World, settings};
use crate::{lists, partition, placed};

fn mark(world: &mut World, topic: &str) {
    world.tool(&TopicDeletionZnode(topic.into()).create(&()));
}

#[track_caller]
fn check_gone(world: &mut World, topic: &str) {
    for parent in ["/brokers/topics", "/config/topics", "/admin/delete_topics"] {
        assert!(
            !world.zookeeper.children(parent).contains(&topic.to_owned()),
            "{parent}"
        );
    }
    for (id, node) in &world.nodes {
        if !world.is_alive(*id) {
            continue;
        }
        let is_its = |it: &barnabas_wire::id::TopicPartition| it.topic.as_str() == topic;
        assert!(!node.broker.logs.iter().any(is_its), "broker {id} has logs");
        assert!(
            !node.broker.replicas.keys().any(is_its),
            "broker {id} has replicas"
        );
        assert!(
            !node.broker.metadata.keys().any(is_its),
            "broker {id} has metadata"
        );
    }
    assert_eq!(world.checker.violation, None);
}

fn delete(topic: &str) -> Call {
    Call::DeleteTopics(vec![topic.into()])
}

fn marked(answer: Answer) -> Result<(), TopicError> {
    let Answer::Marked(mut topics) = answer else {
        panic!("{answer:?}")
    };
    topics.remove(0).1
}

/// S18: deleting marks the topic, and the controller removes it everywhere.
#[test]
fn a_deleted_topic_leaves_nothing() {
    let mut world = World::with_brokers(&[1, 2, 3]);
    world.create_topic("t", &[&[1, 2], &[2, 3], &[3, 1]]);
    world.create_topic("u", &[&[1, 2]]);
    assert_eq!(marked(world.ask(delete("t"))), Ok(()));
    check_gone(&mut world, "t");
    assert_eq!(world.leading("u", 0).0, 1);
    world.check_at_rest();
    assert_eq!(world.checker.violation, None);
}

/// S18: a mark that a tool wrote deletes exactly as a request does.
#[test]
fn a_topic_marked_by_a_tool_is_deleted() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("t", &[&[1, 2]]);
    mark(&mut world, "t");
    world.settle();
    check_gone(&mut world, "t");
}

/// S18: brokers first drop the topic from what they tell clients, then delete their replicas.
#[test]
fn brokers_drop_the_topic_from_their_metadata_before_they_delete_it() {
    let mut world = World::with_brokers(&[1]);
    world.create_topic("t", &[&[1]]);
    world.sent.clear();
    mark(&mut world, "t");
    world.settle();
    let ControlBody::UpdateMetadata(first) = &world.sent[0].2.body else {
        panic!("not metadata")
    };
    assert_eq!(
        first.partitions[&partition("t", 0)].leader,
        LEADER_DURING_DELETE
    );
    let ControlBody::StopReplica(second) = &world.sent[1].2.body else {
        panic!("not a stop")
    };
    let word = second.partitions[&partition("t", 0)];
    assert_eq!(
        (word.leader_epoch, word.delete),
        (LEADER_EPOCH_DURING_DELETE, true)
    );
    assert_eq!(world.sent.len(), 2);
}

/// S18: with `delete.topic.enable=false` a mark stays, the topic serves on, and the request is
/// refused and writes none.
#[test]
fn with_deletion_disabled_a_mark_stays_and_the_topic_serves_on() {
    let mut disabled = settings();
    disabled.delete_topic_enable = false;
    let mut world = World::with_settings(disabled, &[1, 2]);
    world.create_topic("t", &[&[2, 1]]);
    world.create_topic("u", &[&[1]]);
    mark(&mut world, "t");
    world.settle();
    assert!(world.zookeeper.exists("/admin/delete_topics/t"));
    assert_eq!(world.leading("t", 0), (2, 0, vec![2, 1]));
    let counts = world.nodes[&BrokerId(1)]
        .controller
        .as_ref()
        .unwrap()
        .counts();
    assert_eq!(counts.topics_to_delete, 1);
    // It is led on when its leader dies (KAFKA-3175).
    world.stop(2);
    world.settle();
    assert_eq!(world.leading("t", 0), (1, 1, vec![1]));
    assert_eq!(
        marked(world.ask(delete("u"))),
        Err(TopicError::DeletionDisabled)
    );
    assert!(!world.zookeeper.exists("/admin/delete_topics/u"));
}

/// S18: deletion of a marked topic starts once the setting is true.
#[test]
fn a_mark_that_stayed_takes_effect_once_deletion_is_enabled() {
    let mut disabled = settings();
    disabled.delete_topic_enable = false;
    let mut world = World::with_settings(disabled, &[1]);
    world.create_topic("t", &[&[1]]);
    mark(&mut world, "t");
    world.settle();
    world.settings.delete_topic_enable = true;
    world.stop(1);
    world.start(BrokerId(1));
    world.settle();
    check_gone(&mut world, "t");
}

/// S18: a topic with a replica on a dead broker waits for it, and goes when it is back.
#[test]
fn a_deletion_waits_for_a_dead_broker() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("t", &[&[1, 2]]);
    world.stop(2);
    world.settle();
    mark(&mut world, "t");
    world.settle();
    assert!(world.zookeeper.exists("/admin/delete_topics/t"));
    assert!(world.zookeeper.exists("/brokers/topics/t"));
    let counts = world.nodes[&BrokerId(1)]
        .controller
        .as_ref()
        .unwrap()
        .counts();
    assert_eq!(
        (counts.topics_to_delete, counts.topics_ineligible_to_delete),
        (1, 1)
    );
    world.start(BrokerId(2));
    world.settle();
    check_gone(&mut world, "t");
}

/// S18: a deletion that was interrupted by the death of the controller goes on under the next one.
#[test]
fn an_interrupted_deletion_resumes_after_a_failover() {
    for steps in 0..60 {
        let mut world = World::new(settings(), steps);
        // Everything takes a while, so that the controller dies at another point each time.
        world.faults.delay_ms = 5;
        for id in [1, 2, 3] {
            world.start(BrokerId(id));
            world.settle();
        }
        world.create_topic("t", &[&[2, 3], &[3, 2]]);
        mark(&mut world, "t");
        world.run_for(steps);
        world.stop(1);
        world.settle();
        check_gone(&mut world, "t");
    }
}

/// S18: deletions survive lost replies of ZooKeeper and of brokers.
#[test]
fn a_deletion_survives_cut_connections() {
    for seed in 0..60 {
        let mut world = World::new(settings(), seed);
        for id in [1, 2] {
            world.start(BrokerId(id));
            world.settle();
        }
        world.create_topic("t", &[&[1, 2], &[2, 1]]);
        world.faults = Faults {
            cut: 3,
            lost_request: 3,
            delay_ms: 3,
        };
        mark(&mut world, "t");
        world.settle();
        world.faults = Faults::default();
        world.settle();
        check_gone(&mut world, "t");
    }
}

/// S18: a replica that could not be deleted is tried again when its broker starts.
#[test]
fn a_replica_that_could_not_be_deleted_is_tried_again() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("t", &[&[2]]);
    let broker = &mut world.nodes.get_mut(&BrokerId(2)).unwrap().broker;
    broker.undeletable.insert(partition("t", 0));
    mark(&mut world, "t");
    world.settle();
    assert!(world.zookeeper.exists("/admin/delete_topics/t"));
    world.stop(2);
    world.start(BrokerId(2));
    world.settle();
    check_gone(&mut world, "t");
}

#[test]
fn a_mark_of_a_topic_that_does_not_exist_is_removed() {
    let mut world = World::with_brokers(&[1]);
    mark(&mut world, "t");
    world.settle();
    assert!(!world.zookeeper.exists("/admin/delete_topics/t"));
    assert_eq!(
        marked(world.ask(delete("t"))),
        Err(TopicError::Unknown("t".to_owned()))
    );
}

#[test]
fn a_topic_without_partitions_is_deleted_at_once() {
    let mut world = World::with_brokers(&[1]);
    world.tool_creates_topic("t", &[]);
    world.settle();
    mark(&mut world, "t");
    world.settle();
    check_gone(&mut world, "t");
}

/// Partitions added to a topic on its way out are not begun and go with it (KAFKA-6612).
#[test]
fn partitions_added_to_a_topic_in_deletion_go_with_it() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("t", &[&[2]]);
    world.stop(2);
    world.settle();
    mark(&mut world, "t");
    world.settle();
    let znode = TopicZnode("t".into());
    let mut assignment = world.zookeeper.get(&znode).unwrap();
    assignment.partitions = lists(&[&[2], &[1]]);
    world.tool(&znode.set(&assignment, Expected::Any));
    world.settle();
    assert!(!world.zookeeper.exists("/brokers/topics/t/partitions/1"));
    let topics = vec![MorePartitions {
        topic: "t".into(),
        total: 5,
        replicas: None,
    }];
    let answer = placed(world.ask(Call::CreatePartitions {
        topics,
        validate_only: false,
    }));
    assert_eq!(answer, Err(TopicError::MarkedForDeletion("t".to_owned())));
    world.start(BrokerId(2));
    world.settle();
    check_gone(&mut world, "t");
}

/// S18: the same name can be created again once the topic is gone, and begins anew.
#[test]
fn a_name_can_be_used_again() {
    let mut world = World::with_brokers(&[1, 2]);
    for _ in 0..3 {
        world.create_topic("t", &[&[1, 2]]);
        assert_eq!(world.leading("t", 0), (1, 0, vec![1, 2]));
        assert_eq!(
            (world.told(1, "t", 0), world.told(2, "t", 0)),
            (Some((1, 0)), Some((1, 0)))
        );
        world.ask(delete("t"));
        check_gone(&mut world, "t");
    }
}

/// S18: marking twice is no error; deleting goes on.
#[test]
fn a_topic_that_is_marked_already_can_be_marked_again() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("t", &[&[2]]);
    world.stop(2);
    world.settle();
    assert_eq!(marked(world.ask(delete("t"))), Ok(()));
    assert_eq!(marked(world.ask(delete("t"))), Ok(()));
    assert!(world.zookeeper.exists("/admin/delete_topics/t"));
}

/// What somebody put below a topic goes with it.
#[test]
fn foreign_znodes_below_a_topic_go_with_it() {
    let mut world = World::with_brokers(&[1]);
    world.create_topic("t", &[&[1]]);
    for path in ["/brokers/topics/t/extra", "/brokers/topics/t/extra/more"] {
        world.tool(&barnabas_zk_schema::ZkWrite::Create {
            path: path.into(),
            data: Vec::new(),
            mode: barnabas_zk_schema::CreateMode::Persistent,
        });
    }
    mark(&mut world, "t");
    world.settle();
    check_gone(&mut world, "t");
}

/// A large topic is removed in packs, the mark last of all.
#[test]
fn a_large_topic_is_removed_in_packs_and_the_mark_goes_last() {
    let mut world = World::with_brokers(&[1, 2]);
    placed(world.ask(crate::create(crate::counted("t", 300, 1)))).unwrap();
    world.executed.clear();
    mark(&mut world, "t");
    world.settle();
    check_gone(&mut world, "t");
    let multis: Vec<_> = world
        .executed
        .iter()
        .filter_map(|op| match op {
            barnabas_zk_schema::ZkOp::Multi(writes) => Some(writes),
            barnabas_zk_schema::ZkOp::Read(_) | barnabas_zk_schema::ZkOp::Write(_) => None,
        })
        .collect();
    assert_eq!(multis.len(), 7);
    let last = multis[6].last().unwrap().path().as_str();
    assert_eq!(last, "/admin/delete_topics/t");
}

/// A mark that is taken back before the deletion has begun saves the topic.
#[test]
fn a_mark_that_is_taken_back_in_time_saves_the_topic() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("t", &[&[2, 1]]);
    world.stop(2);
    world.settle();
    mark(&mut world, "t");
    world.expire(BrokerId(1));
    world.renew(BrokerId(1));
    world.settle();
    // Not begun by the new controller: broker 2 is not there. Nor is the partition looked after.
    world.tool(&TopicDeletionZnode("t".into()).delete(Expected::Any));
    world.settle();
    world.start(BrokerId(2));
    world.settle();
    assert_eq!(world.leading("t", 0).0, 1);
    world.check_at_rest();
    assert_eq!(world.checker.violation, None);
}

/// S18: a deletion that was interrupted after the topic's own znode went leaves nothing either.
#[test]
fn a_deletion_interrupted_before_its_last_steps_leaves_nothing() {
    let mut world = World::with_brokers(&[1]);
    let settings = ConfigZnode(ConfigEntity::Topic("t".into()));
    world.tool(&settings.create(&[("retention.ms".to_owned(), "1".to_owned())].into()));
    mark(&mut world, "t");
    world.settle();
    check_gone(&mut world, "t");
}

/// A marked topic whose znode cannot be understood stays until somebody mends it; nobody spins.
#[test]
fn a_marked_topic_that_cannot_be_read_waits_to_be_mended() {
    let mut world = World::with_brokers(&[1]);
    world.tool(&barnabas_zk_schema::ZkWrite::Create {
        path: TopicZnode("t".into()).path(),
        data: b"{".to_vec(),
        mode: barnabas_zk_schema::CreateMode::Persistent,
    });
    mark(&mut world, "t");
    world.settle();
    assert!(world.batches < 30, "{} batches", world.batches);
    assert!(world.zookeeper.exists("/admin/delete_topics/t"));
    let mended = TopicAssignment {
        partitions: lists(&[&[1]]),
        ..TopicAssignment::default()
    };
    world.tool(&TopicZnode("t".into()).set(&mended, Expected::Any));
    world.settle();
    check_gone(&mut world, "t");
}

/// S18: the znodes stay until every broker has confirmed that it tells clients of the topic no more;
/// a later controller would not know what to tell it.
#[test]
fn a_deletion_waits_until_every_broker_has_dropped_the_topic() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("t", &[&[1]]);
    world.unreachable.insert(BrokerId(2));
    mark(&mut world, "t");
    world.run_for(1000);
    assert!(
        !world.nodes[&BrokerId(1)]
            .broker
            .logs
            .contains(&partition("t", 0))
    );
    assert!(world.zookeeper.exists("/admin/delete_topics/t"));
    // Whoever is controller then goes on with it.
    world.expire(BrokerId(1));
    world.renew(BrokerId(1));
    world.run_for(1000);
    assert!(world.zookeeper.exists("/admin/delete_topics/t"));
    world.unreachable.clear();
    world.settle();
    check_gone(&mut world, "t");
}

/// S18: nor is a broker waited for that is gone.
#[test]
fn a_deletion_does_not_wait_for_a_broker_that_keeps_nothing_of_it_and_is_gone() {
    let mut world = World::with_brokers(&[1, 2]);
    world.create_topic("t", &[&[1]]);
    world.unreachable.insert(BrokerId(2));
    mark(&mut world, "t");
    world.run_for(1000);
    world.stop(2);
    world.settle();
    check_gone(&mut world, "t");
}
