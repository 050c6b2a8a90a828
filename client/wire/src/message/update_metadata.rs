//! `UpdateMetadata` (6): the controller tells every broker who is alive and who leads what.

use crate::{Str, Uuid, Wire};

/// The controller's word.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(request(UpdateMetadata))]
pub struct UpdateMetadataRequest {
    /// The controller's broker id.
    pub controller_id: i32,
    /// Whether the controller is one without ZooKeeper.
    #[wire(versions = 8..)]
    pub is_kraft_controller: bool,
    /// 0 unknown, 1 some partitions, 2 all partitions.
    #[wire(versions = 8.., tag = 0)]
    pub kind: i8,
    /// The controller's epoch.
    pub controller_epoch: i32,
    /// The registration of the broker that is told; -1 if not given.
    #[wire(versions = 5.., default = -1, ignorable)]
    pub broker_epoch: i64,
    /// Partitions with news, each with its topic.
    #[wire(versions = 0..=4)]
    pub ungrouped_partition_states: Vec<UpdateMetadataPartitionState>,
    /// Partitions with news, by topic.
    #[wire(versions = 5..)]
    pub topic_states: Vec<UpdateMetadataTopicState>,
    /// Every broker that is alive.
    pub live_brokers: Vec<UpdateMetadataBroker>,
}

/// One topic's partitions.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct UpdateMetadataTopicState {
    /// The topic.
    #[wire(versions = 5..)]
    pub topic_name: Str,
    /// Its id; zero where the cluster has none.
    #[wire(versions = 7.., ignorable)]
    pub topic_id: Uuid,
    /// Its partitions.
    #[wire(versions = 5..)]
    pub partition_states: Vec<UpdateMetadataPartitionState>,
}

/// What a partition is.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct UpdateMetadataPartitionState {
    /// The topic, where the list is not by topic.
    #[wire(versions = 0..=4, ignorable)]
    pub topic_name: Str,
    /// The partition's index.
    pub partition_index: i32,
    /// Epoch of the controller that decided this.
    pub controller_epoch: i32,
    /// The leader; -1 for none, -2 when the partition is being deleted and is to be forgotten.
    pub leader: i32,
    /// Its leader epoch.
    pub leader_epoch: i32,
    /// In-sync replicas.
    pub isr: Vec<i32>,
    /// ZooKeeper version of the `state` znode.
    pub zk_version: i32,
    /// Assigned replicas, the preferred leader first.
    pub replicas: Vec<i32>,
    /// Replicas that are not available.
    #[wire(versions = 4.., ignorable)]
    pub offline_replicas: Vec<i32>,
}

/// A broker that is alive.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct UpdateMetadataBroker {
    /// Its id.
    pub id: i32,
    /// Its host.
    #[wire(versions = 0..=0, ignorable)]
    pub v0_host: Str,
    /// Its port.
    #[wire(versions = 0..=0, ignorable)]
    pub v0_port: i32,
    /// Where it is reached.
    #[wire(versions = 1.., ignorable)]
    pub endpoints: Vec<UpdateMetadataEndpoint>,
    /// Its rack.
    #[wire(versions = 2.., ignorable)]
    pub rack: Option<Str>,
}

/// A listener of a broker.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct UpdateMetadataEndpoint {
    /// Its port.
    #[wire(versions = 1..)]
    pub port: i32,
    /// Its host.
    #[wire(versions = 1..)]
    pub host: Str,
    /// Its name.
    #[wire(versions = 3.., ignorable)]
    pub listener: Str,
    /// 0 `PLAINTEXT`, 1 `SSL`, 2 `SASL_PLAINTEXT`, 3 `SASL_SSL`.
    #[wire(versions = 1..)]
    pub security_protocol: i16,
}

/// What the broker made of it.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(response(UpdateMetadata))]
pub struct UpdateMetadataResponse {
    /// Error code, or 0.
    pub error_code: i16,
}
