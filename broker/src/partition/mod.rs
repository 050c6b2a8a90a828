//! The partitions of this broker: each a replica machine and a log behind a lock of its own.
//!
//! ```text
//!  request handlers                         log threads
//!        |  append, read: short lock              |
//!        v                                        v
//!  +-----------+   jobs, one at a time    +----------------+
//!  | Partition | -----------------------> | what may block |
//!  +-----------+                          +----------------+
//!        | changed, after the lock is gone
//!        v
//!  those who wait (delayed produce and fetch), each on its own task
//! ```
//!
//! An append runs on the caller's thread if it needs not wait: the log has room, and no job of the
//! partition is under way. Else it becomes a job behind the others, so that nothing overtakes. Changes of
//! role are jobs as well: no append can fall between the decision and the log work that belongs to it.

mod append;
mod flush;
mod hosted;
mod read;
mod registry;
mod topic_rules;
mod transition;
mod waiters;

pub use append::{AppendFailure, AppendReceipt, AppendRequest, Appending};
pub use hosted::Partition;
pub use read::{OffsetBound, ReadFailure, ReadRequest, Reading};
pub use registry::{
    ControlTurn, FactsByTopic, Hosted, PartitionRefusal, PartitionRegistry, RegistrySettings,
    StopOutcome, TopicFacts, TopicFactsSource, TopicFactsUnavailable,
};
pub use topic_rules::{DECOMPRESSED_MAX_BYTES, TopicRules};
pub use waiters::Waiting;
