//! `OffsetForLeaderEpoch`: where a leader epoch ends, so that a follower or consumer learns whether its
//! records are still those of the leader. Source: KIP-101, KIP-279, KIP-320.

use barnabas_wire::ErrorCode;
use barnabas_wire::id::LeaderEpoch;
use barnabas_wire::message::offset_for_leader_epoch::{
    EpochEndOffset, OffsetForLeaderPartition, OffsetForLeaderTopicResult,
};
use barnabas_wire::message::{OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};

use super::fetch::read_code;
use super::list_offsets::hosted;
use super::{Context, Outcome};
use crate::node::Node;

pub(super) fn handle(
    context: &Context<'_>,
    request: OffsetForLeaderEpochRequest,
) -> Outcome<OffsetForLeaderEpochResponse> {
    let topics = request
        .topics
        .iter()
        .map(|topic| OffsetForLeaderTopicResult {
            topic: topic.topic.clone(),
            partitions: topic
                .partitions
                .iter()
                .map(|wanted| end_of_epoch(context.node, &topic.topic, wanted))
                .collect(),
        });
    OffsetForLeaderEpochResponse {
        topics: topics.collect(),
        ..OffsetForLeaderEpochResponse::default()
    }
    .into()
}

fn end_of_epoch(node: &Node, topic: &str, wanted: &OffsetForLeaderPartition) -> EpochEndOffset {
    let known = wanted.current_leader_epoch;
    let known = (known >= 0).then_some(LeaderEpoch(known));
    let asked = LeaderEpoch(wanted.leader_epoch);
    let found = hosted(node, topic, wanted.partition).and_then(|partition| {
        partition
            .end_of_epoch(known, asked)
            .map_err(|failure| read_code(&failure))
    });
    let (code, end) = match found {
        Ok(end) => (ErrorCode::None, end),
        Err(code) => (code, None),
    };
    EpochEndOffset {
        error_code: code.code(),
        partition: wanted.partition,
        leader_epoch: end.map_or(LeaderEpoch::NONE.0, |end| end.leader_epoch.0),
        end_offset: end.map_or(-1, |end| end.end_offset.0),
    }
}
