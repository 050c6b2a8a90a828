//! `CreateTopics` (19). Source: KIP-4, KIP-464, KIP-525.

use crate::{Str, Uuid, Wire};

/// Asks the controller for new topics.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(request(CreateTopics))]
pub struct CreateTopicsRequest {
    /// The topics.
    pub topics: Vec<CreatableTopic>,
    /// How long the answer may wait for the topics to appear. Unit: ms.
    #[wire(default = 60_000)]
    pub timeout_ms: i32,
    /// Check only, change nothing.
    #[wire(versions = 1..)]
    pub validate_only: bool,
}

/// A topic to be.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CreatableTopic {
    /// Its name.
    pub name: Str,
    /// How many partitions; -1 with assignments, or (from version 4) for the broker's default.
    pub num_partitions: i32,
    /// How many replicas each; -1 with assignments, or (from version 4) for the broker's default.
    pub replication_factor: i16,
    /// Replicas partition by partition; empty leaves the placement to the controller.
    pub assignments: Vec<CreatableReplicaAssignment>,
    /// Settings that differ from the broker's.
    pub configs: Vec<CreatableTopicConfig>,
}

/// Replicas of one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CreatableReplicaAssignment {
    /// The partition's index.
    pub partition_index: i32,
    /// Brokers, the preferred leader first.
    pub broker_ids: Vec<i32>,
}

/// A setting of a topic to be.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CreatableTopicConfig {
    /// Its key.
    pub name: Str,
    /// Its value.
    pub value: Option<Str>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(response(CreateTopics))]
pub struct CreateTopicsResponse {
    /// How long the client is held back for its quota. Unit: ms.
    #[wire(versions = 2.., ignorable)]
    pub throttle_time_ms: i32,
    /// One for each topic.
    pub topics: Vec<CreatableTopicResult>,
}

/// What came of one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CreatableTopicResult {
    /// Its name.
    pub name: Str,
    /// Its id; zero where the cluster has none.
    #[wire(versions = 7.., ignorable)]
    pub topic_id: Uuid,
    /// Error code, or 0.
    pub error_code: i16,
    /// What is wrong, in words.
    #[wire(versions = 1.., ignorable)]
    pub error_message: Option<Str>,
    /// Why the settings are left out, or 0.
    #[wire(versions = 5.., tag = 0, ignorable)]
    pub topic_config_error_code: i16,
    /// How many partitions it has; -1 if not told.
    #[wire(versions = 5.., default = -1, ignorable)]
    pub num_partitions: i32,
    /// How many replicas each has; -1 if not told.
    #[wire(versions = 5.., default = -1, ignorable)]
    pub replication_factor: i16,
    /// Its settings; null if not told.
    #[wire(versions = 5.., ignorable)]
    pub configs: Option<Vec<CreatableTopicConfigs>>,
}

/// A setting of a topic that came to be.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CreatableTopicConfigs {
    /// Its key.
    #[wire(versions = 5..)]
    pub name: Str,
    /// Its value; null if it is sensitive.
    #[wire(versions = 5..)]
    pub value: Option<Str>,
    /// Whether it cannot be changed.
    #[wire(versions = 5..)]
    pub read_only: bool,
    /// Where the value comes from; -1 if not told. Source: Kafka `DescribeConfigsResponse`.
    #[wire(versions = 5.., default = -1, ignorable)]
    pub config_source: i8,
    /// Whether the value is a secret.
    #[wire(versions = 5..)]
    pub is_sensitive: bool,
}
