//! The broker: network, request handlers, and the drivers of the pure machines.
#![forbid(unsafe_code)]

mod advertised;
pub mod api;
pub mod auto_create;
pub mod broker;
mod chance;
pub mod cli;
mod clock;
pub mod control_message;
mod controlled_shutdown;
pub mod data_plane;
pub mod deletion_marks;
pub mod driver;
pub mod fetch_session;
pub mod health;
pub mod http;
pub mod identity;
pub mod log_pool;
pub mod log_store;
mod logging;
pub mod metadata_cache;
pub mod metrics;
pub mod network;
pub mod node;
mod observation;
pub mod partition;
pub mod peer;
pub mod producer_ids;
pub mod registration;
pub mod server;
mod session_file;
pub mod topic_config;
pub mod topic_facts;
