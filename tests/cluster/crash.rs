//! Brokers that are killed while records come in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use barnabas_client::{Client, Config, Delivery, PartitionId, Record, Start, TopicPartition};
use barnabas_tests::cluster::Cluster;
use barnabas_tests::liveness::within;

const TOPIC: &str = "load";
const PARTITIONS: i32 = 3;

/// Times that the broker is killed.
const KILLS: usize = 4;

/// Records sent before each kill at least, so that every kill meets some.
const RECORDS_PER_KILL: u64 = 3_000;

/// Deliveries that may be outstanding.
const OUTSTANDING_MAX: usize = 2_000;

type Place = (i32, i64);

/// What is wrong with what is stored, given what was acknowledged: number of the record at its place.
fn check(acknowledged: &BTreeMap<Place, u64>, stored: &BTreeMap<Place, u64>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for (place, number) in stored {
        if !seen.insert(number) {
            return Err(format!(
                "record {number} is stored twice, again at {place:?}"
            ));
        }
    }
    for (place, number) in acknowledged {
        match stored.get(place) {
            Some(found) if found == number => {}
            Some(found) => return Err(format!("{place:?} holds {found} instead of {number}")),
            None => {
                return Err(format!(
                    "record {number}, acknowledged at {place:?}, is lost"
                ));
            }
        }
    }
    for partition in 0..PARTITIONS {
        let offsets = stored.keys().filter(|(other, _)| *other == partition);
        if let Some(((_, offset), _)) = offsets.zip(0..).find(|((_, offset), next)| offset != next)
        {
            return Err(format!(
                "partition {partition} has a gap before offset {offset}"
            ));
        }
    }
    Ok(())
}

/// The checker must find what it is there to find.
#[test]
fn the_check_finds_lost_doubled_and_moved_records() {
    let acknowledged: BTreeMap<Place, u64> = [((0, 0), 10), ((0, 1), 11), ((1, 0), 12)].into();
    check(&acknowledged, &acknowledged).unwrap();
    let mut more = acknowledged.clone();
    more.insert((1, 1), 13);
    check(&acknowledged, &more).unwrap();
    let without = |place: Place| {
        let mut stored = acknowledged.clone();
        stored.remove(&place);
        stored
    };
    let with = |place: Place, number: u64| {
        let mut stored = acknowledged.clone();
        stored.insert(place, number);
        stored
    };
    for wrong in [
        without((0, 1)),
        without((0, 0)),
        with((2, 0), 10),
        with((0, 1), 99),
        with((1, 2), 14),
    ] {
        check(&acknowledged, &wrong).unwrap_err();
    }
}

/// S20, S21: a broker is killed under load, again and again. Every record that was acknowledged is there
/// at its offset, none is there twice, and the producer goes on by itself.
#[test]
fn every_acknowledged_record_survives_kill_9_under_load() {
    let settings = [("log.segment.bytes", "1048576")];
    let mut cluster = Cluster::start("crash", 1, &settings);
    cluster
        .tool(&["topic", "create", TOPIC, "--partitions", "3"])
        .ok();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = Config::new(&cluster.bootstrap())
        .set("linger.ms", 1)
        .set("acks", "all");
    let client = runtime
        .block_on(within("connecting", Client::connect(config)))
        .unwrap();

    let load = Load::default();
    let sending = runtime.spawn(load.clone().send(client.clone()));
    for _ in 0..KILLS {
        load.wait_for_more(RECORDS_PER_KILL);
        cluster.brokers[0].kill();
        std::thread::sleep(Duration::from_millis(200));
        cluster.brokers[0].start();
        cluster.brokers[0].wait_ready();
    }
    load.wait_for_more(RECORDS_PER_KILL);
    load.stop.store(true, Ordering::SeqCst);
    let acknowledged = runtime
        .block_on(within("the last deliveries", sending))
        .unwrap();

    let stored = runtime.block_on(within("reading everything", read_all(&client)));
    let count = acknowledged.len();
    assert!(
        count as u64 > RECORDS_PER_KILL * KILLS as u64,
        "{count} records are no load"
    );
    check(&acknowledged, &stored).unwrap();
    let log = cluster.brokers[0].log_text();
    assert!(!log.contains("panicked"), "{log}");
}

/// A producer under way.
#[derive(Clone, Default)]
struct Load {
    stop: Arc<AtomicBool>,
    acknowledged: Arc<std::sync::atomic::AtomicU64>,
}

impl Load {
    /// Waits until that many records more were acknowledged than now.
    fn wait_for_more(&self, count: u64) {
        let goal = self.acknowledged.load(Ordering::SeqCst) + count;
        barnabas_tests::liveness::wait_until("records are acknowledged", || {
            self.acknowledged.load(Ordering::SeqCst) >= goal
        });
    }

    /// Sends numbered records until told to stop; returns where each was acknowledged.
    async fn send(self, client: Client) -> BTreeMap<Place, u64> {
        let producer = client.producer().unwrap();
        let mut outstanding = std::collections::VecDeque::new();
        let mut acknowledged = BTreeMap::new();
        for number in 0_u64.. {
            if self.stop.load(Ordering::SeqCst) {
                break;
            }
            let record = Record::to(TOPIC)
                .key(number.to_string())
                .value(format!("{number:0100}"));
            outstanding.push_back((number, producer.send(record).await.unwrap()));
            if outstanding.len() >= OUTSTANDING_MAX {
                let first = outstanding.pop_front().unwrap();
                self.acknowledge(first, &mut acknowledged).await;
            }
        }
        for delivery in outstanding {
            self.acknowledge(delivery, &mut acknowledged).await;
        }
        acknowledged
    }

    async fn acknowledge(
        &self,
        (number, delivery): (u64, Delivery),
        acknowledged: &mut BTreeMap<Place, u64>,
    ) {
        let acked = delivery.await.unwrap();
        self.acknowledged.fetch_add(1, Ordering::SeqCst);
        // A batch that turned out to be stored already may have no known place.
        if acked.offset >= 0 {
            acknowledged.insert((acked.partition, acked.offset), number);
        }
    }
}

async fn read_all(client: &Client) -> BTreeMap<Place, u64> {
    let partitions: Vec<TopicPartition> = (0..PARTITIONS)
        .map(|index| TopicPartition::new(TOPIC, PartitionId(index)))
        .collect();
    let ends = client
        .admin()
        .list_offsets(&partitions, barnabas_client::OffsetAt::End)
        .await
        .unwrap();
    let total: i64 = ends.values().flatten().map(|end| end.offset).sum();
    let from_start = partitions
        .into_iter()
        .map(|partition| (partition, Start::Beginning));
    let mut consumer = client
        .consumer()
        .unwrap()
        .assign(from_start)
        .start()
        .await
        .unwrap();
    let mut stored = BTreeMap::new();
    while stored.len() < usize::try_from(total).unwrap() {
        let message = consumer.recv().await.unwrap();
        let value = message.value.unwrap();
        let number = std::str::from_utf8(&value).unwrap().parse().unwrap();
        stored.insert((message.partition.partition.0, message.offset), number);
    }
    stored
}
