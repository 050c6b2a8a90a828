//! A record that was read.

use barnabas_wire::id::{LeaderEpoch, TopicPartition};
use bytes::Bytes;

/// A record that was read. Key, value and headers are slices of what was fetched: keep what you
/// need for long in memory of your own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Where it was read.
    pub partition: TopicPartition,
    /// Its offset.
    pub offset: i64,
    /// Epoch of the leader that stored it; -1 if unknown.
    pub leader_epoch: LeaderEpoch,
    /// Its timestamp, ms since the Unix epoch; -1 for none.
    pub timestamp_ms: i64,
    /// The key, or null.
    pub key: Option<Bytes>,
    /// The value, or null.
    pub value: Option<Bytes>,
    /// The headers in order; a name may come more than once.
    pub headers: Vec<MessageHeader>,
}

/// One header of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageHeader {
    /// The name: UTF-8 by convention.
    pub name: Bytes,
    /// The value, or null.
    pub value: Option<Bytes>,
}
