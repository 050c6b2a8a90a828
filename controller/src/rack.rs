//! Placement that keeps the replicas of a partition in different racks.
//!
//! Source: kafka 2.8 `admin/AdminUtils.scala`.

use std::collections::{BTreeMap, BTreeSet};

use barnabas_wire::id::{BrokerId, PartitionId};
use barnabas_zk_schema::topic::ReplicaLists;

use crate::assignment::{Candidates, at};
use crate::call::{AssignmentError, TopicError};

/// A broker and its rack.
type Place<'a> = (BrokerId, &'a str);

/// Brokers in the order in which racks take turns, each rack giving its lowest id first.
///
/// # Errors
/// [`AssignmentError::NoRack`] if a broker has no rack.
pub(crate) fn racks(brokers: &Candidates) -> Result<Vec<Place<'_>>, TopicError> {
    let mut by_rack = BTreeMap::<&str, Vec<BrokerId>>::new();
    for (&broker, rack) in brokers {
        let rack = rack.as_deref();
        let no_rack = TopicError::Assignment(AssignmentError::NoRack { broker });
        by_rack
            .entry(rack.ok_or(no_rack)?)
            .or_default()
            .push(broker);
    }
    let turns = by_rack.values().map(Vec::len).max().unwrap_or(0);
    let mut order = Vec::with_capacity(brokers.len());
    for turn in 0..turns {
        let given = by_rack
            .iter()
            .filter_map(|(rack, ids)| Some((*ids.get(turn)?, *rack)));
        order.extend(given);
    }
    Ok(order)
}

/// Places `partitions` on the brokers in the order of [`racks`].
pub(crate) fn place(
    order: &[Place<'_>],
    start: usize,
    shift: usize,
    partitions: std::ops::Range<i32>,
    replicas_count: usize,
) -> ReplicaLists {
    let mut shift = shift;
    let mut lists = ReplicaLists::new();
    for index in partitions {
        let number = usize::try_from(index).unwrap_or(0);
        if number > 0 && number.is_multiple_of(order.len()) {
            shift = shift.wrapping_add(1);
        }
        let first = number.wrapping_add(start) % order.len();
        lists.insert(
            PartitionId(index),
            replicas(order, first, shift, replicas_count),
        );
    }
    lists
}

/// The replicas of one partition: further ones are taken in turn, passing over brokers that are
/// taken and racks that are taken while others are not.
fn replicas(
    order: &[Place<'_>],
    first: usize,
    shift: usize,
    replicas_count: usize,
) -> Vec<BrokerId> {
    let racks_count = order
        .iter()
        .map(|(_, rack)| rack)
        .collect::<BTreeSet<_>>()
        .len();
    let Some((leader, rack)) = at(order, first) else {
        return Vec::new();
    };
    let mut replicas = vec![leader];
    let mut racks = BTreeSet::from([rack]);
    // One round over the brokers finds a free rack, the next ones fill up.
    let tries_max = order.len().saturating_mul(replicas_count.saturating_add(1));
    for tried in 0..tries_max {
        if replicas.len() >= replicas_count {
            break;
        }
        let distance = shift.wrapping_mul(racks_count).wrapping_add(tried);
        let Some(distance) = distance.checked_rem(order.len().wrapping_sub(1)) else {
            break;
        };
        let Some((broker, rack)) = at(order, first.wrapping_add(1).wrapping_add(distance)) else {
            break;
        };
        let is_rack_free = !racks.contains(rack) || racks.len() == racks_count;
        if is_rack_free && !replicas.contains(&broker) {
            replicas.push(broker);
            racks.insert(rack);
        }
    }
    replicas
}
