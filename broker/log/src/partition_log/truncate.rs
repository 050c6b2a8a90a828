//! Dropping records: from the end (a follower that diverged) or from the start (retention).

use super::PartitionLog;
use super::offsets::Segments;
use super::producers::{newest_snapshot, replay, snapshot_offsets};
use super::roll::WriterGuard;
use crate::error::{LogError, ReadError};
use crate::producer_state::ProducerStates;
use crate::segment::{Room, Segment, SegmentFile, TimeEntry, is_full};
use barnabas_wire::id::Offset;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Release;

impl PartitionLog {
    /// Drops the batch that holds `offset` and everything behind it; whether there was anything.
    /// The log then ends at or, where the cut would go through a batch, below `offset`. Not durable
    /// by itself. Waits for the disk.
    ///
    /// # Errors
    /// [`LogError`]; the log may then be cut already, or not.
    pub fn truncate_to(&self, offset: Offset) -> Result<bool, LogError> {
        let _no_flush_meanwhile = self.flushing.lock();
        let mut writer = self.lock_writer();
        self.check_open(&writer)?;
        let offset = offset.max(Offset(0));
        if offset >= writer.log_end {
            self.truncate_epochs(&mut writer);
            return Ok(false);
        }
        let view = self.published.lock().view();
        let index = view.segment_index(offset);
        let Some(segment) = view.segments.get(index).cloned() else {
            return Ok(false);
        };
        if offset < segment.base_offset {
            self.restart_at(&mut writer, offset, segment.created_ms)?;
            return Ok(true);
        }
        let size_bytes = view.size_bytes(index);
        let cut = segment
            .find(offset, size_bytes)
            .map_err(|error| self.read_failed(&error))?;
        let position = cut.map_or(size_bytes, |batch| batch.position);
        // Where nothing is cut in this segment (the offset falls between two), the log ends with it.
        let log_end = match cut {
            Some(batch) => segment.header(&batch).map(|header| header.base_offset()),
            None => Ok(offset),
        };
        let log_end = log_end
            .map_err(|error| self.read_failed(&error))?
            .min(offset);
        let dropped: Vec<_> = view.segments.iter().skip(index + 1).cloned().collect();
        let kept: Segments = view.segments.iter().take(index + 1).cloned().collect();
        {
            let mut published = self.published.lock();
            published.segments = kept;
            published.log_end = log_end;
            published.end_position = position;
            published.recovery_point = published.recovery_point.min(log_end);
            published.log_start = published.log_start.min(log_end);
            published.clamp_high_watermark();
        }
        self.reopen_at(&mut writer, segment, position, log_end)?;
        for segment in dropped {
            self.remove_segment(segment.base_offset)?;
        }
        self.reload_producers(&mut writer)?;
        self.truncate_epochs(&mut writer);
        self.write_leader_epochs()?;
        self.published.lock().first_undecided = writer.producers.first_undecided_offset();
        Ok(true)
    }

    /// Drops everything and begins anew at `offset`, which becomes log start and log end. Waits for
    /// the disk.
    ///
    /// # Errors
    /// [`LogError`]; the log may then be empty already, or not.
    pub fn truncate_fully_and_start_at(&self, offset: Offset, now_ms: i64) -> Result<(), LogError> {
        let _no_flush_meanwhile = self.flushing.lock();
        let mut writer = self.lock_writer();
        self.check_open(&writer)?;
        self.restart_at(&mut writer, offset, now_ms)
    }

    fn restart_at(
        &self,
        writer: &mut WriterGuard<'_>,
        offset: Offset,
        now_ms: i64,
    ) -> Result<(), LogError> {
        writer.map = None;
        writer.is_sealed = true;
        writer
            .room
            .close()
            .map_err(|error| self.failed(writer, "cut", &error))?;
        let old = self.published.lock().segments.clone();
        for segment in old.iter().rev() {
            self.remove_segment(segment.base_offset)?;
        }
        let created = Segment::create(&self.files, &self.directory, offset, now_ms);
        let active = created.map_err(|error| self.failed(writer, "create", &error))?;
        self.has_new_names.store(true, Release);
        writer.log_end = offset;
        writer.producers = ProducerStates::starting_at(offset);
        writer.snapshots = [None, None];
        {
            let mut published = self.published.lock();
            published.segments = Segments::from([]);
            published.log_start = offset;
            published.log_end = offset;
            published.high_watermark = offset;
            published.recovery_point = offset;
            published.first_undecided = None;
        }
        self.activate(writer, Arc::new(active));
        let mut epochs = self.epochs.lock();
        epochs.clear();
        writer.remember_epoch(&epochs);
        drop(epochs);
        self.write_leader_epochs()
    }

    /// Raises the log start: records below are gone for readers at once, and whole segments below
    /// can be removed by [`PartitionLog::remove_old_segments`]. Whether it moved.
    pub fn raise_log_start(&self, offset: Offset) -> bool {
        let target = {
            let mut published = self.published.lock();
            let target = offset.min(published.log_end);
            if target <= published.log_start {
                return false;
            }
            published.log_start = target;
            published.clamp_high_watermark();
            target
        };
        self.epochs.lock().truncate_from_start(target);
        true
    }

