//! What all logs of one log directory share: whether its disk can still be trusted, and how much
//! space they may hold ahead of their writers.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// Bytes that the logs of a directory may have allocated ahead of their writers, all together.
///
/// Beyond it each log takes only the room that its next append needs.
pub const HEADROOM_MAX_BYTES: u64 = 1 << 30;

/// One log directory has failed. Final for the life of the process: a disk that lost a write once
/// reports success for the next flush all the same.
#[derive(Clone, Debug, thiserror::Error)]
#[error("log directory {} is offline: {operation}: {cause}", .directory.display())]
pub struct DirectoryOffline {
    /// The log directory.
    pub directory: PathBuf,
    /// What was tried, such as `sync 00000000000000000000.log`.
    pub operation: String,
    /// What the system said.
    pub cause: String,
}

/// The state of one log directory, shared by its logs.
#[derive(Debug)]
pub struct DirectoryHealth {
    directory: PathBuf,
    failure: OnceLock<DirectoryOffline>,
    headroom_bytes: AtomicU64,
    headroom_max_bytes: u64,
}

impl DirectoryHealth {
    /// A directory that works, with [`HEADROOM_MAX_BYTES`].
    #[must_use]
    pub fn new(directory: PathBuf) -> Self {
        Self::with_headroom(directory, HEADROOM_MAX_BYTES)
    }

    /// A directory that works, whose logs may hold `headroom_max_bytes` ahead of their writers.
    #[must_use]
    pub fn with_headroom(directory: PathBuf, headroom_max_bytes: u64) -> Self {
        Self {
            directory,
            failure: OnceLock::new(),
            headroom_bytes: AtomicU64::new(0),
            headroom_max_bytes,
        }
    }

    /// The log directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Passes while the directory works.
    ///
    /// # Errors
    /// The first failure, for ever.
    pub fn check(&self) -> Result<(), DirectoryOffline> {
        self.failure
            .get()
            .map_or(Ok(()), |failure| Err(failure.clone()))
    }

    /// The first failure, if there was one.
    #[must_use]
    pub fn failure(&self) -> Option<&DirectoryOffline> {
        self.failure.get()
    }

    /// Takes the directory offline; returns its first failure, which may be an older one.
    pub fn fail(&self, operation: &str, cause: &io::Error) -> DirectoryOffline {
        let mut is_first = false;
        let failure = self.failure.get_or_init(|| {
            is_first = true;
            DirectoryOffline {
                directory: self.directory.clone(),
                operation: operation.to_owned(),
                cause: cause.to_string(),
            }
        });
        if is_first {
            let directory = self.directory.display().to_string();
            tracing::error!(directory, operation, %cause, "log directory goes offline");
        }
        failure.clone()
    }

    /// Asks for `wanted_bytes` more of headroom; whether they were granted.
    pub(crate) fn take_headroom(&self, wanted_bytes: u64) -> bool {
        self.headroom_bytes
            .fetch_update(Relaxed, Relaxed, |taken| {
                taken
                    .checked_add(wanted_bytes)
                    .filter(|sum| *sum <= self.headroom_max_bytes)
            })
            .is_ok()
    }

    /// Gives headroom back.
    pub(crate) fn give_headroom(&self, bytes: u64) {
        self.headroom_bytes.fetch_sub(bytes, Relaxed);
    }
}
