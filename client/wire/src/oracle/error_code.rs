//! Error codes against the oracle's.

use kafka_protocol::ResponseError;

use crate::ErrorCode;

/// Where the oracle does not follow the classes of Kafka 3.9's exceptions.
const RETRIABLE_HERE_ONLY: &[ErrorCode] = &[ErrorCode::ConcurrentTransactions];

#[test]
fn codes_names_and_retries_are_the_oracles_up_to_code_106() {
    let mut retriable_here_only = Vec::new();
    for &ours in ErrorCode::ALL {
        assert_eq!(ErrorCode::from_code(ours.code()), ours);
        let Some(theirs) = ResponseError::try_from_code(ours.code()) else {
            assert_eq!(ours, ErrorCode::None);
            continue;
        };
        if matches!(theirs, ResponseError::Unknown(_)) {
            assert!(ours.code() > 106, "{ours}");
            continue;
        }
        assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
        if ours.is_retriable() && !theirs.is_retriable() {
            retriable_here_only.push(ours);
        } else {
            assert_eq!(ours.is_retriable(), theirs.is_retriable(), "{ours}");
        }
    }
    assert_eq!(retriable_here_only, RETRIABLE_HERE_ONLY);
}

#[test]
fn every_code_of_kafka_three_nine_is_there() {
    let codes: Vec<i16> = ErrorCode::ALL.iter().map(|code| code.code()).collect();
    assert_eq!(codes, (-1..=127).collect::<Vec<_>>());
}

#[test]
fn names_are_written_as_kafka_writes_them() {
    let check = |code: ErrorCode, name: &str| assert_eq!(code.to_string(), name);
    check(
        ErrorCode::UnknownTopicOrPartition,
        "UNKNOWN_TOPIC_OR_PARTITION",
    );
    check(ErrorCode::InvalidTopicException, "INVALID_TOPIC_EXCEPTION");
    check(ErrorCode::None, "NONE");
    assert_eq!(ErrorCode::from_code(9999), ErrorCode::UnknownServerError);
}
