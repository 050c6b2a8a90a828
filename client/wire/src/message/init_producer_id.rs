//! `InitProducerId` (22): an id for an idempotent or transactional producer. Source: KIP-98,
//! KIP-360.

use crate::{Str, Wire};

/// Asks for a producer id.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(request(InitProducerId))]
pub struct InitProducerIdRequest {
    /// Null for a producer that is idempotent only.
    pub transactional_id: Option<Str>,
    /// How long a transaction may stay open. Unit: ms.
    pub transaction_timeout_ms: i32,
    /// The id that the producer has and wants a new epoch of; -1 for none.
    #[wire(versions = 3.., default = -1)]
    pub producer_id: i64,
    /// The epoch that it has; -1 for none.
    #[wire(versions = 3.., default = -1)]
    pub producer_epoch: i16,
}

/// The id.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(response(InitProducerId))]
pub struct InitProducerIdResponse {
    /// How long the client is held back for its quota. Unit: ms.
    #[wire(ignorable)]
    pub throttle_time_ms: i32,
    /// Error code, or 0.
    pub error_code: i16,
    /// The id; -1 with an error.
    #[wire(default = -1)]
    pub producer_id: i64,
    /// Its epoch.
    pub producer_epoch: i16,
}
