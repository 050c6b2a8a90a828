//! Opening what lies in the log directories at start.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use barnabas_log::checkpoint::{CheckpointError, OffsetTable, PartitionOffsets, read_offsets};
use barnabas_log::directory::{DirectoryError, LastShutdown};
use barnabas_log::error::OpenError;
use barnabas_log::partition_log::{OpenLog, PartitionLog, RecoveryReport};
use barnabas_log::settings::LogSettings;
use barnabas_wire::id::{Offset, TopicName, TopicPartition};
use parking_lot::Mutex;

use super::{DamagedLog, LogStore, StoreDirectory, StoredLog};
use crate::clock::wall_ms;

/// What loading took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadReport {
    /// Logs opened.
    pub log_count: usize,
    /// Logs that could not be opened; they answer the controller with a storage error.
    pub damaged_count: usize,
    /// All recoveries together.
    pub recovery: RecoveryReport,
}

/// Why a broker cannot start on these directories.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A directory cannot be read.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The same partition lies in two directories.
    #[error(
        "{partition} lies in {} and in {}: it is not known which one is right. Move one of them \
         out of log.dirs", .first.display(), .second.display()
    )]
    Duplicate {
        /// The partition.
        partition: TopicPartition,
        /// One log directory.
        first: PathBuf,
        /// Another.
        second: PathBuf,
    },
}

/// The offsets that the tables of a directory remember.
struct Tables {
    recovery_points: PartitionOffsets,
    log_starts: PartitionOffsets,
    high_watermarks: PartitionOffsets,
}

impl Tables {
    /// Whether a table has an entry for a partition that is not among these, which are sorted.
    fn mentions_other_than(&self, partitions: &[TopicPartition]) -> bool {
        [
            &self.recovery_points,
            &self.log_starts,
            &self.high_watermarks,
        ]
        .into_iter()
        .flat_map(|table| table.keys())
        .any(|partition| partitions.binary_search(partition).is_err())
    }
}

impl LogStore {
    /// Opens every log, with `thread_count` threads per directory, all directories at once. To be called
    /// once. `settings_of` gives the settings of a topic's logs.
    ///
    /// # Errors
    /// [`LoadError`]. A log that cannot be opened is no error here.
    pub fn load(
        &self,
        thread_count: NonZeroUsize,
        settings_of: &(dyn Fn(&TopicName) -> LogSettings + Sync),
    ) -> Result<LoadReport, LoadError> {
        let report = Mutex::new(LoadReport::default());
        let mut found: BTreeMap<TopicPartition, usize> = BTreeMap::new();
        let mut work = Vec::new();
        for (index, entry) in self.directories.iter().enumerate() {
            let listing = entry.directory.list()?;
            for path in listing.to_delete {
                self.resume_deletion(index, path);
            }
            for path in listing.futures.iter().chain(&listing.unknown) {
                tracing::warn!(path = %path.display(), "left alone: not a partition of this broker");
            }
            for partition in &listing.partitions {
                if let Some(first) = found.insert(partition.clone(), index) {
                    return Err(self.duplicate(partition, first, index));
                }
            }
            work.push((index, listing.partitions));
        }
        let stale = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for (index, partitions) in &work {
                let Some(entry) = self.directories.get(*index) else {
                    continue;
                };
                let tables = Arc::new(read_tables(entry));
                if tables.mentions_other_than(partitions) {
                    stale.lock().push(*index);
                }
                let next = Arc::new(AtomicUsize::new(0));
                for _ in 0..thread_count.get().min(partitions.len()) {
                    let (tables, next, report) = (Arc::clone(&tables), Arc::clone(&next), &report);
                    scope.spawn(move || {
                        while let Some(partition) =
                            partitions.get(next.fetch_add(1, Ordering::Relaxed))
                        {
                            let settings = settings_of(&partition.topic);
                            self.load_log(*index, entry, partition, settings, &tables, report);
                        }
                    });
                }
            }
        });
        // What a table says of a partition that is gone must not meet a new one of its name.
        for index in stale.into_inner() {
            self.write_all_tables(index);
        }
        Ok(report.into_inner())
    }

    fn load_log(
        &self,
        directory_index: usize,
        entry: &StoreDirectory,
        partition: &TopicPartition,
        settings: LogSettings,
        tables: &Tables,
        report: &Mutex<LoadReport>,
    ) {
        let zero = Offset(0);
        let opened = PartitionLog::open(OpenLog {
            topic_partition: partition.clone(),
            directory: entry.directory.partition_path(partition),
            files: Arc::clone(&self.files),
            health: Arc::clone(&entry.health),
            settings,
            recovery_point: tables
                .recovery_points
                .get(partition)
                .copied()
                .unwrap_or(zero),
            log_start_offset: tables.log_starts.get(partition).copied().unwrap_or(zero),
            is_clean: entry.last_shutdown == LastShutdown::Clean,
            cut_below_recovery_point: false,
            now_ms: wall_ms(),
        });
        match opened {
            Ok((log, recovery)) => {
                if let Some(high_watermark) = tables.high_watermarks.get(partition) {
                    log.set_high_watermark(*high_watermark);
                }
                tracing::debug!(%partition, ?recovery, "opened a log");
                let stored = StoredLog {
                    log: Arc::new(log),
                    directory_index,
                };
                self.content.lock().logs.insert(partition.clone(), stored);
                report.lock().add(&recovery);
            }
            Err(error) => {
                tracing::error!(%partition, %error, "could not open a log");
                if let OpenError::Io {
                    operation, cause, ..
                } = &error
                {
                    entry.health.fail(operation, cause);
                }
                let damaged = DamagedLog {
                    damage: Arc::new(error),
                    directory_index,
                };
                self.content
                    .lock()
                    .damaged
                    .insert(partition.clone(), damaged);
                report.lock().damaged_count += 1;
            }
        }
    }

    fn duplicate(&self, partition: &TopicPartition, first: usize, second: usize) -> LoadError {
        let path = |index: usize| {
            self.directories
                .get(index)
                .map(|entry| entry.directory.path().to_owned())
                .unwrap_or_default()
        };
        LoadError::Duplicate {
            partition: partition.clone(),
            first: path(first),
            second: path(second),
        }
    }
}

impl LoadReport {
    fn add(&mut self, recovery: &RecoveryReport) {
        self.log_count += 1;
        let sum = &mut self.recovery;
        sum.scanned_bytes += recovery.scanned_bytes;
        sum.verified_batch_count += recovery.verified_batch_count;
        sum.torn_bytes += recovery.torn_bytes;
        sum.zero_bytes += recovery.zero_bytes;
        sum.dropped_segment_count += recovery.dropped_segment_count;
        sum.rebuilt_index_count += recovery.rebuilt_index_count;
    }
}

fn read_tables(entry: &StoreDirectory) -> Tables {
    let read = |table| or_nothing(read_offsets(entry.directory.path(), table));
    Tables {
        recovery_points: read(OffsetTable::RecoveryPoint),
        log_starts: read(OffsetTable::LogStart),
        high_watermarks: read(OffsetTable::HighWatermark),
    }
}

/// A table that cannot be read costs a longer scan (recovery points), records that show again (log
/// starts), or a high watermark that has to be learnt anew.
fn or_nothing(table: Result<PartitionOffsets, CheckpointError>) -> PartitionOffsets {
    table.unwrap_or_else(|error| {
        tracing::warn!(%error, "a checkpoint is damaged; going on without it");
        PartitionOffsets::new()
    })
}
