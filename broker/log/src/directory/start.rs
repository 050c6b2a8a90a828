//! How a log directory was left, and how it is left: the clean-shutdown marker and the boot id.

use std::fs;
use std::io;
use std::path::Path;

use crate::files::{Files, Open};

/// Kafka's marker: its logs were closed in order and need no recovery. Its contents do not matter.
const CLEAN_MARKER: &str = ".kafka_cleanshutdown";

/// Ours: the kernel's boot id when the directory was last in use.
const BOOT_ID_FILE: &str = ".barnabas_boot_id";

/// Where Linux tells its boot id.
const KERNEL_BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// How the directory was left by whoever used it last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastShutdown {
    /// All logs were closed in order.
    Clean,
    /// The process ended without closing its logs, but the machine went on: what was written is
    /// in the page cache or on the disk, and nothing is lost.
    ProcessDied,
    /// The machine may have been restarted: what was not flushed may be lost.
    MachineMayHaveDied,
}

/// Tells how the directory was left, and takes the marker away before any log is opened: if we die
/// while loading, the next start must not take the logs for clean (KAFKA-10471).
pub(super) fn take_last_shutdown(files: &dyn Files, directory: &Path) -> io::Result<LastShutdown> {
    let boot_id = kernel_boot_id();
    let last = if remove_marker(files, directory)? {
        LastShutdown::Clean
    } else if boot_id.is_some() && boot_id == read(&directory.join(BOOT_ID_FILE))? {
        LastShutdown::ProcessDied
    } else {
        LastShutdown::MachineMayHaveDied
    };
    // Without a boot id of its own the kernel cannot vouch for anything: no file, no claim.
    if let Some(boot_id) = boot_id {
        files.replace(&directory.join(BOOT_ID_FILE), boot_id.as_bytes())?;
    }
    Ok(last)
}

/// Leaves the marker; to be called when all logs are closed and all checkpoints written.
pub(super) fn mark_clean(files: &dyn Files, directory: &Path) -> io::Result<()> {
    files
        .open(&directory.join(CLEAN_MARKER), Open::OrCreate)?
        .sync_all()?;
    files.sync_directory(directory)
}

fn remove_marker(files: &dyn Files, directory: &Path) -> io::Result<bool> {
    match files.remove_file(&directory.join(CLEAN_MARKER)) {
        Ok(()) => {
            files.sync_directory(directory)?;
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn kernel_boot_id() -> Option<String> {
    fs::read_to_string(KERNEL_BOOT_ID)
        .ok()
        .map(|id| id.trim().to_owned())
        .filter(|id| !id.is_empty())
}

fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::DiskFiles;

    fn check(directory: &Path, expected: LastShutdown) {
        assert_eq!(take_last_shutdown(&DiskFiles, directory).unwrap(), expected);
    }

    #[test]
    fn the_marker_counts_once() {
        let directory = tempfile::tempdir().unwrap();
        check(directory.path(), LastShutdown::MachineMayHaveDied);
        mark_clean(&DiskFiles, directory.path()).unwrap();
        assert_eq!(
            fs::read(directory.path().join(".kafka_cleanshutdown")).unwrap(),
            b""
        );
        check(directory.path(), LastShutdown::Clean);
        check(directory.path(), LastShutdown::ProcessDied);
    }

    #[test]
    fn kafkas_marker_with_contents_counts() {
        let directory = tempfile::tempdir().unwrap();
        let json = "{\"version\":0,\"brokerEpoch\":7}";
        fs::write(directory.path().join(CLEAN_MARKER), json).unwrap();
        check(directory.path(), LastShutdown::Clean);
    }

    #[test]
    fn another_boot_of_the_machine_is_noticed() {
        let directory = tempfile::tempdir().unwrap();
        check(directory.path(), LastShutdown::MachineMayHaveDied);
        check(directory.path(), LastShutdown::ProcessDied);
        fs::write(directory.path().join(BOOT_ID_FILE), "of another boot").unwrap();
        check(directory.path(), LastShutdown::MachineMayHaveDied);
        check(directory.path(), LastShutdown::ProcessDied);
    }
}
