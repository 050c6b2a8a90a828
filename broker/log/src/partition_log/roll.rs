//! Going over to a new segment.

use super::writer::Writer;
use super::{PartitionLog, offsets::Segments};
use crate::error::LogError;
use crate::producer_snapshot::encode_snapshot;
use crate::segment::{Room, Segment, SegmentFile, is_full};
use barnabas_wire::id::Offset;
use parking_lot::MutexGuard;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Release};

/// The writer's lock, held by someone who may keep it for long. While there is one, nobody who must
/// not wait tries for the lock.
#[derive(Debug)]
pub(super) struct WriterGuard<'a> {
    writer: MutexGuard<'a, Writer>,
    slow_count: &'a AtomicUsize,
}

impl Deref for WriterGuard<'_> {
    type Target = Writer;

    fn deref(&self) -> &Writer {
        &self.writer
    }
}

impl DerefMut for WriterGuard<'_> {
    fn deref_mut(&mut self) -> &mut Writer {
        &mut self.writer
    }
}

impl Drop for WriterGuard<'_> {
    fn drop(&mut self) {
        self.slow_count.fetch_sub(1, AcqRel);
    }
}

impl PartitionLog {
    /// The writer, for someone who may wait for the disk with it.
    pub(super) fn lock_writer(&self) -> WriterGuard<'_> {
        self.slow_count.fetch_add(1, AcqRel);
        WriterGuard {
            writer: self.writer.lock(),
            slow_count: &self.slow_count,
        }
    }

    /// The writer, for someone who gives it back at once; `None` while someone slow has it or waits
    /// for it.
    pub(super) fn try_lock_writer(&self) -> Option<MutexGuard<'_, Writer>> {
        if let Some(writer) = self.writer.try_lock() {
            return Some(writer);
        }
        (self.slow_count.load(Acquire) == 0).then(|| self.writer.lock())
    }

    /// Seals the active segment and begins a new one at `base_offset` or the log end, whichever is
    /// larger. When this returns, everything in the old one is durable and its files are exact:
    /// another broker that opens the directory would otherwise drop the segments behind a tail of
    /// zeros. An error leaves the old segment active and sealed; the next append tries again.
    pub(super) fn roll(
        &self,
        writer: &mut WriterGuard<'_>,
        base_offset: Offset,
        now_ms: i64,
    ) -> Result<(), LogError> {
        let base_offset = base_offset.max(writer.log_end);
        self.seal(writer)?;
        self.write_snapshot(writer, base_offset)?;
        self.write_leader_epochs()?;
        let created = Segment::create(&self.files, &self.directory, base_offset, now_ms);
        let active = Arc::new(created.map_err(|error| {
            let path = SegmentFile::Log.path(&self.directory, base_offset);
            if is_full(&error) {
                return LogError::NoSpace { path };
            }
            self.health
                .fail(&format!("create {}", path.display()), &error)
                .into()
        })?);
        self.has_new_names.store(true, Release);
        self.sync_directory()?;
        let sealed_end = writer.log_end;
        self.activate(writer, active);
        let mut published = self.published.lock();
        published.recovery_point = published.recovery_point.max(sealed_end);
        Ok(())
    }

    /// Cuts the active segment and its indexes to their contents and makes them durable.
    pub(super) fn seal(&self, writer: &mut Writer) -> Result<(), LogError> {
        writer.is_sealed = true;
        let active = writer.active.clone();
        active.push_time(writer.newest);
        active.set_newest(writer.newest);
        active.set_size_bytes(writer.position);
        writer.map = None;
        writer
            .room
            .close()
            .map_err(|error| self.failed(writer, "cut", &error))?;
        let indexes = [
            active.offset_index.write_exact(),
            active.time_index.write_exact(),
        ];
        for written in indexes {
            written.map_err(|error| self.failed(writer, "write the indexes of", &error))?;
        }
        let synced = [
            active.log.sync_all(),
            active.offset_index.sync(),
            active.time_index.sync(),
        ];
        for synced in synced {
            synced.map_err(|error| self.flush_failed(&active.path, &error))?;
        }
        active.offset_index.cool();
        active.time_index.cool();
        Ok(())
    }

    /// Gives the active segment, which is empty, room for `capacity` bytes.
    pub(super) fn enlarge(
        &self,
        writer: &mut WriterGuard<'_>,
        capacity: u64,
    ) -> Result<(), LogError> {
        writer.map = None;
        let closed = writer.room.close();
        closed.map_err(|error| self.failed(writer, "cut", &error))?;
        let log = writer.active.log.clone();
        let room = Room::new(log, self.health.clone(), writer.position, capacity);
        writer.room = Arc::new(room);
        Ok(())
    }

    /// Makes an empty segment the one that is written.
    pub(super) fn activate(&self, writer: &mut Writer, active: Arc<Segment>) {
        let room = Room::new(
            active.log.clone(),
            self.health.clone(),
            0,
            writer.settings.segment_size_bytes,
        );
        writer.room = Arc::new(room);
        writer.map = None;
        writer.position = 0;
        writer.unindexed_bytes = 0;
        writer.first_timestamp_ms = None;
        writer.newest = None;
        writer.is_sealed = false;
        writer.index_is_full = false;
        writer.index_is_overdue = false;
        writer.index_wants_writing = false;
        writer.active = active.clone();
        let mut published = self.published.lock();
        let base_offset = active.base_offset;
        let kept = published
            .segments
            .iter()
            .filter(|segment| segment.base_offset < base_offset);
        let segments: Segments = kept.cloned().chain([active]).collect();
        published.segments = segments;
        published.end_position = 0;
        published.newest = None;
    }

    /// Writes the producers as of the log end under the name of `offset`; durable.
    pub(super) fn write_snapshot(
        &self,
        writer: &mut Writer,
        offset: Offset,
    ) -> Result<(), LogError> {
        let path = SegmentFile::ProducerSnapshot.path(&self.directory, offset);
        self.files
            .replace(&path, &encode_snapshot(&writer.producers))
            .map_err(|error| {
                if is_full(&error) {
                    return LogError::NoSpace { path: path.clone() };
                }
                LogError::from(
                    self.health
                        .fail(&format!("write {}", path.display()), &error),
                )
            })?;
        let [_, last] = writer.snapshots;
        writer.snapshots = [last, Some(offset)];
        Ok(())
    }
}
