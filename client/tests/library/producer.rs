//! The producer against a cluster that fails on demand.

use std::time::Duration;

use crate::cluster::{Cluster, Fault};
use barnabas_client::{Client, Compression, Error, ErrorCode, Outgoing, Producer, Record};

/// Longest time that anything here may hang; never reached in a test that passes.
const PATIENCE: Duration = Duration::from_secs(30);

async fn producer(cluster: &Cluster, settings: &[(&str, &str)]) -> Producer {
    let config = settings
        .iter()
        .fold(cluster.config(), |config, (key, value)| {
            config.set(key, value)
        });
    Client::connect(config).await.unwrap().producer().unwrap()
}

fn numbers(count: usize) -> Vec<String> {
    (0..count).map(|number| number.to_string()).collect()
}

/// Sends numbers to partition 0 in batches of two records or so, and waits for all.
async fn send_numbers(producer: &Producer, count: usize) -> Vec<Result<i64, Error>> {
    let mut deliveries = Vec::new();
    for number in numbers(count) {
        let record = Record::to("t").partition(0).value(number);
        deliveries.push(producer.send(record).await.unwrap());
    }
    let mut outcomes = Vec::new();
    for delivery in deliveries {
        let outcome = tokio::time::timeout(PATIENCE, delivery)
            .await
            .expect("an outcome");
        outcomes.push(outcome.map(|acked| acked.offset));
    }
    outcomes
}

fn offsets(outcomes: Vec<Result<i64, Error>>) -> Vec<i64> {
    outcomes.into_iter().map(Result::unwrap).collect()
}

const SMALL_BATCHES: (&str, &str) = ("batch.size", "80");

/// S1, S6: records arrive at the leader in the order of sending, each with an offset of its own.
#[tokio::test]
async fn records_are_stored_once_and_in_order() {
    let cluster = Cluster::start(1, &[("t", 1)]).await;
    let producer = producer(&cluster, &[SMALL_BATCHES]).await;
    let found = offsets(send_numbers(&producer, 100).await);
    assert_eq!(found, (0..100).collect::<Vec<i64>>());
    assert_eq!(cluster.values("t", 0), numbers(100));
    let counts = producer.counts();
    assert_eq!((counts.records_acked, counts.records_failed), (100, 0));
    assert!(counts.batches_acked > 10, "{counts:?}");
    let requests = u64::try_from(cluster.state().produces).unwrap();
    assert!(
        requests <= counts.batches_acked,
        "{requests} requests for {counts:?}"
    );
}

#[tokio::test]
async fn every_codec_arrives() {
    for codec in Compression::ALL
        .into_iter()
        .filter(|codec| codec.is_built())
    {
        let cluster = Cluster::start(1, &[("t", 1)]).await;
        let producer = producer(&cluster, &[("compression.type", codec.name())]).await;
        send_numbers(&producer, 50).await;
        assert_eq!(cluster.values("t", 0), numbers(50), "{codec}");
    }
}

/// S21: with idempotence, lost requests and lost answers lose nothing and double nothing.
#[tokio::test]
async fn second_attempts_lose_nothing_double_nothing_and_keep_the_order() {
    use Fault::{CloseAfter, CloseBefore, None, Refuse};
    let not_leader = Refuse(ErrorCode::NotLeaderOrFollower);
    for faults in [
        vec![CloseAfter],
        vec![CloseBefore],
        vec![None, CloseAfter, CloseAfter],
        vec![None, None, not_leader],
        vec![
            not_leader,
            None,
            CloseBefore,
            None,
            CloseAfter,
            None,
            not_leader,
            not_leader,
        ],
        vec![Refuse(ErrorCode::NotEnoughReplicas); 3],
    ] {
        let cluster = Cluster::start(1, &[("t", 1)]).await;
        cluster.fail_next(&faults);
        let producer = producer(&cluster, &[SMALL_BATCHES]).await;
        let found = offsets(send_numbers(&producer, 60).await);
        assert_eq!(found, (0..60).collect::<Vec<i64>>(), "{faults:?}");
        assert_eq!(cluster.values("t", 0), numbers(60), "{faults:?}");
        assert!(cluster.state().faults.is_empty(), "{faults:?} happened");
        assert!(producer.counts().batches_sent_again > 0, "{faults:?}");
    }
}

/// The control of the test above: without idempotence the same faults do store records twice.
#[tokio::test]
async fn without_idempotence_a_lost_answer_stores_records_twice() {
    let cluster = Cluster::start(1, &[("t", 1)]).await;
    cluster.fail_next(&[Fault::CloseAfter]);
    let producer = producer(&cluster, &[("enable.idempotence", "false")]).await;
    producer
        .send(Record::to("t").value("a"))
        .await
        .unwrap()
        .await
        .unwrap();
    assert_eq!(cluster.values("t", 0), ["a", "a"]);
}

