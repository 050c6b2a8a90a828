//! The consumer against a cluster that fails on demand.

use std::time::Duration;

use crate::cluster::Cluster;
use barnabas_client::{
    Client, Consumer, Error, ErrorCode, Message, PartitionId, Record, Start, TopicPartition,
};

/// Longest time that anything here may hang; never reached in a test that passes.
const PATIENCE: Duration = Duration::from_secs(30);

fn t(partition: i32) -> TopicPartition {
    TopicPartition::new("t", PartitionId(partition))
}

async fn fill(cluster: &Cluster, partition: i32, numbers: std::ops::Range<i64>) {
    let producer = cluster.client().await.producer().unwrap();
    for number in numbers {
        let record = Record {
            timestamp: Some(
                std::time::UNIX_EPOCH + Duration::from_millis(1_000 + number.unsigned_abs()),
            ),
            ..Record::to("t")
                .partition(partition)
                .key("k")
                .value(number.to_string())
        };
        let delivery = producer.send(record).await.unwrap();
        if number % 3 == 0 {
            delivery.await.unwrap();
        }
    }
    producer.close(PATIENCE).await.unwrap();
}

async fn read(client: &Client, start: Start) -> Consumer {
    client
        .consumer()
        .unwrap()
        .assign([(t(0), start)])
        .start()
        .await
        .unwrap()
}

async fn next(consumer: &mut Consumer) -> Result<Message, Error> {
    tokio::time::timeout(PATIENCE, consumer.recv())
        .await
        .expect("a message")
}

async fn values(consumer: &mut Consumer, count: usize) -> Vec<String> {
    let mut values = Vec::new();
    for _ in 0..count {
        let message = next(consumer).await.unwrap();
        values.push(String::from_utf8(message.value.unwrap().to_vec()).unwrap());
    }
    values
}

fn numbers(range: std::ops::Range<i64>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

/// S6: consumers pull by offset and can read the past again; offsets grow one by one.
#[tokio::test]
async fn records_are_read_in_order_and_can_be_read_again() {
    let cluster = Cluster::start(1, &[("t", 1)]).await;
    fill(&cluster, 0, 0..50).await;
    let client = cluster.client().await;
    for _ in 0..2 {
        let mut consumer = read(&client, Start::Beginning).await;
        for offset in 0..50 {
            let message = next(&mut consumer).await.unwrap();
            assert_eq!(
                (message.offset, message.timestamp_ms),
                (offset, 1_000 + offset)
            );
            assert_eq!(message.value.unwrap(), offset.to_string());
            assert_eq!(message.key.unwrap(), "k");
            assert_eq!(consumer.position(&t(0)), Some(offset + 1));
        }
        assert_eq!(consumer.high_watermark(&t(0)), Some(50));
    }
}

/// S6: reading begins at an offset, a time, the start or the end.
#[tokio::test]
async fn every_place_to_begin_is_found() {
    let cluster = Cluster::start(1, &[("t", 1)]).await;
    fill(&cluster, 0, 0..10).await;
    let client = cluster.client().await;
    for (start, first) in [
        (Start::Beginning, 0),
        (Start::Offset(4), 4),
        (Start::BeforeEnd(3), 7),
        (Start::BeforeEnd(30), 0),
        (Start::TimestampMs(1_006), 6),
        (Start::TimestampMs(0), 0),
    ] {
        let mut consumer = read(&client, start).await;
        let found = next(&mut consumer).await.unwrap().offset;
        assert_eq!(found, first, "{start:?}");
    }
    for start in [Start::End, Start::TimestampMs(9_999)] {
        let mut consumer = read(&client, start).await;
        assert_eq!(consumer.position(&t(0)), Some(10));
        assert!(
            consumer
                .poll(1, Duration::from_millis(20))
                .await
                .unwrap()
                .is_empty()
        );
        fill(&cluster, 0, 10..11).await;
        let message = next(&mut consumer).await.unwrap();
        assert!(message.offset >= 10, "{start:?}");
        let mut state = cluster.state();
        let log = &mut state.topics.get_mut("t").unwrap()[0];
        log.batches.pop();
        log.end_offset = 10;
    }
}

#[tokio::test]
async fn a_seek_drops_what_was_fetched_ahead() {
    let cluster = Cluster::start(1, &[("t", 1)]).await;
    fill(&cluster, 0, 0..30).await;
    let client = cluster.client().await;
    let mut consumer = read(&client, Start::Beginning).await;
    assert_eq!(values(&mut consumer, 5).await, numbers(0..5));
    consumer.seek(&t(0), Start::Offset(20)).await.unwrap();
    assert_eq!(values(&mut consumer, 10).await, numbers(20..30));
    consumer.seek(&t(0), Start::Beginning).await.unwrap();
    assert_eq!(values(&mut consumer, 30).await, numbers(0..30));
    assert!(consumer.seek(&t(7), Start::End).await.is_err());
}

#[tokio::test]
async fn a_receive_that_was_given_up_loses_nothing() {
    let cluster = Cluster::start(1, &[("t", 1)]).await;
    let client = cluster.client().await;
    let mut consumer = read(&client, Start::Beginning).await;
    for round in 0..20 {
        let given_up = tokio::time::timeout(Duration::from_millis(2), consumer.recv()).await;
        assert!(given_up.is_err());
        fill(&cluster, 0, round..round + 1).await;
        assert_eq!(next(&mut consumer).await.unwrap().offset, round);
    }
}

#[tokio::test]
async fn partitions_of_several_leaders_are_read_together() {
    let cluster = Cluster::start(2, &[("t", 4)]).await;
    for partition in 0..4 {
        fill(&cluster, partition, 0..20).await;
    }
    let client = cluster.client().await;
    let all = (0..4).map(|partition| (t(partition), Start::Beginning));
    let mut consumer = client
        .consumer()
        .unwrap()
        .assign(all)
        .start()
        .await
        .unwrap();
    let mut next_offset = [0; 4];
    for _ in 0..80 {
        let message = next(&mut consumer).await.unwrap();
        let partition = usize::try_from(message.partition.partition.0).unwrap();
        assert_eq!(message.offset, next_offset[partition]);
        next_offset[partition] += 1;
    }
    assert_eq!(next_offset, [20; 4]);
}

#[tokio::test]
async fn a_leader_that_moves_is_followed() {
    let cluster = Cluster::start(2, &[("t", 1)]).await;
    fill(&cluster, 0, 0..5).await;
    let client = cluster.client().await;
    let mut consumer = read(&client, Start::Beginning).await;
    assert_eq!(values(&mut consumer, 5).await, numbers(0..5));
    {
        let mut state = cluster.state();
        let log = &mut state.topics.get_mut("t").unwrap()[0];
        (log.leader, log.leader_epoch) = (Some(1), 1);
    }
    fill(&cluster, 0, 5..10).await;
    assert_eq!(values(&mut consumer, 5).await, numbers(5..10));
}

#[tokio::test]
async fn an_offset_that_is_gone_is_dealt_with_as_the_setting_says() {
    let cluster = Cluster::start(1, &[("t", 1)]).await;
    fill(&cluster, 0, 0..12).await;
    {
        let mut state = cluster.state();
        let log = &mut state.topics.get_mut("t").unwrap()[0];
        log.start_offset = 9;
        log.batches.retain(|bytes| {
            barnabas_wire::record::Batch::parse(bytes)
                .unwrap()
                .last_offset()
                .0
                >= 9
        });
    }
    let with = |reset: &str| Client::connect(cluster.config().set("auto.offset.reset", reset));
    let mut earliest = read(&with("earliest").await.unwrap(), Start::Offset(2)).await;
    assert_eq!(next(&mut earliest).await.unwrap().offset, 9);
    let mut none = read(&with("none").await.unwrap(), Start::Offset(2)).await;
    let error = next(&mut none).await.unwrap_err();
    assert!(
        matches!(error, Error::OffsetOutOfRange { offset: 2, .. }),
        "{error}"
    );
    let mut latest = read(&with("latest").await.unwrap(), Start::Offset(2)).await;
    assert!(
        latest
            .poll(1, Duration::from_millis(50))
            .await
            .unwrap()
            .is_empty()
    );
    fill(&cluster, 0, 12..13).await;
    assert_eq!(next(&mut latest).await.unwrap().offset, 12);
}

#[tokio::test]
async fn a_topic_that_does_not_exist_is_told() {
    let cluster = Cluster::start(1, &[]).await;
    let client = cluster.client().await;
    let builder = client
        .consumer()
        .unwrap()
        .assign([(t(0), Start::Beginning)]);
    let error = builder.start().await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::UnknownTopicOrPartition));
}

