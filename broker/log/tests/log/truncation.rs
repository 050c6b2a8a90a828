//! Truncation, copies of a leader's batches, epochs and producers.

use crate::support::*;
use barnabas_log::error::AppendError;
use barnabas_log::leader_epoch_cache::EpochEntry;
use barnabas_log::partition_log::PartitionLog;
use barnabas_wire::id::{LeaderEpoch, Offset};
use barnabas_wire::record::Compression;

fn entry(leader_epoch: i32, start_offset: i64) -> EpochEntry {
    EpochEntry {
        leader_epoch: LeaderEpoch(leader_epoch),
        start_offset: Offset(start_offset),
    }
}

/// A log of 60 batches of three records, of which 20 are of epoch 0, 20 of 1 and 20 of 5.
fn filled(place: &Place) -> PartitionLog {
    let (log, _) = place.open(0);
    for (leader_epoch, start) in [(0, 0), (1, 20), (5, 40)] {
        for index in start..start + 20 {
            let bytes = batch_of_size(NOW_MS + index, 3, 1000);
            drop(append_in_epoch(&log, leader_epoch, &bytes).unwrap());
        }
    }
    log
}

#[test]
fn what_is_truncated_is_gone_and_the_log_goes_on_from_there() {
    for offset in [0, 3, 57, 60, 63, 120, 179, 180, 500] {
        let place = Place::new(small());
        let log = filled(&place);
        let before = records_from(&log, 0);
        log.set_high_watermark(Offset(180));
        log.flush(NOW_MS).unwrap();
        assert_eq!(log.truncate_to(Offset(offset)).unwrap(), offset < 180);
        // A cut through a batch takes the whole batch.
        let end = if offset == 179 { 177 } else { offset.min(180) };
        let offsets = log.offsets();
        assert_eq!(offsets.log_end, Offset(end));
        assert_eq!(offsets.high_watermark, Offset(end));
        assert_eq!(offsets.recovery_point, Offset(end));
        fill(&log, &batch(&[(NOW_MS, b"after")]));
        let mut expected = before[..usize::try_from(end).unwrap()].to_vec();
        expected.push((end, b"after".to_vec()));
        assert_eq!(records_from(&log, 0), expected, "cut at {offset}");
        drop(log);
        let (log, _) = place.open(end);
        assert_eq!(
            records_from(&log, 0),
            expected,
            "opened after a cut at {offset}"
        );
    }
}

#[test]
fn epochs_follow_the_records() {
    let place = Place::new(small());
    let log = filled(&place);
    assert_eq!(
        log.leader_epochs(),
        [entry(0, 0), entry(1, 60), entry(5, 120)]
    );
    let end = log.end_offset_for_epoch(LeaderEpoch(3)).unwrap();
    assert_eq!(
        (end.leader_epoch, end.end_offset),
        (LeaderEpoch(1), Offset(120))
    );
    log.truncate_to(Offset(100)).unwrap();
    assert_eq!(log.leader_epochs(), [entry(0, 0), entry(1, 60)]);
    drop(log);
    let (log, _) = place.open(0);
    assert_eq!(log.leader_epochs(), [entry(0, 0), entry(1, 60)]);
    log.begin_leader_epoch(LeaderEpoch(7));
    let end = log.offsets().log_end;
    assert_eq!(log.leader_epochs().last(), Some(&entry(7, end.0)));
    assert!(!log.truncate_to(end).unwrap());
    assert_eq!(
        log.leader_epochs().last(),
        Some(&entry(1, 60)),
        "an epoch without a record goes too"
    );
}

#[test]
fn epochs_are_found_again_in_the_records_when_their_file_is_lost() {
    let place = Place::new(small());
    drop(filled(&place));
    drop(std::fs::remove_file(place.path("leader-epoch-checkpoint")));
    let (log, _) = place.open(0);
    assert_eq!(
        log.leader_epochs(),
        [entry(0, 0), entry(1, 60), entry(5, 120)]
    );
}

