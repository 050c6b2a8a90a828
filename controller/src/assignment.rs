//! Where replicas go: pure functions of the live brokers, sorted by id.

use std::collections::{BTreeMap, BTreeSet};

use barnabas_wire::id::{BrokerId, PartitionId};
use barnabas_zk_schema::topic::ReplicaLists;

use crate::call::{AssignmentError, TopicError};
use crate::rack;
use crate::settings::AssignmentPolicy;

/// Most partitions of one topic: what fits a znode of 1 MiB with a few replicas each.
pub const PARTITIONS_MAX: i32 = 100_000;

/// A broker that may be given replicas, and its rack.
pub type Candidates = BTreeMap<BrokerId, Option<String>>;

/// What a placement goes by beside the brokers.
#[derive(Clone, Debug, Default)]
pub struct Circumstances {
    /// How many partitions each broker leads, for [`AssignmentPolicy::Rotated`].
    pub leader_counts: BTreeMap<BrokerId, usize>,
    /// A random number, for [`AssignmentPolicy::Kafka`] and [`AssignmentPolicy::Rack`].
    pub random: u64,
}

/// Places all partitions of a new topic.
///
/// # Errors
/// [`TopicError::Partitions`] unless there are between 1 and [`PARTITIONS_MAX`],
/// [`TopicError::ReplicationFactor`] unless it is between 1 and the number of brokers,
/// [`AssignmentError::NoRack`] if the policy goes by racks and only some brokers have one.
pub fn place(
    policy: AssignmentPolicy,
    brokers: &Candidates,
    partitions: i32,
    replication_factor: i32,
    circumstances: &Circumstances,
) -> Result<ReplicaLists, TopicError> {
    if !(1..=PARTITIONS_MAX).contains(&partitions) {
        return Err(TopicError::Partitions {
            count: partitions,
            max: PARTITIONS_MAX,
        });
    }
    let replicas_count = factor(replication_factor, brokers)?;
    let ring: Vec<_> = brokers.keys().copied().collect();
    let indexes = 0..partitions;
    Ok(match policy {
        AssignmentPolicy::Modulo => modulo(&ring, 0, indexes, replicas_count),
        AssignmentPolicy::Rotated => {
            let start = least_leading(&ring, &circumstances.leader_counts);
            modulo(&ring, start, indexes, replicas_count)
        }
        AssignmentPolicy::Kafka => {
            let (start, shift) = draw(ring.len(), circumstances.random);
            kafka(&ring, start, shift, indexes, replicas_count)
        }
        AssignmentPolicy::Rack => {
            let racks = rack::racks(brokers)?;
            let (start, shift) = draw(ring.len(), circumstances.random);
            rack::place(&racks, start, shift, indexes, replicas_count)
        }
    })
}

/// Places further partitions of a topic that has `current`, with as many replicas each as its
/// partition 0 has. The ring is begun where partition 0 began it, if that broker is still there.
///
/// # Errors
/// As [`place`]; [`TopicError::NotMore`] is the caller's to check.
pub fn extend(
    policy: AssignmentPolicy,
    brokers: &Candidates,
    current: &ReplicaLists,
    total: i32,
) -> Result<ReplicaLists, TopicError> {
    if !(1..=PARTITIONS_MAX).contains(&total) {
        return Err(TopicError::Partitions {
            count: total,
            max: PARTITIONS_MAX,
        });
    }
    let first = current.get(&PartitionId(0)).map_or(&[][..], Vec::as_slice);
    let replicas_count = factor(i32::try_from(first.len()).unwrap_or(i32::MAX), brokers)?;
    let ring: Vec<_> = brokers.keys().copied().collect();
    let start = first
        .first()
        .and_then(|leader| ring.iter().position(|broker| broker >= leader))
        .unwrap_or(0);
    let begin = i32::try_from(current.len()).unwrap_or(i32::MAX);
    let indexes = begin..total;
    Ok(match policy {
        AssignmentPolicy::Modulo => modulo(&ring, 0, indexes, replicas_count),
        AssignmentPolicy::Rotated => modulo(&ring, start, indexes, replicas_count),
        AssignmentPolicy::Kafka => kafka(&ring, start, start, indexes, replicas_count),
        AssignmentPolicy::Rack => {
            let racks = rack::racks(brokers)?;
            rack::place(&racks, start, start, indexes, replicas_count)
        }
    })
}

