//! One partition's replica as a pure state machine: leader and follower roles, ISR, high watermark.
//!
//! [`Replica`] decides; the broker around it owns the log and does the work. Nothing in here waits,
//! reads a clock or touches a file. Each partition has one `Replica` behind a lock of its own, and
//! every method returns at once.
//!
//! | it is told | and answers |
//! |---|---|
//! | a controller's [`Decision`] | the [`LogWork`] to be done before it holds |
//! | what became of that work | whether it now leads, follows or is offline |
//! | that records were appended or flushed | where the high watermark moved |
//! | that a producer wants to append, or waits | whether it may, or must go on waiting |
//!
//! Partitions have one replica for now: the high watermark of a partition with further members in
//! its ISR stays where it is, because their progress is not followed yet.
#![forbid(unsafe_code)]

mod acknowledgement;
mod bugs;
mod control_fence;
mod decision;
mod replica;

pub use acknowledgement::{
    Acknowledgement, Acks, AppendRefusal, AppendTerms, Lease, PendingAcknowledgement,
};
pub use bugs::Bugs;
pub use control_fence::{ControlFence, ControlRefusal};
pub use decision::{Decision, DecisionRefusal, LogWork, StopEpoch, StopRefusal};
pub use replica::{Advance, LogBounds, ReadRefusal, Replica, ReplicaSettings, Role};