#[tokio::test]
async fn a_damaged_batch_is_an_error_and_not_a_record() {
    let cluster = Cluster::start(1, &[("t", 1)]).await;
    fill(&cluster, 0, 0..1).await;
    {
        let mut state = cluster.state();
        let batch = &mut state.topics.get_mut("t").unwrap()[0].batches[0];
        let mut bytes = batch.to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        *batch = bytes.into();
    }
    let client = cluster.client().await;
    let mut consumer = read(&client, Start::Beginning).await;
    let error = next(&mut consumer).await.unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
}

#[tokio::test]
async fn prefetching_is_bounded() {
    let cluster = Cluster::start(1, &[("t", 1)]).await;
    fill(&cluster, 0, 0..200).await;
    let client = Client::connect(cluster.config().set("max.partition.fetch.bytes", 300))
        .await
        .unwrap();
    let mut consumer = read(&client, Start::Beginning).await;
    assert_eq!(values(&mut consumer, 1).await, numbers(0..1));
    tokio::time::sleep(Duration::from_millis(50)).await;
    let fetches = cluster.state().fetches;
    assert!(fetches < 30, "{fetches} fetches before anything was read");
    assert_eq!(values(&mut consumer, 199).await, numbers(1..200));
}

#[tokio::test]
async fn a_poll_returns_what_is_there() {
    let cluster = Cluster::start(1, &[("t", 1)]).await;
    fill(&cluster, 0, 0..10).await;
    let client = cluster.client().await;
    let mut consumer = read(&client, Start::Beginning).await;
    let mut found = Vec::new();
    while found.len() < 10 {
        let messages = consumer.poll(4, PATIENCE).await.unwrap();
        assert!((1..=4).contains(&messages.len()));
        found.extend(messages.into_iter().map(|message| message.offset));
    }
    assert_eq!(found, (0..10).collect::<Vec<i64>>());
}
