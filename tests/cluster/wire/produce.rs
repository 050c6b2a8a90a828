//! Produce.

use super::*;
use barnabas_wire::ErrorCode;
use barnabas_wire::message::InitProducerIdRequest;

/// S6, S12: every version from 3 on takes a batch, with every kind of acknowledgement.
#[tokio::test]
async fn a_batch_is_taken_at_every_version() {
    let peer = Peer::start("produce-versions", &[]).await;
    let mut next = 0;
    for api_version in 3..=9 {
        for acks in [1, -1] {
            let sent = Some(batch(&["a", "b"]));
            let answer = peer.produce(("t", 0), sent, acks, api_version).await;
            assert_eq!((answer.error_code, answer.base_offset), (0, next));
            assert_eq!(answer.log_append_time_ms, -1);
            if api_version >= 5 {
                assert_eq!(answer.log_start_offset, 0);
            }
            next += 2;
        }
    }
}

async fn check(peer: &Peer, to: (&str, i32), records: Option<Bytes>, acks: i16, code: ErrorCode) {
    let answer = peer.produce(to, records, acks, 9).await;
    assert_eq!(answer.error_code, code.code(), "{answer:?}");
    assert_eq!(answer.base_offset, -1);
}

/// S21: an error says what a client has to do; each is Kafka's.
#[tokio::test]
async fn what_cannot_be_appended_is_refused_with_kafkas_code() {
    let peer = Peer::start("produce-errors", &[("message.max.bytes", "10000")]).await;
    let good = || Some(batch(&["a"]));
    let to = ("t", 0);
    check(
        &peer,
        ("nowhere", 0),
        good(),
        -1,
        ErrorCode::UnknownTopicOrPartition,
    )
    .await;
    check(
        &peer,
        ("t", 2),
        good(),
        -1,
        ErrorCode::UnknownTopicOrPartition,
    )
    .await;
    check(&peer, to, good(), 2, ErrorCode::InvalidRequiredAcks).await;
    check(
        &peer,
        ("__consumer_offsets", 0),
        good(),
        -1,
        ErrorCode::InvalidTopicException,
    )
    .await;
    check(&peer, to, None, -1, ErrorCode::InvalidRecord).await;
    check(&peer, to, Some(Bytes::new()), -1, ErrorCode::InvalidRecord).await;
    let two = [batch(&["a"]), batch(&["b"])].concat();
    check(&peer, to, Some(two.into()), -1, ErrorCode::InvalidRecord).await;
    let large = "x".repeat(10_000);
    check(
        &peer,
        to,
        Some(batch(&[&large])),
        -1,
        ErrorCode::MessageTooLarge,
    )
    .await;
    let mut damaged = batch(&["a"]).to_vec();
    *damaged.last_mut().unwrap() ^= 1;
    check(
        &peer,
        to,
        Some(damaged.into()),
        -1,
        ErrorCode::CorruptMessage,
    )
    .await;
    // Nothing of that was stored, and the partition goes on.
    let answer = peer.produce(to, good(), -1, 9).await;
    assert_eq!((answer.error_code, answer.base_offset), (0, 0));
}

/// One partition's failure is no other's.
#[tokio::test]
async fn partitions_of_one_request_succeed_and_fail_each_for_itself() {
    let peer = Peer::start("produce-each", &[]).await;
    let mut request = produce_request(("t", 0), Some(batch(&["a"])), -1);
    let partitions = &mut request.topic_data[0].partition_data;
    partitions.push(PartitionProduceData {
        index: 7,
        records: Some(batch(&["b"])),
    });
    partitions.push(PartitionProduceData {
        index: 1,
        records: Some(batch(&["c"])),
    });
    let answer = peer.ask(&request, 9).await;
    let found: Vec<_> = answer.responses[0]
        .partition_responses
        .iter()
        .map(|it| (it.index, it.error_code, it.base_offset))
        .collect();
    let unknown = ErrorCode::UnknownTopicOrPartition.code();
    assert_eq!(found, [(0, 0, 0), (7, unknown, -1), (1, 0, 0)]);
}

