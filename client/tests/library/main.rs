//! The library against a cluster in memory that fails on demand.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "in a test, what cannot be is a failure"
)]

mod cluster;
mod consumer;
mod producer;
