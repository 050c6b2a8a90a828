//! Finding records by time.

use crate::support::*;
use barnabas_log::partition_log::PartitionLog;
use barnabas_log::settings::LogSettings;
use barnabas_wire::id::{LeaderEpoch, Offset};
use barnabas_wire::record::Compression;

/// Asks for the first record at or after a time; expects its time and offset.
fn check(log: &PartitionLog, timestamp_ms: i64, expected: Option<(i64, i64)>) {
    let found = log.offset_at_timestamp(timestamp_ms).unwrap();
    let found = found.map(|found| (found.timestamp_ms, found.offset.0));
    assert_eq!(found, expected, "at {timestamp_ms}");
}

#[test]
fn the_first_record_that_is_new_enough_is_found() {
    let place = Place::new(small());
    let (log, _) = place.open(0);
    check(&log, 0, None);
    let batches: [&[(i64, &[u8])]; 3] = [
        &[(100, b"a"), (300, b"b"), (200, b"c")],
        &[(150, b"d")],
        &[(400, b"e"), (500, b"f")],
    ];
    for records in batches {
        fill(&log, &batch(records));
    }
    check(&log, 0, Some((100, 0)));
    check(&log, 100, Some((100, 0)));
    check(&log, 101, Some((300, 1)));
    check(&log, 301, Some((400, 4)));
    check(&log, 500, Some((500, 5)));
    check(&log, 501, None);
    let newest = log.offset_of_max_timestamp().unwrap().unwrap();
    assert_eq!((newest.timestamp_ms, newest.offset), (500, Offset(5)));
    assert_eq!(newest.leader_epoch, LeaderEpoch(0));
    log.raise_log_start(Offset(2));
    check(&log, 101, Some((200, 2)));
}

#[test]
fn compressed_batches_are_looked_into() {
    let place = Place::new(small());
    let (log, _) = place.open(0);
    for compression in [Compression::Gzip, Compression::Lz4, Compression::Zstd] {
        let next = log.offsets().log_end.0;
        let records: [(i64, &[u8]); 2] = [(1000 + next, b"a"), (1001 + next, b"b")];
        fill(&log, &batch_of(compression, None, &records));
    }
    for offset in 0..6 {
        check(&log, 1000 + offset, Some((1000 + offset, offset)));
    }
}

#[test]
fn every_record_of_many_segments_is_found_by_its_time_before_and_after_opening_again() {
    let place = Place::new(LogSettings {
        index_interval_bytes: 4096,
        ..small()
    });
    let (mut log, _) = place.open(0);
    for index in 0..100 {
        fill(&log, &batch_of_size(NOW_MS + index * 30, 3, 1000));
    }
    for _ in 0..3 {
        for offset in (0..300).step_by(7) {
            let at_ms = NOW_MS + offset / 3 * 30 + offset % 3;
            check(&log, at_ms, Some((at_ms, offset)));
        }
        let newest = log.offset_of_max_timestamp().unwrap().unwrap();
        assert_eq!(newest.offset, Offset(299));
        drop(log);
        log = place.open(150).0;
    }
}

/// An index of zeros, as a broker that preallocates leaves it, must not age a segment by 50 years.
#[test]
fn a_time_index_of_zeros_is_not_believed() {
    let place = Place::new(small());
    let (log, _) = place.open(0);
    for index in 0..100 {
        fill(&log, &batch_of_size(NOW_MS + index, 3, 1000));
    }
    log.close(NOW_MS).unwrap();
    drop(log);
    std::fs::write(place.path("00000000000000000000.timeindex"), [0; 120]).unwrap();
    let (log, _) = place.open_clean();
    check(&log, NOW_MS + 3, Some((NOW_MS + 3, 5)));
}
