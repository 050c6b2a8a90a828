//! Opening a log from what lies in its directory.

use super::PartitionLog;
use super::leftover;
use super::offsets::{Published, Segments};
use super::producers::{newest_snapshot, replay, snapshot_offsets};
use super::recover::Recovery;
use super::writer::Writer;
use crate::checkpoint::read_leader_epochs;
use crate::error::OpenError;
use crate::files::Files;
use crate::health::DirectoryHealth;
use crate::leader_epoch_cache::LeaderEpochCache;
use crate::producer_state::ProducerStates;
use crate::segment::{Room, Segment, SegmentFile};
use crate::settings::LogSettings;
use barnabas_wire::id::{Offset, TopicPartition};
use parking_lot::{Mutex, RwLock};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

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
    /// From `recovery-point-offset-checkpoint`; 0 if there is none. Whoever truncates must lower the
    /// checkpoint first, or what was truncated is taken for lost.
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
    /// Bytes of segments read.
    pub scanned_bytes: u64,
    /// Batches whose checksum was verified.
    pub verified_batch_count: u64,
    /// Bytes cut off behind the last sound batch that were not zeros.
    pub torn_bytes: u64,
    /// Zeros cut off: space allocated ahead of the writer.
    pub zero_bytes: u64,
    /// Segments dropped because one before them was cut.
    pub dropped_segment_count: u64,
    /// Segments whose indexes were built anew.
    pub rebuilt_index_count: u64,
}

/// A log half open.
struct Opening {
    open: OpenLog,
    report: RecoveryReport,
    segments: Vec<Arc<Segment>>,
    epochs: LeaderEpochCache,
    producers: ProducerStates,
    log_end: Offset,
}

impl PartitionLog {
    /// Opens what is in the directory, recovering where the last shutdown was not clean; an empty
    /// directory becomes an empty log at the log start. Waits for the disk.
    ///
    /// # Errors
    /// [`OpenError`]; nothing but files that Kafka or we had left half done has been removed then.
    pub fn open(open: OpenLog) -> Result<(Self, RecoveryReport), OpenError> {
        let mut opening = Opening {
            report: RecoveryReport::default(),
            segments: Vec::new(),
            epochs: LeaderEpochCache::new(),
            producers: ProducerStates::starting_at(Offset(0)),
            log_end: Offset(0),
            open,
        };
        opening.load_epochs();
        opening.load_segments()?;
        if opening.segments.is_empty() {
            opening.start_empty()?;
        } else if !opening.open.is_clean || !opening.load_clean()? {
            opening.recover()?;
        }
        opening.finish()
    }
}

impl Opening {
    fn load_epochs(&mut self) {
        match read_leader_epochs(&self.open.directory) {
            Ok(entries) => self.epochs = LeaderEpochCache::from_entries(entries),
            Err(error) => tracing::warn!(%error, "leader epochs are taken from the records"),
        }
    }

    /// Opens every segment.
    fn load_segments(&mut self) -> Result<(), OpenError> {
        let directory = &self.open.directory;
        let base_offsets = leftover::finish(&self.open)?;
        for base_offset in base_offsets {
            let opened = Segment::open(&self.open.files, directory, base_offset, self.open.now_ms);
            let opened = opened.map_err(|cause| {
                OpenError::io(
                    "open",
                    &SegmentFile::Log.path(directory, base_offset),
                    cause,
                )
            })?;
            self.segments.push(Arc::new(opened));
        }
        let sealed = self.segments.len().saturating_sub(1);
        for segment in self.segments.iter().take(sealed) {
            if segment.size_bytes() > 0 && !segment.offset_index.path().exists() {
                let interval_bytes = self.open.settings.index_interval_bytes;
                self.report.scanned_bytes += segment.rebuild_indexes(interval_bytes)?;
                self.report.rebuilt_index_count += 1;
            }
        }
        Ok(())
    }

