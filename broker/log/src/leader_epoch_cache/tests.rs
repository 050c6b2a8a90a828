//! The cache against single cases and against a list of every record's epoch.

use proptest::prelude::*;

use super::*;

fn cache(entries: &[(i32, i64)]) -> LeaderEpochCache {
    LeaderEpochCache::from_entries(entries.iter().map(|&(epoch, start)| EpochEntry {
        leader_epoch: LeaderEpoch(epoch),
        start_offset: Offset(start),
    }))
}

fn check(cache: &LeaderEpochCache, expected: &[(i32, i64)]) {
    let found: Vec<_> = cache
        .entries()
        .iter()
        .map(|entry| (entry.leader_epoch.0, entry.start_offset.0))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn an_epoch_is_entered_even_if_its_leader_writes_nothing() {
    let mut cache = cache(&[(0, 0)]);
    assert!(cache.assign(LeaderEpoch(1), Offset(10)));
    assert!(cache.assign(LeaderEpoch(2), Offset(10)));
    check(&cache, &[(0, 0), (2, 10)]);
}

#[test]
fn the_newest_epoch_keeps_its_start() {
    let mut cache = cache(&[(0, 0), (3, 10)]);
    assert!(!cache.assign(LeaderEpoch(3), Offset(11)));
    check(&cache, &[(0, 0), (3, 10)]);
    assert!(cache.assign(LeaderEpoch(3), Offset(9)));
    check(&cache, &[(0, 0), (3, 9)]);
}

#[test]
fn an_entry_drops_those_that_contradict_it() {
    let mut cache = cache(&[(0, 0), (3, 10), (4, 20)]);
    assert!(cache.assign(LeaderEpoch(2), Offset(15)));
    check(&cache, &[(0, 0), (2, 15)]);
    assert!(!cache.assign(LeaderEpoch(-1), Offset(30)));
    assert!(!cache.assign(LeaderEpoch(9), Offset(-1)));
    check(&cache, &[(0, 0), (2, 15)]);
}

#[test]
fn truncation_from_the_end_drops_epochs_that_start_there() {
    let mut cache = cache(&[(0, 0), (3, 10), (4, 20)]);
    assert!(!cache.truncate_from_end(Offset(21)));
    assert!(cache.truncate_from_end(Offset(20)));
    check(&cache, &[(0, 0), (3, 10)]);
    assert!(cache.truncate_from_end(Offset(0)));
    check(&cache, &[]);
}

#[test]
fn truncation_from_the_start_keeps_the_epoch_of_the_new_start() {
    let mut cache = cache(&[(0, 0), (3, 10), (4, 20)]);
    assert!(!cache.truncate_from_start(Offset(0)));
    assert!(cache.truncate_from_start(Offset(15)));
    check(&cache, &[(3, 15), (4, 20)]);
    assert!(cache.truncate_from_start(Offset(20)));
    check(&cache, &[(4, 20)]);
    assert!(!cache.truncate_from_start(Offset(19)));
    assert!(cache.truncate_from_start(Offset(30)));
    check(&cache, &[(4, 30)]);
}

#[test]
fn the_end_of_an_epoch_is_the_start_of_the_next() {
    let cache = cache(&[(2, 10), (4, 20), (7, 25)]);
    let ask = |epoch| {
        cache
            .end_offset_for(LeaderEpoch(epoch), Offset(40))
            .map(|end| (end.leader_epoch.0, end.end_offset.0))
    };
    assert_eq!(ask(-1), None, "no epoch");
    assert_eq!(ask(1), Some((1, 10)), "older than the log");
    assert_eq!(ask(2), Some((2, 20)));
    assert_eq!(ask(3), Some((2, 20)), "wrote nothing");
    assert_eq!(ask(6), Some((4, 25)));
    assert_eq!(ask(7), Some((7, 40)), "newest");
    assert_eq!(ask(8), None, "beyond the newest");
    assert_eq!(
        LeaderEpochCache::new().end_offset_for(LeaderEpoch(0), Offset(0)),
        None
    );
}

#[test]
fn what_is_unwritten_is_what_changed_since_the_last_write() {
    let mut cache = cache(&[(0, 0)]);
    assert_eq!(cache.unwritten(), None);
    cache.assign(LeaderEpoch(1), Offset(5));
    let first = cache.unwritten().expect("a change");
    cache.assign(LeaderEpoch(2), Offset(7));
    cache.mark_written(first.change_count);
    let second = cache
        .unwritten()
        .expect("the second change came after the copy");
    assert_eq!(second.entries.len(), 3);
    cache.mark_written(second.change_count);
    cache.mark_written(first.change_count);
    assert_eq!(cache.unwritten(), None);
}

#[test]
fn a_file_whose_lines_contradict_each_other_is_written_again() {
    let cache = cache(&[(5, 10), (3, 20)]);
    check(&cache, &[(3, 20)]);
    assert!(cache.unwritten().is_some());
}

/// The model: the epoch of each record from the log start on, and the epochs begun without one.
#[derive(Debug, Clone)]
enum Step {
    Append { epoch_step: i32, record_count: i64 },
    TruncateTo(i64),
    StartAt(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0..3_i32, 1..5_i64).prop_map(|(epoch_step, record_count)| Step::Append {
            epoch_step,
            record_count
        }),
        (0..60_i64).prop_map(Step::TruncateTo),
        (0..60_i64).prop_map(Step::StartAt),
    ];
    prop::collection::vec(step, 1..40)
}

proptest! {
    /// S1: each record's epoch, known for every offset, gives the same ends as the few entries.
    #[test]
    fn the_cache_answers_as_a_list_of_all_records_would(steps in steps()) {
        let mut cache = LeaderEpochCache::new();
        let mut log_start = 0_i64;
        let mut epochs: Vec<i32> = Vec::new();
        let mut epoch = 0;
        for step in steps {
            let log_end = log_start + i64::try_from(epochs.len()).unwrap();
            match step {
                Step::Append { epoch_step, record_count } => {
                    epoch += epoch_step;
                    cache.assign(LeaderEpoch(epoch), Offset(log_end));
                    epochs.extend((0..record_count).map(|_| epoch));
                }
                Step::TruncateTo(offset) if (log_start..log_end).contains(&offset) => {
                    epochs.truncate(usize::try_from(offset - log_start).unwrap());
                    cache.truncate_from_end(Offset(offset));
                }
                Step::StartAt(offset) if (log_start..log_end).contains(&offset) => {
                    epochs.drain(..usize::try_from(offset - log_start).unwrap());
                    log_start = offset;
                    cache.truncate_from_start(Offset(offset));
                }
                Step::TruncateTo(_) | Step::StartAt(_) => {}
            }
            let log_end = log_start + i64::try_from(epochs.len()).unwrap();
            for pair in cache.entries().windows(2) {
                prop_assert!(pair[0].leader_epoch < pair[1].leader_epoch);
                prop_assert!(pair[0].start_offset < pair[1].start_offset);
            }
            let Some(&last) = epochs.last() else { continue };
            for asked in epochs[0]..=last {
                let end = cache.end_offset_for(LeaderEpoch(asked), Offset(log_end)).unwrap();
                let expected_length = epochs.iter().take_while(|&&e| e <= asked).count();
                let expected_end = log_start + i64::try_from(expected_length).unwrap();
                let floor = epochs.iter().copied().filter(|&e| e <= asked).max().unwrap();
                prop_assert_eq!((end.leader_epoch.0, end.end_offset.0), (floor, expected_end));
            }
        }
    }
}