#[test]
fn a_log_can_begin_anew_anywhere() {
    let place = Place::new(small());
    let log = filled(&place);
    log.truncate_fully_and_start_at(Offset(1_000_000), NOW_MS)
        .unwrap();
    assert_eq!(log.offsets().log_start, Offset(1_000_000));
    assert_eq!(log.leader_epochs(), []);
    fill(&log, &batch(&[(NOW_MS, b"first")]));
    assert_eq!(
        records_from(&log, 1_000_000),
        [(1_000_000, b"first".to_vec())]
    );
    drop(log);
    let (log, _) = place.open(0);
    assert_eq!(log.offsets().log_start, Offset(1_000_000));
    assert_eq!(
        records_from(&log, 1_000_000),
        [(1_000_000, b"first".to_vec())]
    );
}

#[test]
fn a_follower_keeps_the_leaders_bytes() {
    let leaders = Place::new(small());
    let leader = filled(&leaders);
    let followers = Place::new(small());
    let (follower, _) = followers.open(0);
    loop {
        let from = follower.offsets().log_end;
        let bytes = bytes_of(&read(&leader, from.0, 10_000));
        if bytes.is_empty() {
            break;
        }
        let appended = follower.append_replicated(&bytes, NOW_MS).unwrap().unwrap();
        assert_eq!(appended.first_offset, from);
    }
    assert_eq!(records_from(&follower, 0), records_from(&leader, 0));
    assert_eq!(follower.leader_epochs(), leader.leader_epochs());
    for name in leaders.names().iter().filter(|name| name.ends_with(".log")) {
        leader.flush(NOW_MS).unwrap();
        let size_bytes = usize::try_from(leaders.length(name).min(followers.length(name))).unwrap();
        let of = |place: &Place| std::fs::read(place.path(name)).unwrap()[..size_bytes].to_vec();
        assert_eq!(of(&leaders), of(&followers), "{name}");
    }
    let again = bytes_of(&read(&leader, 0, 5000));
    let error = follower.append_replicated(&again, NOW_MS).unwrap_err();
    assert!(
        matches!(error, AppendError::OffsetOutOfOrder { .. }),
        "{error}"
    );
}

/// S21: with idempotence nothing is doubled, across a restart either.
#[test]
fn a_batch_sent_twice_is_stored_once() {
    let send = |log: &PartitionLog, sequence| {
        let records: [(i64, &[u8]); 2] = [(NOW_MS, b"a"), (NOW_MS, b"b")];
        let bytes = batch_of(Compression::None, Some((77, 0, sequence)), &records);
        append(log, &bytes)
    };
    let place = Place::new(small());
    let (log, _) = place.open(0);
    for sequence in [0, 2, 4] {
        drop(send(&log, sequence).unwrap());
    }
    let duplicate = send(&log, 2).unwrap();
    assert!(duplicate.is_duplicate);
    assert_eq!(
        (duplicate.first_offset, duplicate.last_offset),
        (Offset(2), Offset(3))
    );
    assert!(matches!(send(&log, 9), Err(AppendError::Producer(_))));
    assert_eq!(log.offsets().log_end, Offset(6));
    drop(log);
    let (log, _) = place.open(0);
    assert!(send(&log, 4).unwrap().is_duplicate);
    log.checkpoint(NOW_MS).unwrap();
    drop(log);
    let (log, _) = place.open(6);
    assert!(send(&log, 4).unwrap().is_duplicate, "from the snapshot");
    log.truncate_to(Offset(4)).unwrap();
    assert!(
        !send(&log, 4).unwrap().is_duplicate,
        "it is not there any more"
    );
    log.close(NOW_MS).unwrap();
    drop(log);
    let (log, _) = place.open_clean();
    assert!(send(&log, 4).unwrap().is_duplicate);
}
