//! Why a broker does not append what it was sent.

use super::builder::BuildError;
use super::compression::CompressionError;
use super::error::{BatchError, RecordError};
use super::message_set::MessageError;
use crate::id::Offset;

/// What a refused append is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValidationKind {
    /// `CORRUPT_MESSAGE`
    Corrupt,
    /// `INVALID_RECORD`
    InvalidRecord,
    /// `MESSAGE_TOO_LARGE`
    TooLarge,
    /// `INVALID_TIMESTAMP`
    InvalidTimestamp,
    /// `UNSUPPORTED_COMPRESSION_TYPE`
    UnsupportedCompression,
}

/// Why batches may not be appended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValidationError {
    /// There is no batch.
    #[error("there is no batch")]
    NoBatch,
    /// The bytes are no sound batch.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// A producer may send one batch to a partition at a time.
    #[error("more than one batch was sent to one partition")]
    MoreThanOneBatch,
    /// The batch is too large.
    #[error("the batch has {size_bytes} bytes, more than the {limit_bytes} allowed")]
    TooLarge {
        /// Its size with header.
        size_bytes: usize,
        /// `max.message.bytes`.
        limit_bytes: usize,
    },
    /// A producer's batch starts at offset 0.
    #[error("the batch starts at offset {base_offset}, not 0")]
    BaseOffset {
        /// The base offset in the header.
        base_offset: Offset,
    },
    /// Count and offset range differ, or one of them makes no sense.
    #[error("the batch states {record_count} records and a last offset delta of {delta}")]
    RecordCount {
        /// The count in the header.
        record_count: i32,
        /// The last offset delta in the header.
        delta: i32,
    },
    /// Only brokers write markers.
    #[error("producers may not write control batches")]
    ControlBatch,
    /// An idempotent producer numbers its records.
    #[error("the batch of an idempotent producer has the sequence number {base_sequence}")]
    Sequence {
        /// The base sequence in the header.
        base_sequence: i32,
    },
    /// The codec is unknown, not allowed, or its block damaged.
    #[error(transparent)]
    Compression(#[from] CompressionError),
    /// zstd needs a newer request.
    #[error("zstd needs Produce version 7 or newer")]
    ZstdNotAllowed,
    /// A record cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A message of magic 0 or 1 cannot be read, or differs in magic from its set.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// A compressed message holds a compressed message.
    #[error("a compressed message holds another compressed message")]
    NestedCompression,
    /// The batch of magic 2 for an old message set cannot be built.
    #[error(transparent)]
    Build(Box<BuildError>),
    /// A compacted topic needs keys.
    #[error("record {index} has no key, and the topic is compacted")]
    KeyMissing {
        /// Index of the record in the batch, from 0.
        index: u32,
    },
    /// A timestamp is too far from the broker's clock.
    #[error(
        "record {index}: its timestamp {timestamp_ms} is over {difference_max_ms} ms off {now_ms}"
    )]
    Timestamp {
        /// Index of the record in the batch, from 0.
        index: u32,
        /// The record's timestamp, ms since the Unix epoch.
        timestamp_ms: i64,
        /// The broker's clock, ms since the Unix epoch.
        now_ms: i64,
        /// The greatest distance allowed, ms.
        difference_max_ms: u64,
    },
    /// Only brokers set this bit.
    #[error("producers may not set the timestamp type to log append time")]
    TimestampType,
    /// Offsets of a leader's batches must grow.
    #[error("a batch that ends at offset {last_offset} follows one that ends at {previous_offset}")]
    OffsetOrder {
        /// Last offset of the batch before.
        previous_offset: Offset,
        /// Last offset of the batch that does not fit.
        last_offset: Offset,
    },
}

impl ValidationError {
    /// The family that the error belongs to; brokers answer by it.
    #[must_use]
    pub fn kind(&self) -> ValidationKind {
        match self {
            Self::Batch(BatchError::Magic { .. })
            | Self::NoBatch
            | Self::MoreThanOneBatch
            | Self::BaseOffset { .. }
            | Self::RecordCount { .. }
            | Self::ControlBatch
            | Self::Sequence { .. }
            | Self::Record(_)
            | Self::Message(MessageError::Magic { .. })
            | Self::NestedCompression
            | Self::KeyMissing { .. } => ValidationKind::InvalidRecord,
            Self::Batch(
                BatchError::Incomplete { .. }
                | BatchError::LengthTooSmall { .. }
                | BatchError::Checksum { .. },
            )
            | Self::Compression(CompressionError::Damaged { .. })
            | Self::Message(
                MessageError::Incomplete { .. }
                | MessageError::Size { .. }
                | MessageError::Checksum { .. },
            )
            | Self::OffsetOrder { .. } => ValidationKind::Corrupt,
            Self::TooLarge { .. } | Self::Compression(CompressionError::TooLarge { .. }) => {
                ValidationKind::TooLarge
            }
            Self::Timestamp { .. } | Self::TimestampType => ValidationKind::InvalidTimestamp,
            Self::Build(error) => match **error {
                BuildError::TooLarge { .. } => ValidationKind::TooLarge,
                BuildError::Compression(_) => ValidationKind::UnsupportedCompression,
                BuildError::Record(_) => ValidationKind::InvalidRecord,
            },
            Self::ZstdNotAllowed
            | Self::Compression(
                CompressionError::UnknownCodec { .. } | CompressionError::NotBuilt { .. },
            ) => ValidationKind::UnsupportedCompression,
        }
    }
}
