//! `LeaderAndIsr` (4): the controller tells a broker which partitions it leads and follows.
//! Source: KIP-380 (broker epoch), KIP-455 (reassignment), KIP-516 (topic ids).

use crate::{Str, Uuid, Wire};

/// The controller's word.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(request(LeaderAndIsr))]
pub struct LeaderAndIsrRequest {
    /// The controller's broker id.
    pub controller_id: i32,
    /// Whether the controller is one without ZooKeeper.
    #[wire(versions = 7..)]
    pub is_kraft_controller: bool,
    /// The controller's epoch.
    pub controller_epoch: i32,
    /// The registration of the broker that is told; -1 if not given.
    #[wire(versions = 2.., default = -1, ignorable)]
    pub broker_epoch: i64,
    /// 0 unknown, 1 some partitions, 2 all partitions of the broker.
    #[wire(versions = 5..)]
    pub kind: i8,
    /// The partitions, each with its topic.
    #[wire(versions = 0..=1)]
    pub ungrouped_partition_states: Vec<LeaderAndIsrPartitionState>,
    /// The partitions by topic.
    #[wire(versions = 2..)]
    pub topic_states: Vec<LeaderAndIsrTopicState>,
    /// Where the leaders named are reached.
    pub live_leaders: Vec<LeaderAndIsrLiveLeader>,
}

/// One topic's partitions.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct LeaderAndIsrTopicState {
    /// The topic.
    #[wire(versions = 2..)]
    pub topic_name: Str,
    /// Its id; zero where the cluster has none.
    #[wire(versions = 5.., ignorable)]
    pub topic_id: Uuid,
    /// Its partitions.
    #[wire(versions = 2..)]
    pub partition_states: Vec<LeaderAndIsrPartitionState>,
}

/// What a partition shall be.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct LeaderAndIsrPartitionState {
    /// The topic, where the list is not by topic.
    #[wire(versions = 0..=1, ignorable)]
    pub topic_name: Str,
    /// The partition's index.
    pub partition_index: i32,
    /// Epoch of the controller that decided this.
    pub controller_epoch: i32,
    /// The leader; -1 for none.
    pub leader: i32,
    /// Its leader epoch.
    pub leader_epoch: i32,
    /// In-sync replicas.
    pub isr: Vec<i32>,
    /// ZooKeeper version of the `state` znode.
    pub partition_epoch: i32,
    /// Assigned replicas, the preferred leader first.
    pub replicas: Vec<i32>,
    /// Replicas that a reassignment adds.
    #[wire(versions = 3.., ignorable)]
    pub adding_replicas: Vec<i32>,
    /// Replicas that a reassignment removes.
    #[wire(versions = 3.., ignorable)]
    pub removing_replicas: Vec<i32>,
    /// Whether the replica is to be made, having never existed.
    #[wire(versions = 1.., ignorable)]
    pub is_new: bool,
    /// 1 while the leader recovers from an unclean election, else 0. Source: KIP-704.
    #[wire(versions = 6..)]
    pub leader_recovery_state: i8,
}

/// Where a leader is reached.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct LeaderAndIsrLiveLeader {
    /// The leader's broker id.
    pub broker_id: i32,
    /// Its host on the listener between brokers.
    pub host_name: Str,
    /// Its port there.
    pub port: i32,
}

/// What the broker made of it.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(response(LeaderAndIsr))]
pub struct LeaderAndIsrResponse {
    /// Error code of the whole, or 0.
    pub error_code: i16,
    /// One for each partition.
    #[wire(versions = 0..=4)]
    pub partition_errors: Vec<LeaderAndIsrPartitionError>,
    /// One for each topic.
    #[wire(versions = 5..)]
    pub topics: Vec<LeaderAndIsrTopicError>,
}

/// What the broker made of one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct LeaderAndIsrTopicError {
    /// The topic's id.
    #[wire(versions = 5..)]
    pub topic_id: Uuid,
    /// One for each partition.
    #[wire(versions = 5..)]
    pub partition_errors: Vec<LeaderAndIsrPartitionError>,
}

/// What the broker made of one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct LeaderAndIsrPartitionError {
    /// The topic, where the list is not by topic.
    #[wire(versions = 0..=4, ignorable)]
    pub topic_name: Str,
    /// The partition's index.
    pub partition_index: i32,
    /// Error code, or 0.
    pub error_code: i16,
}
