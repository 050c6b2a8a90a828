//! Finding records by their time. Source: KIP-79, KIP-734; `LogSegment.findOffsetByTimestamp` of
//! Kafka 2.8.

use super::PartitionLog;
use super::offsets::View;
use crate::error::ReadError;
use crate::segment::{HeaderAt, HeaderWalk, Segment, TimeEntry, io_error};
use barnabas_wire::id::{LeaderEpoch, Offset};
use barnabas_wire::record::{Batch, BatchError};
use std::os::unix::fs::FileExt;

/// Largest size of the records of one batch after decompression, in bytes: a batch that holds more
/// is answered with its first offset.
const DECOMPRESSED_MAX_BYTES: usize = 128 << 20;

/// Bytes read at once in search of a batch.
const SEARCH_SIZE_BYTES: usize = 64 << 10;

/// A record found by its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampedOffset {
    /// Its timestamp, ms since 1970.
    pub timestamp_ms: i64,
    /// Its offset.
    pub offset: Offset,
    /// Epoch of the leader that appended it.
    pub leader_epoch: LeaderEpoch,
}

impl PartitionLog {
    /// The first record, by offset, whose timestamp is not below `timestamp_ms`; `None` if there is
    /// none. It may lie at or above the high watermark. Waits for the disk.
    ///
    /// # Errors
    /// [`ReadError`] if the files cannot be read.
    pub fn offset_at_timestamp(
        &self,
        timestamp_ms: i64,
    ) -> Result<Option<TimestampedOffset>, ReadError> {
        let view = self.published.lock().view();
        for (index, segment) in view.segments.iter().enumerate() {
            let newest = newest_of(&view, index, segment)?;
            if newest.is_none_or(|newest| newest.timestamp_ms < timestamp_ms) {
                continue;
            }
            let found = find_in(&view, index, segment, timestamp_ms)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The first record with the largest timestamp of all; `None` in a log without timestamps. Waits
    /// for the disk.
    ///
    /// # Errors
    /// [`ReadError`] if the files cannot be read.
    pub fn offset_of_max_timestamp(&self) -> Result<Option<TimestampedOffset>, ReadError> {
        let view = self.published.lock().view();
        let mut best: Option<(usize, TimeEntry)> = None;
        for (index, segment) in view.segments.iter().enumerate() {
            let newest = newest_of(&view, index, segment)?;
            let best_ms = best.map_or(-1, |(_, best)| best.timestamp_ms);
            if let Some(newest) = newest.filter(|newest| newest.timestamp_ms > best_ms) {
                best = Some((index, newest));
            }
        }
        let Some((index, newest)) = best else {
            return Ok(None);
        };
        let Some(segment) = view.segments.get(index) else {
            return Ok(None);
        };
        find_in(&view, index, segment, newest.timestamp_ms)
    }
}

/// The largest timestamp of a segment: the published one of the active segment.
fn newest_of(view: &View, index: usize, segment: &Segment) -> Result<Option<TimeEntry>, ReadError> {
    if index + 1 == view.segments.len() {
        return Ok(view.newest);
    }
    segment.newest()
}

/// The first record of a segment that is new enough and not below the log start.
fn find_in(
    view: &View,
    index: usize,
    segment: &Segment,
    timestamp_ms: i64,
) -> Result<Option<TimestampedOffset>, ReadError> {
    let start = view.offsets.log_start;
    let before = segment
        .time_index
        .last_where(|entry| entry.timestamp_ms < timestamp_ms);
    let before = before.map_err(|cause| io_error(segment.time_index.path(), 0, cause))?;
    let from = before.map_or(segment.base_offset, |entry| {
        segment.absolute(entry.relative_offset)
    });
    let Some(first) = segment.find(from.max(start), view.size_bytes(index))? else {
        return Ok(None);
    };
    search(view, index, segment, first.position, timestamp_ms)
}

fn search(
    view: &View,
    index: usize,
    segment: &Segment,
    position: u64,
    timestamp_ms: i64,
) -> Result<Option<TimestampedOffset>, ReadError> {
    let start = view.offsets.log_start;
    let mut buffer = vec![0; SEARCH_SIZE_BYTES];
    let mut walk = HeaderWalk::new(
        segment.file(),
        position,
        view.size_bytes(index),
        &mut buffer,
    );
    while let Some(at) = segment.step(&mut walk)? {
        let header = segment.header(&at)?;
        if header.max_timestamp_ms() < timestamp_ms || header.last_offset() < start {
            continue;
        }
        if let Some(found) = first_record(segment, &at, timestamp_ms, start)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The first record of a batch that is new enough and not below `start`.
fn first_record(
    segment: &Segment,
    at: &HeaderAt,
    timestamp_ms: i64,
    start: Offset,
) -> Result<Option<TimestampedOffset>, ReadError> {
    let size_bytes = usize::try_from(at.size_bytes()).unwrap_or(usize::MAX);
    let mut bytes = vec![0; size_bytes];
    let read = segment.file().read_exact_at(&mut bytes, at.position);
    read.map_err(|cause| io_error(&segment.path, at.position, cause))?;
    let damaged = |cause: BatchError| segment.damaged(at.position, cause);
    let batch = Batch::parse(&bytes).map_err(damaged)?;
    batch.verify_checksum().map_err(damaged)?;
    let leader_epoch = batch.header().partition_leader_epoch();
    let mut scratch = Vec::new();
    let Ok(records) = batch.decompress(&mut scratch, DECOMPRESSED_MAX_BYTES) else {
        let offset = batch.header().base_offset().max(start);
        return Ok(Some(TimestampedOffset {
            timestamp_ms,
            offset,
            leader_epoch,
        }));
    };
    for record in records {
        let record = record.map_err(|cause| ReadError::DamagedRecord {
            path: segment.path.clone(),
            position: at.position,
            cause,
        })?;
        if record.timestamp_ms >= timestamp_ms && record.offset >= start {
            let (timestamp_ms, offset) = (record.timestamp_ms, record.offset);
            return Ok(Some(TimestampedOffset {
                timestamp_ms,
                offset,
                leader_epoch,
            }));
        }
    }
    Ok(None)
}
