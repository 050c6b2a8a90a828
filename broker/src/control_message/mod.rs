//! What the controller tells brokers, between its meaning and its form on the wire.
//!
//! Meanings are the structs of `barnabas_controller::request`. Sending goes at the versions of
//! inter-broker protocol 2.6; receiving takes every version that is served.

mod leader_and_isr;
mod stop_replica;
mod update_metadata;

use std::collections::BTreeMap;

use barnabas_controller::request::{ControlReply, Refusal, ReplicaFailure};
use barnabas_wire::ErrorCode;
use barnabas_wire::id::{BrokerId, TopicPartition};

pub(crate) use leader_and_isr::read_reply as read_leader_and_isr_reply;
pub use leader_and_isr::{read_leader_and_isr, write_leader_and_isr};
pub(crate) use stop_replica::read_reply as read_stop_replica_reply;
pub use stop_replica::{read_stop_replica, write_stop_replica};
pub(crate) use update_metadata::read_reply as read_update_metadata_reply;
pub use update_metadata::{read_update_metadata, write_update_metadata};

#[cfg(test)]
mod tests;

fn ids(ids: &[BrokerId]) -> Vec<i32> {
    ids.iter().map(|id| id.0).collect()
}

fn brokers(ids: &[i32]) -> Vec<BrokerId> {
    ids.iter().copied().map(BrokerId).collect()
}

/// Elements of a map over partitions, grouped by topic: one list for each topic, in order.
fn by_topic<V>(partitions: &BTreeMap<TopicPartition, V>) -> Vec<(&TopicPartition, Vec<(i32, &V)>)> {
    let mut topics: Vec<(&TopicPartition, Vec<(i32, &V)>)> = Vec::new();
    for (key, value) in partitions {
        match topics.last_mut() {
            Some((first, list)) if first.topic == key.topic => list.push((key.partition.0, value)),
            _ => topics.push((key, vec![(key.partition.0, value)])),
        }
    }
    topics
}

/// The meaning of an answer's error codes.
pub(crate) fn reply(
    error_code: i16,
    partitions: impl IntoIterator<Item = (TopicPartition, i16)>,
) -> ControlReply {
    let failure = |(partition, code)| (partition, failure(code));
    let failures = partitions
        .into_iter()
        .filter(|(_, code)| *code != 0)
        .map(failure)
        .collect();
    ControlReply {
        refusal: refusal(error_code),
        failures,
    }
}

fn refusal(error_code: i16) -> Option<Refusal> {
    if error_code == ErrorCode::None.code() {
        None
    } else if error_code == ErrorCode::StaleBrokerEpoch.code() {
        Some(Refusal::StaleBrokerEpoch)
    } else if error_code == ErrorCode::StaleControllerEpoch.code() {
        Some(Refusal::StaleControllerEpoch)
    } else {
        Some(Refusal::Other(error_code))
    }
}

fn failure(error_code: i16) -> ReplicaFailure {
    let is = |code: ErrorCode| error_code == code.code();
    if is(ErrorCode::KafkaStorageError) {
        ReplicaFailure::Storage
    } else if is(ErrorCode::StaleControllerEpoch) || is(ErrorCode::FencedLeaderEpoch) {
        ReplicaFailure::Stale
    } else if is(ErrorCode::UnknownTopicOrPartition) {
        ReplicaFailure::NotAssigned
    } else {
        ReplicaFailure::Other(error_code)
    }
}
