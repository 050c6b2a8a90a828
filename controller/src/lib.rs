//! The controller as a pure state machine: no tokio, no sockets, no clock.
//!
//! One broker of a cluster is its controller: it wins a znode, decides which replica leads which
//! partition, and tells the others. This crate is all of its deciding. It takes [`Event`]s and gives
//! [`Effect`]s; who carries them out is the broker's driver, and what that driver owes for each of
//! them is written at each.
//!
//! ```text
//!              Event                                        Effect
//!  session ──────────────▶ ┌─────────────────────────┐ ──────────────▶ ZooKeeper batches
//!  watches                 │ Controller::step        │                 watches
//!  ZooKeeper's answers     │   one Operation at work │                 requests to brokers
//!  brokers' answers        │   Context: all state    │                 answers to callers
//!  calls                   └─────────────────────────┘                 announcements
//! ```
//!
//! At any time at most one operation is at work, with at most one batch outstanding in ZooKeeper.
//! Watches are hints: they mark what is to be read again, and the next operation reads it. So two
//! events can never see each other's half-done work, and a lost or doubled hint does no harm.
//!
//! | what | where |
//! |---|---|
//! | who is controller; giving it away | `candidacy`, `resignation` |
//! | reading everything at first | `failover` |
//! | what is to be read again; what comes next | `dirty`, `agenda`; one piece of work at the `desk` |
//! | brokers come, go, bounce, leave | `broker_change`, `controlled_shutdown` |
//! | topics and partitions come | `topic_change`; for a call `topic_creation`, `partition_creation` |
//! | who leads, and writing it | [`election`] (pure), `partition_state`, `partition_change` |
//! | where replicas go | [`assignment`], `rack` (pure) |
//! | topics go | `topic_deletion`, `replica_state`; for a call `topic_marking` |
//! | hints and wishes in ZooKeeper | `isr_change`, `log_dir_event`, `preferred_election` |
//! | what brokers are told | `notice`, through an `outbox` each, as [`request`]s |
//!
//! Not here yet: reassignment of replicas, the periodic move back to preferred leaders, a second look
//! at offline partitions when `unclean.leader.election.enable` is changed while they are offline, and
//! `AlterPartition` and `AllocateProducerIds` for brokers at a later inter-broker protocol.
#![forbid(unsafe_code)]

pub mod assignment;
pub mod call;
pub mod election;
pub mod request;

mod agenda;
mod broker_change;
mod bugs;
mod candidacy;
mod context;
mod controlled_shutdown;
mod controller;
mod desk;
mod dirty;
mod effect;
mod event;
mod failover;
mod isr_change;
mod log_dir_event;
mod notice;
mod operation;
mod outbox;
mod partition_change;
mod partition_creation;
mod partition_state;
mod preferred_election;
mod rack;
mod removal;
mod replica_state;
mod resignation;
mod settings;
mod topic_change;
mod topic_creation;
mod topic_deletion;
mod topic_marking;

pub use bugs::Bugs;
pub use controller::{CALLS_WAITING_COUNT_MAX, Controller, Counts};
pub use effect::{Announcement, Effect};
pub use event::Event;
pub use settings::{AssignmentPolicy, Settings};

/// Names one batch of ZooKeeper operations; higher is later. A reply to any but the outstanding one
/// is ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(pub u64);

/// Names one request to a broker; higher is later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// Names one call, chosen by the caller's side; given back with the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);
