//! The settings of one partition's log, as plain values: who owns the log fills them from the
//! broker's configuration and the topic's overrides.

use barnabas_wire::record::TimestampType;

/// Settings of one log. Sizes in bytes, times in ms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// A segment is rolled before it would grow beyond this: `segment.bytes`, 14 and more. Address
    /// space of this size is reserved while a segment is written.
    pub segment_size_bytes: u64,
    /// A segment is rolled once its records span this much time: `segment.ms`, 1 and more.
    pub segment_ms: i64,
    /// Taken off `segment_ms`, so that logs created together do not roll together. Between 0 and
    /// `segment.jitter.ms`; drawn by whoever fills the settings.
    pub segment_jitter_ms: i64,
    /// Bytes between two index entries: `index.interval.bytes`.
    pub index_interval_bytes: u64,
    /// A segment is rolled when one of its indexes would grow beyond this: `segment.index.bytes`.
    pub index_size_max_bytes: u64,
    /// Records that may be unflushed: `flush.messages`, 1 and more. With 1 an append has to be
    /// flushed before it is acknowledged.
    pub flush_messages: u64,
    /// Time for which records may be unflushed: `flush.ms`.
    pub flush_ms: i64,
    /// Largest batch that a leader appends: `max.message.bytes`.
    pub batch_size_max_bytes: usize,
    /// Whose timestamps are kept: `message.timestamp.type`.
    pub timestamp_type: TimestampType,
}

impl Default for LogSettings {
    /// Kafka's defaults.
    fn default() -> Self {
        Self {
            segment_size_bytes: 1 << 30,
            segment_ms: 7 * 24 * 3600 * 1000,
            segment_jitter_ms: 0,
            index_interval_bytes: 4096,
            index_size_max_bytes: 10 << 20,
            flush_messages: u64::MAX,
            flush_ms: i64::MAX,
            batch_size_max_bytes: 1_048_588,
            timestamp_type: TimestampType::CreateTime,
        }
    }
}

impl LogSettings {
    /// Whether every append waits for the disk. Such a log is written by `pwrite`, since a store
    /// into a large page makes the flush write all of it.
    #[must_use]
    pub fn flushes_every_append(&self) -> bool {
        self.flush_messages <= 1
    }
}
