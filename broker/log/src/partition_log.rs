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
//!
//! Order of the locks: flushing, writer, then any one of the others.

mod append;
mod flush;
mod leftover;
mod offsets;
mod open;
mod producer;
mod producers;
mod read;
mod recover;
mod roll;
mod room_request;
mod timestamp;
mod truncate;
mod writer;

use crate::error::LogError;
use crate::files::Files;
use crate::health::DirectoryHealth;
use crate::leader_epoch_cache::{EpochEnd, EpochEntry, LeaderEpochCache};
use crate::settings::LogSettings;
use barnabas_wire::id::{LeaderEpoch, Offset, TopicPartition};
use parking_lot::{Mutex, RwLock};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

use offsets::Published;
use writer::Writer;

pub use append::{Appended, LeaderAppend, TryAppend};
pub use offsets::LogOffsets;
pub use open::{OpenLog, RecoveryReport};
pub use read::{LogRead, LogSlice, Read, ReadBound};
pub use room_request::RoomRequest;
pub use timestamp::TimestampedOffset;

/// The log of one partition.
#[derive(Debug)]
pub struct PartitionLog {
    topic_partition: TopicPartition,
    directory: PathBuf,
    files: Arc<dyn Files>,
    health: Arc<DirectoryHealth>,
    settings: RwLock<Arc<LogSettings>>,
    published: Mutex<Published>,
    writer: Mutex<Writer>,
    /// Those who hold the writer's lock, or wait for it, and may keep it for long.
    slow_count: AtomicUsize,
    epochs: Mutex<LeaderEpochCache>,
    writing_epochs: Mutex<()>,
    flushing: Mutex<()>,
    /// A file was created since the directory was last synced.
    has_new_names: AtomicBool,
}

impl PartitionLog {
    /// Whose log it is.
    #[must_use]
    pub fn topic_partition(&self) -> &TopicPartition {
        &self.topic_partition
    }

    /// The partition's directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The state of the log directory around it.
    #[must_use]
    pub fn health(&self) -> &Arc<DirectoryHealth> {
        &self.health
    }

    /// The offsets, at one moment.
    #[must_use]
    pub fn offsets(&self) -> LogOffsets {
        self.published.lock().offsets()
    }

    /// Bytes of batches in all segments.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        let view = self.published.lock().view();
        (0..view.segments.len())
            .map(|index| view.size_bytes(index))
            .sum()
    }

    /// Number of segments, at least 1.
    #[must_use]
    pub fn segment_count(&self) -> usize {
        self.published.lock().segments.len()
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> Arc<LogSettings> {
        self.settings.read().clone()
    }

    /// Puts other settings in force; a segment that is being written keeps its address space, and is
    /// rolled where the new size is smaller. Waits for a writer.
    pub fn set_settings(&self, settings: LogSettings) {
        let mut writer = self.lock_writer();
        *self.settings.write() = Arc::new(settings.clone());
        writer.settings = settings;
    }

    /// Moves the high watermark, up or down, to `offset` or as near as log start and log end allow;
    /// returns where it is now.
    pub fn set_high_watermark(&self, offset: Offset) -> Offset {
        let mut published = self.published.lock();
        published.high_watermark = offset;
        published.clamp_high_watermark();
        published.high_watermark
    }

    /// The newest leader epoch that has written or begun to.
    #[must_use]
    pub fn latest_leader_epoch(&self) -> Option<LeaderEpoch> {
        self.epochs.lock().latest_epoch()
    }

    /// All leader epochs of the records, oldest first.
    #[must_use]
    pub fn leader_epochs(&self) -> Vec<EpochEntry> {
        self.epochs.lock().entries().to_vec()
    }

    /// Where an epoch ends; see [`LeaderEpochCache::end_offset_for`].
    #[must_use]
    pub fn end_offset_for_epoch(&self, leader_epoch: LeaderEpoch) -> Option<EpochEnd> {
        let log_end = self.offsets().log_end;
        self.epochs.lock().end_offset_for(leader_epoch, log_end)
    }

    /// Says that a leader begins its epoch at the log end. It counts at once; the file follows with
    /// [`PartitionLog::write_leader_epochs`] or the next flush.
    pub fn begin_leader_epoch(&self, leader_epoch: LeaderEpoch) {
        let mut writer = self.lock_writer();
        let mut epochs = self.epochs.lock();
        epochs.assign(leader_epoch, writer.log_end);
        writer.remember_epoch(&epochs);
    }

    /// Closes the log in order: files exact, everything durable, the producers beside it. Nothing is
    /// appended after. Waits for the disk.
    ///
    /// # Errors
    /// [`LogError`]; the directory must then not be marked as closed in order.
    pub fn close(&self, now_ms: i64) -> Result<(), LogError> {
        self.flush(now_ms)?;
        let mut writer = self.lock_writer();
        self.check_open(&writer)?;
        writer.is_closed = true;
        let log_end = writer.log_end;
        // An empty segment has nothing to be cut, and the producers were written when it was rolled:
        // closing a thousand partitions that were never used costs nothing.
        if writer.position > 0 {
            self.seal(&mut writer)?;
            self.write_snapshot(&mut writer, log_end)?;
        }
        self.sync_directory()?;
        self.write_leader_epochs()?;
        let mut published = self.published.lock();
        published.recovery_point = log_end;
        Ok(())
    }

    /// Ends the log for good without a flush: its directory is about to be renamed and deleted.
    /// Reads go on as long as someone has them; everything else is refused.
    pub fn abandon(&self) {
        let mut writer = self.lock_writer();
        writer.is_closed = true;
        writer.map = None;
        if let Err(error) = writer.room.close() {
            tracing::debug!(partition = %self.topic_partition, %error, "abandoned with room ahead");
        }
    }

    fn check_open(&self, writer: &Writer) -> Result<(), LogError> {
        self.health.check()?;
        if writer.is_closed {
            Err(LogError::Closed)
        } else {
            Ok(())
        }
    }
}