/// Whether a placement that the caller chose can be: partitions numbered from 0, replicas of each
/// distinct, live and equally many.
///
/// # Errors
/// [`TopicError::Partitions`] for none or too many, otherwise [`TopicError::Assignment`].
pub fn validate(lists: &ReplicaLists, brokers: &Candidates) -> Result<(), TopicError> {
    let count = i32::try_from(lists.len()).unwrap_or(i32::MAX);
    if !(1..=PARTITIONS_MAX).contains(&count) {
        return Err(TopicError::Partitions {
            count,
            max: PARTITIONS_MAX,
        });
    }
    if lists
        .keys()
        .zip(0..)
        .any(|(partition, index)| partition.0 != index)
    {
        return Err(TopicError::Assignment(AssignmentError::Numbering));
    }
    let expected = lists.values().next().map_or(0, Vec::len);
    for (&partition, replicas) in lists {
        validate_replicas(partition, replicas, expected, brokers)
            .map_err(TopicError::Assignment)?;
    }
    Ok(())
}

/// Whether `replicas` can keep `partition`.
///
/// # Errors
/// [`AssignmentError`] says why not.
pub fn validate_replicas(
    partition: PartitionId,
    replicas: &[BrokerId],
    expected: usize,
    brokers: &Candidates,
) -> Result<(), AssignmentError> {
    let partition = partition.0;
    if replicas.is_empty() {
        return Err(AssignmentError::NoReplicas { partition });
    }
    if replicas.len() != expected {
        return Err(AssignmentError::Uneven {
            partition,
            count: replicas.len(),
            expected,
        });
    }
    let mut seen = BTreeSet::new();
    for &broker in replicas {
        if !seen.insert(broker) {
            return Err(AssignmentError::Duplicate { partition, broker });
        }
        if !brokers.contains_key(&broker) {
            return Err(AssignmentError::NotLive { partition, broker });
        }
    }
    Ok(())
}

/// Replica j of partition p on broker (start + p + j) mod n.
fn modulo(
    ring: &[BrokerId],
    start: usize,
    partitions: std::ops::Range<i32>,
    replicas_count: usize,
) -> ReplicaLists {
    let list = |index: i32| {
        let first = start.wrapping_add(usize::try_from(index).unwrap_or(0));
        (0..replicas_count)
            .filter_map(|replica| at(ring, first.wrapping_add(replica)))
            .collect()
    };
    partitions
        .map(|index| (PartitionId(index), list(index)))
        .collect()
}

/// Kafka's placement without racks: leaders as [`modulo`], followers moved one broker further on
/// each round. Source: kafka 2.8 `admin/AdminUtils.scala`.
fn kafka(
    ring: &[BrokerId],
    start: usize,
    shift: usize,
    partitions: std::ops::Range<i32>,
    replicas_count: usize,
) -> ReplicaLists {
    let mut shift = shift;
    let mut lists = ReplicaLists::new();
    for index in partitions {
        let number = usize::try_from(index).unwrap_or(0);
        if number > 0 && number.is_multiple_of(ring.len()) {
            shift = shift.wrapping_add(1);
        }
        let first = number.wrapping_add(start);
        let followers = (0..replicas_count.saturating_sub(1)).filter_map(|follower| {
            let distance = shift
                .wrapping_add(follower)
                .checked_rem(ring.len().wrapping_sub(1))?;
            at(
                ring,
                (first % ring.len()).wrapping_add(1).wrapping_add(distance),
            )
        });
        lists.insert(
            PartitionId(index),
            at(ring, first).into_iter().chain(followers).collect(),
        );
    }
    lists
}

/// The broker at `position` of the ring, which begins again at its end.
pub(crate) fn at<T: Copy>(ring: &[T], position: usize) -> Option<T> {
    ring.get(position.checked_rem(ring.len())?).copied()
}

/// Start and shift: two independent draws.
fn draw(count: usize, random: u64) -> (usize, usize) {
    let below = |number: u64| {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        number
            .checked_rem(count)
            .and_then(|rest| usize::try_from(rest).ok())
            .unwrap_or(0)
    };
    (below(random & u64::from(u32::MAX)), below(random >> 32))
}

/// Position of the broker that leads the fewest partitions; the lowest of several.
fn least_leading(ring: &[BrokerId], leader_counts: &BTreeMap<BrokerId, usize>) -> usize {
    let count = |broker: &BrokerId| leader_counts.get(broker).copied().unwrap_or(0);
    (0..ring.len())
        .min_by_key(|&position| ring.get(position).map(count))
        .unwrap_or(0)
}

fn factor(replication_factor: i32, brokers: &Candidates) -> Result<usize, TopicError> {
    usize::try_from(replication_factor)
        .ok()
        .filter(|count| (1..=brokers.len()).contains(count))
        .ok_or(TopicError::ReplicationFactor {
            factor: replication_factor,
            live_count: brokers.len(),
        })
}
