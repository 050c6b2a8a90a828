//! The Kafka wire format on bytes: messages, record batches, frames. No I/O, no async.
#![forbid(unsafe_code)]

pub mod id;
pub mod record;
