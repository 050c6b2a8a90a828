//! The broker: network, request handlers, and the drivers of the pure machines.
#![forbid(unsafe_code)]

pub mod api;
pub mod auto_create;
mod chance;
pub mod control_message;
pub mod driver;
pub mod metadata_cache;
pub mod network;
pub mod node;
pub mod peer;
pub mod registration;
mod session_file;
pub mod topic_config;
