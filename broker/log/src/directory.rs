//! A log directory: one entry of `log.dirs`, with the partitions that lie in it.
//!
//! ```text
//! log.dirs entry/
//!   .lock                              held while a broker runs
//!   meta.properties                    broker and cluster
//!   .kafka_cleanshutdown               only between a clean stop and the next start
//!   .barnabas_boot_id                  ours; Kafka ignores it
//!   *-checkpoint                       see `checkpoint`
//!   topic-partition/                   one per partition
//!   topic-partition.<id>-delete/       on its way out
//! ```
//!
//! Every directory in here must carry a name that Kafka knows, or its start-up would fail on ours.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use barnabas_wire::id::TopicPartition;

use crate::files::Files;

mod lock;
mod meta_properties;
mod name;
mod retirement;
mod start;
mod topic_identity;

pub use meta_properties::{
    META_PROPERTIES, MetaProperties, MetaPropertiesError, OwnerError, check_owner,
};
pub use name::{DirectoryKind, Retired, TOPIC_NAME_SIZE_MAX, is_topic_name, retired_name};
pub use retirement::{delete_directory, retire_partition};
pub use start::LastShutdown;
pub use topic_identity::{
    TopicIdentity, TopicIdentityError, read_topic_identity, write_topic_identity,
};

use lock::DirectoryLock;

/// Why a log directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The system refused.
    #[error("log directory {path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another broker uses it.
    #[error(
        "log directory {path} is in use by another broker, ours or Kafka, on this machine. Stop \
         that one, or name another directory in log.dirs"
    )]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// Its `meta.properties` cannot be used.
    #[error("{path}: {source}")]
    MetaProperties {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: MetaPropertiesError,
    },
}

/// What lies in a log directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// The partitions, sorted.
    pub partitions: Vec<TopicPartition>,
    /// Directories whose deletion is to be finished, sorted.
    pub to_delete: Vec<PathBuf>,
    /// Copies that Kafka was making (`-future`), sorted. Never touched; worth a warning.
    pub futures: Vec<PathBuf>,
    /// Directories that mean nothing to us, sorted. Never touched; worth a warning, since Kafka would
    /// not start with them.
    pub unknown: Vec<PathBuf>,
}

/// A locked log directory. Dropping it gives the lock up.
#[derive(Debug)]
pub struct LogDirectory {
    path: PathBuf,
    files: Arc<dyn Files>,
    _lock: DirectoryLock,
}

