//! Keeping what a restart needs: flushed logs, and tables of offsets.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use barnabas_log::checkpoint::{OffsetTable, PartitionOffsets, write_offsets};
use barnabas_log::error::LogError;
use barnabas_log::partition_log::{LogOffsets, PartitionLog};
use barnabas_wire::id::{Offset, TopicPartition};

use super::LogStore;
use crate::clock::wall_ms;

/// A producer that has written nothing for so long is forgotten, in ms: 7 days, the default of Kafka 2.8's
/// `transactional.id.expiration.ms`, which is what it goes by there.
const PRODUCER_EXPIRATION_MS: i64 = 7 * 24 * 3600 * 1000;

impl LogStore {
    /// Writes a table of every working directory. A directory that does not take it goes offline.
    pub fn write_tables(&self, table: OffsetTable) {
        for index in 0..self.directories.len() {
            self.write_table(index, table);
        }
    }

    pub(super) fn write_all_tables(&self, directory_index: usize) {
        for table in OffsetTable::ALL {
            self.write_table(directory_index, table);
        }
    }

    fn write_table(&self, directory_index: usize, table: OffsetTable) {
        let Some(entry) = self.directories.get(directory_index) else {
            return;
        };
        if entry.health.check().is_err() {
            return;
        }
        let offsets = self.offsets(directory_index, table);
        let place = (directory_index, table);
        // A broker at rest does not keep its disks awake.
        if self.content.lock().written_tables.get(&place) == Some(&offsets) {
            return;
        }
        let path = entry.directory.path();
        let written = write_offsets(self.files.as_ref(), path, table, &offsets);
        if written.is_ok() {
            self.content.lock().written_tables.insert(place, offsets);
        }
        if let Err(error) = written {
            let cause = std::io::Error::other(error);
            entry
                .health
                .fail(&format!("write {}", table.file_name()), &cause);
        }
    }

    fn offsets(&self, directory_index: usize, table: OffsetTable) -> PartitionOffsets {
        let content = self.content.lock();
        let here = content
            .logs
            .iter()
            .filter(|(_, it)| it.directory_index == directory_index);
        here.filter_map(|(partition, stored)| {
            Some((partition.clone(), entry(&stored.log.offsets(), table)?))
        })
        .collect()
    }

    /// Flushes every log whose `flush.ms` has passed.
    pub fn flush_due(&self) {
        let now = wall_ms();
        for (partition, log) in self.logs() {
            if log.is_flush_due(now) {
                report(&partition, log.flush(now).map(drop));
            }
        }
    }

    /// Makes every log durable as it is, so that opening it again scans from here, and writes the
    /// recovery points. Kafka flushes at a roll only; here small logs do not lie unflushed for days.
    pub fn checkpoint_logs(&self) {
        for (partition, log) in self.logs() {
            log.expire_producers(wall_ms(), PRODUCER_EXPIRATION_MS);
            report(&partition, log.checkpoint(wall_ms()).map(drop));
        }
        self.write_tables(OffsetTable::RecoveryPoint);
        self.write_identities();
    }

    /// Closes all logs on `thread_count` threads, and leaves the marker of a clean shutdown in every
    /// directory in which all went well. To be called when nothing appends any more.
    pub fn close(&self, thread_count: NonZeroUsize) {
        self.write_identities();
        let logs: Vec<_> = {
            let content = self.content.lock();
            let logs = content.logs.iter();
            logs.map(|(name, it)| (name.clone(), it.clone())).collect()
        };
        let is_clean: Vec<_> = self
            .directories
            .iter()
            .map(|_| AtomicBool::new(true))
            .collect();
        let next = AtomicUsize::new(0);
        let close_some = || {
            while let Some((partition, stored)) = logs.get(next.fetch_add(1, Ordering::Relaxed)) {
                let closed = stored.log.close(wall_ms());
                if closed.is_err()
                    && let Some(is_clean) = is_clean.get(stored.directory_index)
                {
                    is_clean.store(false, Ordering::Relaxed);
                }
                report(partition, closed);
            }
        };
        thread::scope(|scope| {
            for _ in 0..thread_count.get().min(logs.len()) {
                scope.spawn(close_some);
            }
        });
        for table in OffsetTable::ALL {
            self.write_tables(table);
        }
        for (entry, is_clean) in self.directories.iter().zip(is_clean) {
            if !is_clean.into_inner() || entry.health.check().is_err() {
                continue;
            }
            if let Err(error) = entry.directory.mark_clean_shutdown() {
                tracing::warn!(%error, "the next start will recover");
            }
        }
    }
}

/// What a table says of a log, if it has to say anything.
fn entry(offsets: &LogOffsets, table: OffsetTable) -> Option<Offset> {
    match table {
        OffsetTable::RecoveryPoint => Some(offsets.recovery_point),
        OffsetTable::HighWatermark => Some(offsets.high_watermark),
        OffsetTable::LogStart => (offsets.log_start > Offset(0)).then_some(offsets.log_start),
    }
}

/// A failed directory has said so itself; the rest is worth a line.
fn report(partition: &TopicPartition, result: Result<(), LogError>) {
    match result {
        Ok(()) | Err(LogError::Offline(_) | LogError::Closed) => {}
        Err(error @ LogError::NoSpace { .. }) => {
            tracing::warn!(%partition, %error, "could not make a log durable");
        }
    }
}

/// Writes the leader epochs of a log if they have changed. On a log thread.
pub(crate) fn write_leader_epochs(partition: &TopicPartition, log: &Arc<PartitionLog>) {
    report(partition, log.write_leader_epochs());
}
