//! Where replicas go. S10.

use std::collections::BTreeMap;

use barnabas_controller::AssignmentPolicy;
use barnabas_controller::assignment::{self, Candidates, Circumstances};
use barnabas_controller::call::{AssignmentError, TopicError};
use barnabas_wire::id::BrokerId;
use proptest::prelude::*;

use crate::lists;

fn without_racks(ids: &[i32]) -> Candidates {
    ids.iter().map(|id| (BrokerId(*id), None)).collect()
}

fn with_racks(racks: &[(i32, &str)]) -> Candidates {
    racks
        .iter()
        .map(|(id, rack)| (BrokerId(*id), Some((*rack).to_owned())))
        .collect()
}

/// A random number that draws this start and shift.
fn drawing(start: u64, shift: u64) -> Circumstances {
    Circumstances {
        random: start | (shift << 32),
        ..Circumstances::default()
    }
}

#[track_caller]
fn check(
    policy: AssignmentPolicy,
    candidates: &Candidates,
    circumstances: &Circumstances,
    expected: &[&[i32]],
) {
    let partitions = i32::try_from(expected.len()).unwrap();
    let factor = i32::try_from(expected[0].len()).unwrap();
    let placed = assignment::place(policy, candidates, partitions, factor, circumstances);
    assert_eq!(placed, Ok(lists(expected)));
}

/// S10: partition i leads on broker i mod n, replica j sits on broker (i + j) mod n.
#[test]
fn the_default_is_the_modulo_formula() {
    check(
        AssignmentPolicy::default(),
        &without_racks(&[0, 1, 2, 3, 4]),
        &Circumstances::default(),
        &[
            &[0, 1, 2],
            &[1, 2, 3],
            &[2, 3, 4],
            &[3, 4, 0],
            &[4, 0, 1],
            &[0, 1, 2],
            &[1, 2, 3],
            &[2, 3, 4],
            &[3, 4, 0],
            &[4, 0, 1],
        ],
    );
    check(
        AssignmentPolicy::Modulo,
        &without_racks(&[1, 2, 3]),
        &drawing(2, 1),
        &[
            &[1, 2],
            &[2, 3],
            &[3, 1],
            &[1, 2],
            &[2, 3],
            &[3, 1],
            &[1, 2],
        ],
    );
}

#[test]
fn kafkas_placement_moves_followers_on_each_round() {
    check(
        AssignmentPolicy::Kafka,
        &without_racks(&[0, 1, 2, 3, 4]),
        &drawing(0, 0),
        &[
            &[0, 1, 2],
            &[1, 2, 3],
            &[2, 3, 4],
            &[3, 4, 0],
            &[4, 0, 1],
            &[0, 2, 3],
            &[1, 3, 4],
            &[2, 4, 0],
            &[3, 0, 1],
            &[4, 1, 2],
        ],
    );
    check(
        AssignmentPolicy::Kafka,
        &without_racks(&[1, 2, 3]),
        &drawing(0, 0),
        &[
            &[1, 2],
            &[2, 3],
            &[3, 1],
            &[1, 3],
            &[2, 1],
            &[3, 2],
            &[1, 2],
        ],
    );
    check(
        AssignmentPolicy::Kafka,
        &without_racks(&[10, 20, 30, 40]),
        &drawing(1, 2),
        &[
            &[20, 10, 30],
            &[30, 20, 40],
            &[40, 30, 10],
            &[10, 40, 20],
            &[20, 30, 40],
            &[30, 40, 10],
            &[40, 10, 20],
            &[10, 20, 30],
            &[20, 40, 10],
        ],
    );
    check(
        AssignmentPolicy::Kafka,
        &without_racks(&[5]),
        &drawing(9, 9),
        &[&[5], &[5]],
    );
}

const RACKS: [(i32, &str); 6] = [
    (0, "r1"),
    (1, "r3"),
    (2, "r3"),
    (3, "r2"),
    (4, "r2"),
    (5, "r1"),
];

#[test]
fn rack_placement_takes_racks_in_turn() {
    check(
        AssignmentPolicy::Rack,
        &with_racks(&RACKS),
        &drawing(0, 0),
        &[
            &[0, 3, 1],
            &[3, 1, 5],
            &[1, 5, 4],
            &[5, 4, 2],
            &[4, 2, 0],
            &[2, 0, 3],
            &[0, 4, 2],
        ],
    );
}

#[test]
fn racks_must_be_known_of_all_or_the_policy_is_another() {
    let mut brokers = with_racks(&RACKS);
    brokers.insert(BrokerId(4), None);
    let place = |policy| assignment::place(policy, &brokers, 1, 1, &Circumstances::default());
    let no_rack = AssignmentError::NoRack {
        broker: BrokerId(4),
    };
    assert_eq!(
        place(AssignmentPolicy::Rack),
        Err(TopicError::Assignment(no_rack))
    );
    assert!(place(AssignmentPolicy::Modulo).is_ok());
}

