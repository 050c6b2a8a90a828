//! Real brokers as processes beside a real ZooKeeper.
#![forbid(unsafe_code)]

mod by_znode;
mod hostile;
mod order;
mod topic;
