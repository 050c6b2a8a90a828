//! Real brokers as processes beside a real ZooKeeper.
#![forbid(unsafe_code)]

mod by_znode;
mod crash;
mod failover;
mod hostile;
mod identity;
mod noise;
mod observation;
mod order;
mod outage;
mod tool;
mod topic;
mod wire;
