//! A topic as a producer sees it: its partitions' queues, and the choice among them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use barnabas_wire::ErrorCode;
use barnabas_wire::id::TopicName;
use barnabas_wire::record::HEADER_SIZE_BYTES;
use parking_lot::RwLock;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::Producer;
use super::delivery::Delivery;
use super::partition::{Appended, PartitionQueue, Wake};
use super::partitioner::partition_of_key;
use super::record::Outgoing;
use crate::cluster::Cluster;
use crate::config::Partitioner;
use crate::error::{Error, Result};

#[derive(Debug)]
pub(super) struct TopicQueue {
    name: TopicName,
    routes: RwLock<Routes>,
    /// Round robin: counts records. Sticky: counts batches.
    turn: AtomicUsize,
}

#[derive(Debug, Default)]
struct Routes {
    /// Invariant: the queue at `index` is that of the partition with this index.
    partitions: Vec<Arc<PartitionQueue>>,
    /// Indexes of partitions with a leader.
    available: Vec<usize>,
}

impl TopicQueue {
    pub(super) fn new(name: &TopicName) -> Self {
        Self {
            name: name.clone(),
            routes: RwLock::default(),
            turn: AtomicUsize::new(0),
        }
    }

    /// Takes over new partitions and leaders. Queues stay; a topic never gets fewer partitions,
    /// and where it was deleted the queues wait for it to come back or for their time to end.
    pub(super) fn update(&self, cluster: &Cluster) {
        let Some(topic) = cluster.topics.get(&self.name) else {
            return;
        };
        let mut routes = self.routes.write();
        let known = routes.partitions.len();
        for partition in topic.partitions.iter().skip(known) {
            let queue = PartitionQueue::new(self.name.clone(), partition.index);
            routes.partitions.push(Arc::new(queue));
        }
        let leads = |index: &usize| {
            topic
                .partitions
                .get(*index)
                .map(|found| found.leader.is_some())
        };
        routes.available = (0..routes.partitions.len())
            .filter(|index| leads(index) == Some(true))
            .collect();
    }

    /// S7: the partition given; else the hash of the key; else round robin over the partitions
    /// that have a leader, or one of them until its batch is full. Returns the partition's index.
    fn choose(&self, routes: &Routes, record: &Outgoing<'_>, how: Partitioner) -> Result<usize> {
        let count = routes.partitions.len();
        let index = match (record.partition, record.key) {
            (Some(partition), _) => usize::try_from(partition).unwrap_or(usize::MAX),
            (None, Some(key)) => partition_of_key(key, count),
            (None, None) => {
                let turn = match how {
                    Partitioner::Classic => self.turn.fetch_add(1, Ordering::Relaxed),
                    Partitioner::Sticky => self.turn.load(Ordering::Relaxed),
                };
                let among = routes.available.len().max(1);
                // Without any leader the record waits in some queue until there is one.
                routes
                    .available
                    .get(turn % among)
                    .copied()
                    .unwrap_or(turn % count.max(1))
            }
        };
        if index < count {
            return Ok(index);
        }
        Err(Error::kafka(
            ErrorCode::UnknownTopicOrPartition,
            format!("{}-{}", self.name, record.partition.unwrap_or(0)),
            Some(format!("topic {} has {count} partitions", self.name)),
        ))
    }
}

/// Sends borrowed records to one topic. A clone is another handle on the same producer.
#[derive(Clone, Debug)]
pub struct TopicProducer {
    producer: Producer,
    queue: Arc<TopicQueue>,
}

impl TopicProducer {
    pub(super) const fn new(producer: Producer, queue: Arc<TopicQueue>) -> Self {
        Self { producer, queue }
    }

