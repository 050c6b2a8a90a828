//! The entries of the two indexes, and their bytes.
//!
//! ```text
//! .index      i32 offset - base offset, i32 position in the segment
//! .timeindex  i64 largest timestamp so far, i32 offset of it - base offset
//! ```
//!
//! Big-endian, without a header or a checksum. Source: `OffsetIndex`, `TimeIndex` of Kafka 2.8.

use std::fmt::Debug;

/// An entry of fixed size, in files sorted by it.
pub(crate) trait Entry: Copy + Debug + PartialEq + Send {
    /// Bytes of one entry.
    const SIZE: usize;

    /// Appends the entry's bytes.
    fn encode(self, out: &mut Vec<u8>);

    /// Reads an entry off the start of `bytes`.
    fn decode(bytes: &[u8]) -> Option<Self>;

    /// Whether the entry may stand behind `previous`, or first. An entry of zeros may only stand first: behind
    /// others it is space that was allocated and never written.
    fn follows(self, previous: Option<Self>) -> bool;
}

/// "The batch that ends at this offset begins at this position."
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OffsetEntry {
    /// Last offset of the batch minus the base offset.
    pub(crate) relative_offset: u32,
    /// Where the batch begins, in bytes.
    pub(crate) position: u32,
}

/// "Up to this offset, no timestamp is larger than this."
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeEntry {
    /// Largest timestamp of the segment so far, ms since 1970.
    pub(crate) timestamp_ms: i64,
    /// Last offset of the batch that holds it minus the base offset.
    pub(crate) relative_offset: u32,
}

impl Entry for OffsetEntry {
    const SIZE: usize = 8;

    fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.relative_offset.to_be_bytes());
        out.extend_from_slice(&self.position.to_be_bytes());
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (relative_offset, rest) = bytes.split_first_chunk()?;
        let position = rest.first_chunk()?;
        Some(Self {
            relative_offset: u32::from_be_bytes(*relative_offset),
            position: u32::from_be_bytes(*position),
        })
    }

    fn follows(self, previous: Option<Self>) -> bool {
        previous.is_none_or(|previous| {
            self.relative_offset > previous.relative_offset && self.position > previous.position
        })
    }
}

impl Entry for TimeEntry {
    const SIZE: usize = 12;

    fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.timestamp_ms.to_be_bytes());
        out.extend_from_slice(&self.relative_offset.to_be_bytes());
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (timestamp_ms, rest) = bytes.split_first_chunk()?;
        let relative_offset = rest.first_chunk()?;
        Some(Self {
            timestamp_ms: i64::from_be_bytes(*timestamp_ms),
            relative_offset: u32::from_be_bytes(*relative_offset),
        })
    }

    fn follows(self, previous: Option<Self>) -> bool {
        previous.is_none_or(|previous| {
            self.timestamp_ms > previous.timestamp_ms
                && self.relative_offset >= previous.relative_offset
        })
    }
}
