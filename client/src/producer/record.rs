//! Records to be sent: one kind that owns its bytes, one that borrows them.

use std::time::SystemTime;

pub use barnabas_wire::record::Header;
use barnabas_wire::record::RECORD_OVERHEAD_MAX_BYTES;
use bytes::Bytes;

/// A record to be sent, with its topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The topic.
    pub topic: String,
    /// The partition; chosen by the producer if there is none.
    pub partition: Option<i32>,
    /// The key, or null.
    pub key: Option<Bytes>,
    /// The value; null deletes the key in a compacted topic.
    pub value: Option<Bytes>,
    /// The headers in order; a name may come more than once.
    pub headers: Vec<(String, Option<Bytes>)>,
    /// When it happened; the time of sending if there is none.
    pub timestamp: Option<SystemTime>,
}

impl Record {
    /// A record for a topic, without key and value.
    #[must_use]
    pub fn to(topic: impl Into<String>) -> Self {
        Self {
            topic: topic.into(),
            ..Self::default()
        }
    }

    /// With this key.
    #[must_use]
    pub fn key(mut self, key: impl Into<Bytes>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// With this value.
    #[must_use]
    pub fn value(mut self, value: impl Into<Bytes>) -> Self {
        self.value = Some(value.into());
        self
    }

    /// With one header more.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Bytes>) -> Self {
        self.headers.push((name.into(), Some(value.into())));
        self
    }

    /// For this partition.
    #[must_use]
    pub const fn partition(mut self, partition: i32) -> Self {
        self.partition = Some(partition);
        self
    }

    pub(super) fn wire_headers(&self) -> impl Iterator<Item = Header<'_>> {
        self.headers.iter().map(|(name, value)| Header {
            key: name.as_bytes(),
            value: value.as_deref(),
        })
    }

    pub(super) fn outgoing<'a>(&'a self, headers: &'a [Header<'a>]) -> Outgoing<'a> {
        let since_epoch = |timestamp: SystemTime| {
            let since = timestamp
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default();
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        };
        Outgoing {
            partition: self.partition,
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            headers,
            timestamp_ms: self.timestamp.map(since_epoch),
        }
    }
}

/// A record to be sent to the topic of a [`TopicProducer`](super::TopicProducer); its bytes are
/// borrowed until the call returns.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outgoing<'a> {
    /// The partition; chosen by the producer if there is none.
    pub partition: Option<i32>,
    /// The key, or null.
    pub key: Option<&'a [u8]>,
    /// The value, or null.
    pub value: Option<&'a [u8]>,
    /// The headers in order.
    pub headers: &'a [Header<'a>],
    /// When it happened, ms since the Unix epoch; the time of sending if there is none.
    pub timestamp_ms: Option<i64>,
}

/// Most bytes that a header takes beyond name and value.
const HEADER_OVERHEAD_MAX_BYTES: usize = 10;

impl Outgoing<'_> {
    /// Most bytes that the record takes in a batch.
    pub(super) fn size_max_bytes(&self) -> usize {
        let headers: usize = self
            .headers
            .iter()
            .map(|header| HEADER_OVERHEAD_MAX_BYTES + header.key.len() + length(header.value))
            .sum();
        RECORD_OVERHEAD_MAX_BYTES + length(self.key) + length(self.value) + headers
    }
}

fn length(bytes: Option<&[u8]>) -> usize {
    bytes.map_or(0, <[u8]>::len)
}
