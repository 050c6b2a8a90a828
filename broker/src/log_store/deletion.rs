//! Deleting logs: the name goes at once, the files later.

use std::collections::BTreeSet;
use std::path::PathBuf;

use barnabas_log::directory::{Retired, delete_directory, retire_partition};
use barnabas_wire::id::TopicPartition;

use super::{LogStore, StoreError};
use crate::chance;

/// Files that wait to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// The directory.
    pub path: PathBuf,
    /// When, in ms since 1970.
    pub due_ms: i64,
    directory_index: usize,
}

impl LogStore {
    /// Takes logs out of use: afterwards partitions of these names may be created anew. The files go at
    /// `due_ms` (ms since 1970), with [`LogStore::delete_due`]. A partition without a log is no error.
    ///
    /// Returns those that are still there, and why.
    pub fn delete(
        &self,
        partitions: &[TopicPartition],
        due_ms: i64,
    ) -> Vec<(TopicPartition, StoreError)> {
        let mut failed = Vec::new();
        let mut touched = BTreeSet::new();
        for partition in partitions {
            match self.retire(partition, due_ms) {
                Ok(index) => touched.extend(index),
                Err(error) => failed.push((partition.clone(), error)),
            }
        }
        // A partition that is created anew must not find the offsets of this one.
        for index in touched {
            self.write_all_tables(index);
        }
        failed
    }

    fn retire(&self, partition: &TopicPartition, due_ms: i64) -> Result<Option<usize>, StoreError> {
        let Some((path, directory_index)) = self.take_out(partition, Retired::Delete)? else {
            return Ok(None);
        };
        let deletion = Deletion {
            path,
            due_ms,
            directory_index,
        };
        self.content.lock().deletions.push(deletion);
        Ok(Some(directory_index))
    }

    /// Ends the log of a partition and renames its directory; returns where it is now, and the log
    /// directory. `None` if there is no log.
    pub(super) fn take_out(
        &self,
        partition: &TopicPartition,
        retired: Retired,
    ) -> Result<Option<(PathBuf, usize)>, StoreError> {
        let (log, index) = {
            let content = self.content.lock();
            if let Some(stored) = content.logs.get(partition) {
                (Some(stored.log.clone()), stored.directory_index)
            } else if let Some(damaged) = content.damaged.get(partition) {
                (None, damaged.directory_index)
            } else {
                return Ok(None);
            }
        };
        let Some(entry) = self.directories.get(index) else {
            return Ok(None);
        };
        let directory = entry.directory.path();
        if let Some(log) = log {
            log.abandon();
        }
        let (files, id) = (self.files.as_ref(), u128::from_be_bytes(chance::bytes()));
        let path = retire_partition(files, directory, partition, retired, id).map_err(|error| {
            entry.health.fail("take a partition out of use", &error);
            StoreError::Offline {
                path: directory.to_owned(),
            }
        })?;
        let mut content = self.content.lock();
        content.logs.remove(partition);
        content.damaged.remove(partition);
        content.unwritten_identities.remove(partition);
        Ok(Some((path, index)))
    }

    /// Deletes the files whose time has come.
    pub fn delete_due(&self, now_ms: i64) {
        let (due, later) = {
            let mut content = self.content.lock();
            let all = std::mem::take(&mut content.deletions);
            all.into_iter()
                .partition::<Vec<_>, _>(|deletion| deletion.due_ms <= now_ms)
        };
        self.content.lock().deletions.extend(later);
        for deletion in due {
            let Some(entry) = self.directories.get(deletion.directory_index) else {
                continue;
            };
            match delete_directory(self.files.as_ref(), &deletion.path) {
                Ok(()) => {
                    tracing::info!(path = %deletion.path.display(), "deleted a log");
                }
                Err(error) => {
                    entry.health.fail("delete a log", &error);
                }
            }
        }
    }

    /// Takes over a deletion that an earlier start left unfinished.
    pub(super) fn resume_deletion(&self, directory_index: usize, path: PathBuf) {
        let deletion = Deletion {
            path,
            due_ms: 0,
            directory_index,
        };
        self.content.lock().deletions.push(deletion);
    }

    /// Deletions that are still to be done.
    #[must_use]
    pub fn deletions(&self) -> Vec<Deletion> {
        self.content.lock().deletions.clone()
    }
}
