//! `ListOffsets`: where a log begins and ends, and which offset belongs to a time. Source: KIP-79,
//! KIP-207; kafka 2.8 `Partition.fetchOffsetForTimestamp`.

use std::collections::BTreeSet;
use std::sync::Arc;

use barnabas_log::partition_log::ReadBound;
use barnabas_wire::ErrorCode;
use barnabas_wire::id::{LeaderEpoch, Offset, PartitionId};
use barnabas_wire::message::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use barnabas_wire::message::{ListOffsetsRequest, ListOffsetsResponse};

use super::fetch::read_code;
use super::{Context, Outcome};
use crate::node::Node;
use crate::partition::{Hosted, OffsetBound, Partition, ReadFailure};

/// "The end of the log, as far as you may see it."
const LATEST: i64 = -1;

/// "The start of the log."
const EARLIEST: i64 = -2;

/// Consumers see what is committed; everybody else sees the log's end.
const CONSUMER: i32 = -1;

const READ_COMMITTED: i8 = 1;

/// From this version on readers understand that a new leader does not know yet.
const NOT_AVAILABLE_SINCE: i16 = 5;

/// From this version on the answer says which leader wrote the record.
const LEADER_EPOCH_SINCE: i16 = 4;

/// How one request asks.
#[derive(Clone, Copy)]
struct Asker {
    api_version: i16,
    bound: ReadBound,
}

pub(super) fn handle(
    context: &Context<'_>,
    request: ListOffsetsRequest,
) -> Outcome<ListOffsetsResponse> {
    let bound = match (request.replica_id, request.isolation_level) {
        (CONSUMER, READ_COMMITTED) => ReadBound::LastStable,
        (CONSUMER, _) => ReadBound::HighWatermark,
        _ => ReadBound::LogEnd,
    };
    let asker = Asker {
        api_version: context.api_version(),
        bound,
    };
    let mut partitions = request.topics.iter().flat_map(|topic| &topic.partitions);
    let looks_at_records = partitions.any(|it| !matches!(it.timestamp, LATEST | EARLIEST));
    let node = Arc::clone(context.node);
    if !looks_at_records {
        return Outcome::Done(answer(&node, asker, &request));
    }
    // Finding a time reads indexes and records.
    Outcome::spawn(async move {
        let pool = Arc::clone(node.partitions.pool());
        pool.run(move || answer(&node, asker, &request))
            .await
            .unwrap_or_default()
    })
}

fn answer(node: &Node, asker: Asker, request: &ListOffsetsRequest) -> ListOffsetsResponse {
    let mut seen = BTreeSet::new();
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|wanted| {
            let is_first = seen.insert((topic.name.clone(), wanted.partition_index));
            let found = if is_first {
                find(node, asker, &topic.name, wanted)
            } else {
                Err(ErrorCode::InvalidRequest)
            };
            response(asker, wanted, found)
        });
        ListOffsetsTopicResponse {
            name: topic.name.clone(),
            partitions: partitions.collect(),
        }
    });
    ListOffsetsResponse {
        topics: topics.collect(),
        ..ListOffsetsResponse::default()
    }
}

/// An offset, the time of its record, and the epoch of its leader; -1 for what is not known.
struct Found {
    offset: i64,
    timestamp_ms: i64,
    leader_epoch: LeaderEpoch,
}

const NOTHING: Found = Found {
    offset: -1,
    timestamp_ms: -1,
    leader_epoch: LeaderEpoch::NONE,
};

