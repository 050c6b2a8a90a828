//! What callers and the sender task of one producer share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use barnabas_wire::id::TopicName;
use barnabas_wire::record::BatchBuilder;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::batch::{Batch, SPAN, SentBatch};
use super::delivery::Completion;
use super::partition::PartitionQueue;
use super::topic::TopicQueue;
use crate::client::Client;
use crate::config::ProducerSettings;
use crate::error::{Error, Result};
use crate::pool::Pool;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) client: Client,
    pub(super) settings: ProducerSettings,
    pub(super) pool: Pool,
    /// `buffer.memory`, in bytes.
    pub(super) memory: Arc<Semaphore>,
    topics: RwLock<BTreeMap<TopicName, Arc<TopicQueue>>>,
    /// Partitions that got a batch while they were inactive.
    activated: Mutex<Vec<Arc<PartitionQueue>>>,
    /// Wakes the sender.
    pub(super) wake: Notify,
    /// Batches whose outcome is open, by number.
    incomplete: Mutex<BTreeMap<u64, Arc<Completion>>>,
    numbers_given: AtomicU64,
    /// Flushes under way: batches do not wait for `linger.ms`.
    flushes: AtomicUsize,
    is_closed: AtomicBool,
    /// What is not delivered shall fail now.
    is_given_up: AtomicBool,
    records_acked: AtomicU64,
    records_failed: AtomicU64,
    batches_acked: AtomicU64,
    batches_sent_again: AtomicU64,
}

/// What a producer has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProducerCounts {
    /// Records that were delivered.
    pub records_acked: u64,
    /// Records that failed.
    pub records_failed: u64,
    /// Batches that were delivered.
    pub batches_acked: u64,
    /// Batches that were sent again after a failure; each time counts.
    pub batches_sent_again: u64,
}

impl Shared {
    pub(super) fn new(client: Client, settings: ProducerSettings) -> Self {
        let connections = &client.metadata().settings;
        let pool = Pool::new(connections.options.clone(), connections.retry_backoff);
        let memory_bytes = settings.buffer_memory_bytes.min(Semaphore::MAX_PERMITS);
        Self {
            pool,
            memory: Arc::new(Semaphore::new(memory_bytes)),
            client,
            settings,
            topics: RwLock::default(),
            activated: Mutex::default(),
            wake: Notify::new(),
            incomplete: Mutex::default(),
            numbers_given: AtomicU64::new(0),
            flushes: AtomicUsize::new(0),
            is_closed: AtomicBool::new(false),
            is_given_up: AtomicBool::new(false),
            records_acked: AtomicU64::new(0),
            records_failed: AtomicU64::new(0),
            batches_acked: AtomicU64::new(0),
            batches_sent_again: AtomicU64::new(0),
        }
    }

    pub(super) fn topic(&self, name: &str) -> Option<Arc<TopicQueue>> {
        self.topics.read().get(name).cloned()
    }

    /// Waits until the topic can be used, and opens its queues.
    pub(super) async fn open_topic(&self, name: &TopicName) -> Result<Arc<TopicQueue>> {
        let metadata = self.client.metadata();
        let cluster = metadata.topic(name, true, self.settings.max_block).await?;
        let mut topics = self.topics.write();
        let queue = topics
            .entry(name.clone())
            .or_insert_with(|| Arc::new(TopicQueue::new(name)));
        queue.update(&cluster);
        Ok(Arc::clone(queue))
    }

    /// Takes over new partitions and leaders.
    pub(super) fn update_topics(&self, cluster: &crate::cluster::Cluster) {
        for topic in self.topics.read().values() {
            topic.update(cluster);
        }
    }