#[tokio::test]
async fn a_broker_that_forgot_the_producer_gets_the_rest_all_the_same() {
    let cluster = Cluster::start(1, &[("t", 1)]).await;
    let producer = producer(&cluster, &[SMALL_BATCHES]).await;
    send_numbers(&producer, 10).await;
    cluster.state().topics.get_mut("t").unwrap()[0].forget_producers();
    let found = offsets(send_numbers(&producer, 10).await);
    assert_eq!(found, (10..20).collect::<Vec<i64>>());
    assert_eq!(cluster.values("t", 0), [numbers(10), numbers(10)].concat());
}

#[tokio::test]
async fn a_final_error_fails_its_records_and_the_next_ones_go_on() {
    let cluster = Cluster::start(1, &[("t", 1)]).await;
    cluster.fail_next(&[Fault::Refuse(ErrorCode::InvalidRecord)]);
    let producer = producer(&cluster, &[]).await;
    let first = producer
        .send(Record::to("t").value("bad"))
        .await
        .unwrap()
        .await;
    assert_eq!(first.unwrap_err().code(), Some(ErrorCode::InvalidRecord));
    for value in ["good", "better"] {
        producer
            .send(Record::to("t").value(value))
            .await
            .unwrap()
            .await
            .unwrap();
    }
    assert_eq!(cluster.values("t", 0), ["good", "better"]);
    assert_eq!(producer.counts().records_failed, 1);
}

/// A topic may take smaller batches than the producer makes: they are split until they fit.
#[tokio::test]
async fn a_batch_that_is_too_large_is_split_and_the_order_stays() {
    for codec in ["none", "gzip"] {
        let cluster = Cluster::start(1, &[("t", 1)]).await;
        cluster.state().topics.get_mut("t").unwrap()[0].batch_max_bytes = 200;
        let producer = producer(
            &cluster,
            &[("linger.ms", "20"), ("compression.type", codec)],
        )
        .await;
        let flushed = producer.clone();
        let found = offsets(send_numbers(&producer, 100).await);
        assert_eq!(found, (0..100).collect::<Vec<i64>>(), "{codec}");
        assert_eq!(cluster.values("t", 0), numbers(100), "{codec}");
        flushed.flush().await;
        assert_eq!(producer.counts().records_acked, 100);
        // A record that does not fit alone fails alone.
        let large = producer
            .send(Record::to("t").value(noise(300)))
            .await
            .unwrap();
        let small = producer.send(Record::to("t").value("small")).await.unwrap();
        assert_eq!(
            large.await.unwrap_err().code(),
            Some(ErrorCode::MessageTooLarge),
            "{codec}"
        );
        assert_eq!(small.await.unwrap().offset, 100, "{codec}");
    }
}

/// Bytes that no codec makes smaller, as text.
fn noise(length: u32) -> String {
    let digit =
        |index: u32| char::from(b'!' + (index.wrapping_mul(2_654_435_761) >> 25) as u8 % 90);
    (0..length).map(digit).collect()
}

#[tokio::test]
async fn a_budget_of_no_retries_fails_at_the_first_obstacle() {
    let cluster = Cluster::start(1, &[("t", 1)]).await;
    cluster.fail_next(&[Fault::Refuse(ErrorCode::NotEnoughReplicas)]);
    let producer = producer(&cluster, &[("retries", "0")]).await;
    let failed = producer
        .send(Record::to("t").value("a"))
        .await
        .unwrap()
        .await
        .unwrap_err();
    assert_eq!(failed.code(), Some(ErrorCode::NotEnoughReplicas));
}

/// S21: a producer that cannot write goes on trying until its time is over, and says what stood in
/// the way.
#[tokio::test]
async fn a_record_that_cannot_be_delivered_in_time_fails_with_the_obstacle() {
    let cluster = Cluster::start(1, &[("t", 1)]).await;
    cluster.fail_next(&[Fault::Refuse(ErrorCode::NotEnoughReplicas); 1000]);
    let producer = producer(&cluster, &[("delivery.timeout.ms", "100")]).await;
    let failed = producer
        .send(Record::to("t").value("a"))
        .await
        .unwrap()
        .await
        .unwrap_err();
    let Error::Timeout {
        last: Some(last), ..
    } = failed
    else {
        panic!("{failed}")
    };
    assert_eq!(last.code(), Some(ErrorCode::NotEnoughReplicas));
    cluster.state().faults.clear();
    producer
        .send(Record::to("t").value("b"))
        .await
        .unwrap()
        .await
        .unwrap();
    assert_eq!(cluster.values("t", 0), ["b"]);
}

