//! What belongs to the one who writes a log.

use crate::files::Map;
use crate::leader_epoch_cache::LeaderEpochCache;
use crate::producer_state::ProducerStates;
use crate::segment::{Room, Segment, TimeEntry};
use crate::settings::LogSettings;
use barnabas_wire::id::{LeaderEpoch, Offset};
use std::io;
use std::sync::Arc;

/// The state behind the writer's lock.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) settings: LogSettings,
    pub(super) active: Arc<Segment>,
    pub(super) room: Arc<Room>,
    pub(super) map: Option<Box<dyn Map>>,
    /// Where the next batch goes, in bytes.
    pub(super) position: u64,
    /// Offset of the next record.
    pub(super) log_end: Offset,
    /// Bytes appended since the last index entry.
    pub(super) unindexed_bytes: u64,
    /// Largest timestamp of the first batch of the active segment.
    pub(super) first_timestamp_ms: Option<i64>,
    /// Largest timestamp of the active segment.
    pub(super) newest: Option<TimeEntry>,
    pub(super) producers: ProducerStates,
    /// The last two producer snapshots, older first. The older one is kept because the checkpoint of
    /// recovery points may still be of its time.
    pub(super) snapshots: [Option<Offset>; 2],
    /// The newest epoch in the cache: saves its lock where the epoch is the same, which is always.
    pub(super) latest_epoch: Option<LeaderEpoch>,
    /// The active segment has been cut to its contents and takes no more.
    pub(super) is_sealed: bool,
    /// An index of the active segment takes no more.
    pub(super) index_is_full: bool,
    /// So many index entries wait for their file that the next append has to wait for them.
    pub(super) index_is_overdue: bool,
    /// So many index entries wait for their file that writing them is worth a system call.
    pub(super) index_wants_writing: bool,
    pub(super) is_closed: bool,
}

impl Writer {
    /// Whether the map is to be written: not where every append is flushed.
    pub(super) fn wants_map(&self) -> bool {
        !self.settings.flushes_every_append() && self.room.can_map()
    }

    /// Writes `parts` at the position, for which there is room.
    pub(super) fn write(&mut self, parts: &[&[u8]]) -> io::Result<()> {
        let through_map = self.wants_map();
        match &mut self.map {
            Some(map) if through_map => map.write(parts, self.position),
            _ => self.active.log.write_at(parts, self.position),
        }
    }

    /// Takes note of a newest epoch.
    pub(super) fn remember_epoch(&mut self, epochs: &LeaderEpochCache) {
        self.latest_epoch = epochs.latest_epoch();
    }

    /// Takes note of a batch's largest timestamp.
    pub(super) fn note_timestamp(&mut self, timestamp_ms: i64, last_offset: Offset) {
        if timestamp_ms < 0
            || self
                .newest
                .is_some_and(|newest| newest.timestamp_ms >= timestamp_ms)
        {
            return;
        }
        if let Some(relative_offset) = self.active.relative(last_offset) {
            self.newest = Some(TimeEntry {
                timestamp_ms,
                relative_offset,
            });
        }
    }

    /// Takes note of a batch at `position`, and enters it into the indexes if the last entry is far
    /// enough behind. In Kafka's order: the batch itself counts for the next entry.
    pub(super) fn note_index(&mut self, position: u64, size_bytes: u64, last_offset: Offset) {
        if self.unindexed_bytes > self.settings.index_interval_bytes {
            self.unindexed_bytes = 0;
            if let Some(fill) = self.active.push_index(last_offset, position, self.newest) {
                self.index_is_full = fill.is_full(self.settings.index_size_max_bytes);
                self.index_is_overdue = fill.is_overdue();
                self.index_wants_writing = fill.is_worth_writing();
            }
        }
        self.unindexed_bytes += size_bytes;
    }

    /// Whether a batch must go to a new segment. Source: `LogSegment.shouldRoll` of Kafka 2.8.
    pub(super) fn must_roll(&self, batch: &NextBatch) -> bool {
        if self.is_sealed {
            return true;
        }
        if self.position == 0 {
            // An empty segment takes everything but an offset that its indexes cannot hold.
            return self.active.relative(batch.last_offset).is_none();
        }
        // The setting may have changed since address space was reserved for the segment.
        let limit_bytes = self.settings.segment_size_bytes.min(self.room.capacity());
        let end = self.position + batch.size_bytes;
        let is_too_large = end > limit_bytes || end > u64::from(u32::MAX >> 1);
        is_too_large
            || self.index_is_full
            || self.active.relative(batch.last_offset).is_none()
            || self.is_too_old(batch)
    }

    /// Whether the segment spans more time than `segment.ms`: by the records' own clock where they
    /// have one.
    fn is_too_old(&self, batch: &NextBatch) -> bool {
        let limit_ms = self
            .settings
            .segment_ms
            .saturating_sub(self.settings.segment_jitter_ms);
        let waited_ms = match self.first_timestamp_ms {
            Some(first_ms) if batch.max_timestamp_ms >= 0 => {
                batch.max_timestamp_ms.saturating_sub(first_ms)
            }
            _ => batch.now_ms.saturating_sub(self.active.created_ms),
        };
        waited_ms > limit_ms
    }
}

/// What rolling has to know about the batch to come.
#[derive(Clone, Copy, Debug)]
pub(super) struct NextBatch {
    pub(super) size_bytes: u64,
    pub(super) last_offset: Offset,
    pub(super) max_timestamp_ms: i64,
    pub(super) now_ms: i64,
}
