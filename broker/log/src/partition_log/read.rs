//! Reading by offset.

use super::PartitionLog;
use super::offsets::{LogOffsets, View};
use crate::error::ReadError;
use crate::segment::{HeaderAt, Segment};
use barnabas_wire::id::Offset;
use std::fs::File;
use std::sync::Arc;

/// How far a reader may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadBound {
    /// All of the log: followers.
    LogEnd,
    /// What is committed: consumers.
    HighWatermark,
    /// What is committed and decided: consumers with `read_committed`.
    LastStable,
}

impl ReadBound {
    /// First offset that may not be seen.
    #[must_use]
    pub const fn end(self, offsets: &LogOffsets) -> Offset {
        match self {
            Self::LogEnd => offsets.log_end,
            Self::HighWatermark => offsets.high_watermark,
            Self::LastStable => offsets.last_stable,
        }
    }
}

/// What to read.
#[derive(Clone, Copy, Debug)]
pub struct Read {
    /// First offset wanted; the batch that holds it comes whole.
    pub from: Offset,
    /// How far the reader may see.
    pub bound: ReadBound,
    /// Bytes wanted at most; the last batch may be cut off by it.
    pub size_max_bytes: u64,
    /// Whether the first batch comes whole even if it is larger.
    pub at_least_one_batch: bool,
}

/// Records as a range of a file, and the offsets at the moment of reading.
#[derive(Clone, Debug)]
pub struct LogRead {
    /// The log's offsets, taken before the records.
    pub offsets: LogOffsets,
    /// Batches one behind the other; none if there is nothing to be seen from there on.
    pub records: Option<LogSlice>,
}

/// A range of a segment, for `sendfile` or `pread`. It may come out shorter than it says if the log
/// is truncated meanwhile: then the connection that was promised the bytes has to be closed.
#[derive(Clone, Debug)]
pub struct LogSlice {
    /// The segment's file. As long as someone has it, deleting the segment frees nothing.
    pub file: Arc<File>,
    /// First byte.
    pub position: u64,
    /// Bytes; at least 1, or 0 where not even the first batch fits.
    pub length: u64,
    /// Base offset of the segment.
    pub segment_base_offset: Offset,
}

impl PartitionLog {
    /// Finds the records from an offset on, as many as lie in one segment. Reads batch headers, up
    /// to `index.interval.bytes` and one batch of them; that waits for the disk where they are not
    /// in the page cache (see [`PartitionLog::is_near_end`]).
    ///
    /// # Errors
    /// [`ReadError::OffsetOutOfRange`] below the log start or above the log end; the others if the
    /// file cannot be read.
    pub fn read(&self, read: &Read) -> Result<LogRead, ReadError> {
        let view = self.published.lock().view();
        let offsets = view.offsets;
        if read.from < offsets.log_start || read.from > offsets.log_end {
            return Err(ReadError::OffsetOutOfRange {
                offset: read.from,
                log_start_offset: offsets.log_start,
                log_end_offset: offsets.log_end,
            });
        }
        let bound = read.bound.end(&offsets);
        if read.from >= bound {
            return Ok(LogRead {
                offsets,
                records: None,
            });
        }
        let mut index = view.segment_index(read.from);
        while let Some(segment) = view.segments.get(index) {
            let end = end_below(&view, index, segment, bound)?;
            // Compaction may have left nothing at or above the offset in this segment.
            if let Some(first) = segment.find(read.from, end)? {
                return Ok(LogRead {
                    offsets,
                    records: Some(slice(segment, &first, end, read)),
                });
            }
            index += 1;
        }
        Ok(LogRead {
            offsets,
            records: None,
        })
    }

    /// Whether a read from there finds its way by the entries in memory, and its bytes most likely
    /// in the page cache: true for what was appended last.
    #[must_use]
    pub fn is_near_end(&self, offset: Offset) -> bool {
        let view = self.published.lock().view();
        view.segments
            .last()
            .is_some_and(|active| offset >= active.base_offset && active.is_warm(offset))
    }
}

/// Where the batches of a segment end that lie below `bound`, in bytes.
fn end_below(
    view: &View,
    index: usize,
    segment: &Segment,
    bound: Offset,
) -> Result<u64, ReadError> {
    let size_bytes = view.size_bytes(index);
    let next_base = view.segments.get(index + 1).map(|next| next.base_offset);
    if bound >= view.offsets.log_end || next_base.is_some_and(|base| base <= bound) {
        return Ok(size_bytes);
    }
    // The first batch that reaches the bound is the first that may not be seen.
    Ok(segment
        .find(bound, size_bytes)?
        .map_or(size_bytes, |batch| batch.position))
}

fn slice(segment: &Segment, first: &HeaderAt, end: u64, read: &Read) -> LogSlice {
    let least = if read.at_least_one_batch {
        first.size_bytes()
    } else {
        0
    };
    LogSlice {
        file: segment.file().clone(),
        position: first.position,
        length: (end - first.position).min(read.size_max_bytes.max(least)),
        segment_base_offset: segment.base_offset,
    }
}
