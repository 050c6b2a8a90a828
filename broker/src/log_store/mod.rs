//! The logs of all log directories, hosted or not.
//!
//! A log is opened at start, whoever its partition may belong to by now; a partition takes it over when
//! the controller says so. What nobody claims stays where it is until the controller has it deleted.
//!
//! Everything here waits for the disk: it is called on log threads and at start and stop only.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use barnabas_log::checkpoint::{OffsetTable, PartitionOffsets};
use barnabas_log::directory::{
    DirectoryError, LastShutdown, LogDirectory, MetaProperties, OwnerError, TopicIdentity,
    check_owner,
};
use barnabas_log::error::OpenError;
use barnabas_log::files::Files;
use barnabas_log::health::DirectoryHealth;
use barnabas_log::partition_log::PartitionLog;
use barnabas_wire::id::{BrokerId, TopicPartition};
use parking_lot::Mutex;

mod checkpoint;
mod deletion;
mod identity;
mod load;
mod placement;

pub(crate) use checkpoint::write_leader_epochs;
pub use deletion::Deletion;
pub use load::{LoadError, LoadReport};
pub use placement::PartitionOpening;

/// The log directories and their logs.
#[derive(Debug)]
pub struct LogStore {
    files: Arc<dyn Files>,
    directories: Vec<StoreDirectory>,
    /// Directories that could not even be opened.
    unusable: Vec<PathBuf>,
    content: Mutex<Content>,
}

/// One log directory.
#[derive(Debug)]
struct StoreDirectory {
    directory: LogDirectory,
    health: Arc<DirectoryHealth>,
    last_shutdown: LastShutdown,
}

/// What the lock protects; never held while waiting for the disk.
#[derive(Debug, Default)]
struct Content {
    logs: BTreeMap<TopicPartition, StoredLog>,
    /// Logs that lie here and cannot be opened without losing records.
    damaged: BTreeMap<TopicPartition, DamagedLog>,
    /// Directories made for partitions whose logs are not open yet.
    placed: BTreeMap<TopicPartition, usize>,
    /// Identities of topics that are not in their partitions' directories yet.
    unwritten_identities: BTreeMap<TopicPartition, TopicIdentity>,
    deletions: Vec<Deletion>,
    /// What each table holds, by log directory.
    written_tables: BTreeMap<(usize, OffsetTable), PartitionOffsets>,
}

#[derive(Clone, Debug)]
struct StoredLog {
    log: Arc<PartitionLog>,
    directory_index: usize,
}

#[derive(Clone, Debug)]
struct DamagedLog {
    damage: Arc<OpenError>,
    directory_index: usize,
}

/// Why the log directories cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum StoreOpenError {
    /// A directory is in use, or belongs to somebody else's broker.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// A directory belongs to another broker or cluster.
    #[error(transparent)]
    Owner(#[from] OwnerError),
    /// None of the directories can be used.
    #[error("none of the log directories can be used; see the errors above")]
    NoDirectory,
}

/// Why a log is not to be had.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// Its directory has failed, or the log may lie in one that has.
    #[error("log directory {} is offline", .path.display())]
    Offline {
        /// The directory.
        path: PathBuf,
    },
    /// The log lies here and is damaged where it had been flushed.
    #[error(transparent)]
    Damaged(Arc<OpenError>),
    /// The disk did not take a new directory, for want of space for example.
    #[error("{}: {source}", .path.display())]
    Create {
        /// The partition's directory.
        path: PathBuf,
        /// What the system said.
        source: Arc<io::Error>,
    },
}

impl LogStore {
    /// Takes the log directories, and tells how each was left. A directory that fails is left out as
    /// long as another one works.
    ///
    /// # Errors
    /// [`StoreOpenError`]. A directory that another broker uses is always an error.
    pub fn open(files: &Arc<dyn Files>, paths: &[PathBuf]) -> Result<Self, StoreOpenError> {
        let mut store = Self {
            files: Arc::clone(files),
            directories: Vec::new(),
            unusable: Vec::new(),
            content: Mutex::default(),
        };
        for path in paths {
            match open_directory(files, path) {
                Ok(directory) => store.directories.push(directory),
                Err(DirectoryError::Io { path: at, source }) => {
                    tracing::error!(path = %at.display(), error = %source, "log directory is offline");
                    store.unusable.push(path.clone());
                }
                Err(error) => return Err(error.into()),
            }
        }
        if store.directories.is_empty() {
            return Err(StoreOpenError::NoDirectory);
        }
        Ok(store)
    }

