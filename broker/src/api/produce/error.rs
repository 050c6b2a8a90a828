//! Why a partition of a produce failed, and how its producer is told.

use barnabas_log::error::{AppendError, LogError};
use barnabas_log::producer_state::ProducerError;
use barnabas_replica::AppendRefusal;
use barnabas_wire::ErrorCode;
use barnabas_wire::message::produce::{BatchIndexAndErrorMessage, PartitionProduceResponse};
use barnabas_wire::record::{BuildError, RecordError, ValidationError, ValidationKind};

use crate::partition::AppendFailure;

/// Why the records of one partition are not where their producer wants them.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("producers may not write to a topic that the brokers keep")]
    InternalTopic,
    #[error("this broker does not lead the partition")]
    NotHere,
    #[error("this broker does not know of the partition")]
    Unknown,
    #[error("this cluster has no transactions yet")]
    Transactional,
    #[error(transparent)]
    Invalid(Box<ValidationError>),
    #[error("the records cannot be written anew: {0}")]
    Rebuild(#[from] BuildError),
    #[error(transparent)]
    Append(#[from] AppendFailure),
    #[error("the replicas did not confirm in time")]
    TimedOut,
    #[error("stored, but fewer replicas are in sync than min.insync.replicas asks for")]
    NotEnoughReplicasAfterAppend,
    #[error("the log directory is offline")]
    Offline,
}

impl From<ValidationError> for Failure {
    fn from(error: ValidationError) -> Self {
        Self::Invalid(Box::new(error))
    }
}

impl From<AppendRefusal> for Failure {
    fn from(refusal: AppendRefusal) -> Self {
        Self::Append(refusal.into())
    }
}

/// The answer for a partition that failed.
pub(super) fn failed(index: i32, failure: &Failure) -> PartitionProduceResponse {
    PartitionProduceResponse {
        index,
        error_code: code(failure).code(),
        base_offset: -1,
        record_errors: record_errors(failure),
        error_message: Some(failure.to_string().into()),
        ..PartitionProduceResponse::default()
    }
}

fn code(failure: &Failure) -> ErrorCode {
    match failure {
        Failure::InternalTopic => ErrorCode::InvalidTopicException,
        Failure::NotHere => ErrorCode::NotLeaderOrFollower,
        Failure::Unknown => ErrorCode::UnknownTopicOrPartition,
        Failure::Transactional => ErrorCode::InvalidTxnState,
        Failure::Invalid(error) => kind_code(error.kind()),
        Failure::Rebuild(BuildError::TooLarge { .. }) => ErrorCode::MessageTooLarge,
        Failure::Rebuild(BuildError::Compression(_)) => ErrorCode::CorruptMessage,
        Failure::Rebuild(BuildError::Record(_)) => ErrorCode::InvalidRecord,
        Failure::Append(failure) => append_code(failure),
        Failure::TimedOut => ErrorCode::RequestTimedOut,
        Failure::NotEnoughReplicasAfterAppend => ErrorCode::NotEnoughReplicasAfterAppend,
        Failure::Offline => ErrorCode::KafkaStorageError,
    }
}

fn kind_code(kind: ValidationKind) -> ErrorCode {
    match kind {
        ValidationKind::Corrupt => ErrorCode::CorruptMessage,
        ValidationKind::InvalidRecord => ErrorCode::InvalidRecord,
        ValidationKind::TooLarge => ErrorCode::MessageTooLarge,
        ValidationKind::InvalidTimestamp => ErrorCode::InvalidTimestamp,
        ValidationKind::UnsupportedCompression => ErrorCode::UnsupportedCompressionType,
    }
}

fn append_code(failure: &AppendFailure) -> ErrorCode {
    match failure {
        AppendFailure::Refused(AppendRefusal::NotLeader | AppendRefusal::LeaseOver)
        | AppendFailure::Stopping => ErrorCode::NotLeaderOrFollower,
        AppendFailure::Refused(AppendRefusal::NotEnoughReplicas { .. }) => {
            ErrorCode::NotEnoughReplicas
        }
        AppendFailure::Refused(AppendRefusal::Offline) => ErrorCode::KafkaStorageError,
        AppendFailure::Log(error) => log_code(error),
    }
}

fn log_code(error: &AppendError) -> ErrorCode {
    match error {
        // A full disk passes: the code lets producers try again.
        AppendError::Log(LogError::Offline(_) | LogError::NoSpace { .. }) => {
            ErrorCode::KafkaStorageError
        }
        // The partition was stopped while the batch was queued.
        AppendError::Log(LogError::Closed) => ErrorCode::NotLeaderOrFollower,
        AppendError::BatchTooLarge { .. } => ErrorCode::MessageTooLarge,
        AppendError::LargerThanSegment { .. } => ErrorCode::RecordListTooLarge,
        AppendError::Batch(_) => ErrorCode::CorruptMessage,
        AppendError::Producer(error) => producer_code(error),
        // Neither can come of a producer's batch that was checked; our mistake.
        AppendError::NeedsRebuild | AppendError::OffsetOutOfOrder { .. } => {
            ErrorCode::UnknownServerError
        }
    }
}

fn producer_code(error: &ProducerError) -> ErrorCode {
    match error {
        ProducerError::InvalidProducerEpoch { .. } => ErrorCode::InvalidProducerEpoch,
        ProducerError::OutOfOrderSequence { .. } => ErrorCode::OutOfOrderSequenceNumber,
        ProducerError::InvalidTransactionState { .. } => ErrorCode::InvalidTxnState,
        ProducerError::CoordinatorFenced { .. } => ErrorCode::TransactionCoordinatorFenced,
    }
}

/// The record at fault, where it is one. Source: KIP-467.
fn record_errors(failure: &Failure) -> Vec<BatchIndexAndErrorMessage> {
    let Failure::Invalid(error) = failure else {
        return Vec::new();
    };
    let index = match &**error {
        ValidationError::Timestamp { index, .. }
        | ValidationError::KeyMissing { index }
        | ValidationError::Record(RecordError { index, .. }) => *index,
        ValidationError::NoBatch
        | ValidationError::Batch(_)
        | ValidationError::MoreThanOneBatch
        | ValidationError::TooLarge { .. }
        | ValidationError::BaseOffset { .. }
        | ValidationError::RecordCount { .. }
        | ValidationError::ControlBatch
        | ValidationError::Sequence { .. }
        | ValidationError::Compression(_)
        | ValidationError::ZstdNotAllowed
        | ValidationError::Message(_)
        | ValidationError::NestedCompression
        | ValidationError::Build(_)
        | ValidationError::TimestampType
        | ValidationError::OffsetOrder { .. } => return Vec::new(),
    };
    vec![BatchIndexAndErrorMessage {
        batch_index: i32::try_from(index).unwrap_or(i32::MAX),
        batch_index_error_message: Some(failure.to_string().into()),
    }]
}
