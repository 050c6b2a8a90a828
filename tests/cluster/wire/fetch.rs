//! Fetch.

use std::time::Instant;

use super::*;
use barnabas_wire::ErrorCode;
use barnabas_wire::message::fetch::{
    FetchPartition, FetchTopic, ForgottenTopic, PartitionData, Records,
};
use barnabas_wire::message::{FetchRequest, FetchResponse};
use barnabas_wire::record::Batches;

/// A wait that no test sits out: what ends it is an event.
const LONG_MS: i32 = 50_000;

fn fetch_partition(partition: i32, fetch_offset: i64) -> FetchPartition {
    FetchPartition {
        partition,
        fetch_offset,
        partition_max_bytes: 1 << 20,
        ..FetchPartition::default()
    }
}

fn fetch_request(partitions: &[(i32, i64)]) -> FetchRequest {
    let partitions = partitions
        .iter()
        .map(|&(index, offset)| fetch_partition(index, offset));
    FetchRequest {
        min_bytes: 1,
        max_bytes: 1 << 20,
        topics: vec![FetchTopic {
            topic: Str::from("t"),
            partitions: partitions.collect(),
            ..FetchTopic::default()
        }],
        ..FetchRequest::default()
    }
}

fn values(data: &PartitionData) -> Vec<(i64, String)> {
    let Records::Bytes(bytes) = &data.records else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for batch in Batches::new(bytes) {
        let batch = batch.expect("whole batches");
        for record in batch.records() {
            let record = record.expect("a readable record");
            let offset = batch.base_offset().0 + i64::from(record.offset_delta);
            let value = String::from_utf8_lossy(record.value.unwrap_or_default());
            found.push((offset, value.into_owned()));
        }
    }
    found
}

fn partitions(answer: &FetchResponse) -> Vec<&PartitionData> {
    answer
        .responses
        .iter()
        .flat_map(|topic| &topic.partitions)
        .collect()
}

