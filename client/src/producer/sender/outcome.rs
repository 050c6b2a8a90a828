//! What an answer means for a batch.

use std::collections::BTreeMap;

use barnabas_wire::ErrorCode;
use barnabas_wire::message::ProduceResponse;
use barnabas_wire::message::produce::PartitionProduceResponse;

use crate::error::Error;

/// What becomes of a batch.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Stored.
    Acked {
        /// Offset of the first record; -1 if not known.
        base_offset: i64,
        /// The broker's time, if the topic uses that; ms since the Unix epoch.
        append_time_ms: Option<i64>,
    },
    /// To be sent again.
    Again {
        /// Why.
        error: Error,
        /// Whether the cluster may have changed.
        needs_news: bool,
    },
    /// The broker misses an earlier batch, or has forgotten the producer.
    OutOfSequence {
        /// Which of them.
        error: Error,
        /// True if the broker knows nothing of the producer any more.
        is_forgotten: bool,
    },
    /// Larger than the broker takes; its records may still be small enough one by one.
    TooLarge(Error),
    /// Not stored, and sending it again is of no use.
    Failed(Error),
}

/// The outcome of each partition's batch, by topic and index.
pub(super) fn by_partition(response: &ProduceResponse) -> BTreeMap<(&str, i32), Outcome> {
    let mut outcomes = BTreeMap::new();
    for topic in &response.responses {
        for partition in &topic.partition_responses {
            let subject = || format!("{}-{}", topic.name, partition.index);
            outcomes.insert(
                (topic.name.as_str(), partition.index),
                outcome(partition, subject),
            );
        }
    }
    outcomes
}

fn outcome(partition: &PartitionProduceResponse, subject: impl Fn() -> String) -> Outcome {
    let code = ErrorCode::from_code(partition.error_code);
    let error = || {
        let detail = partition.error_message.as_deref();
        let record = partition.record_errors.first().and_then(|record| {
            let index = record.batch_index;
            let message = record.batch_index_error_message.as_deref()?;
            Some(format!("record {index} of the batch: {message}"))
        });
        Error::kafka(
            code,
            subject(),
            record.or_else(|| detail.map(str::to_owned)),
        )
    };
    if code == ErrorCode::None {
        let append_time_ms = partition.log_append_time_ms;
        return Outcome::Acked {
            base_offset: partition.base_offset,
            append_time_ms: (append_time_ms >= 0).then_some(append_time_ms),
        };
    }
    if code == ErrorCode::DuplicateSequenceNumber {
        // Stored before; the broker no longer knows where.
        return Outcome::Acked {
            base_offset: -1,
            append_time_ms: None,
        };
    }
    if code == ErrorCode::MessageTooLarge {
        return Outcome::TooLarge(error());
    }
    let is_forgotten = code == ErrorCode::UnknownProducerId;
    if is_forgotten || code == ErrorCode::OutOfOrderSequenceNumber {
        return Outcome::OutOfSequence {
            error: error(),
            is_forgotten,
        };
    }
    if code.is_retriable() {
        return Outcome::Again {
            error: error(),
            needs_news: is_about_leadership(code),
        };
    }
    Outcome::Failed(error())
}

const fn is_about_leadership(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::NotLeaderOrFollower
            | ErrorCode::LeaderNotAvailable
            | ErrorCode::UnknownTopicOrPartition
            | ErrorCode::ReplicaNotAvailable
            | ErrorCode::KafkaStorageError
            | ErrorCode::FencedLeaderEpoch
            | ErrorCode::UnknownLeaderEpoch
            | ErrorCode::NetworkException
    )
}

/// The answer says nothing about a batch.
pub(super) fn left_out() -> Outcome {
    Outcome::Failed(Error::Corrupt {
        subject: "answer to Produce".into(),
        reason: "it leaves out a partition".into(),
    })
}