/// The rotated ring begins at the broker that leads the fewest partitions.
#[test]
fn the_rotated_ring_begins_where_least_is_led() {
    let leader_counts: BTreeMap<_, _> =
        [(BrokerId(1), 4), (BrokerId(2), 1), (BrokerId(3), 1)].into();
    let circumstances = Circumstances {
        leader_counts,
        random: 0,
    };
    check(
        AssignmentPolicy::Rotated,
        &without_racks(&[1, 2, 3]),
        &circumstances,
        &[&[2, 3], &[3, 1], &[1, 2]],
    );
}

#[test]
fn added_partitions_go_on_where_the_topic_began() {
    let brokers = without_racks(&[1, 2, 3]);
    let current = lists(&[&[2, 3], &[3, 1]]);
    let extend = |policy| assignment::extend(policy, &brokers, &current, 4).unwrap();
    let modulo: Vec<_> = extend(AssignmentPolicy::Modulo).into_values().collect();
    assert_eq!(modulo, [crate::brokers(&[3, 1]), crate::brokers(&[1, 2])]);
    let rotated: Vec<_> = extend(AssignmentPolicy::Rotated).into_values().collect();
    assert_eq!(rotated, [crate::brokers(&[1, 2]), crate::brokers(&[2, 3])]);
    // Start 1 and shift 1, which grows once the index is a multiple of 3.
    let kafka: Vec<_> = extend(AssignmentPolicy::Kafka).into_values().collect();
    assert_eq!(kafka, [crate::brokers(&[1, 3]), crate::brokers(&[2, 3])]);
}

/// S10: more replicas than live brokers is a clear error.
#[test]
fn more_replicas_than_brokers_is_an_error_that_says_so() {
    let placed = assignment::place(
        AssignmentPolicy::Modulo,
        &without_racks(&[1, 2]),
        1,
        3,
        &Circumstances::default(),
    );
    let error = placed.unwrap_err();
    assert_eq!(
        error,
        TopicError::ReplicationFactor {
            factor: 3,
            live_count: 2
        }
    );
    assert_eq!(
        error.to_string(),
        "replication factor 3: there are 2 live brokers"
    );
}

fn policy() -> impl Strategy<Value = AssignmentPolicy> {
    prop_oneof![
        Just(AssignmentPolicy::Modulo),
        Just(AssignmentPolicy::Rotated),
        Just(AssignmentPolicy::Kafka),
        Just(AssignmentPolicy::Rack),
    ]
}

proptest! {
    /// Whatever the policy: replicas of a partition are distinct live brokers, and each broker leads
    /// as many partitions as any other, give or take one.
    #[test]
    fn replicas_are_distinct_and_leaders_spread_evenly(
        policy in policy(),
        ids in proptest::collection::btree_set(0..50i32, 1..8),
        partitions in 1..40i32,
        factor in 1..8usize,
        random in any::<u64>(),
    ) {
        let brokers: Candidates =
            ids.iter().map(|id| (BrokerId(*id), Some(format!("r{}", id % 3)))).collect();
        let factor = factor.min(ids.len());
        let circumstances = Circumstances { random, ..Circumstances::default() };
        let wanted = i32::try_from(factor).unwrap();
        let placed = assignment::place(policy, &brokers, partitions, wanted, &circumstances).unwrap();
        prop_assert_eq!(assignment::validate(&placed, &brokers), Ok(()));
        let mut led: BTreeMap<_, usize> = brokers.keys().map(|id| (*id, 0)).collect();
        for replicas in placed.values() {
            prop_assert_eq!(replicas.len(), factor);
            *led.get_mut(&replicas[0]).unwrap() += 1;
        }
        let (least, most) = (led.values().min().unwrap(), led.values().max().unwrap());
        prop_assert!(most - least <= 1);
    }

    /// S10: the formula itself, for any brokers.
    #[test]
    fn the_formula_holds_for_any_brokers(
        ids in proptest::collection::btree_set(0..1000i32, 1..9),
        partitions in 1..50i32,
        factor in 1..9usize,
    ) {
        let brokers: Candidates = ids.iter().map(|id| (BrokerId(*id), None)).collect();
        let ring: Vec<_> = ids.into_iter().collect();
        let factor = factor.min(ring.len());
        let wanted = i32::try_from(factor).unwrap();
        let circumstances = Circumstances::default();
        let policy = AssignmentPolicy::Modulo;
        let placed = assignment::place(policy, &brokers, partitions, wanted, &circumstances).unwrap();
        for (partition, replicas) in placed {
            for (j, replica) in replicas.into_iter().enumerate() {
                let i = usize::try_from(partition.0).unwrap();
                prop_assert_eq!(replica.0, ring[(i + j) % ring.len()]);
            }
        }
    }
}