    fn start_empty(&mut self) -> Result<(), OpenError> {
        let open = &self.open;
        let base_offset = open.log_start_offset.max(Offset(0));
        if open.recovery_point > base_offset && !open.cut_below_recovery_point {
            return Err(OpenError::DamagedBelowRecoveryPoint {
                path: open.directory.clone(),
                position: 0,
                offset: base_offset,
                recovery_point: open.recovery_point,
            });
        }
        let created = Segment::create(&open.files, &open.directory, base_offset, open.now_ms);
        let created = created.map_err(|cause| OpenError::io("create", &open.directory, cause))?;
        self.segments = vec![Arc::new(created)];
        self.log_end = base_offset;
        self.producers = ProducerStates::starting_at(base_offset);
        Ok(())
    }

    /// Loads a log that was closed in order. False if its end is not as a clean close leaves it:
    /// then the marker says too much, and the log is recovered.
    fn load_clean(&mut self) -> Result<bool, OpenError> {
        let Some(active) = self.segments.last().cloned() else {
            return Ok(false);
        };
        let Some(log_end) = clean_end(&active)? else {
            tracing::warn!(segment = %active.path.display(), "not closed in order, in spite of the marker");
            return Ok(false);
        };
        self.log_end = log_end;
        let snapshot = newest_snapshot(&self.open.directory, log_end);
        self.producers = match snapshot {
            Some(mut states) => {
                self.report.scanned_bytes += replay(&mut states, &self.segments, log_end)?;
                states
            }
            // As Kafka: a log closed in order by a version that knew no producers.
            None => ProducerStates::starting_at(log_end),
        };
        self.open.recovery_point = log_end;
        Ok(true)
    }

    /// Finds the end of the log by reading it from the recovery point on.
    fn recover(&mut self) -> Result<(), OpenError> {
        let first_base = self
            .segments
            .first()
            .map_or(Offset(0), |first| first.base_offset);
        let point = self.open.recovery_point.max(first_base);
        let snapshot = newest_snapshot(&self.open.directory, point);
        self.producers = snapshot.unwrap_or_else(|| ProducerStates::starting_at(first_base));
        let from = point.min(self.producers.end_offset());
        let above = self
            .segments
            .partition_point(|segment| segment.base_offset <= from);
        let mut index = above.saturating_sub(1);
        self.log_end = first_base;
        while let Some(segment) = self.segments.get(index).cloned() {
            let mut recovery = Recovery {
                recovery_point: point,
                cut_below_recovery_point: self.open.cut_below_recovery_point,
                index_interval_bytes: self.open.settings.index_interval_bytes,
                epochs: &mut self.epochs,
                producers: &mut self.producers,
                report: &mut self.report,
            };
            let end = recovery.recover(&segment)?;
            self.log_end = end.next_offset;
            index += 1;
            if end.is_cut {
                self.drop_from(index)?;
            }
            if index < self.segments.len() {
                seal(&segment).map_err(|cause| OpenError::io("seal", &segment.path, cause))?;
            }
        }
        self.check_recovered(point)
    }

