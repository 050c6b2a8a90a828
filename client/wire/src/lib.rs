//! The Kafka wire format on bytes: messages, record batches, frames. No I/O, no async.
//!
//! - [`api`] is the one table of APIs and versions; codec, dispatch and `ApiVersions` read it.
//! - [`message`] holds a struct for every request and response, Kafka's names, all versions.
//! - [`frame`] cuts a byte stream into frames and puts header and body into one.
//! - [`Source`] reads, [`Sink`] writes; both meet untrusted numbers with a limit and an error.
#![forbid(unsafe_code)]

// The derive macro names this crate by its path; so it must exist here too.
extern crate self as barnabas_wire;

pub mod api;
mod coding;
mod error;
mod error_code;
pub mod frame;
#[cfg(any(test, feature = "generate"))]
pub mod generate;
pub mod header;
pub mod id;
pub mod message;
#[cfg(test)]
mod oracle;
mod primitive;
pub mod record;
#[cfg(any(test, feature = "generate"))]
pub mod roundtrip;
pub mod sink;
pub mod source;
mod text;
mod uuid;

pub use api::ApiKey;
pub use barnabas_wire_derive::Wire;
pub use coding::{Coding, Message, Request, Wire};
pub use error::{DecodeError, EncodeError};
pub use error_code::ErrorCode;
pub use sink::{FileRegion, Piece, Pieces, Sink};
pub use source::Source;
pub use text::Str;
pub use uuid::Uuid;
