//! The controller's refusals as error codes. Source: kafka 2.8 server/ZkAdminManager.scala.

use barnabas_controller::call::{CallError, TopicError};
use barnabas_wire::ErrorCode;

/// A code, and a sentence for whoever reads it.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) code: ErrorCode,
    pub(super) message: Option<String>,
}

impl Refused {
    /// A code that says enough.
    pub(super) const fn code(code: ErrorCode) -> Self {
        Self {
            code,
            message: None,
        }
    }

    pub(super) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: Some(message.into()),
        }
    }
}

impl From<&TopicError> for Refused {
    fn from(error: &TopicError) -> Self {
        Self::new(topic_code(error), error.to_string())
    }
}

pub(super) fn call_code(error: &CallError) -> ErrorCode {
    match error {
        CallError::NotController => ErrorCode::NotController,
        // Another broker would say no better; the client may try again.
        CallError::Busy { .. } => ErrorCode::RequestTimedOut,
        CallError::StaleBrokerEpoch { .. } => ErrorCode::StaleBrokerEpoch,
        CallError::UnknownBroker { .. } => ErrorCode::BrokerNotAvailable,
    }
}

pub(crate) fn topic_code(error: &TopicError) -> ErrorCode {
    match error {
        TopicError::Name(_) | TopicError::Collides { .. } => ErrorCode::InvalidTopicException,
        TopicError::Exists(_) | TopicError::MarkedForDeletion(_) => ErrorCode::TopicAlreadyExists,
        TopicError::Repeated(_) => ErrorCode::InvalidRequest,
        TopicError::Unknown(_) => ErrorCode::UnknownTopicOrPartition,
        TopicError::Partitions { .. } | TopicError::NotMore { .. } => ErrorCode::InvalidPartitions,
        TopicError::ReplicationFactor { .. } => ErrorCode::InvalidReplicationFactor,
        TopicError::Assignment(_) => ErrorCode::InvalidReplicaAssignment,
        TopicError::Reassigning(_) => ErrorCode::ReassignmentInProgress,
        TopicError::DeletionDisabled => ErrorCode::TopicDeletionDisabled,
        TopicError::TooLarge { .. } => ErrorCode::PolicyViolation,
        TopicError::Refused(_) => ErrorCode::UnknownServerError,
        TopicError::Unresolved => ErrorCode::RequestTimedOut,
    }
}
