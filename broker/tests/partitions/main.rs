//! Partitions on real log directories, told by a controller that is this test: without network and
//! without ZooKeeper.

#![expect(clippy::expect_used, clippy::panic, reason = "set-up of tests")]

mod disk_failure;
mod hosting;
mod produce;

use std::collections::BTreeMap;
use std::future::{Future, ready};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use barnabas_broker::log_pool::LogPool;
use barnabas_broker::log_store::{LoadReport, LogStore};
use barnabas_broker::partition::{
    AppendFailure, AppendReceipt, AppendRequest, Appending, FactsByTopic, Hosted, Partition,
    PartitionRefusal, PartitionRegistry, ReadFailure, ReadRequest, RegistrySettings, TopicFacts,
    TopicFactsSource, TopicFactsUnavailable, TopicRules,
};
use barnabas_config::TopicSettings;
use barnabas_log::directory::TopicIdentity;
use barnabas_log::files::{DiskFiles, Files};
use barnabas_log::partition_log::{Read, ReadBound};
use barnabas_log::producer_state::AppendOrigin;
use barnabas_replica::{Acks, Decision, Lease};
use barnabas_wire::id::{
    BrokerEpoch, BrokerId, ControllerEpoch, LeaderEpoch, Offset, PartitionId, ProducerEpoch,
    ProducerId, TopicName, TopicPartition,
};
use barnabas_wire::record::{BatchBuilder, Batches, Compression, check_produced};
use barnabas_zk_schema::ZkVersion;
use bytes::Bytes;
use parking_lot::Mutex;

const ME: BrokerId = BrokerId(1);

/// Kafka's defaults where they matter here, with small segments.
fn settings() -> TopicSettings {
    let mut settings = TopicSettings::default();
    settings.segment_bytes = 1 << 20;
    settings.segment_ms = 7 * 24 * 3600 * 1000;
    settings.segment_index_bytes = 1 << 20;
    settings.index_interval_bytes = 4096;
    settings.flush_messages = u64::MAX;
    settings.flush_ms = u64::MAX;
    settings.file_delete_delay_ms = 60_000;
    settings.max_message_bytes = 1 << 20;
    settings.min_insync_replicas = 1;
    settings.timestamp_difference_max_ms = u64::MAX;
    settings
}

fn disk() -> Arc<dyn Files> {
    Arc::new(DiskFiles)
}

/// The same facts for every topic, or none while they cannot be had.
#[derive(Debug)]
struct Facts(Mutex<Option<TopicFacts>>);

impl TopicFactsSource for Facts {
    fn facts_of<'a>(
        &'a self,
        topics: &'a [TopicName],
    ) -> Pin<Box<dyn Future<Output = FactsByTopic> + Send + 'a>> {
        let facts = self.0.lock().clone().ok_or(TopicFactsUnavailable);
        Box::pin(ready(
            topics
                .iter()
                .map(|topic| (topic.clone(), facts.clone()))
                .collect(),
        ))
    }
}

/// The partitions of a broker, and what they stand on.
struct Host {
    registry: PartitionRegistry,
    facts: Arc<Facts>,
    report: LoadReport,
}

impl Host {
    fn start(files: &Arc<dyn Files>, directories: &[PathBuf], settings: TopicSettings) -> Self {
        let store = Arc::new(LogStore::open(files, directories).expect("usable directories"));
        let pool = LogPool::start(NonZeroUsize::new(4).expect("not 0")).expect("threads");
        let log_settings = TopicRules::new(settings.clone()).log_settings(0.0);
        let report = store
            .load(NonZeroUsize::MIN, &|_topic: &TopicName| {
                log_settings.clone()
            })
            .expect("readable directories");
        let known = TopicFacts {
            settings: settings.clone(),
            identity: Some(TopicIdentity(1)),
        };
        let facts = Arc::new(Facts(Mutex::new(Some(known))));
        let registry_settings = RegistrySettings {
            broker_id: ME,
            topic_defaults: settings,
        };
        let source: Arc<dyn TopicFactsSource> = facts.clone();
        let registry = PartitionRegistry::new(registry_settings, store, Arc::new(pool), source);
        Self {
            registry,
            facts,
            report,
        }
    }

    fn in_directory(directory: &Path) -> Self {
        Self::start(&disk(), &[directory.to_owned()], settings())
    }

