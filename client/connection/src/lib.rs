//! One pipelined TCP connection to a Kafka broker, shared by client and broker.
//!
//! A request is queued in the caller's own task and written by a task of the connection, which
//! hands everything that is queued to the kernel at once. Responses come back in the order of the
//! requests, as Kafka's brokers answer. Nothing is retried here: every failure says whether the
//! request can have reached the broker ([`RequestError::was_sent`]), and the caller decides.
//!
//! ```text
//! caller ── submit ──> outbox ──> writer task ──> socket
//!   ^                                                |
//!   └─ Pending <── in flight, in order <── reader task
//! ```
#![forbid(unsafe_code)]

mod connection;
mod dial;
mod error;
mod exchange;
mod options;
mod pending;
mod reader;
mod versions;
mod writer;

pub use connection::Connection;
pub use error::{ConnectError, Disconnect, RequestError};
pub use options::Options;
pub use pending::{Pending, Written};
pub use versions::BrokerVersions;

#[cfg(test)]
mod tests;
