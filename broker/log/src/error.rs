//! What can go wrong with a log, by what the caller can do about it.

use crate::health::DirectoryOffline;
use crate::producer_state::ProducerError;
use barnabas_wire::id::Offset;
use barnabas_wire::record::{BatchError, RecordError};
use std::io;
use std::path::{Path, PathBuf};

/// An operation on the log's files failed.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The log directory has failed, now or before.
    #[error(transparent)]
    Offline(#[from] DirectoryOffline),
    /// The disk is full. Nothing has changed; the operation can be repeated when there is space.
    #[error("no space left for {}", .path.display())]
    NoSpace {
        /// The file that could not grow.
        path: PathBuf,
    },
    /// The log has been closed or deleted.
    #[error("the log is closed")]
    Closed,
}

/// A batch was not appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The files did not take it.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The batch is larger than `max.message.bytes`.
    #[error("batch of {size_bytes} bytes, the limit is {limit_bytes}")]
    BatchTooLarge {
        /// Size of the batch.
        size_bytes: usize,
        /// The limit.
        limit_bytes: usize,
    },
    /// The batch is larger than a whole segment.
    #[error("batch of {size_bytes} bytes, a segment holds {segment_size_bytes}")]
    LargerThanSegment {
        /// Size of the batch.
        size_bytes: u64,
        /// `segment.bytes`.
        segment_size_bytes: u64,
    },
    /// The batch has to be written anew before it can be appended (see `Validated::rebuild`).
    #[error("the batch has to be rebuilt first")]
    NeedsRebuild,
    /// The producer's epoch or sequence does not fit.
    #[error(transparent)]
    Producer(#[from] ProducerError),
    /// The bytes are no batches.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// A copied batch begins below the log end.
    #[error("batch at offset {first_offset}, the log ends at {log_end_offset}")]
    OffsetOutOfOrder {
        /// First offset of the batch.
        first_offset: Offset,
        /// Where it would have to begin, at least.
        log_end_offset: Offset,
    },
}

/// Records could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no such offset in the log (any more, or yet).
    #[error("offset {offset} is outside of {log_start_offset} to {log_end_offset}")]
    OffsetOutOfRange {
        /// The offset asked for.
        offset: Offset,
        /// First offset of the log.
        log_start_offset: Offset,
        /// Offset after the last one of the log.
        log_end_offset: Offset,
    },
    /// The file has no batch where one belongs.
    #[error("{}, position {position}: {cause}", .path.display())]
    Damaged {
        /// The segment.
        path: PathBuf,
        /// Where, in bytes.
        position: u64,
        /// What is there.
        cause: BatchError,
    },
    /// A record of a batch cannot be read.
    #[error("{}, position {position}: {cause}", .path.display())]
    DamagedRecord {
        /// The segment.
        path: PathBuf,
        /// Where the batch begins, in bytes.
        position: u64,
        /// What is there.
        cause: RecordError,
    },
    /// The disk did not give the bytes.
    #[error("reading {}, position {position}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Where, in bytes.
        position: u64,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
}

/// A log could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its files could not be read or changed.
    #[error("{operation} {}", .path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// Records that were safely on disk are not there any more. Opening would mean cutting them
    /// off, and with them what may be the only copy: whoever knows of another may do so.
    #[error(
        "{}, position {position}: records from offset {offset} on are damaged, \
         flushed up to {recovery_point}", .path.display()
    )]
    DamagedBelowRecoveryPoint {
        /// The segment.
        path: PathBuf,
        /// Where the damage begins, in bytes.
        position: u64,
        /// First offset that cannot be read.
        offset: Offset,
        /// Everything below was flushed.
        recovery_point: Offset,
    },
    /// Reading back what lies in the log failed.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl OpenError {
    /// A file operation failed.
    pub(crate) fn io(operation: &'static str, path: &Path, cause: io::Error) -> Self {
        Self::Io {
            operation,
            path: path.to_owned(),
            cause,
        }
    }
}
