//! `ListOffsets` (2): the offset that belongs to a time. Source: KIP-79, KIP-320.

use crate::{Str, Wire};

/// Asks for offsets.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(request(ListOffsets))]
pub struct ListOffsetsRequest {
    /// The follower's broker id; -1 for a client.
    pub replica_id: i32,
    /// 0 looks up to the high watermark, 1 to the last stable offset.
    #[wire(versions = 2..)]
    pub isolation_level: i8,
    /// The topics.
    pub topics: Vec<ListOffsetsTopic>,
}

/// One topic.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ListOffsetsTopic {
    /// Its name.
    pub name: Str,
    /// Its partitions.
    pub partitions: Vec<ListOffsetsPartition>,
}

/// One partition.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ListOffsetsPartition {
    /// Its index.
    pub partition_index: i32,
    /// The leader epoch that the asker knows; -1 for "do not check".
    #[wire(versions = 4.., default = -1, ignorable)]
    pub current_leader_epoch: i32,
    /// A time in ms since the epoch; -1 is the end, -2 the start, -3 the record with the largest
    /// timestamp (from version 7).
    pub timestamp: i64,
    /// Most offsets to tell.
    #[wire(versions = 0..=0, default = 1)]
    pub max_num_offsets: i32,
}

/// The offsets.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(response(ListOffsets))]
pub struct ListOffsetsResponse {
    /// How long the client is held back for its quota. Unit: ms.
    #[wire(versions = 2.., ignorable)]
    pub throttle_time_ms: i32,
    /// The topics.
    pub topics: Vec<ListOffsetsTopicResponse>,
}

/// One topic's offsets.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ListOffsetsTopicResponse {
    /// The topic.
    pub name: Str,
    /// Its partitions.
    pub partitions: Vec<ListOffsetsPartitionResponse>,
}

/// One partition's offset.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ListOffsetsPartitionResponse {
    /// The partition's index.
    pub partition_index: i32,
    /// Error code, or 0.
    pub error_code: i16,
    /// Offsets of segments, newest first.
    #[wire(versions = 0..=0)]
    pub old_style_offsets: Vec<i64>,
    /// Timestamp of the record found; -1 if none. Unit: ms since the epoch.
    #[wire(versions = 1.., default = -1)]
    pub timestamp: i64,
    /// The offset; -1 if none.
    #[wire(versions = 1.., default = -1)]
    pub offset: i64,
    /// Leader epoch of the record found; -1 if unknown.
    #[wire(versions = 4.., default = -1)]
    pub leader_epoch: i32,
}
