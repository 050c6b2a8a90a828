//! Opening again: after a kill, after a clean close, and where something is damaged.

use crate::support::*;
use barnabas_log::error::OpenError;
use barnabas_log::partition_log::PartitionLog;
use barnabas_wire::id::Offset;
use std::fs;
use std::os::unix::fs::FileExt;

const FIRST: &str = "00000000000000000000.log";

/// A log of 100 batches of three records in several segments, and what is in it.
fn filled(place: &Place) -> (PartitionLog, Vec<(i64, Vec<u8>)>) {
    let (log, _) = place.open(0);
    for index in 0..100 {
        fill(&log, &batch_of_size(NOW_MS + index * 10, 3, 1000));
    }
    let records = records_from(&log, 0);
    assert_eq!(records.len(), 300);
    (log, records)
}

fn last_segment(place: &Place) -> String {
    place
        .names()
        .into_iter()
        .rfind(|name| name.ends_with(".log"))
        .unwrap()
}

fn flip_byte(place: &Place, name: &str, position: u64) {
    let file = fs::File::options()
        .read(true)
        .write(true)
        .open(place.path(name))
        .unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, position).unwrap();
    file.write_all_at(&[byte[0] ^ 0xff], position).unwrap();
}

/// S21: after a kill everything that was acknowledged is there; the room ahead of the writer is cut.
#[test]
fn a_killed_log_loses_its_zero_tail_and_nothing_else() {
    let place = Place::new(small());
    let (log, records) = filled(&place);
    let end = log.size_bytes();
    drop(log);
    let tail_before = place.length(&last_segment(&place));
    let (log, report) = place.open(0);
    assert_eq!(records_from(&log, 0), records);
    assert!(report.zero_bytes > 0, "{report:?}");
    assert_eq!(report.torn_bytes, 0);
    assert_eq!(
        place.length(&last_segment(&place)),
        tail_before - report.zero_bytes
    );
    assert_eq!(log.size_bytes(), end);
    fill(&log, &batch(&[(0, b"next")]));
    assert_eq!(records_from(&log, 300), [(300, b"next".to_vec())]);
}

#[test]
fn a_torn_batch_at_the_end_is_cut() {
    let place = Place::new(small());
    let (log, records) = filled(&place);
    log.close(NOW_MS).unwrap();
    let name = last_segment(&place);
    let torn = batch_of_size(0, 3, 1000);
    let file = fs::File::options()
        .write(true)
        .open(place.path(&name))
        .unwrap();
    let sound = place.length(&name);
    file.write_all_at(&torn[..torn.len() / 2], sound).unwrap();
    let (log, report) = place.open(0);
    assert_eq!(report.torn_bytes, torn.len() as u64 / 2);
    assert_eq!(place.length(&name), sound);
    assert_eq!(records_from(&log, 0), records);
}

#[test]
fn a_damaged_batch_above_the_recovery_point_ends_the_log() {
    let place = Place::new(small());
    let (log, records) = filled(&place);
    drop(log);
    let size_bytes = batch_of_size(0, 3, 1000).len() as u64;
    flip_byte(&place, FIRST, 5 * size_bytes + 200);
    let (log, report) = place.open(0);
    assert!(report.dropped_segment_count > 0);
    assert_eq!(log.segment_count(), 1);
    assert_eq!(records_from(&log, 0), records[..15]);
    assert_eq!(place.length(FIRST), 5 * size_bytes);
}

