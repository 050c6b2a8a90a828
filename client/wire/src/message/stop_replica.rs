//! `StopReplica` (5): the controller tells a broker to stop replicas, and maybe to delete them.
//! Source: KIP-380, KIP-570 (leader epochs from version 3).

use crate::{Str, Wire};

/// The controller's word.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(request(StopReplica))]
pub struct StopReplicaRequest {
    /// The controller's broker id.
    pub controller_id: i32,
    /// Whether the controller is one without ZooKeeper.
    #[wire(versions = 4..)]
    pub is_kraft_controller: bool,
    /// The controller's epoch.
    pub controller_epoch: i32,
    /// The registration of the broker that is told; -1 if not given.
    #[wire(versions = 1.., default = -1, ignorable)]
    pub broker_epoch: i64,
    /// Whether to delete the replicas.
    #[wire(versions = 0..=2)]
    pub delete_partitions: bool,
    /// The partitions, each with its topic.
    #[wire(versions = 0..=0)]
    pub ungrouped_partitions: Vec<StopReplicaPartitionV0>,
    /// The partitions by topic.
    #[wire(versions = 1..=2)]
    pub topics: Vec<StopReplicaTopicV1>,
    /// The partitions by topic, each with what to do.
    #[wire(versions = 3..)]
    pub topic_states: Vec<StopReplicaTopicState>,
}

/// A partition with its topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct StopReplicaPartitionV0 {
    /// The topic.
    #[wire(versions = 0..=0)]
    pub topic_name: Str,
    /// The partition's index.
    #[wire(versions = 0..=0)]
    pub partition_index: i32,
}

/// One topic's partitions.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct StopReplicaTopicV1 {
    /// The topic.
    #[wire(versions = 1..=2)]
    pub name: Str,
    /// Indexes of the partitions.
    #[wire(versions = 1..=2)]
    pub partition_indexes: Vec<i32>,
}

/// One topic's partitions, each with what to do.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct StopReplicaTopicState {
    /// The topic.
    #[wire(versions = 3..)]
    pub topic_name: Str,
    /// Its partitions.
    #[wire(versions = 3..)]
    pub partition_states: Vec<StopReplicaPartitionState>,
}

/// What to do with one replica.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct StopReplicaPartitionState {
    /// The partition's index.
    #[wire(versions = 3..)]
    pub partition_index: i32,
    /// The leader epoch; -1 for none, -2 while the topic is being deleted (both: do not check).
    #[wire(versions = 3.., default = -1)]
    pub leader_epoch: i32,
    /// Whether to delete the replica.
    #[wire(versions = 3..)]
    pub delete_partition: bool,
}

/// What the broker made of it.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(response(StopReplica))]
pub struct StopReplicaResponse {
    /// Error code of the whole, or 0.
    pub error_code: i16,
    /// One for each partition.
    pub partition_errors: Vec<StopReplicaPartitionError>,
}

/// What the broker made of one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct StopReplicaPartitionError {
    /// The topic.
    pub topic_name: Str,
    /// The partition's index.
    pub partition_index: i32,
    /// Error code, or 0.
    pub error_code: i16,
}
