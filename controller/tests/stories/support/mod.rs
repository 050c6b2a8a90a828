//! A cluster in memory: ZooKeeper, brokers and their controllers, on one thread and one clock.
//!
//! | part | stands for | faults |
//! |---|---|---|
//! | [`zookeeper`] | an ensemble: znodes, versions, ephemerals, sessions, recursive watches | sessions expire while their process lives |
//! | [`broker`] | what a broker makes of requests: its epochs, what it leads, its metadata | refuses what is stale; fails to delete |
//! | [`world`] | everything between them, in order on each link | cut connections: writes done with their replies lost, or not done; watch events lost; requests and answers lost; processes killed and started |
//! | [`check`] | what must be true after every step | |

pub(crate) mod broker;
pub(crate) mod check;
pub(crate) mod world;
pub(crate) mod zookeeper;
