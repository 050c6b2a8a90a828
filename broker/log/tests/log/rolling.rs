//! When a segment ends and the next begins, and whose timestamps are kept.

use crate::support::*;
use barnabas_log::error::AppendError;
use barnabas_log::partition_log::{LeaderAppend, PartitionLog};
use barnabas_log::producer_state::AppendOrigin;
use barnabas_log::settings::LogSettings;
use barnabas_wire::id::{LeaderEpoch, Offset};
use barnabas_wire::record::{Batch, BatchMut, TimestampType, Validated};

fn log_with(settings: LogSettings) -> (Place, PartitionLog) {
    let place = Place::new(settings);
    let (log, _) = place.open(0);
    (place, log)
}

#[test]
fn a_segment_is_rolled_when_its_records_span_too_much_time() {
    let settings = LogSettings {
        segment_ms: 1000,
        segment_jitter_ms: 200,
        ..small()
    };
    let (_place, log) = log_with(settings);
    for (at_ms, expected) in [(0, 1), (800, 1), (300, 1), (801, 2), (1600, 2), (5000, 3)] {
        fill(&log, &batch(&[(NOW_MS + at_ms, b"value")]));
        assert_eq!(log.segment_count(), expected, "at {at_ms}");
    }
}

#[test]
fn a_segment_is_rolled_when_an_index_is_full() {
    let settings = LogSettings {
        index_size_max_bytes: 80,
        ..small()
    };
    let (place, log) = log_with(settings);
    for index in 0..100 {
        fill(&log, &batch(&[(NOW_MS + index, b"value")]));
    }
    assert!(log.segment_count() > 10);
    for name in place.names().iter().filter(|name| name.ends_with("index")) {
        assert!(place.length(name) <= 80, "{name}");
    }
    assert_eq!(records_from(&log, 0).len(), 100);
}

/// An index holds offsets of 31 bits from the base on (KAFKA-6264).
#[test]
fn a_segment_is_rolled_when_an_offset_is_too_far_from_its_base() {
    let (place, log) = log_with(small());
    fill(&log, &batch(&[(NOW_MS, b"near")]));
    let far = i64::from(i32::MAX) + 1;
    let mut bytes = batch(&[(NOW_MS, b"far")]).to_vec();
    BatchMut::parse(&mut bytes)
        .unwrap()
        .assign_base_offset(Offset(far));
    drop(log.append_replicated(&bytes, NOW_MS).unwrap());
    assert_eq!(log.segment_count(), 2);
    assert!(place.names().contains(&format!("{far:020}.log")));
    let records = [(0, b"near".to_vec()), (far, b"far".to_vec())];
    assert_eq!(records_from(&log, 0), records);
    assert_eq!(records_from(&log, 1), records[1..], "across the gap");
    drop(log);
    let (log, _) = place.open(0);
    assert_eq!(records_from(&log, 0), records);
}

#[test]
fn a_batch_that_is_too_large_is_refused() {
    let settings = LogSettings {
        batch_size_max_bytes: 1000,
        ..small()
    };
    let (_place, log) = log_with(settings);
    let error = append(&log, &batch_of_size(NOW_MS, 1, 1000)).unwrap_err();
    assert!(
        matches!(
            error,
            AppendError::BatchTooLarge {
                limit_bytes: 1000,
                ..
            }
        ),
        "{error}"
    );
    let settings = LogSettings {
        segment_size_bytes: 1000,
        ..small()
    };
    let (_place, log) = log_with(settings);
    let error = append(&log, &batch_of_size(NOW_MS, 1, 1000)).unwrap_err();
    assert!(
        matches!(error, AppendError::LargerThanSegment { .. }),
        "{error}"
    );
    assert_eq!(log.offsets().log_end, Offset(0));
}

#[test]
fn the_time_of_appending_replaces_the_producers_where_the_topic_wants_it() {
    let settings = LogSettings {
        timestamp_type: TimestampType::LogAppendTime,
        ..small()
    };
    let (_place, log) = log_with(settings);
    let bytes = batch(&[(5, b"a"), (7, b"b")]);
    let batch = Validated {
        timestamp_type: TimestampType::LogAppendTime,
        max_timestamp_ms: NOW_MS,
        ..validated(&bytes)
    };
    let append = LeaderAppend {
        batch: &batch,
        leader_epoch: LeaderEpoch(3),
        origin: AppendOrigin::Client,
        now_ms: NOW_MS,
    };
    let appended = log.append(&append).unwrap();
    assert_eq!(appended.log_append_time_ms, NOW_MS);
    let stored = bytes_of(&read(&log, 0, 1 << 20));
    let stored = Batch::parse(&stored).unwrap();
    stored.verify_checksum().unwrap();
    assert_eq!(stored.timestamp_type(), TimestampType::LogAppendTime);
    assert_eq!(stored.max_timestamp_ms(), NOW_MS);
    assert_eq!(stored.partition_leader_epoch(), LeaderEpoch(3));
    let times: Vec<_> = stored
        .records()
        .map(|record| record.unwrap().timestamp_ms)
        .collect();
    assert_eq!(times, [NOW_MS, NOW_MS]);
    // Control: the producer's time is kept where it is to be.
    let appended = crate::support::append(&log, &bytes).unwrap();
    assert_eq!(appended.log_append_time_ms, -1);
}

/// With `flush.messages=1` an append asks for a flush, and what is flushed is below the recovery
/// point; with more it asks when so many are unflushed.
#[test]
fn a_flush_is_asked_for_when_enough_is_unflushed() {
    for (flush_messages, expected) in [(1, [true, true, true]), (3, [false, true, true])] {
        let (_place, log) = log_with(LogSettings {
            flush_messages,
            ..small()
        });
        let due = expected.map(|_| {
            append(&log, &batch(&[(NOW_MS, b"a"), (NOW_MS, b"b")]))
                .unwrap()
                .is_flush_due
        });
        assert_eq!(due, expected);
        assert_eq!(log.offsets().recovery_point, Offset(0));
        assert_eq!(log.flush(NOW_MS).unwrap(), Offset(6));
        assert!(!log.is_flush_due(NOW_MS + 1_000_000));
    }
    let (_place, log) = log_with(LogSettings {
        flush_ms: 100,
        ..small()
    });
    fill(&log, &batch(&[(NOW_MS, b"a")]));
    assert!(!log.is_flush_due(NOW_MS + 99));
    assert!(log.is_flush_due(NOW_MS + 100));
}
