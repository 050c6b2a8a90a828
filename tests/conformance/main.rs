//! What the session layer promises, held against a real ZooKeeper behind a network that can be cut.
//!
//! Beside it, the faults for which the first choice of a client library was given up are asserted as
//! known: the day one of those tests fails, that library can be looked at again.
#![forbid(unsafe_code)]

mod bulk;
mod election;
mod engine;
mod first_choice;
mod fixture;
mod lease;
mod network;
mod operation;
mod outage;
mod version;
mod watch;
