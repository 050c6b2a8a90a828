//! Making logs for partitions that have none.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use barnabas_log::directory::TopicIdentity;
use barnabas_log::error::OpenError;
use barnabas_log::partition_log::{OpenLog, PartitionLog};
use barnabas_log::settings::LogSettings;
use barnabas_wire::id::{Offset, TopicPartition};

use super::{Content, LogStore, StoreDirectory, StoreError, StoredLog};
use crate::clock::wall_ms;

/// Which log is wanted.
#[derive(Clone, Debug)]
pub struct PartitionOpening {
    /// Whose.
    pub partition: TopicPartition,
    /// Whether it has just been created, so that no broker can have a log of it.
    pub is_new: bool,
    /// With which settings it goes on.
    pub settings: LogSettings,
    /// Which topic of its name it belongs to, if that is known.
    pub identity: Option<TopicIdentity>,
}

impl LogStore {
    /// Makes directories for those of the partitions that have no log, each in the directory that holds
    /// the fewest, and makes their names durable: with one sync per log directory, however many
    /// partitions there are. The flag says whether the partition is new; while a log directory is
    /// offline, only a new one gets a directory, since the log of another may lie in that one.
    ///
    /// Returns the partitions for which there is none, and why.
    pub fn make_directories<'a>(
        &self,
        partitions: impl IntoIterator<Item = (&'a TopicPartition, bool)>,
    ) -> BTreeMap<TopicPartition, StoreError> {
        let mut failed = BTreeMap::new();
        let mut touched = BTreeSet::new();
        for (partition, is_new) in partitions {
            match self.make_directory(partition, is_new) {
                Ok(index) => touched.extend(index),
                Err(error) => {
                    failed.insert(partition.clone(), error);
                }
            }
        }
        for index in touched {
            self.sync_directory(index);
        }
        failed
    }

    fn sync_directory(&self, directory_index: usize) {
        let Some(entry) = self.directories.get(directory_index) else {
            return;
        };
        if let Err(error) = self.files.sync_directory(entry.directory.path()) {
            entry.health.fail("sync after creating partitions", &error);
        }
    }

    /// Returns the log directory in which a directory was made, if one had to be.
    fn make_directory(
        &self,
        partition: &TopicPartition,
        is_new: bool,
    ) -> Result<Option<usize>, StoreError> {
        let index = {
            let mut content = self.content.lock();
            if content.logs.contains_key(partition) || content.placed.contains_key(partition) {
                return Ok(None);
            }
            if let Some(damaged) = content.damaged.get(partition) {
                return Err(StoreError::Damaged(Arc::clone(&damaged.damage)));
            }
            let index = self.place(&content, is_new)?;
            content.placed.insert(partition.clone(), index);
            index
        };
        let Some(entry) = self.directories.get(index) else {
            return Ok(None);
        };
        let path = entry.directory.partition_path(partition);
        match self.files.create_directory(&path) {
            Ok(()) => Ok(Some(index)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Some(index)),
            Err(error) => {
                self.content.lock().placed.remove(partition);
                if error.kind() != io::ErrorKind::StorageFull {
                    entry.health.fail("create a partition's directory", &error);
                }
                Err(StoreError::Create {
                    path,
                    source: Arc::new(error),
                })
            }
        }
    }

    /// The working log directory with the fewest partitions.
    fn place(&self, content: &Content, is_new: bool) -> Result<usize, StoreError> {
        if let Some(path) = self.offline_directories().into_iter().next()
            && (!is_new
                || self
                    .directories
                    .iter()
                    .all(|entry| entry.health.check().is_err()))
        {
            return Err(StoreError::Offline { path });
        }
        let mut counts = vec![0_usize; self.directories.len()];
        let opened = content.logs.values().map(|stored| stored.directory_index);
        for index in opened.chain(content.placed.values().copied()) {
            if let Some(count) = counts.get_mut(index) {
                *count += 1;
            }
        }
        let working = self.directories.iter().zip(&counts).enumerate();
        let working = working.filter(|(_, (entry, _))| entry.health.check().is_ok());
        working
            .min_by_key(|(_, (_, count))| **count)
            .map(|(index, _)| index)
            .ok_or_else(|| StoreError::Offline {
                path: PathBuf::new(),
            })
    }

    /// The log of a partition: the one there is, or a new one in the directory that was made for it.
    ///
    /// A log that is there and belongs to another topic of the same name is moved out of the way, and is
    /// never touched again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open_partition(
        &self,
        request: PartitionOpening,
    ) -> Result<Arc<PartitionLog>, StoreError> {
        let PartitionOpening {
            partition,
            is_new,
            settings,
            identity,
        } = request;
        if let Some(identity) = identity
            && !self.is_of_topic(&partition, identity)
        {
            self.set_aside(&partition)?;
        }
        if let Some(log) = self.log(&partition) {
            // It was opened at start, before the topic's own settings were known.
            log.set_settings(settings);
            return Ok(log);
        }
        if let Some(index) = self.make_directory(&partition, is_new)? {
            self.sync_directory(index);
        }
        let index = self.content.lock().placed.get(&partition).copied();
        let Some((index, entry)) =
            index.and_then(|index| Some((index, self.directories.get(index)?)))
        else {
            return Err(StoreError::Offline {
                path: PathBuf::new(),
            });
        };
        let path = entry.directory.partition_path(&partition);
        let opened = PartitionLog::open(OpenLog {
            topic_partition: partition.clone(),
            directory: path.clone(),
            files: Arc::clone(&self.files),
            health: Arc::clone(&entry.health),
            settings,
            recovery_point: Offset(0),
            log_start_offset: Offset(0),
            is_clean: false,
            cut_below_recovery_point: false,
            now_ms: wall_ms(),
        });
        let log = match opened {
            Ok((log, _report)) => Arc::new(log),
            Err(error) => return Err(open_failed(entry, &path, error)),
        };
        let mut content = self.content.lock();
        content.placed.remove(&partition);
        content
            .unwritten_identities
            .extend(identity.map(|identity| (partition.clone(), identity)));
        content.logs.insert(
            partition,
            StoredLog {
                log: Arc::clone(&log),
                directory_index: index,
            },
        );
        Ok(log)
    }
}

fn open_failed(entry: &StoreDirectory, path: &Path, error: OpenError) -> StoreError {
    tracing::error!(path = %path.display(), %error, "could not open a log");
    match error {
        OpenError::Io {
            operation,
            path,
            cause,
        } => {
            if cause.kind() != io::ErrorKind::StorageFull {
                entry.health.fail(operation, &cause);
            }
            StoreError::Create {
                path,
                source: Arc::new(cause),
            }
        }
        damage @ (OpenError::DamagedBelowRecoveryPoint { .. } | OpenError::Read(_)) => {
            StoreError::Damaged(Arc::new(damage))
        }
    }
}
