//! `ControlledShutdown` (7): a broker asks the controller to move its leaderships away.

use crate::{Str, Wire};

/// Asks the controller. At version 0 the request header has no client id.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(request(ControlledShutdown))]
pub struct ControlledShutdownRequest {
    /// The broker that is about to stop.
    pub broker_id: i32,
    /// Its registration; -1 if not given. Source: KIP-380.
    #[wire(versions = 2.., default = -1, ignorable)]
    pub broker_epoch: i64,
}

/// What is left to move.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(response(ControlledShutdown))]
pub struct ControlledShutdownResponse {
    /// Error code, or 0.
    pub error_code: i16,
    /// Partitions that the broker still leads.
    pub remaining_partitions: Vec<RemainingPartition>,
}

/// A partition that the broker still leads.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct RemainingPartition {
    /// The topic.
    pub topic_name: Str,
    /// The partition's index.
    pub partition_index: i32,
}
