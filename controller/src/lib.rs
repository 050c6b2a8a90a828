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
#![forbid(unsafe_code)]

pub mod call;
pub mod request;

mod bugs;
mod controller;
mod effect;
mod event;
mod settings;

pub use bugs::Bugs;
pub use controller::{Controller, Counts};
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
