//! `CreatePartitions` (37): more partitions for topics. Source: KIP-195.

use crate::{Str, Wire};

/// Asks the controller for more partitions.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(request(CreatePartitions))]
pub struct CreatePartitionsRequest {
    /// The topics.
    pub topics: Vec<CreatePartitionsTopic>,
    /// How long the answer may wait for the partitions to appear. Unit: ms.
    pub timeout_ms: i32,
    /// Check only, change nothing.
    pub validate_only: bool,
}

/// One topic's new size.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CreatePartitionsTopic {
    /// The topic.
    pub name: Str,
    /// How many partitions it shall have in all.
    pub count: i32,
    /// Replicas of the new partitions in order; null leaves the placement to the controller.
    pub assignments: Option<Vec<CreatePartitionsAssignment>>,
}

/// Replicas of one new partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CreatePartitionsAssignment {
    /// Brokers, the preferred leader first.
    pub broker_ids: Vec<i32>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(response(CreatePartitions))]
pub struct CreatePartitionsResponse {
    /// How long the client is held back for its quota. Unit: ms.
    pub throttle_time_ms: i32,
    /// One for each topic.
    pub results: Vec<CreatePartitionsTopicResult>,
}

/// What came of one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CreatePartitionsTopicResult {
    /// The topic.
    pub name: Str,
    /// Error code, or 0.
    pub error_code: i16,
    /// What is wrong, in words.
    pub error_message: Option<Str>,
}
