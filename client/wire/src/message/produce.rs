//! `Produce` (0): records to be appended. Source: KIP-98, KIP-110, KIP-467, KIP-951.

use bytes::Bytes;

use crate::{Str, Wire};

/// Brings records.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(request(Produce))]
pub struct ProduceRequest {
    /// Null for a producer without transactions.
    #[wire(versions = 3..)]
    pub transactional_id: Option<Str>,
    /// Who must have the records before the answer: 0 nobody (and no answer), 1 the leader, -1 all
    /// in-sync replicas.
    pub acks: i16,
    /// How long the answer may wait for them. Unit: ms.
    pub timeout_ms: i32,
    /// The records by topic.
    pub topic_data: Vec<TopicProduceData>,
}

/// One topic's records.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicProduceData {
    /// The topic.
    pub name: Str,
    /// The records by partition.
    pub partition_data: Vec<PartitionProduceData>,
}

/// One partition's records.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionProduceData {
    /// The partition's index.
    pub index: i32,
    /// Batches; after decoding, a slice of the frame.
    pub records: Option<Bytes>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(response(Produce))]
pub struct ProduceResponse {
    /// One for each topic.
    pub responses: Vec<TopicProduceResponse>,
    /// How long the client is held back for its quota. Unit: ms.
    #[wire(versions = 1.., ignorable)]
    pub throttle_time_ms: i32,
    /// Where the leaders named in partitions are reached.
    #[wire(versions = 10.., tag = 0, ignorable)]
    pub node_endpoints: Vec<NodeEndpoint>,
}

/// What came of one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicProduceResponse {
    /// The topic.
    pub name: Str,
    /// One for each partition.
    pub partition_responses: Vec<PartitionProduceResponse>,
}

/// What came of one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionProduceResponse {
    /// The partition's index.
    pub index: i32,
    /// Error code, or 0.
    pub error_code: i16,
    /// Offset of the first record; -1 with an error.
    pub base_offset: i64,
    /// The broker's time of appending, where the topic asks for it; else -1. Unit: ms since the
    /// epoch.
    #[wire(versions = 2.., default = -1, ignorable)]
    pub log_append_time_ms: i64,
    /// First offset that can be read; -1 if not told.
    #[wire(versions = 5.., default = -1, ignorable)]
    pub log_start_offset: i64,
    /// Records that made the batch fail.
    #[wire(versions = 8.., ignorable)]
    pub record_errors: Vec<BatchIndexAndErrorMessage>,
    /// What is wrong, in words.
    #[wire(versions = 8.., ignorable)]
    pub error_message: Option<Str>,
    /// The leader, if the producer asked another broker; -1 if not told.
    #[wire(versions = 10.., tag = 0, ignorable)]
    pub current_leader: LeaderIdAndEpoch,
}

/// A record that made its batch fail.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct BatchIndexAndErrorMessage {
    /// Its number in the batch, from 0.
    #[wire(versions = 8..)]
    pub batch_index: i32,
    /// What is wrong with it, in words.
    #[wire(versions = 8..)]
    pub batch_index_error_message: Option<Str>,
}

/// A leader.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct LeaderIdAndEpoch {
    /// The leader's broker id; -1 if unknown.
    #[wire(versions = 10.., default = -1)]
    pub leader_id: i32,
    /// Its leader epoch; -1 if unknown.
    #[wire(versions = 10.., default = -1)]
    pub leader_epoch: i32,
}

/// Where a broker is reached.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct NodeEndpoint {
    /// The broker's id.
    #[wire(versions = 10..)]
    pub node_id: i32,
    /// Its host.
    #[wire(versions = 10..)]
    pub host: Str,
    /// Its port.
    #[wire(versions = 10..)]
    pub port: i32,
    /// Its rack.
    #[wire(versions = 10..)]
    pub rack: Option<Str>,
}
