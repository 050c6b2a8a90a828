//! Which topic of its name a partition belongs to.
//!
//! A topic may be deleted and created again while a broker is away. What tells the two apart is the
//! zxid at which `/brokers/topics/T` was created: ZooKeeper never gives it twice, whichever tool
//! created the topic. It is kept in a file beside the segments whose name means nothing to Kafka.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::files::Files;

/// The name of the file; no suffix that Kafka would take for one of its own.
const FILE_NAME: &str = "barnabas_topic_czxid";

/// The czxid of a topic's znode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicIdentity(
    /// The zxid, as ZooKeeper gives it.
    pub i64,
);

/// Why a partition's identity cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum TopicIdentityError {
    /// The system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file does not hold a number.
    #[error("{path}: `{found}` is no zxid")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What it holds.
        found: String,
    },
}

/// Reads the identity kept in a partition's directory; `None` where there is none: a new partition,
/// or one that Kafka wrote.
///
/// # Errors
/// [`TopicIdentityError`]. Whatever it is, it is no reason to delete data.
pub fn read_topic_identity(
    partition_directory: &Path,
) -> Result<Option<TopicIdentity>, TopicIdentityError> {
    let path = partition_directory.join(FILE_NAME);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(TopicIdentityError::Io { path, source }),
    };
    let text = String::from_utf8_lossy(&bytes);
    match text.trim().parse() {
        Ok(czxid) => Ok(Some(TopicIdentity(czxid))),
        Err(_) => Err(TopicIdentityError::Damaged {
            path,
            found: text.chars().take(80).collect(),
        }),
    }
}

/// Keeps the identity in a partition's directory; durable when this returns.
///
/// # Errors
/// [`TopicIdentityError::Io`].
pub fn write_topic_identity(
    files: &dyn Files,
    partition_directory: &Path,
    identity: TopicIdentity,
) -> Result<(), TopicIdentityError> {
    let path = partition_directory.join(FILE_NAME);
    files
        .replace(&path, format!("{}\n", identity.0).as_bytes())
        .map_err(|source| TopicIdentityError::Io { path, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::DiskFiles;

    #[test]
    fn an_identity_is_kept_and_a_damaged_one_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(read_topic_identity(directory.path()).unwrap(), None);
        write_topic_identity(&DiskFiles, directory.path(), TopicIdentity(1 << 40)).unwrap();
        let read = read_topic_identity(directory.path()).unwrap();
        assert_eq!(read, Some(TopicIdentity(1 << 40)));
        fs::write(directory.path().join(FILE_NAME), "x").unwrap();
        let damaged = read_topic_identity(directory.path());
        assert!(matches!(damaged, Err(TopicIdentityError::Damaged { .. })));
    }
}
