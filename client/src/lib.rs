//! The Rust client library for Kafka clusters, and the barnabas command line.
#![forbid(unsafe_code)]

#[cfg(feature = "cli")]
pub mod cli;
