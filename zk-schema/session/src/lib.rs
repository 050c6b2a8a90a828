//! The one adapter that talks to ZooKeeper: a session actor on its own thread.
//!
//! A [`Session`] carries the operations of `barnabas-zk-schema` to a server and brings back their
//! [`Outcome`](barnabas_zk_schema::Outcome)s. It lives on an operating system thread of its own, so
//! that a broker whose runtime is blocked for seconds keeps its session. What it does not do: decide.
//! It never repeats a write, elects nobody and registers nothing.
//!
//! ```text
//!  callers ──batches──▶ dispatch ──▶ batch tasks ─┐                ┌─▶ connection (re-attach, reconnect)
//!     ▲                                           ├──▶ engine ─────┤
//!     └──── SessionEvents ◀── mailbox ◀── keeper ─┘                └─▶ ZooKeeper
//!                                ▲  watches, lease
//! ```
//!
//! Rules that hold here, each because of a fault that was measured:
//! - Watches are recursive and persistent, few, and added again on every reconnection; then
//!   [`SessionEvent::Resync`] asks for a new reading, since changes during the gap are not told.
//! - No one-shot watch is ever set: on the path of a persistent one it would remove it.
//! - A request is below [`REQUEST_SIZE_BYTES_MAX`] bytes: a larger one makes the server close the connection and
//!   with it every request under way.
//! - A reply that did not come is [`Outcome::Unknown`](barnabas_zk_schema::Outcome); the next request
//!   is preceded by a `sync`, so that reading back sees what was done through another server.
//! - The lease is renewed by answered quorum writes only ([`Lease`]).
//! - ZooKeeper 3.6 or newer is probed for at the start ([`StartError::TooOld`]).
#![forbid(unsafe_code)]

mod actor;
mod batch;
mod clock;
mod command;
mod connect_string;
mod engine;
mod event;
mod keeper;
mod lease;
mod link;
mod mailbox;
mod probe;
mod renewal;
mod session;
mod settings;
mod watch;

pub use batch::{IN_FLIGHT_MAX, MULTI_READ_PATHS_MAX, MULTI_READS_IN_FLIGHT_MAX, PACK_WRITES_MAX};
pub use command::REQUEST_SIZE_BYTES_MAX;
pub use connect_string::{ConnectString, ConnectStringError};
pub use event::{Established, SessionEvent, SessionGeneration};
pub use lease::Lease;
pub use mailbox::{DIRTY_PATHS_MAX, SessionEvents};
pub use session::Session;
pub use settings::{Settings, StartError};
pub use watch::{WATCHED_PATHS_SIZE_BYTES_MAX, WATCHES_MAX};
