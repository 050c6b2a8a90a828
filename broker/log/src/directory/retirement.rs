//! Taking a partition's directory out of use, and deleting what is.
//!
//! The rename is what counts: it is one step, and durable. The files go later and may be left half
//! deleted by a crash; the next start finishes them by the name.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use barnabas_wire::id::TopicPartition;

use super::name::{Retired, retired_name};
use crate::files::Files;

/// Renames the directory of a partition out of the way; returns its new path. Durable when this
/// returns. Files that are open stay usable.
///
/// `id` makes the name unique and is to be random.
///
/// # Errors
/// What the system says; the partition is then still there.
pub fn retire_partition(
    files: &dyn Files,
    log_directory: &Path,
    topic_partition: &TopicPartition,
    retired: Retired,
    id: u128,
) -> io::Result<PathBuf> {
    let to = log_directory.join(retired_name(topic_partition, retired, id));
    files.rename(&log_directory.join(topic_partition.to_string()), &to)?;
    files.sync_directory(log_directory)?;
    Ok(to)
}

/// Deletes a directory and all it holds. What is gone already is no error, so a deletion that was
/// interrupted can be repeated.
///
/// # Errors
/// What the system says; a part of it may be gone then.
pub fn delete_directory(files: &dyn Files, path: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            delete_directory(files, &entry.path())?;
        } else {
            unless_gone(files.remove_file(&entry.path()))?;
        }
    }
    unless_gone(files.remove_directory(path))
}

fn unless_gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::{DiskFiles, FailingFiles, Fault, Operation};
    use barnabas_wire::id::PartitionId;
    use std::sync::Arc;

    fn partition_with_files(directory: &Path) -> TopicPartition {
        let topic_partition = TopicPartition::new("t", PartitionId(0));
        let path = directory.join(topic_partition.to_string());
        fs::create_dir(&path).unwrap();
        for name in ["00000000000000000000.log", "leader-epoch-checkpoint"] {
            fs::write(path.join(name), b"x").unwrap();
        }
        topic_partition
    }

    /// S18: deleting frees the name at once; the files go afterwards.
    #[test]
    fn a_partition_is_renamed_then_deleted() {
        let directory = tempfile::tempdir().unwrap();
        let partition = partition_with_files(directory.path());
        let path =
            retire_partition(&DiskFiles, directory.path(), &partition, Retired::Delete, 1).unwrap();
        assert!(path.exists());
        assert!(!directory.path().join("t-0").exists());
        partition_with_files(directory.path());
        delete_directory(&DiskFiles, &path).unwrap();
        delete_directory(&DiskFiles, &path).unwrap();
        assert!(!path.exists());
        assert!(directory.path().join("t-0").exists());
    }

    #[test]
    fn an_interrupted_deletion_is_finished_by_repeating_it() {
        let directory = tempfile::tempdir().unwrap();
        let partition = partition_with_files(directory.path());
        let files = FailingFiles::new(Arc::new(DiskFiles));
        let path =
            retire_partition(&files, directory.path(), &partition, Retired::Delete, 1).unwrap();
        let errno = libc::EIO;
        let operation = Some(Operation::RemoveFile);
        files.fail(Fault {
            operation,
            after: 1,
            times: u64::MAX,
            errno,
        });
        assert!(delete_directory(&files, &path).is_err());
        assert_eq!(fs::read_dir(&path).unwrap().count(), 1);
        files.heal();
        delete_directory(&files, &path).unwrap();
        assert!(!path.exists());
    }
}
