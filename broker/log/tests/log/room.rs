//! The room ahead of the writer: how much there is, and what becomes of it.

use crate::support::*;
use barnabas_log::health::DirectoryHealth;
use barnabas_log::partition_log::PartitionLog;
use barnabas_log::settings::LogSettings;
use barnabas_wire::id::Offset;
use std::sync::Arc;

const FIRST: &str = "00000000000000000000.log";

fn large() -> LogSettings {
    LogSettings::default()
}

#[test]
fn an_unused_log_is_an_empty_file_and_nothing_else() {
    let place = Place::new(large());
    let (log, _) = place.open(0);
    assert_eq!(place.names(), [FIRST]);
    assert_eq!(place.length(FIRST), 0);
    log.checkpoint(NOW_MS).unwrap();
    log.close(NOW_MS).unwrap();
    assert_eq!(place.names(), [FIRST]);
    drop(log);
    drop(place.open(0));
    drop(place.open_clean());
    assert_eq!(place.names(), [FIRST]);
}

#[test]
fn a_file_grows_with_what_is_in_it() {
    let place = Place::new(large());
    let (log, _) = place.open(0);
    for _ in 0..400 {
        fill(&log, &batch_of_size(NOW_MS, 10, 1000));
        let (used, there) = (log.size_bytes(), place.length(FIRST));
        assert!(
            used <= there && there <= 3 * used + (128 << 10),
            "{there} for {used}"
        );
    }
}

#[test]
fn a_directory_without_headroom_gives_each_append_what_it_needs() {
    let place = Place::new(large());
    let mut open = place.open.clone();
    open.health = Arc::new(DirectoryHealth::with_headroom(
        place.root.path().to_owned(),
        100_000,
    ));
    let (log, _) = PartitionLog::open(open).unwrap();
    for _ in 0..200 {
        fill(&log, &batch_of_size(NOW_MS, 10, 1000));
        let ahead = place.length(FIRST) - log.size_bytes();
        assert!(ahead <= 100_000, "{ahead} bytes ahead");
    }
    assert_eq!(records_from(&log, 0).len(), 2000);
}

#[test]
fn a_log_at_rest_gives_its_room_back() {
    let place = Place::new(large());
    let (log, _) = place.open(0);
    fill(&log, &batch(&[(NOW_MS, b"a")]));
    log.checkpoint(NOW_MS).unwrap();
    assert!(
        place.length(FIRST) > log.size_bytes(),
        "it may be written again soon"
    );
    log.checkpoint(NOW_MS).unwrap();
    assert_eq!(place.length(FIRST), log.size_bytes());
    fill(&log, &batch(&[(NOW_MS, b"b")]));
    assert_eq!(
        records_from(&log, 0),
        [(0, b"a".to_vec()), (1, b"b".to_vec())]
    );
}

#[test]
fn settings_can_change_while_a_segment_is_written() {
    let place = Place::new(small());
    let (log, _) = place.open(0);
    fill(&log, &batch(&[(NOW_MS, b"first")]));
    log.set_settings(LogSettings {
        segment_size_bytes: 1 << 20,
        ..small()
    });
    for _ in 0..100 {
        fill(&log, &batch_of_size(NOW_MS, 3, 1000));
    }
    assert_eq!(log.segment_count(), 2);
    log.set_settings(LogSettings {
        segment_size_bytes: 10_000,
        flush_messages: 1,
        ..small()
    });
    for _ in 0..6 {
        fill(&log, &batch_of_size(NOW_MS, 3, 1000));
    }
    assert_eq!(log.segment_count(), 4);
    assert_eq!(records_from(&log, 0).len(), 319);
    assert!(log.health().failure().is_none());
}

/// A leader's segments may be larger than ours, and so may its batches.
#[test]
fn a_copied_batch_may_be_larger_than_a_segment() {
    let leaders = Place::new(large());
    let (leader, _) = leaders.open(0);
    for size in [10, 50_000, 10, 60_000] {
        fill(&leader, &batch_of_size(NOW_MS, 3, size));
    }
    let place = Place::new(small());
    let (log, _) = place.open(0);
    let bytes = bytes_of(&read(&leader, 0, 1 << 20));
    drop(log.append_replicated(&bytes, NOW_MS).unwrap().unwrap());
    assert_eq!(log.offsets().log_end, Offset(12));
    assert_eq!(records_from(&log, 0), records_from(&leader, 0));
    fill(&log, &batch(&[(NOW_MS, b"next")]));
    drop(log);
    let (log, _) = place.open(0);
    assert_eq!(log.offsets().log_end, Offset(13));
}

/// Pages that the writer has left behind belong to the page cache, not to the process.
#[test]
fn a_long_segment_does_not_stay_in_the_process() {
    let resident = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("RssFile:"))
            .unwrap();
        line.split_whitespace()
            .nth(1)
            .unwrap()
            .parse::<u64>()
            .unwrap()
            << 10
    };
    let place = Place::new(large());
    let (log, _) = place.open(0);
    let bytes = batch_of_size(NOW_MS, 1, 1_000_000);
    let before = resident();
    let mut most = 0;
    for _ in 0..200 {
        fill(&log, &bytes);
        most = most.max(resident().saturating_sub(before));
    }
    assert!(
        most < 100 << 20,
        "{most} bytes of a segment of 200 MB are resident"
    );
}
