//! `OffsetForLeaderEpoch` (23): where an epoch ends in the leader's log, so that a follower knows
//! where to cut its own. Source: KIP-101, KIP-279, KIP-320.

use crate::{Str, Wire};

/// Asks where epochs end.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(request(OffsetForLeaderEpoch))]
pub struct OffsetForLeaderEpochRequest {
    /// The follower's broker id; -1 for a consumer, -2 if not told.
    #[wire(versions = 3.., default = -2, ignorable)]
    pub replica_id: i32,
    /// The topics.
    pub topics: Vec<OffsetForLeaderTopic>,
}

/// One topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetForLeaderTopic {
    /// Its name.
    pub topic: Str,
    /// Its partitions.
    pub partitions: Vec<OffsetForLeaderPartition>,
}

/// One partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetForLeaderPartition {
    /// Its index.
    pub partition: i32,
    /// The leader epoch that the asker knows; -1 for "do not check".
    #[wire(versions = 2.., default = -1, ignorable)]
    pub current_leader_epoch: i32,
    /// The epoch whose end is wanted.
    pub leader_epoch: i32,
}

/// The ends.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(response(OffsetForLeaderEpoch))]
pub struct OffsetForLeaderEpochResponse {
    /// How long the client is held back for its quota. Unit: ms.
    #[wire(versions = 2.., ignorable)]
    pub throttle_time_ms: i32,
    /// The topics.
    pub topics: Vec<OffsetForLeaderTopicResult>,
}

/// One topic's ends.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct OffsetForLeaderTopicResult {
    /// The topic.
    pub topic: Str,
    /// Its partitions.
    pub partitions: Vec<EpochEndOffset>,
}

/// Where an epoch ends.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct EpochEndOffset {
    /// Error code, or 0.
    pub error_code: i16,
    /// The partition's index.
    pub partition: i32,
    /// The largest epoch not above the one asked for; -1 if unknown.
    #[wire(versions = 1.., default = -1, ignorable)]
    pub leader_epoch: i32,
    /// First offset after that epoch; -1 if unknown.
    #[wire(default = -1)]
    pub end_offset: i64,
}