    /// Has this broker lead partitions of topic `t` alone.
    async fn lead(
        &self,
        partitions: &[i32],
        leader_epoch: i32,
        is_new: bool,
    ) -> BTreeMap<i32, Result<(), PartitionRefusal>> {
        let decisions = partitions.iter().map(|&index| {
            let decision = Decision {
                controller_epoch: ControllerEpoch(1),
                leader: ME,
                leader_epoch: LeaderEpoch(leader_epoch),
                isr: vec![ME],
                zk_version: ZkVersion(leader_epoch),
                replicas: vec![ME],
                is_new,
            };
            (name(index), decision)
        });
        let turn = self
            .registry
            .control_turn(ControllerEpoch(1), BrokerEpoch::NONE, BrokerEpoch(5))
            .await
            .expect("the only controller");
        let results = turn.lead_or_follow(decisions.collect()).await;
        results
            .into_iter()
            .map(|(name, result)| (name.partition.0, result))
            .collect()
    }

    fn partition(&self, index: i32) -> Arc<Partition> {
        match self.registry.get("t", index) {
            Hosted::Here(partition) => partition,
            Hosted::Nowhere => panic!("t-{index} is not hosted"),
        }
    }

    /// Ends as a broker does that is told to stop.
    fn close(self) {
        self.registry.pool().stop();
        self.registry
            .store()
            .close(NonZeroUsize::MIN.saturating_add(1));
    }

    /// Ends without a word, as kill -9 does it: only the locks are given up.
    fn vanish(self) {
        self.registry.pool().stop();
    }
}

fn name(index: i32) -> TopicPartition {
    TopicPartition::new("t", PartitionId(index))
}

/// A batch of `values`; of an idempotent producer if it is given with its first sequence.
fn batch(values: &[&str], producer: Option<(i64, i32)>) -> Bytes {
    let mut builder = BatchBuilder::new(Compression::None, 1024);
    if let Some((producer_id, sequence)) = producer {
        builder.set_producer(ProducerId(producer_id), ProducerEpoch(0), sequence);
    }
    for value in values {
        builder
            .append(1_000, None, Some(value.as_bytes()), [])
            .expect("a small record");
    }
    builder.build().expect("a small batch")
}

fn terms(acks: Acks) -> AppendRequest {
    AppendRequest {
        acks,
        lease: Lease::Held,
        origin: AppendOrigin::Client,
        now_ms: 2_000,
    }
}

/// Appends as the Produce handler does it.
async fn append(
    partition: &Arc<Partition>,
    batch: &Bytes,
    acks: Acks,
) -> Result<AppendReceipt, AppendFailure> {
    let rules = partition.rules().produce_rules(true, 2_000);
    let mut scratch = Vec::new();
    let appending = {
        let validated = check_produced(batch, &rules, &mut scratch).expect("a valid batch");
        partition.append(&validated, batch, terms(acks))
    };
    match appending {
        Appending::Now(result) => result,
        Appending::Queued(queued) => queued.await.expect("the log threads run"),
    }
}

/// All values that a consumer sees, by offset.
fn consume(partition: &Partition) -> Result<Vec<(i64, String)>, ReadFailure> {
    let mut values = Vec::new();
    let mut from = 0;
    loop {
        let reading = partition.read(&ReadRequest {
            leader_epoch: None,
            last_fetched_epoch: None,
            read: Read {
                from: Offset(from),
                bound: ReadBound::HighWatermark,
                size_max_bytes: 1 << 20,
                at_least_one_batch: true,
            },
        })?;
        let Some(slice) = reading.records else {
            return Ok(values);
        };
        let mut bytes = vec![0; usize::try_from(slice.length).expect("a small slice")];
        std::os::unix::fs::FileExt::read_exact_at(&*slice.file, &mut bytes, slice.position)
            .expect("the bytes of a slice are there");
        for batch in Batches::new(&bytes) {
            let batch = batch.expect("a slice holds whole batches");
            batch.verify_checksum().expect("stored as it was sent");
            for record in batch.records() {
                let record = record.expect("a readable record");
                let offset = batch.base_offset().0 + i64::from(record.offset_delta);
                let value = String::from_utf8_lossy(record.value.unwrap_or_default());
                values.push((offset, value.into_owned()));
                from = offset + 1;
            }
        }
    }
}

fn assert_holds(partition: &Partition, expected: &[&str]) {
    let expected: Vec<_> = (0..)
        .zip(expected.iter().map(|&value| value.to_owned()))
        .collect();
    assert_eq!(consume(partition).expect("readable"), expected);
}