fn find(
    node: &Node,
    asker: Asker,
    topic: &str,
    wanted: &ListOffsetsPartition,
) -> Result<Found, ErrorCode> {
    let partition = hosted(node, topic, wanted.partition_index)?;
    let known = wanted.current_leader_epoch;
    let known = (known >= 0).then_some(LeaderEpoch(known));
    let to_code = |failure: ReadFailure| read_code(&failure);
    let bound = partition
        .offset_bound(known, asker.bound)
        .map_err(to_code)?;
    match wanted.timestamp {
        LATEST if bound.is_unsettled => Err(unsettled(asker)),
        LATEST => Ok(Found {
            offset: bound.end.0,
            timestamp_ms: -1,
            leader_epoch: bound.leader_epoch,
        }),
        EARLIEST => Ok(Found {
            offset: bound.log_start.0,
            timestamp_ms: -1,
            leader_epoch: epoch_of_start(&partition, &bound),
        }),
        timestamp_ms => {
            let found = partition
                .offset_at_timestamp(known, timestamp_ms)
                .map_err(to_code)?;
            match found {
                Some(found) if found.offset < bound.end => Ok(Found {
                    offset: found.offset.0,
                    timestamp_ms: found.timestamp_ms,
                    leader_epoch: found.leader_epoch,
                }),
                // The record may be committed all the same: the leader does not know yet.
                _ if bound.is_unsettled => Err(unsettled(asker)),
                _ => Ok(NOTHING),
            }
        }
    }
}

/// The epoch that wrote the first record, if the log remembers.
fn epoch_of_start(partition: &Partition, bound: &OffsetBound) -> LeaderEpoch {
    let covers = |start: Offset| start <= bound.log_start;
    partition
        .log()
        .and_then(|log| log.leader_epochs().first().copied())
        .filter(|first| covers(first.start_offset))
        .map_or(LeaderEpoch::NONE, |first| first.leader_epoch)
}

fn unsettled(asker: Asker) -> ErrorCode {
    if asker.api_version >= NOT_AVAILABLE_SINCE {
        ErrorCode::OffsetNotAvailable
    } else {
        ErrorCode::LeaderNotAvailable
    }
}

/// A partition of this broker, or the code that says where else to ask.
pub(super) fn hosted(node: &Node, topic: &str, index: i32) -> Result<Arc<Partition>, ErrorCode> {
    match node.partitions.get(topic, index) {
        Hosted::Here(partition) => Ok(partition),
        Hosted::Nowhere => {
            let cluster = node.metadata.snapshot();
            match cluster.partition(topic, PartitionId(index)) {
                Some(_) => Err(ErrorCode::NotLeaderOrFollower),
                None => Err(ErrorCode::UnknownTopicOrPartition),
            }
        }
    }
}

fn response(
    asker: Asker,
    wanted: &ListOffsetsPartition,
    found: Result<Found, ErrorCode>,
) -> ListOffsetsPartitionResponse {
    let (error_code, found) = match found {
        Ok(found) => (ErrorCode::None, found),
        Err(code) => (code, NOTHING),
    };
    let mut response = ListOffsetsPartitionResponse {
        partition_index: wanted.partition_index,
        error_code: error_code.code(),
        ..ListOffsetsPartitionResponse::default()
    };
    if asker.api_version == 0 {
        // It asks for up to so many offsets; one is the most that is given.
        let is_listed = found.offset >= 0 && wanted.max_num_offsets > 0;
        response
            .old_style_offsets
            .extend(is_listed.then_some(found.offset));
    } else {
        response.timestamp = found.timestamp_ms;
        response.offset = found.offset;
    }
    if asker.api_version >= LEADER_EPOCH_SINCE {
        response.leader_epoch = found.leader_epoch.0;
    }
    response
}

#[cfg(test)]
mod tests {
    use barnabas_wire::frame::encode_response;

    use super::*;

    /// What a version cannot carry must not be set: the answer would never leave.
    #[test]
    fn an_answer_fits_into_every_version() {
        let wanted = ListOffsetsPartition {
            max_num_offsets: 1,
            ..ListOffsetsPartition::default()
        };
        for api_version in 0..=9 {
            let asker = Asker {
                api_version,
                bound: ReadBound::LogEnd,
            };
            let found = Found {
                offset: 7,
                timestamp_ms: 8,
                leader_epoch: LeaderEpoch(9),
            };
            let partition = response(asker, &wanted, Ok(found));
            let answer = ListOffsetsResponse {
                topics: vec![ListOffsetsTopicResponse {
                    name: "t".into(),
                    partitions: vec![partition.clone()],
                }],
                ..ListOffsetsResponse::default()
            };
            encode_response(1, api_version, &answer).unwrap();
            let told = match api_version {
                0 => partition.old_style_offsets,
                _ => vec![partition.offset],
            };
            assert_eq!(told, [7], "version {api_version}");
        }
    }
}
