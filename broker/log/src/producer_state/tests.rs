//! The check against single cases and against a list of everything ever stored.

use proptest::prelude::*;

use super::*;

const ID: ProducerId = ProducerId(7);

fn batch(epoch: i16, first_sequence: i32, count: i32, first_offset: i64) -> ProducerBatch {
    ProducerBatch {
        producer_id: ID,
        producer_epoch: ProducerEpoch(epoch),
        first_sequence,
        last_sequence: sequence_after(first_sequence, count - 1),
        first_offset: Offset(first_offset),
        last_offset: Offset(first_offset + i64::from(count) - 1),
        max_timestamp_ms: 1_000,
        is_transactional: false,
    }
}

fn sequence_after(sequence: i32, steps: i32) -> i32 {
    i32::try_from((i64::from(sequence) + i64::from(steps)) % (i64::from(i32::MAX) + 1)).unwrap()
}

fn with(batches: &[ProducerBatch]) -> ProducerStates {
    let mut states = ProducerStates::starting_at(Offset(0));
    for batch in batches {
        states.record(batch);
    }
    states
}

fn check(states: &ProducerStates, batch: &ProducerBatch, expected: Result<Option<i64>, &str>) {
    let found = states
        .check(batch, AppendOrigin::Client)
        .map(|verdict| match verdict {
            Verdict::Append => None,
            Verdict::Duplicate(stored) => Some(stored.first_offset().0),
        })
        .map_err(|error| error.to_string());
    assert_eq!(found, expected.map_err(str::to_owned));
}

#[test]
fn an_unknown_producer_may_begin_anywhere() {
    check(&with(&[]), &batch(0, 17, 3, 0), Ok(None));
}

/// S21: what is sent twice is stored once.
#[test]
fn one_of_the_last_five_batches_sent_again_is_answered_with_its_offsets() {
    let stored: Vec<_> = (0..6)
        .map(|i| batch(0, i * 2, 2, i64::from(i) * 2))
        .collect();
    let states = with(&stored);
    for i in 1..6 {
        check(&states, &batch(0, i * 2, 2, 12), Ok(Some(i64::from(i) * 2)));
    }
    check(
        &states,
        &batch(0, 0, 2, 12),
        Err("producer 7 epoch 0: sequence 0 does not follow 11"),
    );
    check(&states, &batch(0, 12, 2, 12), Ok(None));
}

#[test]
fn a_gap_or_another_length_is_refused() {
    let states = with(&[batch(0, 0, 3, 0)]);
    check(
        &states,
        &batch(0, 4, 1, 3),
        Err("producer 7 epoch 0: sequence 4 does not follow 2"),
    );
    check(
        &states,
        &batch(0, 0, 2, 3),
        Err("producer 7 epoch 0: sequence 0 does not follow 2"),
    );
}

#[test]
fn a_new_epoch_begins_at_zero_and_an_old_one_is_refused() {
    let states = with(&[batch(3, 0, 3, 0)]);
    check(&states, &batch(4, 0, 1, 3), Ok(None));
    check(
        &states,
        &batch(4, 3, 1, 3),
        Err("producer 7 epoch 4: sequence 3 does not follow -1"),
    );
    check(
        &states,
        &batch(2, 3, 1, 3),
        Err("producer 7 has epoch 3, the batch has 2"),
    );
    let states = with(&[batch(3, 0, 3, 0), batch(4, 0, 1, 3)]);
    check(
        &states,
        &batch(3, 0, 3, 0),
        Err("producer 7 has epoch 4, the batch has 3"),
    );
}

#[test]
fn a_sequence_wraps_to_zero() {
    let states = with(&[batch(0, i32::MAX - 1, 2, 0)]);
    check(&states, &batch(0, 0, 1, 2), Ok(None));
    let states = with(&[batch(0, i32::MAX, 3, 0)]);
    check(&states, &batch(0, i32::MAX, 3, 9), Ok(Some(0)));
    check(&states, &batch(0, 2, 1, 9), Ok(None));
}

#[test]
fn a_follower_takes_what_its_leader_took() {
    let states = with(&[batch(3, 0, 3, 0)]);
    assert_eq!(
        states.check(&batch(1, 9, 1, 3), AppendOrigin::Replication),
        Ok(Verdict::Append)
    );
}