impl LogDirectory {
    /// Takes a directory, which is created if it does not exist.
    ///
    /// # Errors
    /// [`DirectoryError::InUse`] if another broker has it, [`DirectoryError::Io`] otherwise.
    pub fn open(files: Arc<dyn Files>, path: &Path) -> Result<Self, DirectoryError> {
        let io_error = |source| DirectoryError::Io {
            path: path.into(),
            source,
        };
        create(files.as_ref(), path).map_err(io_error)?;
        let lock = DirectoryLock::try_take(path).map_err(io_error)?;
        let lock = lock.ok_or_else(|| DirectoryError::InUse { path: path.into() })?;
        Ok(Self {
            path: path.into(),
            files,
            _lock: lock,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where a partition's files are, or would be.
    #[must_use]
    pub fn partition_path(&self, topic_partition: &TopicPartition) -> PathBuf {
        self.path.join(topic_partition.to_string())
    }

    /// Reads `meta.properties`; a missing file says nothing.
    ///
    /// # Errors
    /// [`DirectoryError`] if the file cannot be read or belongs to another kind of broker.
    pub fn meta_properties(&self) -> Result<MetaProperties, DirectoryError> {
        let path = self.path.join(META_PROPERTIES);
        match fs::read(&path) {
            Ok(bytes) => MetaProperties::parse(&String::from_utf8_lossy(&bytes))
                .map_err(|source| DirectoryError::MetaProperties { path, source }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(MetaProperties::default()),
            Err(source) => Err(DirectoryError::Io { path, source }),
        }
    }

    /// Replaces `meta.properties`; durable when this returns.
    ///
    /// # Errors
    /// [`DirectoryError::Io`].
    pub fn write_meta_properties(&self, meta: &MetaProperties) -> Result<(), DirectoryError> {
        let path = self.path.join(META_PROPERTIES);
        self.files
            .replace(&path, meta.to_text().as_bytes())
            .map_err(|source| DirectoryError::Io { path, source })
    }

    /// Tells how the directory was left, and forgets it: to be called once per start, before any log
    /// is opened.
    ///
    /// # Errors
    /// [`DirectoryError::Io`]; no log may be opened then.
    pub fn take_last_shutdown(&self) -> Result<LastShutdown, DirectoryError> {
        start::take_last_shutdown(self.files.as_ref(), &self.path).map_err(|source| {
            DirectoryError::Io {
                path: self.path.clone(),
                source,
            }
        })
    }

    /// Leaves word that every log here is closed and every checkpoint written. The last thing done in
    /// a directory; durable when this returns.
    ///
    /// # Errors
    /// [`DirectoryError::Io`]; the next start then recovers.
    pub fn mark_clean_shutdown(&self) -> Result<(), DirectoryError> {
        start::mark_clean(self.files.as_ref(), &self.path).map_err(|source| DirectoryError::Io {
            path: self.path.clone(),
            source,
        })
    }

    /// Looks at what lies in it.
    ///
    /// # Errors
    /// [`DirectoryError::Io`].
    pub fn list(&self) -> Result<Listing, DirectoryError> {
        let io_error = |source| DirectoryError::Io {
            path: self.path.clone(),
            source,
        };
        let mut listing = Listing::default();
        for entry in fs::read_dir(&self.path).map_err(io_error)? {
            let entry = entry.map_err(io_error)?;
            if !entry.path().is_dir() {
                continue;
            }
            let name = entry.file_name();
            match name
                .to_str()
                .map_or(DirectoryKind::Unknown, DirectoryKind::of)
            {
                DirectoryKind::Partition(partition) => listing.partitions.push(partition),
                DirectoryKind::Retired(Retired::Delete) => listing.to_delete.push(entry.path()),
                DirectoryKind::Retired(Retired::Stray) | DirectoryKind::Ignored => {}
                DirectoryKind::Future => listing.futures.push(entry.path()),
                DirectoryKind::Unknown => listing.unknown.push(entry.path()),
            }
        }
        listing.partitions.sort();
        listing.to_delete.sort();
        listing.futures.sort();
        listing.unknown.sort();
        Ok(listing)
    }
}

/// Creates a directory with its parents, each of them durable.
fn create(files: &dyn Files, path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent {
        create(files, parent)?;
    }
    files.create_directory(path)?;
    files.sync_directory(parent.unwrap_or(Path::new(".")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::DiskFiles;
    use barnabas_wire::id::{BrokerId, PartitionId};

    fn open(path: &Path) -> Result<LogDirectory, DirectoryError> {
        LogDirectory::open(Arc::new(DiskFiles), path)
    }

    #[test]
    fn a_directory_is_created_and_used_by_one_broker() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b");
        let directory = open(&path).unwrap();
        assert!(path.join(".lock").exists());
        assert!(matches!(open(&path), Err(DirectoryError::InUse { .. })));
        drop(directory);
        open(&path).unwrap();
    }

    #[test]
    fn meta_properties_are_kept() {
        let parent = tempfile::tempdir().unwrap();
        let directory = open(parent.path()).unwrap();
        assert_eq!(
            directory.meta_properties().unwrap(),
            MetaProperties::default()
        );
        let meta = MetaProperties::new(BrokerId(4), "cluster");
        directory.write_meta_properties(&meta).unwrap();
        assert_eq!(directory.meta_properties().unwrap(), meta);
        fs::write(parent.path().join(META_PROPERTIES), "version=1\n").unwrap();
        let error = directory.meta_properties().unwrap_err();
        assert!(error.to_string().contains("KRaft"), "{error}");
    }

    #[test]
    fn a_listing_finds_partitions_among_what_kafka_leaves() {
        let parent = tempfile::tempdir().unwrap();
        let directory = open(parent.path()).unwrap();
        let delete = format!("a-1.{}-delete", "0".repeat(32));
        let stray = format!("a-1.{}-stray", "0".repeat(32));
        let future = format!("a-1.{}-future", "0".repeat(32));
        let cache = "remote-log-index-cache";
        for name in [
            "b-0",
            "a-10",
            "a-9",
            &delete,
            &stray,
            &future,
            cache,
            "lost+found",
        ] {
            fs::create_dir(parent.path().join(name)).unwrap();
        }
        fs::write(parent.path().join("c-0"), b"a file, not a directory").unwrap();
        let partition = |topic: &str, number| TopicPartition::new(topic, PartitionId(number));
        assert_eq!(
            directory.list().unwrap(),
            Listing {
                partitions: vec![partition("a", 9), partition("a", 10), partition("b", 0)],
                to_delete: vec![parent.path().join(delete)],
                futures: vec![parent.path().join(future)],
                unknown: vec![parent.path().join("lost+found")],
            }
        );
    }
}
