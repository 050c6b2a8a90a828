//! Real clusters: brokers as processes beside a real ZooKeeper, and the tools that people use.
//!
//! [`Cluster::start`] is the whole set-up of an ordinary test. Each cluster has its own chroot,
//! ports, folders and configuration files, and leaves nothing behind.

mod binary;
mod broker;
mod command;
mod member;

pub use binary::{broker_binary, tool_binary};
pub use broker::Broker;
pub use command::{Answer, kcat, python, run, run_with_input};
pub use member::Cluster;
