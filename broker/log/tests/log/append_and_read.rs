//! Appending, reading, rolling and opening again, on real files.

use crate::support::*;
use barnabas_log::error::ReadError;
use barnabas_log::partition_log::{Read, ReadBound};
use barnabas_wire::id::Offset;

/// S1: a record has a unique, increasing offset in its partition. S16: and keeps key, value, time.
#[test]
fn records_come_back_in_the_order_of_their_offsets() {
    let place = Place::new(small());
    let (log, _) = place.open(0);
    let appended = append(&log, &batch(&[(1, b"a"), (2, b"b")])).unwrap();
    assert_eq!(
        (appended.first_offset, appended.last_offset),
        (Offset(0), Offset(1))
    );
    let appended = append(&log, &batch(&[(3, b"c")])).unwrap();
    assert_eq!(
        (appended.first_offset, appended.last_offset),
        (Offset(2), Offset(2))
    );
    let expected = [(0, b"a".to_vec()), (1, b"b".to_vec()), (2, b"c".to_vec())];
    assert_eq!(records_from(&log, 0), expected);
    assert_eq!(records_from(&log, 1), expected[1..]);
    assert_eq!(records_from(&log, 3), []);
}

#[test]
fn a_reader_sees_no_further_than_its_bound() {
    let place = Place::new(small());
    let (log, _) = place.open(0);
    for timestamp_ms in 0..3 {
        fill(&log, &batch(&[(timestamp_ms, b"value")]));
    }
    log.set_high_watermark(Offset(2));
    let read = |from, bound| {
        let read = Read {
            from: Offset(from),
            bound,
            size_max_bytes: 1 << 20,
            at_least_one_batch: true,
        };
        log.read(&read)
    };
    let size_bytes = batch(&[(0, b"value")]).len() as u64;
    let committed = read(0, ReadBound::HighWatermark).unwrap();
    assert_eq!(committed.records.unwrap().length, 2 * size_bytes);
    assert!(read(2, ReadBound::HighWatermark).unwrap().records.is_none());
    assert_eq!(
        read(0, ReadBound::LogEnd).unwrap().records.unwrap().length,
        3 * size_bytes
    );
    assert!(read(3, ReadBound::LogEnd).unwrap().records.is_none());
    for offset in [-1, 4] {
        let error = read(offset, ReadBound::LogEnd).unwrap_err();
        assert!(matches!(
            error,
            ReadError::OffsetOutOfRange {
                log_end_offset: Offset(3),
                ..
            }
        ));
    }
}

#[test]
fn the_first_batch_comes_whole_even_beyond_the_limit() {
    let place = Place::new(small());
    let (log, _) = place.open(0);
    let bytes = batch_of_size(0, 1, 1000);
    fill(&log, &bytes);
    fill(&log, &bytes);
    assert_eq!(
        read(&log, 0, 10).records.unwrap().length,
        bytes.len() as u64
    );
    assert_eq!(read(&log, 0, 1500).records.unwrap().length, 1500);
}

/// S16, S20: a log goes on through many segments, and every record of it is found again.
#[test]
fn a_log_of_many_segments_reads_the_same_before_and_after_it_is_opened_again() {
    let place = Place::new(small());
    let (log, _) = place.open(0);
    for index in 0..200 {
        fill(&log, &batch_of_size(index, 3, 500));
    }
    assert!(log.segment_count() > 4, "{}", log.segment_count());
    let expected = records_from(&log, 0);
    assert_eq!(expected.len(), 600);
    let size_bytes = log.size_bytes();
    drop(log);
    for recovery_point in [0, 1, 300, 599, 600] {
        let (log, report) = place.open(recovery_point);
        assert_eq!(log.offsets().log_end, Offset(600), "{report:?}");
        assert_eq!(records_from(&log, 0), expected);
        assert_eq!(log.size_bytes(), size_bytes);
    }
}