/// S6: any offset can be read again, at every version that is served.
#[tokio::test]
async fn records_are_read_from_any_offset_at_every_version() {
    let peer = Peer::start("fetch-versions", &[]).await;
    peer.store(&["a", "b"]).await;
    peer.store(&["c"]).await;
    let all = [(0, "a"), (1, "b"), (2, "c")].map(|(offset, it)| (offset, it.to_owned()));
    for api_version in 4..=12 {
        // The batch that holds the offset comes whole.
        for (from, first) in [(0, 0), (1, 0), (2, 2)] {
            let answer = peer.ask(&fetch_request(&[(0, from)]), api_version).await;
            let data = partitions(&answer)[0];
            assert_eq!((data.error_code, data.high_watermark), (0, 3));
            assert_eq!(
                values(data),
                all[first..],
                "from {from} at version {api_version}"
            );
        }
    }
    for api_version in 0..=3 {
        let answer = peer.ask(&fetch_request(&[(0, 0)]), api_version).await;
        let data = partitions(&answer)[0];
        assert_eq!(data.error_code, ErrorCode::UnsupportedVersion.code());
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_with_kafkas_code() {
    let peer = Peer::start("fetch-errors", &[]).await;
    peer.store(&["a"]).await;
    let check = async |partition: FetchPartition, code: ErrorCode| {
        let mut request = fetch_request(&[]);
        request.max_wait_ms = LONG_MS;
        request.topics[0].partitions.push(partition);
        let answer = peer.ask(&request, 12).await;
        assert_eq!(partitions(&answer)[0].error_code, code.code(), "{answer:?}");
    };
    check(fetch_partition(0, 2), ErrorCode::OffsetOutOfRange).await;
    check(fetch_partition(0, -1), ErrorCode::OffsetOutOfRange).await;
    check(fetch_partition(5, 0), ErrorCode::UnknownTopicOrPartition).await;
    let with_epoch = |current_leader_epoch| FetchPartition {
        current_leader_epoch,
        ..fetch_partition(0, 0)
    };
    check(with_epoch(0), ErrorCode::None).await;
    check(with_epoch(1), ErrorCode::UnknownLeaderEpoch).await;
}

/// S6, S27: a consumer at the end waits until there is something, and no longer.
#[tokio::test]
async fn a_fetch_at_the_end_waits_for_records() {
    let peer = Peer::start("fetch-wait", &[]).await;
    let mut request = fetch_request(&[(0, 0), (1, 0)]);
    request.max_wait_ms = LONG_MS;
    let waiting = peer.connection.submit(&request, 11, TIMEOUT).unwrap();
    let producer = connect(&peer.cluster).await;
    let sent = produce_request(("t", 1), Some(batch(&["a"])), -1);
    producer.call_at(&sent, 9, TIMEOUT).await.unwrap();
    let answer = waiting.await.unwrap();
    let found: Vec<_> = partitions(&answer)
        .iter()
        .map(|data| values(data).len())
        .collect();
    assert_eq!(found, [0, 1]);

    // When the time is over, what is there is answered, be it nothing.
    request.max_wait_ms = 10;
    request.topics[0].partitions[1].fetch_offset = 1;
    let began = Instant::now();
    let answer = peer.ask(&request, 11).await;
    assert!(began.elapsed() < TIMEOUT);
    assert!(
        partitions(&answer)
            .iter()
            .all(|data| values(data).is_empty())
    );
    // A fetch for more bytes than there are waits although there is something.
    request.min_bytes = 1 << 20;
    request.topics[0].partitions[1].fetch_offset = 0;
    let answer = peer.ask(&request, 11).await;
    assert_eq!(values(partitions(&answer)[1]).len(), 1);
}

/// KIP-74: the first batch comes whatever its size, so that a consumer is never stuck; no other does.
#[tokio::test]
async fn limits_cut_an_answer_but_for_its_first_batch() {
    let peer = Peer::start("fetch-limits", &[]).await;
    let large = "x".repeat(2_000);
    peer.store(&[&large]).await;
    peer.store(&["b"]).await;
    let sent = produce_request(("t", 1), Some(batch(&["c"])), -1);
    peer.ask(&sent, 9).await;
    let mut request = fetch_request(&[(0, 0), (1, 0)]);
    request.max_bytes = 100;
    let answer = peer.ask(&request, 11).await;
    let found: Vec<_> = partitions(&answer)
        .iter()
        .map(|data| values(data).len())
        .collect();
    assert_eq!(found, [1, 0]);
    request.max_bytes = 1 << 20;
    request.topics[0].partitions[0].partition_max_bytes = 100;
    let answer = peer.ask(&request, 11).await;
    let found: Vec<_> = partitions(&answer)
        .iter()
        .map(|data| values(data).len())
        .collect();
    assert_eq!(found, [1, 1]);
}

/// KIP-227: a session's answers hold what is news, and its requests what changes.
#[tokio::test]
async fn a_session_tells_only_what_is_new() {
    let peer = Peer::start("fetch-session", &[]).await;
    peer.store(&["a"]).await;
    let mut request = fetch_request(&[(0, 0), (1, 0)]);
    request.session_epoch = 0;
    let opened = peer.ask(&request, 12).await;
    assert_ne!(opened.session_id, 0);
    assert_eq!(partitions(&opened).len(), 2, "the first answer is whole");

    let mut request = fetch_request(&[(0, 1)]);
    request.session_id = opened.session_id;
    request.session_epoch = 1;
    let answer = peer.ask(&request, 12).await;
    assert_eq!(
        (answer.error_code, answer.session_id),
        (0, opened.session_id)
    );
    assert_eq!(partitions(&answer).len(), 0, "nothing is new");

    peer.store(&["b"]).await;
    request.topics.clear();
    request.session_epoch = 2;
    let answer = peer.ask(&request, 12).await;
    let [data] = partitions(&answer)[..] else {
        panic!("one partition has news: {answer:?}")
    };
    assert_eq!(values(data), [(1, "b".to_owned())]);

    let wrong = peer.ask(&request, 12).await;
    assert_eq!(wrong.error_code, ErrorCode::InvalidFetchSessionEpoch.code());
    request.forgotten_topics_data.push(ForgottenTopic {
        topic: Str::from("t"),
        partitions: vec![0],
        ..ForgottenTopic::default()
    });
    request.session_epoch = 3;
    let answer = peer.ask(&request, 12).await;
    assert_eq!((answer.error_code, partitions(&answer).len()), (0, 0));
    request.session_id += 1;
    let unknown = peer.ask(&request, 12).await;
    assert_eq!(unknown.error_code, ErrorCode::FetchSessionIdNotFound.code());
}

/// Records that are spliced in from files arrive as they were stored, large and small.
#[tokio::test]
async fn answers_spliced_from_many_segments_hold_every_record() {
    let peer = Peer::start("fetch-segments", &[("log.segment.bytes", "1048576")]).await;
    let padding = "y".repeat(10_000);
    let mut expected = Vec::new();
    for number in 0..300 {
        let value = format!("{number} {padding}");
        peer.store(&[&value]).await;
        expected.push((number, value));
    }
    for step in [15_000, 200_000, 10_000_000] {
        let mut found = Vec::new();
        while found.len() < expected.len() {
            let from = i64::try_from(found.len()).unwrap();
            let mut request = fetch_request(&[(0, from)]);
            request.max_bytes = step;
            request.topics[0].partitions[0].partition_max_bytes = step;
            let answer = peer.ask(&request, 11).await;
            let data = partitions(&answer)[0];
            let Records::Bytes(bytes) = &data.records else {
                panic!("{data:?}")
            };
            assert!(!bytes.is_empty());
            for batch in Batches::new(bytes) {
                // The last one may be cut off.
                let Ok(batch) = batch else { break };
                batch.verify_checksum().expect("stored as it was sent");
                for record in batch.records() {
                    let value = record.unwrap().value.unwrap_or_default().to_vec();
                    found.push((batch.base_offset().0, String::from_utf8(value).unwrap()));
                }
            }
        }
        assert_eq!(found, expected, "in steps of {step} bytes");
    }
}
