//! Stories about the controller: what happens, and what comes of it, one test for each sentence.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod brokers;
mod candidacy;
mod deletion;
mod elections;
mod notifications;
mod placement;
mod random;
mod shutdown;
mod support;
mod topics;

use barnabas_controller::call::{Answer, Call, NewTopic, Placement, TopicError};
use barnabas_wire::id::{BrokerId, PartitionId, TopicPartition};
use barnabas_zk_schema::partition::{PartitionState, PartitionStateZnode};
use barnabas_zk_schema::topic::{ReplicaLists, TopicAssignment, TopicZnode};
use barnabas_zk_schema::{Expected, Znode};

use support::world::World;

/// Broker ids of plain numbers.
fn brokers(ids: &[i32]) -> Vec<BrokerId> {
    ids.iter().copied().map(BrokerId).collect()
}

/// Replicas by partition, from partition 0 on.
fn lists(replicas: &[&[i32]]) -> ReplicaLists {
    (0..)
        .map(PartitionId)
        .zip(replicas.iter().map(|ids| brokers(ids)))
        .collect()
}

fn partition(topic: &str, index: i32) -> TopicPartition {
    TopicPartition::new(topic, PartitionId(index))
}

/// A topic with replicas chosen by hand.
fn new_topic(name: &str, replicas: &[&[i32]]) -> NewTopic {
    let placement = Placement::Manual(lists(replicas));
    NewTopic {
        name: name.to_owned(),
        placement,
        config: [].into(),
    }
}

/// The call that creates one topic.
fn create(topic: NewTopic) -> Call {
    Call::CreateTopics {
        topics: vec![topic],
        validate_only: false,
        random: 7,
    }
}

/// A topic of `partitions` partitions, each with `replication_factor` replicas.
fn counted(name: &str, partitions: i32, replication_factor: i32) -> NewTopic {
    let placement = Placement::Counts {
        partitions: Some(partitions),
        replication_factor: Some(replication_factor),
    };
    NewTopic {
        name: name.to_owned(),
        placement,
        config: [].into(),
    }
}

/// What became of the only topic of a call.
fn placed(answer: Answer) -> Result<TopicAssignment, TopicError> {
    let Answer::Placed(mut topics) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!(topics.len(), 1);
    topics.remove(0).1
}

impl World {
    /// Creates a topic through the controller and waits until it is there.
    fn create_topic(&mut self, name: &str, replicas: &[&[i32]]) {
        placed(self.ask(create(new_topic(name, replicas)))).unwrap();
    }

    /// A tool creates a topic by writing its znode.
    fn tool_creates_topic(&mut self, name: &str, replicas: &[&[i32]]) {
        let assignment = TopicAssignment {
            partitions: lists(replicas),
            ..TopicAssignment::default()
        };
        self.tool(&TopicZnode(name.into()).create(&assignment));
    }

    fn state(&self, topic: &str, index: i32) -> PartitionState {
        self.zookeeper
            .get(&PartitionStateZnode(partition(topic, index)))
            .expect("no state")
    }

    /// The leader, its epoch and the ISR, as ZooKeeper has them.
    fn leading(&self, topic: &str, index: i32) -> (i32, i32, Vec<i32>) {
        let state = self.state(topic, index);
        let leader = state.leader.unwrap_or(BrokerId::NONE).0;
        (
            leader,
            state.leader_epoch.0,
            state.isr.iter().map(|id| id.0).collect(),
        )
    }

    /// What broker `id` was told: the leader and its epoch.
    fn told(&self, id: i32, topic: &str, index: i32) -> Option<(i32, i32)> {
        let known = self.nodes[&BrokerId(id)]
            .broker
            .replicas
            .get(&partition(topic, index))?;
        Some((
            known.leader.unwrap_or(BrokerId::NONE).0,
            known.leader_epoch.0,
        ))
    }

    /// The leader of a partition writes another ISR.
    fn leader_writes_isr(&mut self, topic: &str, index: i32, isr: &[i32]) {
        let znode = PartitionStateZnode(partition(topic, index));
        let version = self.zookeeper.stat(&znode.path()).unwrap().version;
        let state = PartitionState {
            isr: brokers(isr),
            ..self.state(topic, index)
        };
        self.tool(&znode.set(&state, Expected::Version(version)));
    }
}
