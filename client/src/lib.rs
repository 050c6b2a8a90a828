//! The Rust client library for Kafka clusters, and the barnabas command line.
#![forbid(unsafe_code)]