    /// Removes the segments that lie below the log start as a whole; returns how many. The active
    /// segment stays. Waits for the disk.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn remove_old_segments(&self) -> Result<usize, LogError> {
        let writer = self.lock_writer();
        self.check_open(&writer)?;
        let removed: Vec<_> = {
            let mut published = self.published.lock();
            let log_start = published.log_start;
            let above = published
                .segments
                .partition_point(|segment| segment.base_offset <= log_start);
            let (old, kept) = published.segments.split_at(above.saturating_sub(1));
            let (old, kept) = (old.to_vec(), Segments::from(kept));
            published.segments = kept;
            old
        };
        for segment in &removed {
            self.remove_segment(segment.base_offset)?;
        }
        Ok(removed.len())
    }

    /// Goes back to writing `segment` from `position` on.
    fn reopen_at(
        &self,
        writer: &mut WriterGuard<'_>,
        segment: Arc<Segment>,
        position: u64,
        log_end: Offset,
    ) -> Result<(), LogError> {
        if !Arc::ptr_eq(&segment, &writer.active) {
            writer.map = None;
            writer
                .room
                .close()
                .map_err(|error| self.failed(writer, "cut", &error))?;
            let size_bytes = segment.size_bytes();
            let capacity = writer.settings.segment_size_bytes;
            let room = Room::new(
                segment.log.clone(),
                self.health.clone(),
                size_bytes,
                capacity,
            );
            writer.room = Arc::new(room);
            writer.active = segment;
            writer.index_is_overdue = false;
            writer.index_wants_writing = false;
        }
        writer.is_sealed = false;
        writer.index_is_full = false;
        writer.position = position;
        writer.log_end = log_end;
        writer.unindexed_bytes = 0;
        writer
            .room
            .cut(position)
            .map_err(|error| self.failed(writer, "cut", &error))?;
        let active = writer.active.clone();
        active.set_size_bytes(position);
        active
            .truncate_indexes(log_end, position)
            .map_err(|error| self.failed(writer, "cut", &error))?;
        writer.newest = active
            .newest_below(position)
            .map_err(|error| self.read_failed(&error))?;
        writer.first_timestamp_ms = active
            .first_timestamp_ms(position)
            .map_err(|error| self.read_failed(&error))?;
        active.set_newest(None);
        self.published.lock().newest = writer.newest;
        Ok(())
    }

    /// Drops what the epochs and producers know of records that are not there.
    fn truncate_epochs(&self, writer: &mut WriterGuard<'_>) {
        let mut epochs = self.epochs.lock();
        epochs.truncate_from_end(writer.log_end);
        writer.remember_epoch(&epochs);
    }

    /// Reads the producers back as of the log end.
    fn reload_producers(&self, writer: &mut WriterGuard<'_>) -> Result<(), LogError> {
        for offset in snapshot_offsets(&self.directory) {
            if offset > writer.log_end {
                self.remove(&SegmentFile::ProducerSnapshot.path(&self.directory, offset))?;
            }
        }
        let segments = self.published.lock().segments.clone();
        let first_base = segments
            .first()
            .map_or(writer.log_end, |first| first.base_offset);
        let snapshot = newest_snapshot(&self.directory, writer.log_end);
        let mut states = snapshot.unwrap_or_else(|| ProducerStates::starting_at(first_base));
        writer.snapshots = [None, Some(states.end_offset())];
        replay(&mut states, &segments, writer.log_end).map_err(|error| self.read_failed(&error))?;
        writer.producers = states;
        Ok(())
    }

    /// Removes the files of a segment, as far as they exist.
    fn remove_segment(&self, base_offset: Offset) -> Result<(), LogError> {
        for file in SegmentFile::ALL {
            self.remove(&file.path(&self.directory, base_offset))?;
        }
        Ok(())
    }

    pub(super) fn remove(&self, path: &Path) -> Result<(), LogError> {
        match self.files.remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                if is_full(&error) {
                    return Err(LogError::NoSpace {
                        path: path.to_owned(),
                    });
                }
                Err(self
                    .health
                    .fail(&format!("remove {}", path.display()), &error)
                    .into())
            }
            _ => Ok(()),
        }
    }

    /// A segment that cannot be read back cannot be cut either.
    pub(super) fn read_failed(&self, error: &ReadError) -> LogError {
        self.health
            .fail("read", &io::Error::other(error.to_string()))
            .into()
    }
}

impl Segment {
    /// Drops the index entries of batches from `log_end` or `position` on.
    pub(crate) fn truncate_indexes(&self, log_end: Offset, position: u64) -> io::Result<()> {
        let is_below = |relative_offset| self.absolute(relative_offset) < log_end;
        self.offset_index.truncate(|entry| {
            is_below(entry.relative_offset) && u64::from(entry.position) < position
        })?;
        self.time_index
            .truncate(|entry| is_below(entry.relative_offset))
    }

    /// The largest timestamp of the batches below `end`, where the indexes end too.
    pub(crate) fn newest_below(&self, end: u64) -> Result<Option<TimeEntry>, ReadError> {
        debug_assert_eq!(end, self.size_bytes(), "the size was set before");
        let indexed = self.time_index.last();
        let indexed =
            indexed.map_err(|cause| crate::segment::io_error(self.time_index.path(), 0, cause))?;
        let Some(indexed) = indexed.filter(|entry| entry.timestamp_ms > 0) else {
            return self.newest_of_batches(0, None);
        };
        let position = self.position_before(self.absolute(indexed.relative_offset))?;
        self.newest_of_batches(position, Some(indexed))
    }
}
