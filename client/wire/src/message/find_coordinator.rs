//! `FindCoordinator` (10): which broker coordinates a group or a transactional id. Source: KIP-98,
//! KIP-699.

use crate::{Str, Wire};

/// Asks for a coordinator.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(request(FindCoordinator))]
pub struct FindCoordinatorRequest {
    /// The group or transactional id.
    #[wire(versions = 0..=3)]
    pub key: Str,
    /// 0 for a group, 1 for a transactional id.
    #[wire(versions = 1..)]
    pub key_type: i8,
    /// Several keys at once.
    #[wire(versions = 4..)]
    pub coordinator_keys: Vec<Str>,
}

/// The coordinator.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(response(FindCoordinator))]
pub struct FindCoordinatorResponse {
    /// How long the client is held back for its quota. Unit: ms.
    #[wire(versions = 1.., ignorable)]
    pub throttle_time_ms: i32,
    /// Error code, or 0.
    #[wire(versions = 0..=3)]
    pub error_code: i16,
    /// What went wrong, for people.
    #[wire(versions = 1..=3, default = Some(Str::default()), ignorable)]
    pub error_message: Option<Str>,
    /// Its broker id; -1 with an error.
    #[wire(versions = 0..=3)]
    pub node_id: i32,
    /// Its host name.
    #[wire(versions = 0..=3)]
    pub host: Str,
    /// Its port; -1 with an error.
    #[wire(versions = 0..=3)]
    pub port: i32,
    /// An answer for each key.
    #[wire(versions = 4..)]
    pub coordinators: Vec<Coordinator>,
}

/// The coordinator of one key.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Coordinator {
    /// The key.
    pub key: Str,
    /// Its broker id; -1 with an error.
    pub node_id: i32,
    /// Its host name.
    pub host: Str,
    /// Its port; -1 with an error.
    pub port: i32,
    /// Error code, or 0.
    pub error_code: i16,
    /// What went wrong, for people.
    pub error_message: Option<Str>,
}