    /// Removes the segments from `index` on: nothing may follow a segment that was cut.
    fn drop_from(&mut self, index: usize) -> Result<(), OpenError> {
        for segment in self.segments.drain(index..) {
            tracing::warn!(segment = %segment.path.display(), "drops a segment behind one that was cut");
            self.report.dropped_segment_count += 1;
            for file in SegmentFile::ALL {
                let path = file.path(&self.open.directory, segment.base_offset);
                match self.open.files.remove_file(&path) {
                    Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                        return Err(OpenError::io("remove", &path, cause));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// A log that ends below its recovery point has lost flushed records without a trace.
    fn check_recovered(&mut self, point: Offset) -> Result<(), OpenError> {
        let Some(active) = self.segments.last() else {
            return Ok(());
        };
        if self.log_end < point && !self.open.cut_below_recovery_point {
            return Err(OpenError::DamagedBelowRecoveryPoint {
                path: active.path.clone(),
                position: active.size_bytes(),
                offset: self.log_end,
                recovery_point: point,
            });
        }
        self.open.recovery_point = point.min(self.log_end);
        Ok(())
    }

    /// Puts the log together.
    fn finish(mut self) -> Result<(PartitionLog, RecoveryReport), OpenError> {
        let first_base = self
            .segments
            .first()
            .map_or(Offset(0), |first| first.base_offset);
        let log_start = self.open.log_start_offset.max(first_base);
        let restart_at = (self.log_end < log_start).then_some(log_start);
        let log_start = log_start.min(self.log_end);
        self.epochs.truncate_from_end(self.log_end);
        self.epochs.truncate_from_start(log_start);
        self.remove_stray_snapshots();
        let report = self.report;
        let now_ms = self.open.now_ms;
        let log = self.into_log(log_start)?;
        if let Some(offset) = restart_at {
            // The records that were left have been deleted, and what came after them is lost.
            log.truncate_fully_and_start_at(offset, now_ms)
                .map_err(|error| {
                    OpenError::io("restart", &log.directory, io::Error::other(error))
                })?;
        }
        Ok((log, report))
    }

    /// Snapshots above the log end speak of records that are not there.
    fn remove_stray_snapshots(&self) {
        for offset in snapshot_offsets(&self.open.directory) {
            if offset > self.log_end {
                let path = SegmentFile::ProducerSnapshot.path(&self.open.directory, offset);
                if let Err(error) = self.open.files.remove_file(&path) {
                    tracing::warn!(path = %path.display(), %error, "stray snapshot stays");
                }
            }
        }
    }

    fn into_log(self, log_start: Offset) -> Result<PartitionLog, OpenError> {
        let Self {
            open,
            segments,
            epochs,
            producers,
            log_end,
            ..
        } = self;
        let Some(active) = segments.last().cloned() else {
            let cause = io::ErrorKind::NotFound.into();
            return Err(OpenError::io("open", &open.directory, cause));
        };
        let position = active.size_bytes();
        let newest = active.newest_below(position)?;
        let first_timestamp_ms = active.first_timestamp_ms(position)?;
        let fill = active.index_fill();
        let fill =
            fill.map_err(|cause| OpenError::io("read the indexes of", &active.path, cause))?;
        let capacity = open.settings.segment_size_bytes;
        let room = Room::new(active.log.clone(), open.health.clone(), position, capacity);
        let writer = Writer {
            index_is_full: fill.is_full(open.settings.index_size_max_bytes),
            settings: open.settings.clone(),
            active,
            room: Arc::new(room),
            map: None,
            position,
            log_end,
            unindexed_bytes: 0,
            first_timestamp_ms,
            newest,
            latest_epoch: epochs.latest_epoch(),
            snapshots: [None, newest_offset(&open)],
            producers,
            is_sealed: false,
            index_is_overdue: false,
            index_wants_writing: false,
            is_closed: false,
        };
        let published = Published {
            segments: Segments::from(segments),
            log_start,
            high_watermark: log_start,
            first_undecided: writer.producers.first_undecided_offset(),
            log_end,
            end_position: position,
            newest,
            recovery_point: open.recovery_point.min(log_end),
            flushed_ms: open.now_ms,
        };
        Ok(PartitionLog {
            topic_partition: open.topic_partition,
            directory: open.directory,
            files: open.files,
            health: open.health,
            settings: RwLock::new(Arc::new(open.settings)),
            published: Mutex::new(published),
            writer: Mutex::new(writer),
            slow_count: AtomicUsize::new(0),
            epochs: Mutex::new(epochs),
            writing_epochs: Mutex::new(()),
            flushing: Mutex::new(()),
            has_new_names: AtomicBool::new(true),
        })
    }
}

/// Makes a segment that is not written any more as rolling would have left it: exact and durable.
fn seal(segment: &Segment) -> io::Result<()> {
    segment.offset_index.write_exact()?;
    segment.push_time(segment.newest_known());
    segment.time_index.write_exact()?;
    segment.log.sync_all()?;
    segment.offset_index.sync()?;
    segment.time_index.sync()?;
    segment.offset_index.cool();
    segment.time_index.cool();
    Ok(())
}

/// The newest snapshot that lies there.
fn newest_offset(open: &OpenLog) -> Option<Offset> {
    snapshot_offsets(&open.directory).into_iter().max()
}

/// The log end of a segment that was closed in order: its batches fill it exactly. `None` if they
/// do not.
fn clean_end(active: &Segment) -> Result<Option<Offset>, OpenError> {
    let size_bytes = active.size_bytes();
    if size_bytes == 0 {
        return Ok(Some(active.base_offset));
    }
    match active.last_batch(size_bytes) {
        Ok(Some(at)) => Ok(Some(active.header(&at)?.next_offset())),
        Ok(None) | Err(crate::error::ReadError::Damaged { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
