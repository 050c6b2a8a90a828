//! Making records durable.

use super::PartitionLog;
use super::append::write_indexes;
use crate::checkpoint::{CheckpointError, write_leader_epochs};
use crate::error::LogError;
use crate::producer_snapshot::encode_snapshot;
use crate::segment::{SegmentFile, is_full};
use barnabas_wire::id::Offset;
use std::io;
use std::path::Path;
use std::sync::atomic::Ordering::{AcqRel, Release};

impl PartitionLog {
    /// Makes everything appended so far durable; returns the recovery point, which is then at or
    /// above what the log end was. Waits for the disk.
    ///
    /// Who comes while another flushes waits for it, and most often finds its own records served by
    /// the next one (group commit).
    ///
    /// # Errors
    /// [`LogError::Offline`] for good if the disk did not take the data: the records may be lost,
    /// and asking again would not tell.
    pub fn flush(&self, now_ms: i64) -> Result<Offset, LogError> {
        self.flush_to(self.offsets().log_end, now_ms)
    }

    /// As [`PartitionLog::flush`], done when everything below `offset` is durable.
    ///
    /// # Errors
    /// As [`PartitionLog::flush`].
    pub fn flush_to(&self, offset: Offset, now_ms: i64) -> Result<Offset, LogError> {
        let _one_at_a_time = self.flushing.lock();
        self.health.check()?;
        let (log_end, active, recovery_point) = {
            let published = self.published.lock();
            let active = published.segments.last().cloned();
            (published.log_end, active, published.recovery_point)
        };
        if recovery_point >= offset.min(log_end) {
            return Ok(recovery_point);
        }
        self.sync_directory()?;
        self.write_leader_epochs()?;
        // Sealed segments are durable already: only the active one is left.
        if let Some(active) = active {
            active
                .log
                .sync_data()
                .map_err(|error| self.flush_failed(&active.path, &error))?;
        }
        let mut published = self.published.lock();
        // Truncating waits for us, so the records below `log_end` are still those that were flushed.
        published.recovery_point = published.recovery_point.max(log_end);
        published.flushed_ms = now_ms;
        Ok(published.recovery_point)
    }

    /// Whether `flush.ms` has passed with records unflushed.
    #[must_use]
    pub fn is_flush_due(&self, now_ms: i64) -> bool {
        let flush_ms = self.settings().flush_ms;
        let published = self.published.lock();
        published.recovery_point < published.log_end
            && now_ms.saturating_sub(published.flushed_ms) >= flush_ms
    }

    /// Flushes, and leaves beside the records what opening the log again needs in order to read no
    /// more than what is appended from now on: index entries and a snapshot of the producers. The
    /// recovery point that is returned may then be written to its checkpoint. Housekeeping calls
    /// this now and then; a log to which nothing was appended since the last time gives its room and
    /// its map back. Waits for the disk.
    ///
    /// # Errors
    /// As [`PartitionLog::flush`]; [`LogError::NoSpace`] if only the snapshot could not be written.
    pub fn checkpoint(&self, now_ms: i64) -> Result<Offset, LogError> {
        let recovery_point = self.flush(now_ms)?;
        let mut writer = self.lock_writer();
        let [before_last, last] = writer.snapshots;
        if writer.is_closed || writer.is_sealed {
            return Ok(recovery_point);
        }
        // An empty segment has a snapshot from when it was rolled, or needs none.
        if writer.position == 0 || last == Some(writer.log_end) {
            writer.map = None;
            writer
                .room
                .rest()
                .map_err(|error| self.failed(&writer, "cut", &error))?;
            return Ok(recovery_point);
        }
        write_indexes(&writer).map_err(|error| self.failed(&writer, "write indexes of", &error))?;
        self.write_loose_snapshot(writer.log_end, &encode_snapshot(&writer.producers))?;
        writer.snapshots = [last, Some(writer.log_end)];
        let segments = self.published.lock().segments.clone();
        if let Some(old) = before_last
            && segments.iter().all(|segment| segment.base_offset != old)
        {
            self.remove(&SegmentFile::ProducerSnapshot.path(&self.directory, old))?;
        }
        Ok(recovery_point)
    }

    /// Writes a snapshot that nothing rests on: it has a checksum, and without it the next start
    /// reads more headers. So it is not synced.
    fn write_loose_snapshot(&self, offset: Offset, bytes: &[u8]) -> Result<(), LogError> {
        let path = SegmentFile::ProducerSnapshot.path(&self.directory, offset);
        let write = || -> io::Result<()> {
            let file = self.files.open(&path, crate::files::Open::OrCreate)?;
            file.set_len(0)?;
            file.write_at(&[bytes], 0)
        };
        write().map_err(|error| {
            if is_full(&error) {
                return LogError::NoSpace { path: path.clone() };
            }
            self.health
                .fail(&format!("write {}", path.display()), &error)
                .into()
        })
    }

    /// Writes the leader epochs to their file if they have changed; durable. Waits for the disk.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn write_leader_epochs(&self) -> Result<(), LogError> {
        let _one_at_a_time = self.writing_epochs.lock();
        let Some(unwritten) = self.epochs.lock().unwritten() else {
            return Ok(());
        };
        let written = write_leader_epochs(&*self.files, &self.directory, &unwritten.entries);
        written.map_err(|error| match error {
            CheckpointError::Io { path, source } if is_full(&source) => LogError::NoSpace { path },
            other @ (CheckpointError::Io { .. }
            | CheckpointError::FormatVersion { .. }
            | CheckpointError::Line { .. }
            | CheckpointError::Count { .. }) => {
                let cause = io::Error::other(other);
                self.health.fail("write leader epochs", &cause).into()
            }
        })?;
        self.epochs.lock().mark_written(unwritten.change_count);
        Ok(())
    }

    /// Makes the names of the log's files durable, if one was added since the last time.
    pub(super) fn sync_directory(&self) -> Result<(), LogError> {
        if !self.has_new_names.swap(false, AcqRel) {
            return Ok(());
        }
        let synced = self.files.sync_directory(&self.directory).and_then(|()| {
            self.directory
                .parent()
                .map_or(Ok(()), |parent| self.files.sync_directory(parent))
        });
        synced.map_err(|error| {
            self.has_new_names.store(true, Release);
            self.flush_failed(&self.directory, &error)
        })
    }

    /// A failed flush is final, whatever the error: even a full disk has lost data by then.
    pub(super) fn flush_failed(&self, path: &Path, error: &io::Error) -> LogError {
        self.health
            .fail(&format!("sync {}", path.display()), error)
            .into()
    }
}
