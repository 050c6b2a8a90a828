//! What is in ZooKeeper: paths, JSON, operations as data. No I/O.
//!
//! Every znode that a ZooKeeper-mode cluster uses is a type here: its path, what is in it, how it is
//! created, who writes it and who watches it ([`Znode`]). Payloads encode to the bytes that Kafka 2.6
//! writes; decoding takes whatever Kafka 0.8 to 3.9 has left behind.
//!
//! Operations are values ([`ZkOp`]) and so are answers ([`Outcome`]); the crate `barnabas-zk-session`
//! is the only one that carries them to a server. What the controller writes is a [`ControllerOp`],
//! and of those only the election itself comes without the check of `/controller_epoch` ([`Fence`]).
//!
//! | family | module |
//! |---|---|
//! | `/brokers/ids`, `/brokers/seqid` | [`broker`] |
//! | `/brokers/topics/T` | [`topic`], names in [`topic_name`] |
//! | `/brokers/topics/T/partitions/P/state` | [`partition`] |
//! | `/controller`, `/controller_epoch` | [`controller`], writes in [`fence`] |
//! | `/admin/delete_topics` | [`topic_deletion`] |
//! | `/admin/preferred_replica_election` | [`preferred_election`] |
//! | `/admin/reassign_partitions` | [`reassignment`] |
//! | `/isr_change_notification` | [`isr_change`] |
//! | `/log_dir_event_notification` | [`log_dir_event`] |
//! | `/config/...`, `/config/changes` | [`config`], [`config_change`] |
//! | `/cluster/id` | [`cluster`] |
//! | `/latest_producer_id_block` | [`producer_id`] |
//! | `/consumers` | [`consumer`] |
//!
//! Paths are relative to the chroot of `zookeeper.connect`; the session puts it in front.
#![forbid(unsafe_code)]

pub mod broker;
pub mod cluster;
pub mod config;
pub mod config_change;
pub mod consumer;
pub mod controller;
pub mod fence;
pub mod isr_change;
mod json;
pub mod log_dir_event;
mod operation;
pub mod partition;
mod path;
pub mod preferred_election;
pub mod producer_id;
pub mod reassignment;
mod reply;
mod stat;
pub mod topic;
pub mod topic_deletion;
pub mod topic_name;
mod znode;

pub use fence::{ControllerOp, Fence, FencedOutcome};
pub use json::DecodeError;
pub use operation::{CreateMode, Expected, ZkOp, ZkRead, ZkWrite};
pub use path::ZkPath;
pub use reply::{Outcome, ZkError, ZkEvent, ZkReply};
pub use stat::{SessionId, Stat, ZkVersion, Zxid};
pub use znode::{PERSISTENT_PATHS, Role, Znode};
