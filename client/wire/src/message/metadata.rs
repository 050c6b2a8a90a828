//! `Metadata` (3): brokers, topics, and who leads what. Source: KIP-4, KIP-320, KIP-430, KIP-516.
//!
//! Two tagged fields are ours. Kafka's tool read the marks of deletion from ZooKeeper; no message of
//! Kafka carries them. Clients and brokers that do not know the fields pass over them (KIP-482).

use crate::{Str, Uuid, Wire};

/// Asks about topics.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(request(Metadata))]
pub struct MetadataRequest {
    /// Which topics. All of them: null, or at version 0 an empty list. None of them: an empty list
    /// from version 1 on.
    #[wire(nullable = 1..)]
    pub topics: Option<Vec<MetadataRequestTopic>>,
    /// Whether a topic that does not exist may be created, if the broker does so.
    #[wire(versions = 4.., default = true)]
    pub allow_auto_topic_creation: bool,
    /// Whether to tell what the client may do to the cluster.
    #[wire(versions = 8..=10)]
    pub include_cluster_authorized_operations: bool,
    /// Whether to tell what the client may do to each topic.
    #[wire(versions = 8..)]
    pub include_topic_authorized_operations: bool,
    /// Ours: whether to tell which topics are marked for deletion.
    #[wire(versions = 9.., tag = 10000, ignorable)]
    pub include_deletion_marks: bool,
}

/// A topic that is asked about.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct MetadataRequestTopic {
    /// Its id; zero if it is given by name.
    #[wire(versions = 10.., ignorable)]
    pub topic_id: Uuid,
    /// Its name; null if it is given by id.
    #[wire(nullable = 10..)]
    pub name: Option<Str>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(response(Metadata))]
pub struct MetadataResponse {
    /// How long the client is held back for its quota. Unit: ms.
    #[wire(versions = 3.., ignorable)]
    pub throttle_time_ms: i32,
    /// Brokers that are alive.
    pub brokers: Vec<MetadataResponseBroker>,
    /// The cluster's id.
    #[wire(versions = 2.., ignorable)]
    pub cluster_id: Option<Str>,
    /// The controller; -1 if unknown.
    #[wire(versions = 1.., default = -1, ignorable)]
    pub controller_id: i32,
    /// The topics.
    pub topics: Vec<MetadataResponseTopic>,
    /// Bits of what the client may do to the cluster; -2147483648 if not told.
    #[wire(versions = 8..=10, default = i32::MIN)]
    pub cluster_authorized_operations: i32,
}

/// A broker that is alive.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct MetadataResponseBroker {
    /// Its id.
    pub node_id: i32,
    /// Its host on the listener that was asked.
    pub host: Str,
    /// Its port there.
    pub port: i32,
    /// Its rack.
    #[wire(versions = 1.., ignorable)]
    pub rack: Option<Str>,
}

/// One topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct MetadataResponseTopic {
    /// Error code, or 0.
    pub error_code: i16,
    /// Its name; null if it was given by an unknown id.
    #[wire(nullable = 12..)]
    pub name: Option<Str>,
    /// Its id; zero where the cluster has none.
    #[wire(versions = 10.., ignorable)]
    pub topic_id: Uuid,
    /// Whether it is one of the cluster's own, such as `__consumer_offsets`.
    #[wire(versions = 1.., ignorable)]
    pub is_internal: bool,
    /// Its partitions.
    pub partitions: Vec<MetadataResponsePartition>,
    /// Bits of what the client may do to it; -2147483648 if not told.
    #[wire(versions = 8.., default = i32::MIN)]
    pub topic_authorized_operations: i32,
    /// Ours, told where it was asked for: whether a mark under `/admin/delete_topics` stands.
    #[wire(versions = 9.., tag = 10000, ignorable)]
    pub is_marked_for_deletion: bool,
}

/// One partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct MetadataResponsePartition {
    /// Error code, or 0.
    pub error_code: i16,
    /// Its index.
    pub partition_index: i32,
    /// Its leader; -1 for none.
    pub leader_id: i32,
    /// The leader epoch; -1 if unknown.
    #[wire(versions = 7.., default = -1, ignorable)]
    pub leader_epoch: i32,
    /// Assigned replicas, the preferred leader first.
    pub replica_nodes: Vec<i32>,
    /// In-sync replicas.
    pub isr_nodes: Vec<i32>,
    /// Replicas that are not available.
    #[wire(versions = 5.., ignorable)]
    pub offline_replicas: Vec<i32>,
}