#[tokio::test]
async fn a_leader_that_moves_is_followed() {
    let cluster = Cluster::start(2, &[("t", 1)]).await;
    let producer = producer(&cluster, &[SMALL_BATCHES]).await;
    send_numbers(&producer, 10).await;
    {
        let mut state = cluster.state();
        let log = &mut state.topics.get_mut("t").unwrap()[0];
        (log.leader, log.leader_epoch) = (Some(1), 1);
    }
    let found = offsets(send_numbers(&producer, 10).await);
    assert_eq!(found, (10..20).collect::<Vec<i64>>());
}

/// S7: the partition given; else the hash of the key; else round robin over the partitions that
/// have a leader.
#[tokio::test]
async fn records_are_routed_by_partition_key_or_turn() {
    let cluster = Cluster::start(1, &[("t", 4)]).await;
    cluster.state().topics.get_mut("t").unwrap()[2].leader = None;
    let producer = producer(&cluster, &[("linger.ms", "1000")]).await;
    for turn in 0..9 {
        let _delivery = producer
            .send(Record::to("t").value(format!("turn {turn}")))
            .await
            .unwrap();
    }
    // murmur2("foobar") is -790332482, and its low 31 bits are 2 modulo 4.
    let to_key = producer
        .send(Record::to("t").key("foobar").value("key"))
        .await
        .unwrap();
    let given = Record::to("t").key("foobar").partition(3).value("given");
    let given = producer.send(given).await.unwrap();
    cluster.state().topics.get_mut("t").unwrap()[2].leader = Some(0);
    producer.flush().await;
    assert_eq!(
        (
            to_key.await.unwrap().partition,
            given.await.unwrap().partition
        ),
        (2, 3)
    );
    for (partition, expected) in [
        (0, vec!["turn 0", "turn 3", "turn 6"]),
        (1, vec!["turn 1", "turn 4", "turn 7"]),
        (2, vec!["key"]),
        (3, vec!["turn 2", "turn 5", "turn 8", "given"]),
    ] {
        assert_eq!(cluster.values("t", partition), expected, "{partition}");
    }
}

#[tokio::test]
async fn sticky_stays_with_a_partition_until_its_batch_is_full() {
    let cluster = Cluster::start(1, &[("t", 2)]).await;
    let settings = [
        ("partitioner.class", "sticky"),
        ("linger.ms", "1000"),
        ("batch.size", "150"),
    ];
    let producer = producer(&cluster, &settings).await;
    for number in 0..10 {
        let _delivery = producer
            .send(Record::to("t").value(number.to_string()))
            .await
            .unwrap();
    }
    producer.flush().await;
    let (first, second) = (cluster.values("t", 0), cluster.values("t", 1));
    assert_eq!(first.len() + second.len(), 10);
    assert!(
        first
            .windows(2)
            .any(|pair| pair[0].len() == 1 && pair[1].len() == 1),
        "{first:?}"
    );
    let runs = |values: &[String]| {
        let numbers: Vec<i32> = values.iter().map(|value| value.parse().unwrap()).collect();
        numbers
            .windows(2)
            .filter(|pair| pair[0] + 1 == pair[1])
            .count()
    };
    assert!(runs(&first) + runs(&second) >= 6, "{first:?} {second:?}");
}

#[tokio::test]
async fn no_partition_of_that_number_is_told_at_once() {
    let cluster = Cluster::start(1, &[("t", 1)]).await;
    let producer = producer(&cluster, &[]).await;
    let error = producer
        .send(Record::to("t").partition(1).value("a"))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::UnknownTopicOrPartition));
}

/// S19: a topic that does not exist is made by asking, where the broker does that; else the
/// producer says that it is not there.
#[tokio::test]
async fn a_missing_topic_is_created_or_told() {
    let cluster = Cluster::start(1, &[]).await;
    let producer = producer(&cluster, &[("max.block.ms", "100")]).await;
    let error = producer
        .send(Record::to("new").value("a"))
        .await
        .unwrap_err();
    let Error::Timeout {
        last: Some(last), ..
    } = error
    else {
        panic!("{error}")
    };
    assert_eq!(last.code(), Some(ErrorCode::UnknownTopicOrPartition));
    cluster.state().auto_create = true;
    producer
        .send(Record::to("new").value("a"))
        .await
        .unwrap()
        .await
        .unwrap();
    assert_eq!(cluster.values("new", 0), ["a"]);
}

