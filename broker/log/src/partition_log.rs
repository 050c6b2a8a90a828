//! The log of one partition: segments one behind the other, of which the last is written.
//!
//! One writer at a time holds the writer's lock. What readers need (offsets, segments, the written
//! end) is *published* behind a lock of its own that is held for a few loads and stores only: a
//! reader copies it and moves the bytes with no lock at all.
//!
//! No method here waits on a clock or starts a thread. [`PartitionLog::try_append`] neither blocks
//! nor faults: where it would, it answers [`TryAppend::NeedsRoom`], and the caller goes to a thread
//! that may block and calls [`PartitionLog::append`]. Whoever appends is also handed the work that
//! keeps room ahead of the writer, as a [`RoomRequest`] to be run by such a thread.

use crate::error::{AppendError, LogError, OpenError, ReadError};
use crate::files::Files;
use crate::health::DirectoryHealth;
use crate::leader_epoch_cache::{EpochEnd, EpochEntry};
use crate::producer_state::AppendOrigin;
use crate::settings::LogSettings;
use barnabas_wire::id::{LeaderEpoch, Offset, TopicPartition};
use barnabas_wire::record::Validated;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

/// How to open a log.
#[derive(Clone, Debug)]
pub struct OpenLog {
    /// Whose log it is.
    pub topic_partition: TopicPartition,
    /// The partition's directory; it must exist.
    pub directory: PathBuf,
    /// By what files are changed.
    pub files: Arc<dyn Files>,
    /// The state of the log directory around it.
    pub health: Arc<DirectoryHealth>,
    /// Its settings.
    pub settings: LogSettings,
    /// From `recovery-point-offset-checkpoint`; 0 if there is none.
    pub recovery_point: Offset,
    /// From `log-start-offset-checkpoint`; 0 if there is none.
    pub log_start_offset: Offset,
    /// Whether the clean-shutdown marker was there: then nothing is scanned.
    pub is_clean: bool,
    /// Whether to cut damaged records off even where they were flushed. Only for a replica that can
    /// fetch them again from another.
    pub cut_below_recovery_point: bool,
    /// The clock, ms since 1970: creation time of a segment without timestamps.
    pub now_ms: i64,
}

/// What opening a log took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// Bytes of segments read, batch by batch.
    pub scanned_bytes: u64,
    /// Batches whose checksum was verified.
    pub verified_batch_count: u64,
    /// Bytes cut off behind the last sound batch that were not zeros.
    pub torn_bytes: u64,
    /// Zeros cut off: space allocated ahead of the writer.
    pub zero_bytes: u64,
    /// Segments dropped because one before them was cut.
    pub dropped_segment_count: u64,
    /// Index files built anew.
    pub rebuilt_index_count: u64,
}

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

/// A producer's or coordinator's batch for the leader's log.
#[derive(Clone, Copy, Debug)]
pub struct LeaderAppend<'a> {
    /// The batch, checked by `check_produced`.
    pub batch: &'a Validated<'a>,
    /// Epoch of the leader that appends.
    pub leader_epoch: LeaderEpoch,
    /// From whom the batch is.
    pub origin: AppendOrigin,
    /// The clock, ms since 1970.
    pub now_ms: i64,
}

/// What became of a batch.
#[derive(Debug)]
#[must_use]
pub struct Appended {
    /// Offset of the first record.
    pub first_offset: Offset,
    /// Offset of the last record.
    pub last_offset: Offset,
    /// The append time in ms since 1970, where the topic's records carry it; else -1.
    pub log_append_time_ms: i64,
    /// First offset of the log.
    pub log_start_offset: Offset,
    /// The batch was there already: these are its offsets, and nothing was written.
    pub is_duplicate: bool,
    /// `flush.messages` is reached: call [`PartitionLog::flush`] before acknowledging.
    pub is_flush_due: bool,
    /// To be run soon by a thread that may block.
    pub room: Option<RoomRequest>,
}

/// The outcome of an attempt to append without blocking.
#[derive(Debug)]
#[must_use]
pub enum TryAppend {
    /// It is done.
    Done(Appended),
    /// Not without blocking: hand the batch to a thread that may block, and let it call `append`.
    /// Later batches of the same producer must not overtake it.
    NeedsRoom,
}

/// Work that keeps room ahead of the writer of one log. There is at most one at a time per log.
#[derive(Debug)]
#[must_use]
pub struct RoomRequest {}

impl RoomRequest {
    /// Allocates and populates the next step; waits for the disk. An error is not reported here but
    /// by the append that lacks the room.
    pub fn run(self) {
        todo!()
    }
}

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
    /// The segment's file.
    pub file: Arc<File>,
    /// First byte.
    pub position: u64,
    /// Bytes; at least 1.
    pub length: u64,
    /// Base offset of the segment.
    pub segment_base_offset: Offset,
}

