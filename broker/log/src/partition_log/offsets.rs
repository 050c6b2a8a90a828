//! What the writer publishes and readers copy.

use crate::segment::{Segment, TimeEntry};
use barnabas_wire::id::Offset;
use std::sync::Arc;

/// The offsets of a log at one moment; they fit together.
///
/// Invariant: `log_start <= high_watermark <= log_end`, `last_stable <= high_watermark`,
/// `recovery_point <= log_end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogOffsets {
    /// First offset that may be read.
    pub log_start: Offset,
    /// First offset that not every in-sync replica is known to have. Decided by `broker/replica`.
    pub high_watermark: Offset,
    /// First offset of an undecided transaction, or the high watermark.
    pub last_stable: Offset,
    /// Offset that the next record will get.
    pub log_end: Offset,
    /// First offset that is not known to be on disk.
    pub recovery_point: Offset,
}

/// The segments of a log, oldest first. Never empty; the last one is written.
pub(crate) type Segments = Arc<[Arc<Segment>]>;

/// The state behind the short lock.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) segments: Segments,
    pub(crate) log_start: Offset,
    pub(crate) high_watermark: Offset,
    /// First offset of the oldest undecided transaction.
    pub(crate) first_undecided: Option<Offset>,
    pub(crate) log_end: Offset,
    /// Where the last batch of the active segment ends, in bytes.
    pub(crate) end_position: u64,
    /// Largest timestamp of the active segment.
    pub(crate) newest: Option<TimeEntry>,
    pub(crate) recovery_point: Offset,
    /// When everything was last flushed, ms since 1970.
    pub(crate) flushed_ms: i64,
}

impl Published {
    /// The offsets alone.
    pub(crate) fn offsets(&self) -> LogOffsets {
        let undecided = self.first_undecided.unwrap_or(self.high_watermark);
        LogOffsets {
            log_start: self.log_start,
            high_watermark: self.high_watermark,
            last_stable: undecided.min(self.high_watermark),
            log_end: self.log_end,
            recovery_point: self.recovery_point,
        }
    }

    /// Everything a reader needs, at one moment.
    pub(crate) fn view(&self) -> View {
        View {
            offsets: self.offsets(),
            segments: self.segments.clone(),
            end_position: self.end_position,
            newest: self.newest,
        }
    }

    /// Keeps the high watermark between log start and log end.
    pub(crate) fn clamp_high_watermark(&mut self) {
        self.high_watermark = self.high_watermark.max(self.log_start).min(self.log_end);
    }
}

/// A copy of what is published.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) offsets: LogOffsets,
    pub(crate) segments: Segments,
    pub(crate) end_position: u64,
    pub(crate) newest: Option<TimeEntry>,
}

impl View {
    /// Index of the segment that `offset` belongs to: the last that does not begin above it.
    pub(crate) fn segment_index(&self, offset: Offset) -> usize {
        let above = self
            .segments
            .partition_point(|segment| segment.base_offset <= offset);
        above.saturating_sub(1)
    }

    /// Bytes of batches in the segment at `index`.
    pub(crate) fn size_bytes(&self, index: usize) -> u64 {
        if index + 1 == self.segments.len() {
            return self.end_position;
        }
        self.segments
            .get(index)
            .map_or(0, |segment| segment.size_bytes())
    }
}