#[tokio::test]
async fn a_full_buffer_holds_back_and_goes_on_when_there_is_room() {
    let cluster = Cluster::start(1, &[("t", 1)]).await;
    let settings = [
        ("buffer.memory", "1000"),
        ("batch.size", "500"),
        ("max.block.ms", "100"),
    ];
    let producer = producer(&cluster, &settings).await;
    let topic = producer.topic("t").await.unwrap();
    cluster.state().topics.get_mut("t").unwrap()[0].leader = None;
    // The producer may have seen the old leader still; its refusals keep the records here.
    let value = [b'x'; 400];
    let record = Outgoing {
        value: Some(&value),
        ..Outgoing::default()
    };
    let (first, second) = (
        topic.try_send(&record).unwrap(),
        topic.try_send(&record).unwrap(),
    );
    assert!(matches!(topic.try_send(&record), Err(Error::BufferFull)));
    assert!(matches!(
        topic.send(&record).await,
        Err(Error::Timeout { .. })
    ));
    cluster.state().topics.get_mut("t").unwrap()[0].leader = Some(0);
    let third = topic.send(&record).await;
    first.await.unwrap();
    second.await.unwrap();
    match third {
        Ok(third) => drop(third.await.unwrap()),
        Err(error) => assert!(matches!(error, Error::Timeout { .. }), "{error}"),
    }
    let huge = [0; 2000];
    let record = Outgoing {
        value: Some(&huge),
        ..Outgoing::default()
    };
    let error = topic.try_send(&record).unwrap_err();
    assert!(
        matches!(
            error,
            Error::RecordTooLarge {
                setting: "buffer.memory",
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn without_acks_a_record_is_done_when_it_is_written() {
    let cluster = Cluster::start(1, &[("t", 1)]).await;
    let producer = producer(&cluster, &[("acks", "0")]).await;
    let acked = producer
        .send(Record::to("t").value("a"))
        .await
        .unwrap()
        .await
        .unwrap();
    assert_eq!(acked.offset, -1);
    // Behind it on the same connection, so it has been read by then.
    while cluster.values("t", 0).is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(cluster.values("t", 0), ["a"]);
}

#[tokio::test]
async fn closing_delivers_what_was_queued_and_takes_no_more() {
    let cluster = Cluster::start(1, &[("t", 1)]).await;
    let producer = producer(&cluster, &[("linger.ms", "60000")]).await;
    let other = producer.clone();
    let delivery = producer.send(Record::to("t").value("last")).await.unwrap();
    producer.close(PATIENCE).await.unwrap();
    assert_eq!(delivery.await.unwrap().offset, 0);
    let late = other.send(Record::to("t").value("late")).await;
    assert!(matches!(late, Err(Error::Closed)), "{late:?}");
}

#[tokio::test]
async fn closing_in_vain_fails_what_is_left() {
    let cluster = Cluster::start(1, &[("t", 1)]).await;
    cluster.fail_next(&[Fault::Refuse(ErrorCode::NotEnoughReplicas); 1000]);
    let producer = producer(&cluster, &[]).await;
    let delivery = producer.send(Record::to("t").value("a")).await.unwrap();
    let closed = producer.close(Duration::from_millis(50)).await;
    assert!(matches!(closed, Err(Error::Timeout { .. })), "{closed:?}");
    let failed = tokio::time::timeout(PATIENCE, delivery)
        .await
        .expect("an outcome");
    assert!(matches!(failed, Err(Error::Closed)), "{failed:?}");
}

#[tokio::test]
async fn a_dropped_delivery_and_a_dropped_producer_still_deliver() {
    let cluster = Cluster::start(1, &[("t", 1)]).await;
    let producer = producer(&cluster, &[("linger.ms", "60000")]).await;
    drop(producer.send(Record::to("t").value("a")).await.unwrap());
    drop(producer);
    while cluster.values("t", 0).is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(cluster.values("t", 0), ["a"]);
}

#[tokio::test]
async fn headers_and_nulls_arrive_as_they_were_sent() {
    let cluster = Cluster::start(1, &[("t", 1)]).await;
    let producer = producer(&cluster, &[]).await;
    let mut record = Record::to("t").key("k").header("a", "1").header("a", "2");
    record.headers.push(("n".into(), None));
    producer.send(record).await.unwrap().await.unwrap();
    let bytes = cluster.state().topics["t"][0].batches[0].clone();
    let batch = barnabas_wire::record::Batch::parse(&bytes).unwrap();
    let record = batch.records().next().unwrap().unwrap();
    assert_eq!((record.key, record.value), (Some(&b"k"[..]), None));
    let headers: Vec<_> = record
        .headers
        .map(|header| (header.key, header.value))
        .collect();
    let expected: [(&[u8], Option<&[u8]>); 3] =
        [(b"a", Some(b"1")), (b"a", Some(b"2")), (b"n", None)];
    assert_eq!(headers, expected);
}
