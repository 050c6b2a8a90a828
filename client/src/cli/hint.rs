//! What to do next, for those errors of a cluster where that is known.

use barnabas_client::ErrorCode;

/// Advice by code. A code that is not here speaks for itself.
const HINTS: &[(ErrorCode, &str)] = &[
    (
        ErrorCode::TopicAlreadyExists,
        "--if-not-exists makes this no error; `barnabas topic describe` shows what is there",
    ),
    (
        ErrorCode::InvalidTopicException,
        "a name has 1 to 249 letters, digits, `.`, `_` and `-`, and is not `.` or `..`",
    ),
    (ErrorCode::InvalidPartitions, "--partitions takes 1 or more"),
    (
        ErrorCode::InvalidReplicationFactor,
        "--replication-factor takes 1 up to the number of live brokers",
    ),
    (
        ErrorCode::InvalidReplicaAssignment,
        "every partition needs the same number of replicas, on different live brokers",
    ),
    (
        ErrorCode::InvalidConfig,
        "`barnabas topic describe` shows the settings of a topic; Kafka's names are used as they are",
    ),
    (
        ErrorCode::TopicDeletionDisabled,
        "set delete.topic.enable=true on the brokers, or leave the topic",
    ),
    (
        ErrorCode::UnknownTopicOrPartition,
        "`barnabas topic list` shows the topics, `barnabas topic describe` their partitions",
    ),
    (
        ErrorCode::NotController,
        "a new controller is elected when ZooKeeper can be reached; try again",
    ),
    (
        ErrorCode::LeaderNotAvailable,
        "`barnabas topic describe` shows which partition has no leader: its brokers are down, or \
         it was only just created",
    ),
    (
        ErrorCode::NotEnoughReplicas,
        "fewer replicas are in sync than min.insync.replicas asks for: start the brokers that are \
         down, or use --acks 1",
    ),
    (
        ErrorCode::NotEnoughReplicasAfterAppend,
        "the record may be stored: fewer replicas were in sync than min.insync.replicas asks for",
    ),
    (
        ErrorCode::MessageTooLarge,
        "the topic's max.message.bytes (1 MiB by default) limits a whole batch: -X batch.size=BYTES \
         makes smaller ones",
    ),
    (
        ErrorCode::UnsupportedCompressionType,
        "this codec is too new for the broker or the topic; try gzip, snappy or lz4",
    ),
    (
        ErrorCode::RequestTimedOut,
        "it may have been done all the same: look before you repeat it",
    ),
    (
        ErrorCode::KafkaStorageError,
        "a log directory of the broker is offline: its log says why",
    ),
];

/// What to do about a code, if that is known.
pub(crate) fn of_code(code: ErrorCode) -> Option<&'static str> {
    HINTS
        .iter()
        .find(|(known, _)| *known == code)
        .map(|(_, hint)| *hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hint_is_reached_and_none_is_doubled() {
        for (code, hint) in HINTS {
            assert_eq!(of_code(*code), Some(*hint));
        }
        assert_eq!(of_code(ErrorCode::UnknownServerError), None);
    }
}
