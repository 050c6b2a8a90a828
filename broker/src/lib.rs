//! The broker: network, request handlers, and the drivers of the pure machines.
#![forbid(unsafe_code)]

mod advertised;
pub mod api;
pub mod auto_create;
pub mod broker;
mod chance;
mod clock;
pub mod control_message;
mod controlled_shutdown;
pub mod driver;
pub mod identity;
pub mod metadata_cache;
pub mod network;
pub mod node;
pub mod peer;
pub mod registration;
mod session_file;
pub mod topic_config;