/// A record found by its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampedOffset {
    /// Its timestamp, ms since 1970, -1 for none.
    pub timestamp_ms: i64,
    /// Its offset.
    pub offset: Offset,
    /// Epoch of the leader that wrote it.
    pub leader_epoch: LeaderEpoch,
}

/// The log of one partition.
#[derive(Debug)]
pub struct PartitionLog {}

#[expect(
    missing_docs,
    clippy::missing_errors_doc,
    unused_variables,
    reason = "surface only: bodies follow"
)]
impl PartitionLog {
    /// Opens what is in the directory, recovering where the last shutdown was not clean; an empty
    /// directory becomes an empty log.
    pub fn open(open: OpenLog) -> Result<(Self, RecoveryReport), OpenError> {
        todo!()
    }
    pub fn topic_partition(&self) -> &TopicPartition {
        todo!()
    }
    pub fn directory(&self) -> PathBuf {
        todo!()
    }
    /// Renames the directory (deletion, or a directory moved into place); the parent is synced.
    pub fn rename_directory(&self, to: PathBuf) -> Result<(), LogError> {
        todo!()
    }
    pub fn offsets(&self) -> LogOffsets {
        todo!()
    }
    /// Bytes of all segments.
    pub fn size_bytes(&self) -> u64 {
        todo!()
    }
    /// Appends without blocking, or says that it cannot.
    pub fn try_append(&self, append: &LeaderAppend<'_>) -> Result<TryAppend, AppendError> {
        todo!()
    }
    /// Appends, waiting for room where there is none.
    pub fn append(&self, append: &LeaderAppend<'_>) -> Result<Appended, AppendError> {
        todo!()
    }
    /// Appends batches that the leader has numbered; waits for room. `None` if there is no whole batch.
    pub fn append_replicated(
        &self,
        batches: &[u8],
        now_ms: i64,
    ) -> Result<Option<Appended>, AppendError> {
        todo!()
    }
    pub fn read(&self, read: &Read) -> Result<LogRead, ReadError> {
        todo!()
    }
    /// Whether a read from there finds its way in memory and most likely its bytes in the page cache:
    /// only then may it be done on a thread that must not block.
    pub fn is_near_end(&self, offset: Offset) -> bool {
        todo!()
    }
    /// First record at or after `timestamp_ms`, at an offset below `bound`.
    pub fn offset_at_timestamp(
        &self,
        timestamp_ms: i64,
    ) -> Result<Option<TimestampedOffset>, ReadError> {
        todo!()
    }
    /// The record with the greatest timestamp (KIP-734).
    pub fn offset_of_max_timestamp(&self) -> Result<Option<TimestampedOffset>, ReadError> {
        todo!()
    }
    /// Moves the high watermark, kept between log start and log end; returns where it is now.
    pub fn set_high_watermark(&self, offset: Offset) -> Offset {
        todo!()
    }
    /// Raises the log start (DeleteRecords, retention, a leader's log start); whether it moved.
    pub fn raise_log_start(&self, offset: Offset) -> bool {
        todo!()
    }
    /// Drops everything from `offset` on; whether anything was dropped. Waits for the disk.
    pub fn truncate_to(&self, offset: Offset) -> Result<bool, LogError> {
        todo!()
    }
    /// Drops everything and begins anew at `offset`. Waits for the disk.
    pub fn truncate_fully_and_start_at(&self, offset: Offset, now_ms: i64) -> Result<(), LogError> {
        todo!()
    }
    /// Makes everything appended so far durable; returns the recovery point. Waits for the disk; who
    /// comes while another flushes waits and is most often served by the next one (group commit).
    pub fn flush(&self, now_ms: i64) -> Result<Offset, LogError> {
        todo!()
    }
    /// Whether `flush.ms` has passed with records unflushed.
    pub fn is_flush_due(&self, now_ms: i64) -> bool {
        todo!()
    }
    /// Flush plus indexes and producer snapshot, so that opening again scans from here. Housekeeping.
    pub fn checkpoint(&self, now_ms: i64) -> Result<Offset, LogError> {
        todo!()
    }
    /// Clean close: exact files, everything synced, snapshot at the log end. Appends are refused after.
    pub fn close(&self, now_ms: i64) -> Result<(), LogError> {
        todo!()
    }
    pub fn set_settings(&self, settings: LogSettings) {
        todo!()
    }
    pub fn latest_leader_epoch(&self) -> Option<LeaderEpoch> {
        todo!()
    }
    pub fn leader_epochs(&self) -> Vec<EpochEntry> {
        todo!()
    }
    pub fn end_offset_for_epoch(&self, leader_epoch: LeaderEpoch) -> Option<EpochEnd> {
        todo!()
    }
    /// A new leader begins its epoch at the log end.
    pub fn assign_leader_epoch(&self, leader_epoch: LeaderEpoch, start: Offset) {
        todo!()
    }
    /// Writes the leader epoch file if it is behind. Off the append path; waits for the disk.
    pub fn write_leader_epochs(&self) -> Result<(), LogError> {
        todo!()
    }
}