    /// Queues a record and returns its [`Delivery`]. The bytes are copied into a batch.
    ///
    /// Waits only for room in `buffer.memory`, at most `max.block.ms`. Cancel safe: dropped before
    /// it is ready, nothing was queued.
    ///
    /// # Errors
    /// [`Error::Timeout`] after `max.block.ms`; [`Error::RecordTooLarge`]; [`Error::Kafka`] if the
    /// partition does not exist; [`Error::Closed`].
    pub async fn send(&self, record: &Outgoing<'_>) -> Result<Delivery> {
        match self.try_send(record) {
            Err(Error::BufferFull) => {}
            finished => return finished,
        }
        let shared = self.producer.shared();
        let after = shared.settings.max_block;
        let size_bytes = HEADER_SIZE_BYTES + record.size_max_bytes();
        // Batches that wait for more records hold the memory: they have to go now.
        shared.wake.notify_one();
        let memory = timeout(after, shared.reserve(size_bytes)).await;
        let memory = memory.map_err(|_elapsed| Error::Timeout {
            what: "waiting for room in buffer.memory",
            after,
            last: None,
        })??;
        self.append(record, Some(memory))
    }

    /// As [`TopicProducer::send`], but fails where that would wait. Allocates only for a new
    /// batch.
    ///
    /// # Errors
    /// [`Error::BufferFull`], and as [`TopicProducer::send`] but for the timeout.
    pub fn try_send(&self, record: &Outgoing<'_>) -> Result<Delivery> {
        let shared = self.producer.shared();
        let settings = &shared.settings;
        let size_bytes = HEADER_SIZE_BYTES + record.size_max_bytes();
        if size_bytes > settings.request_max_bytes {
            let (setting, limit_bytes) = ("max.request.size", settings.request_max_bytes);
            return Err(Error::RecordTooLarge {
                size_bytes,
                limit_bytes,
                setting,
            });
        }
        if size_bytes > settings.buffer_memory_bytes {
            let (setting, limit_bytes) = ("buffer.memory", settings.buffer_memory_bytes);
            return Err(Error::RecordTooLarge {
                size_bytes,
                limit_bytes,
                setting,
            });
        }
        self.append(record, None)
    }

    /// Appends to the partition's open batch, or to a new one with `memory` or what is left.
    fn append(
        &self,
        record: &Outgoing<'_>,
        mut memory: Option<OwnedSemaphorePermit>,
    ) -> Result<Delivery> {
        let shared = self.producer.shared();
        let how = shared.settings.partitioner;
        let is_sticky =
            how == Partitioner::Sticky && record.partition.is_none() && record.key.is_none();
        if shared.is_closed() {
            return Err(Error::Closed);
        }
        let timestamp_ms = record.timestamp_ms.unwrap_or_else(now_ms);
        let batch_size_bytes = shared.settings.batch_size_bytes;
        let routes = self.queue.routes.read();
        let mut index = self.queue.choose(&routes, record, how)?;
        let mut fresh = None;
        loop {
            let queue = routes.partitions.get(index).ok_or(Error::Closed)?;
            match queue.append(record, timestamp_ms, batch_size_bytes, &mut fresh) {
                Appended::Done {
                    delivery,
                    wakes_sender,
                } => {
                    if wakes_sender == Wake::Activate {
                        shared.activate(queue);
                    }
                    if let Some(unused) = fresh {
                        shared.discard_batch(&unused);
                    }
                    return Ok(delivery);
                }
                Appended::NeedsBatch { was_full } => {
                    if was_full {
                        shared.wake.notify_one();
                    }
                    if was_full && is_sticky {
                        self.queue.turn.fetch_add(1, Ordering::Relaxed);
                        index = self.queue.choose(&routes, record, how)?;
                        continue;
                    }
                    let size_bytes = HEADER_SIZE_BYTES + record.size_max_bytes();
                    let reserved = memory.take().or_else(|| shared.try_reserve(size_bytes));
                    fresh = Some(shared.open_batch(queue, reserved.ok_or(Error::BufferFull)?));
                }
                Appended::Refused(error) => {
                    let (subject, reason) = ("record".into(), error.to_string());
                    return Err(Error::Corrupt { subject, reason });
                }
            }
        }
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