    /// Memory for one batch that holds at least a record of this size; none if the buffer is full.
    pub(super) fn try_reserve(&self, record_bytes: usize) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.memory)
            .try_acquire_many_owned(self.batch_memory(record_bytes))
            .ok()
    }

    /// Waits for memory for one batch. Cancel safe.
    pub(super) async fn reserve(&self, record_bytes: usize) -> Result<OwnedSemaphorePermit> {
        let permit = Arc::clone(&self.memory).acquire_many_owned(self.batch_memory(record_bytes));
        permit.await.map_err(|_closed| Error::Closed)
    }

    fn batch_memory(&self, record_bytes: usize) -> u32 {
        let memory_bytes = self.settings.batch_size_bytes.max(record_bytes);
        let memory_bytes = memory_bytes.clamp(1, self.settings.buffer_memory_bytes);
        u32::try_from(memory_bytes).unwrap_or(u32::MAX)
    }

    /// True if someone may be waiting for room: then no batch waits to become full.
    pub(super) fn is_short_of_memory(&self) -> bool {
        self.memory.available_permits() < self.settings.batch_size_bytes
    }

    /// An empty batch for a partition.
    pub(super) fn open_batch(&self, queue: &PartitionQueue, memory: OwnedSemaphorePermit) -> Batch {
        let number = self.numbers_given.fetch_add(SPAN, Ordering::Relaxed);
        let completion = Completion::new(queue.topic.clone(), queue.index);
        self.incomplete
            .lock()
            .insert(number, Arc::clone(&completion));
        let settings = &self.settings;
        Batch {
            builder: BatchBuilder::new(settings.compression, settings.batch_size_bytes),
            completion,
            opened_at: Instant::now(),
            memory,
            number,
        }
    }

    /// A batch that was opened and not used.
    pub(super) fn discard_batch(&self, batch: &Batch) {
        self.incomplete.lock().remove(&batch.number);
        // A flush may have seen it.
        batch.completion.acked(-1, None);
    }

    /// Tells the sender of a partition that it does not look at yet.
    pub(super) fn activate(&self, queue: &Arc<PartitionQueue>) {
        self.activated.lock().push(Arc::clone(queue));
        self.wake.notify_one();
    }

    pub(super) fn take_activated(&self) -> Vec<Arc<PartitionQueue>> {
        std::mem::take(&mut *self.activated.lock())
    }

    /// Counts a batch's outcome; `acked` is how many of its records were delivered.
    pub(super) fn completed(&self, number: u64, record_count: i32, is_acked: bool) {
        self.incomplete.lock().remove(&number);
        let records = u64::try_from(record_count).unwrap_or(0);
        if is_acked {
            self.records_acked.fetch_add(records, Ordering::Relaxed);
            self.batches_acked.fetch_add(1, Ordering::Relaxed);
        } else {
            self.records_failed.fetch_add(records, Ordering::Relaxed);
        }
    }

    /// A batch goes on as two.
    pub(super) fn split(&self, parts: &[SentBatch; 2]) {
        let mut incomplete = self.incomplete.lock();
        for part in parts {
            incomplete.insert(part.number, Arc::clone(&part.completion));
        }
    }

    pub(super) fn sent_again(&self) {
        self.batches_sent_again.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn counts(&self) -> ProducerCounts {
        ProducerCounts {
            records_acked: self.records_acked.load(Ordering::Relaxed),
            records_failed: self.records_failed.load(Ordering::Relaxed),
            batches_acked: self.batches_acked.load(Ordering::Relaxed),
            batches_sent_again: self.batches_sent_again.load(Ordering::Relaxed),
        }
    }

    /// Waits for the outcome of every batch there is now.
    pub(super) async fn flush(&self) {
        struct Flushing<'a>(&'a AtomicUsize);
        impl Drop for Flushing<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::AcqRel);
            }
        }
        self.flushes.fetch_add(1, Ordering::AcqRel);
        let _flushing = Flushing(&self.flushes);
        let waiting: Vec<_> = self.incomplete.lock().values().cloned().collect();
        self.wake.notify_one();
        for completion in waiting {
            completion.wait().await;
        }
    }

    pub(super) fn is_flushing(&self) -> bool {
        self.flushes.load(Ordering::Acquire) > 0 || self.is_closed()
    }

    /// Takes no more records; the sender ends when nothing is left.
    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        self.memory.close();
        self.wake.notify_one();
    }

    /// As [`Shared::close`], and whatever is not delivered yet fails.
    pub(super) fn give_up(&self) {
        self.is_given_up.store(true, Ordering::Release);
        self.close();
    }

    pub(super) fn is_given_up(&self) -> bool {
        self.is_given_up.load(Ordering::Acquire)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    pub(super) fn has_incomplete(&self) -> bool {
        !self.incomplete.lock().is_empty()
    }
}