    /// The broker id that the directories carry, if any does. `configured` is the id in the settings,
    /// `None` where it is to be generated.
    ///
    /// # Errors
    /// [`StoreOpenError`] if a directory belongs to somebody else; its text says how to mend it.
    pub fn check_owner(
        &self,
        configured: Option<BrokerId>,
        cluster_id: &str,
    ) -> Result<Option<BrokerId>, StoreOpenError> {
        let metas = self.meta_properties()?;
        let given = metas.iter().map(|(path, meta)| (*path, meta));
        Ok(check_owner(given, configured, cluster_id)?)
    }

    /// The cluster that the directories belong to, if one of them says.
    ///
    /// # Errors
    /// [`StoreOpenError`] if a file cannot be read.
    pub fn cluster_id(&self) -> Result<Option<String>, StoreOpenError> {
        let metas = self.meta_properties()?;
        Ok(metas.into_iter().find_map(|(_, meta)| meta.cluster_id))
    }

    /// Writes broker and cluster into the directories that do not say so yet. To be called when the
    /// broker has registered: only then the id is its own (KAFKA-3091).
    ///
    /// # Errors
    /// [`StoreOpenError`] if a file cannot be written.
    pub fn claim(&self, broker_id: BrokerId, cluster_id: &str) -> Result<(), StoreOpenError> {
        for (path, mut meta) in self.meta_properties()? {
            if meta.broker_id.is_some() && meta.cluster_id.is_some() {
                continue;
            }
            meta.broker_id = Some(broker_id);
            meta.cluster_id = Some(cluster_id.to_owned());
            for entry in self
                .directories
                .iter()
                .filter(|it| it.directory.path() == path)
            {
                entry.directory.write_meta_properties(&meta)?;
            }
        }
        Ok(())
    }

    fn meta_properties(&self) -> Result<Vec<(&Path, MetaProperties)>, DirectoryError> {
        self.directories
            .iter()
            .map(|entry| Ok((entry.directory.path(), entry.directory.meta_properties()?)))
            .collect()
    }

    /// The log directories that could be opened, in the order of the settings.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.directories.iter().map(|entry| entry.directory.path())
    }

    /// Whether the machine may have died since the directories were last in use, so that records that
    /// were not flushed may be lost.
    #[must_use]
    pub fn machine_may_have_died(&self) -> bool {
        self.directories
            .iter()
            .any(|entry| entry.last_shutdown == LastShutdown::MachineMayHaveDied)
    }

    /// Directories that have failed, by path.
    #[must_use]
    pub fn offline_directories(&self) -> Vec<PathBuf> {
        let failed = self
            .directories
            .iter()
            .filter(|entry| entry.health.check().is_err());
        let failed = failed.map(|entry| entry.directory.path().to_owned());
        self.unusable.iter().cloned().chain(failed).collect()
    }

    /// Whether all of them have failed.
    #[must_use]
    pub fn has_no_working_directory(&self) -> bool {
        self.directories
            .iter()
            .all(|entry| entry.health.check().is_err())
    }

    /// The log of a partition, if there is one.
    #[must_use]
    pub fn log(&self, partition: &TopicPartition) -> Option<Arc<PartitionLog>> {
        Some(Arc::clone(&self.content.lock().logs.get(partition)?.log))
    }

    /// All logs, by partition.
    #[must_use]
    pub fn logs(&self) -> Vec<(TopicPartition, Arc<PartitionLog>)> {
        let content = self.content.lock();
        content
            .logs
            .iter()
            .map(|(partition, stored)| (partition.clone(), Arc::clone(&stored.log)))
            .collect()
    }

    /// Partitions whose logs are in directories that have failed.
    #[must_use]
    pub fn offline_partitions(&self) -> Vec<TopicPartition> {
        let content = self.content.lock();
        let is_offline = |stored: &StoredLog| {
            let entry = self.directories.get(stored.directory_index);
            entry.is_none_or(|entry| entry.health.check().is_err())
        };
        content
            .logs
            .iter()
            .filter(|(_, stored)| is_offline(stored))
            .map(|(partition, _)| partition.clone())
            .collect()
    }
}

fn open_directory(files: &Arc<dyn Files>, path: &Path) -> Result<StoreDirectory, DirectoryError> {
    let directory = LogDirectory::open(Arc::clone(files), path)?;
    let last_shutdown = directory.take_last_shutdown()?;
    let health = Arc::new(DirectoryHealth::new(path.to_owned()));
    Ok(StoreDirectory {
        directory,
        health,
        last_shutdown,
    })
}