#[test]
fn damage_below_the_recovery_point_is_reported_and_not_cut() {
    let place = Place::new(small());
    let (log, _) = filled(&place);
    drop(log);
    for name in place.names().iter().filter(|name| name.ends_with("index")) {
        fs::remove_file(place.path(name)).unwrap();
    }
    let size_bytes = batch_of_size(0, 3, 1000).len() as u64;
    // The magic of the sixth batch; with the flushed part of the segment walked from its start.
    flip_byte(&place, FIRST, 5 * size_bytes + 16);
    let before = place.length(FIRST);
    let error = place.try_open(18).unwrap_err();
    assert!(
        matches!(
            error,
            OpenError::DamagedBelowRecoveryPoint {
                offset: Offset(15),
                recovery_point: Offset(18),
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(place.length(FIRST), before);
    // Control: the same damage is cut where nothing was flushed.
    let (log, _) = place.open(15);
    assert_eq!(log.offsets().log_end, Offset(15));
}

#[test]
fn a_log_that_ends_below_its_recovery_point_is_not_opened_in_silence() {
    let place = Place::new(small());
    let (log, records) = filled(&place);
    log.close(NOW_MS).unwrap();
    let name = last_segment(&place);
    fs::File::options()
        .write(true)
        .open(place.path(&name))
        .unwrap()
        .set_len(0)
        .unwrap();
    assert!(matches!(
        place.try_open(300),
        Err(OpenError::DamagedBelowRecoveryPoint { .. })
    ));
    let mut open = place.open.clone();
    open.recovery_point = Offset(300);
    open.cut_below_recovery_point = true;
    let (log, _) = PartitionLog::open(open).unwrap();
    let kept = usize::try_from(log.offsets().log_end.0).unwrap();
    assert_eq!(records_from(&log, 0), records[..kept]);
}

/// What a start reads depends on what was not flushed, not on the size of the log.
#[test]
fn a_start_reads_no_more_when_the_flushed_log_is_larger() {
    let scanned = |flushed_batches| {
        let place = Place::new(small());
        let (log, _) = place.open(0);
        for index in 0..flushed_batches {
            fill(&log, &batch_of_size(NOW_MS + index, 3, 1000));
        }
        let recovery_point = log.checkpoint(NOW_MS).unwrap();
        for index in 0..5 {
            fill(&log, &batch_of_size(NOW_MS + 1000 + index, 3, 1000));
        }
        drop(log);
        let (log, report) = place.open(recovery_point.0);
        assert_eq!(log.offsets().log_end.0, 3 * (flushed_batches + 5));
        let (_, whole) = place.open(0);
        (report.scanned_bytes, whole.scanned_bytes)
    };
    let (few, _) = scanned(20);
    let (many, whole) = scanned(1000);
    // The room ahead of the writer is read too, in part; it is bounded.
    assert!(
        many <= few + 300_000,
        "{many} after 1000 batches, {few} after 20"
    );
    assert!(whole > 3_000_000, "the control, which scans all: {whole}");
}

/// C6: Kafka drops the segments behind a tail of zeros, and trusts the length of index files.
#[test]
fn sealed_files_are_exact_before_the_next_segment_is_written() {
    let place = Place::new(small());
    let (log, _) = place.open(0);
    let bytes = batch_of_size(NOW_MS, 3, 1000);
    let size_bytes = bytes.len() as u64;
    let per_segment = (64 << 10) / size_bytes;
    for _ in 0..=per_segment {
        fill(&log, &bytes);
    }
    assert_eq!(log.segment_count(), 2);
    assert_eq!(place.length(FIRST), per_segment * size_bytes);
    assert_eq!(
        place.length("00000000000000000000.index"),
        8 * (per_segment - 1)
    );
    assert_eq!(place.length("00000000000000000000.timeindex"), 12);
    assert_eq!(
        log.offsets().recovery_point,
        Offset(3 * i64::try_from(per_segment).unwrap())
    );
}

#[test]
fn a_clean_close_leaves_exact_files_and_a_snapshot_at_the_end() {
    let place = Place::new(small());
    let (log, records) = filled(&place);
    let size_bytes = log.size_bytes();
    log.close(NOW_MS).unwrap();
    assert_eq!(log.offsets().recovery_point, Offset(300));
    assert!(append(&log, &batch(&[(0, b"late")])).is_err());
    let names = place.names();
    let logs = names.iter().filter(|name| name.ends_with(".log"));
    assert_eq!(logs.map(|name| place.length(name)).sum::<u64>(), size_bytes);
    assert!(
        names.contains(&"00000000000000000300.snapshot".to_owned()),
        "{names:?}"
    );
    let known = [
        ".log",
        ".index",
        ".timeindex",
        ".snapshot",
        "leader-epoch-checkpoint",
    ];
    assert!(
        names
            .iter()
            .all(|name| known.iter().any(|end| name.ends_with(end))),
        "{names:?}"
    );
    drop(log);
    let (log, report) = place.open_clean();
    assert_eq!(report.verified_batch_count, 0);
    assert!(report.scanned_bytes < 10_000, "{report:?}");
    assert_eq!(log.offsets().recovery_point, Offset(300));
    assert_eq!(records_from(&log, 0), records);
}

#[test]
fn a_clean_marker_over_a_tail_of_zeros_is_not_believed() {
    let place = Place::new(small());
    let (log, records) = filled(&place);
    drop(log);
    let (log, report) = place.open_clean();
    assert!(report.zero_bytes > 0);
    assert_eq!(records_from(&log, 0), records);
}

#[test]
fn indexes_that_are_lost_or_damaged_hide_no_record() {
    let damages: [fn(&Place, &str); 5] = [
        |place, name| fs::remove_file(place.path(name)).unwrap(),
        |place, name| fs::write(place.path(name), []).unwrap(),
        |place, name| {
            let file = fs::File::options()
                .write(true)
                .open(place.path(name))
                .unwrap();
            file.set_len(10 << 20).unwrap();
        },
        |place, name| {
            let length = usize::try_from(place.length(name)).unwrap();
            fs::write(place.path(name), vec![0x3c; length]).unwrap();
        },
        // Of another life of the segment: offsets that are too low for their positions.
        |place, name| {
            let mut bytes = fs::read(place.path(name)).unwrap();
            if name.ends_with(".index") {
                let count = bytes.len() / 8;
                for (entry, relative_offset) in bytes.chunks_exact_mut(8).zip(1_u32..) {
                    entry[..4].copy_from_slice(&relative_offset.to_be_bytes());
                }
                assert!(count < 60);
            }
            fs::write(place.path(name), bytes).unwrap();
        },
    ];
    for (index, damage) in damages.iter().enumerate() {
        let place = Place::new(small());
        let (log, records) = filled(&place);
        log.close(NOW_MS).unwrap();
        for name in place.names().iter().filter(|name| name.ends_with("index")) {
            damage(&place, name);
        }
        for recovery_point in [300, 150, 0] {
            let (log, _) = place.open(recovery_point);
            assert_eq!(
                records_from(&log, 0),
                records,
                "damage {index}, {recovery_point}"
            );
            assert_eq!(records_from(&log, 77), records[77..], "damage {index}");
        }
        let (log, _) = place.open_clean();
        assert_eq!(records_from(&log, 0), records, "damage {index}, clean");
    }
}

/// A compaction or a split that Kafka had begun when it died: what is finished is put in place, what
/// is not is forgotten, and no record is lost on the way.
#[test]
fn replacements_that_were_begun_are_finished_or_forgotten() {
    let place = Place::new(small());
    let (log, records) = filled(&place);
    log.close(NOW_MS).unwrap();
    drop(log);
    // The first segment is replaced by a copy of itself; the old one was already out of the way.
    let first = place.path(FIRST);
    let swap = place.path("00000000000000000000.log.swap");
    fs::copy(&first, &swap).unwrap();
    fs::rename(&first, place.path("00000000000000000000.log.deleted")).unwrap();
    fs::write(place.path("00000000000000000000.index.swap"), b"of no use").unwrap();
    let (log, report) = place.open_clean();
    assert_eq!(report.rebuilt_index_count, 1);
    assert_eq!(records_from(&log, 0), records);
    assert_eq!(records_from(&log, 30), records[30..]);
    log.close(NOW_MS).unwrap();
    drop(log);
    // A copy of the first two segments replaces both.
    let names = place.names();
    let second = names
        .iter()
        .filter(|name| name.ends_with(".log"))
        .nth(1)
        .unwrap();
    let both = [
        fs::read(&first).unwrap(),
        fs::read(place.path(second)).unwrap(),
    ]
    .concat();
    fs::write(&swap, both).unwrap();
    let segments = place.open_clean().0.segment_count();
    let (log, _) = place.open_clean();
    assert_eq!(log.segment_count(), segments);
    assert_eq!(records_from(&log, 0), records);
    assert!(!place.names().contains(second));
    log.close(NOW_MS).unwrap();
    drop(log);
    // Half of a split: its other part is not finished.
    fs::write(place.path("00000000000000000007.log.swap"), b"a part").unwrap();
    fs::write(place.path("00000000000000000005.log.cleaned"), b"another").unwrap();
    let (log, _) = place.open_clean();
    assert_eq!(records_from(&log, 0), records);
    let is_leftover = |name: &String| {
        [".swap", ".cleaned", ".deleted"]
            .iter()
            .any(|suffix| name.ends_with(suffix))
    };
    assert!(
        !place.names().iter().any(is_leftover),
        "{:?}",
        place.names()
    );
}

#[test]
fn a_directory_without_its_segments_is_not_opened_in_silence() {
    let place = Place::new(small());
    let error = place.try_open(10).unwrap_err();
    assert!(
        matches!(error, OpenError::DamagedBelowRecoveryPoint { .. }),
        "{error}"
    );
    assert_eq!(place.open(0).0.offsets().log_end, Offset(0));
}

#[test]
fn the_log_start_is_kept_by_its_checkpoint() {
    let place = Place::new(small());
    let (log, records) = filled(&place);
    assert!(log.raise_log_start(Offset(150)));
    assert!(!log.raise_log_start(Offset(100)));
    assert!(log.remove_old_segments().unwrap() > 0);
    log.close(NOW_MS).unwrap();
    let mut open = place.open.clone();
    open.log_start_offset = Offset(150);
    let (log, _) = PartitionLog::open(open.clone()).unwrap();
    assert_eq!(log.offsets().log_start, Offset(150));
    assert_eq!(records_from(&log, 150), records[150..]);
    drop(log);
    // All that is left was deleted, and what came after is lost: the log begins anew.
    open.log_start_offset = Offset(1000);
    let (log, _) = PartitionLog::open(open).unwrap();
    assert_eq!(log.offsets().log_start, Offset(1000));
    assert_eq!(log.offsets().log_end, Offset(1000));
}