#[test]
fn a_coordinator_is_checked_for_its_epoch_only() {
    let states = with(&[batch(3, 0, 3, 0)]);
    let mut unnumbered = batch(3, 0, 1, 3);
    unnumbered.first_sequence = NO_SEQUENCE;
    unnumbered.last_sequence = NO_SEQUENCE;
    assert_eq!(
        states.check(&unnumbered, AppendOrigin::Coordinator),
        Ok(Verdict::Append)
    );
    unnumbered.producer_epoch = ProducerEpoch(2);
    assert!(
        states
            .check(&unnumbered, AppendOrigin::Coordinator)
            .is_err()
    );
}

#[test]
fn a_transaction_is_open_until_its_marker() {
    let mut first = batch(0, 0, 2, 10);
    first.is_transactional = true;
    let mut states = with(&[first]);
    assert_eq!(states.first_undecided_offset(), Some(Offset(10)));
    assert_eq!(
        states.check(&batch(0, 2, 1, 12), AppendOrigin::Client),
        Err(ProducerError::InvalidTransactionState { producer_id: ID })
    );
    let marker = EndMarker {
        producer_id: ID,
        producer_epoch: ProducerEpoch(0),
        coordinator_epoch: 4,
        offset: Offset(12),
        timestamp_ms: 2_000,
    };
    assert_eq!(states.check_end(&marker, AppendOrigin::Coordinator), Ok(()));
    assert_eq!(states.record_end(&marker), Some(Offset(10)));
    assert_eq!(states.record_end(&marker), None);
    assert_eq!(states.first_undecided_offset(), None);
    assert_eq!(states.end_offset(), Offset(13));
    check(&states, &batch(0, 2, 1, 13), Ok(None));
    let zombie = EndMarker {
        coordinator_epoch: 3,
        ..marker
    };
    assert_eq!(
        states.check_end(&zombie, AppendOrigin::Coordinator),
        Err(ProducerError::CoordinatorFenced {
            producer_id: ID,
            current: 4,
            received: 3
        })
    );
}

#[test]
fn a_producer_is_forgotten_when_idle_but_not_inside_a_transaction() {
    let mut open = batch(0, 0, 1, 0);
    open.is_transactional = true;
    let other = ProducerBatch {
        producer_id: ProducerId(8),
        ..batch(0, 0, 1, 1)
    };
    let mut states = with(&[open, other]);
    states.expire(1_499, 500);
    assert_eq!(states.entries().len(), 2);
    states.expire(1_500, 500);
    assert_eq!(
        states
            .entries()
            .map(|entry| entry.producer_id)
            .collect::<Vec<_>>(),
        [ID]
    );
}

proptest! {
    /// S21: whatever a producer repeats, reorders or loses, each of its records is stored once and
    /// in order.
    #[test]
    fn no_record_is_stored_twice_or_out_of_order(
        lengths in prop::collection::vec(1..4_i32, 1..30),
        attempts in prop::collection::vec(0..30_usize, 0..200),
        start in prop_oneof![Just(0_i32), (i32::MAX - 20)..=i32::MAX],
    ) {
        let mut sent = Vec::new();
        let mut next = start;
        for length in lengths {
            sent.push((next, length));
            next = sequence_after(next, length);
        }
        let mut states = ProducerStates::starting_at(Offset(0));
        let mut log: Vec<(usize, i64)> = Vec::new();
        let mut log_end = 0_i64;
        // The first batch makes the producer known; from then on the order is enforced.
        for index in std::iter::once(0).chain(attempts) {
            let Some(&(first, length)) = sent.get(index) else { continue };
            let candidate = batch(0, first, length, log_end);
            match states.check(&candidate, AppendOrigin::Client) {
                Ok(Verdict::Append) => {
                    prop_assert_eq!(index, log.len());
                    states.record(&candidate);
                    log.push((index, log_end));
                    log_end += i64::from(length);
                }
                Ok(Verdict::Duplicate(stored)) => {
                    prop_assert!(log.contains(&(index, stored.first_offset().0)));
                    prop_assert!(index + RETAINED_BATCH_COUNT >= log.len());
                }
                Err(error) => {
                    let is_out_of_order = matches!(error, ProducerError::OutOfOrderSequence { .. });
                    prop_assert!(is_out_of_order);
                    prop_assert!(index > log.len() || index + RETAINED_BATCH_COUNT < log.len());
                }
            }
        }
        prop_assert_eq!(states.end_offset(), Offset(log_end));
    }
}