/// S21: an idempotent producer may send again what it has no answer for.
#[tokio::test]
async fn an_idempotent_batch_is_stored_once_and_a_gap_is_refused() {
    let peer = Peer::start("produce-idempotent", &[]).await;
    let mut ids = Vec::new();
    for api_version in 0..=4 {
        let request = InitProducerIdRequest {
            transaction_timeout_ms: i32::MAX,
            ..InitProducerIdRequest::default()
        };
        let answer = peer.ask(&request, api_version).await;
        assert_eq!((answer.error_code, answer.producer_epoch), (0, 0));
        ids.push(answer.producer_id);
    }
    let first = ids[0];
    assert_eq!(
        ids,
        (first..first + 5).collect::<Vec<_>>(),
        "each id is handed out once"
    );

    let send = |values: &[&str], sequence| {
        let sent = Some(idempotent_batch(values, Some((first, sequence))));
        peer.produce(("t", 0), sent, -1, 9)
    };
    let stored = send(&["a", "b"], 0).await;
    assert_eq!((stored.error_code, stored.base_offset), (0, 0));
    let repeated = send(&["a", "b"], 0).await;
    assert_eq!((repeated.error_code, repeated.base_offset), (0, 0));
    let gap = send(&["d"], 3).await;
    assert_eq!(gap.error_code, ErrorCode::OutOfOrderSequenceNumber.code());
    let next = send(&["c"], 2).await;
    assert_eq!((next.error_code, next.base_offset), (0, 2));
}

/// acks=0 has no answer: the next request's comes first. A failure closes the connection.
#[tokio::test]
async fn without_acknowledgement_success_is_silent_and_failure_disconnects() {
    let peer = Peer::start("produce-silent", &[]).await;
    let silent = produce_request(("t", 0), Some(batch(&["a"])), 0);
    peer.connection
        .submit_one_way(&silent, 9)
        .unwrap()
        .await
        .unwrap();
    let answer = peer.produce(("t", 0), Some(batch(&["b"])), -1, 9).await;
    assert_eq!(answer.base_offset, 1, "the silent one was stored before");

    let failing = produce_request(("t", 9), Some(batch(&["c"])), 0);
    peer.connection
        .submit_one_way(&failing, 9)
        .unwrap()
        .await
        .unwrap();
    let after = produce_request(("t", 0), Some(batch(&["d"])), -1);
    let lost = peer.connection.call_at(&after, 9, TIMEOUT).await;
    assert!(lost.is_err(), "{lost:?}");
    let again = connect(&peer.cluster).await;
    let answer = again.call_at(&after, 9, TIMEOUT).await.unwrap();
    assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
}

/// Requests of one connection are begun in order, whatever they wait for: a producer may send ahead.
#[tokio::test]
async fn requests_sent_ahead_are_appended_and_answered_in_order() {
    let peer = Peer::start("produce-ahead", &[("log.flush.interval.messages", "1")]).await;
    let mut pending = Vec::new();
    for number in 0..50 {
        let value = number.to_string();
        let request = produce_request(("t", 0), Some(batch(&[&value])), -1);
        pending.push(peer.connection.submit(&request, 9, TIMEOUT).unwrap());
    }
    for (expected, pending) in (0..).zip(pending) {
        let answer = pending.await.unwrap();
        let partition = &answer.responses[0].partition_responses[0];
        assert_eq!((partition.error_code, partition.base_offset), (0, expected));
    }
}

/// A message set of one message with value `a`, magic 0 or 1, as clients before 0.11 send it. The
/// checksums are zlib's.
fn message_set(magic: u8) -> Bytes {
    let (checksum, timestamp_ms): (u32, Option<i64>) = match magic {
        0 => (0x51df_3a32, None),
        _ => (0x8a65_e96d, Some(1_000)),
    };
    let mut message = checksum.to_be_bytes().to_vec();
    message.extend([magic, 0]);
    message.extend(timestamp_ms.map(i64::to_be_bytes).into_iter().flatten());
    message.extend((-1_i32).to_be_bytes());
    message.extend(1_i32.to_be_bytes());
    message.push(b'a');
    let mut set = 0_i64.to_be_bytes().to_vec();
    set.extend(i32::try_from(message.len()).unwrap().to_be_bytes());
    set.extend(message);
    set.into()
}

/// What old clients send is stored as a batch, and counts on in the same offsets.
#[tokio::test]
async fn message_sets_of_old_clients_are_taken_at_the_old_versions_only() {
    let peer = Peer::start("produce-old", &[]).await;
    peer.store(&["first"]).await;
    let versions = [(0, 0), (1, 0), (2, 1)];
    for (expected, (api_version, magic)) in (1..).zip(versions) {
        let sent = Some(message_set(magic));
        let answer = peer.produce(("t", 0), sent, 1, api_version).await;
        let found = (answer.error_code, answer.base_offset);
        assert_eq!(found, (0, expected), "version {api_version}: {answer:?}");
    }
    let refused = peer.produce(("t", 0), Some(message_set(1)), 1, 3).await;
    assert_eq!(refused.error_code, ErrorCode::InvalidRecord.code());
}
