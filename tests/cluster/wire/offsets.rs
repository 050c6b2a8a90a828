//! `ListOffsets` and `OffsetForLeaderEpoch`.

use super::*;
use barnabas_wire::ErrorCode;
use barnabas_wire::message::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsTopic,
};
use barnabas_wire::message::offset_for_leader_epoch::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use barnabas_wire::message::{ListOffsetsRequest, OffsetForLeaderEpochRequest};

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;

async fn list(
    peer: &Peer,
    partition_index: i32,
    timestamp: i64,
    api_version: i16,
) -> ListOffsetsPartitionResponse {
    let request = ListOffsetsRequest {
        replica_id: -1,
        topics: vec![ListOffsetsTopic {
            name: Str::from("t"),
            partitions: vec![ListOffsetsPartition {
                partition_index,
                timestamp,
                max_num_offsets: 1,
                current_leader_epoch: -1,
            }],
        }],
        ..ListOffsetsRequest::default()
    };
    let answer = peer.ask(&request, api_version).await;
    answer.topics[0].partitions[0].clone()
}

/// S6: a consumer begins at the start, at the end, or at a time.
#[tokio::test]
async fn offsets_are_found_by_place_and_by_time() {
    let peer = Peer::start("offsets", &[]).await;
    assert_eq!(list(&peer, 0, LATEST, 5).await.offset, 0, "an empty log");
    // Records at 1000, 1001 and 1002 ms, twice.
    peer.store(&["a", "b", "c"]).await;
    peer.store(&["d", "e", "f"]).await;
    for api_version in 1..=6 {
        let at = async |timestamp| list(&peer, 0, timestamp, api_version).await;
        assert_eq!(at(LATEST).await.offset, 6, "version {api_version}");
        assert_eq!(at(EARLIEST).await.offset, 0, "version {api_version}");
        for (timestamp, expected) in [(0, (0, 1_000)), (1_001, (1, 1_001)), (1_003, (-1, -1))] {
            let found = at(timestamp).await;
            assert_eq!(
                (found.offset, found.timestamp),
                expected,
                "version {api_version}"
            );
        }
        let leader_epoch = at(LATEST).await.leader_epoch;
        assert_eq!(leader_epoch, if api_version >= 4 { 0 } else { -1 });
    }
    assert_eq!(list(&peer, 0, LATEST, 0).await.old_style_offsets, [6]);
    assert_eq!(list(&peer, 0, EARLIEST, 0).await.old_style_offsets, [0]);
    let unknown = list(&peer, 9, LATEST, 5).await;
    assert_eq!(
        unknown.error_code,
        ErrorCode::UnknownTopicOrPartition.code()
    );
}

/// KIP-101, KIP-320: where an epoch ends tells whether records are still those of the leader.
#[tokio::test]
async fn the_end_of_an_epoch_is_told() {
    let peer = Peer::start("epoch-end", &[]).await;
    peer.store(&["a", "b"]).await;
    let check = async |current: i32, asked: i32, expected: (i16, i32, i64)| {
        let request = OffsetForLeaderEpochRequest {
            replica_id: -1,
            topics: vec![OffsetForLeaderTopic {
                topic: Str::from("t"),
                partitions: vec![OffsetForLeaderPartition {
                    partition: 0,
                    current_leader_epoch: current,
                    leader_epoch: asked,
                }],
            }],
        };
        for api_version in 2..=4 {
            let answer = peer.ask(&request, api_version).await;
            let found = &answer.topics[0].partitions[0];
            assert_eq!(
                (found.error_code, found.leader_epoch, found.end_offset),
                expected,
                "epoch {asked} at version {api_version}"
            );
        }
    };
    check(-1, 0, (0, 0, 2)).await;
    check(0, 0, (0, 0, 2)).await;
    check(-1, 5, (0, -1, -1)).await;
    check(7, 0, (ErrorCode::UnknownLeaderEpoch.code(), -1, -1)).await;
}
