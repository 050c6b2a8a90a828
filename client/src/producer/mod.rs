//! Sends records: appends them to batches here, and to the leaders of their partitions in the
//! background.
//!
//! ```text
//! send ── partitioner ──> queue of the partition ── sender task ──> leader, up to 5 in flight
//!                          (the open batch, full ones)  <── answers: done, again, or failed
//! ```
//! A record's bytes are copied once, into its batch. Memory is counted batch by batch.

mod batch;
mod delivery;
mod partition;
mod partitioner;
mod record;
mod sender;
mod sequence;
mod shared;
mod topic;

use std::sync::Arc;
use std::time::Duration;

use barnabas_wire::id::TopicName;
use tokio::time::timeout;

pub use delivery::{Acked, Delivery};
pub use record::{Header, Outgoing, Record};
pub use shared::ProducerCounts;
pub use topic::TopicProducer;

use crate::client::Client;
use crate::config::ProducerSettings;
use crate::error::{Error, Result};
use shared::Shared;

/// Sends records. A clone is the same producer.
///
/// Records of one partition keep the order in which they were sent, also when batches have to be
/// sent again. With `enable.idempotence` (the default with `acks=all`) sending again stores nothing
/// twice, with one known exception: after a batch that was sent is given up (`delivery.timeout.ms`),
/// later batches of its partition that were sent too may be stored once more under a new epoch.
/// When the last clone is dropped, what was queued is still sent as long as the runtime lives;
/// [`Producer::close`] waits for it.
#[derive(Clone, Debug)]
pub struct Producer {
    handle: Arc<Handle>,
}

#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl Producer {
    pub(crate) fn new(client: Client, settings: ProducerSettings) -> Self {
        let shared = Arc::new(Shared::new(client, settings));
        tokio::spawn(sender::run(Arc::clone(&shared)));
        Self {
            handle: Arc::new(Handle { shared }),
        }
    }

    /// Queues a record and returns its [`Delivery`].
    ///
    /// Waits only for the topic's partitions to be known and for room in `buffer.memory`, at most
    /// `max.block.ms`. Cancel safe: dropped before it is ready, nothing was queued.
    ///
    /// # Errors
    /// [`Error::Timeout`] after `max.block.ms`; [`Error::Kafka`] if the topic cannot be used;
    /// [`Error::RecordTooLarge`]; [`Error::Closed`].
    pub async fn send(&self, record: Record) -> Result<Delivery> {
        let topic = self.topic(&record.topic).await?;
        let headers: Vec<Header<'_>> = record.wire_headers().collect();
        topic.send(&record.outgoing(&headers)).await
    }

    /// Queues records in order and waits until all are delivered.
    ///
    /// # Errors
    /// The first record's that fails; others may have been delivered.
    pub async fn send_all(&self, records: impl IntoIterator<Item = Record>) -> Result<Vec<Acked>> {
        let mut deliveries = Vec::new();
        for record in records {
            deliveries.push(self.send(record).await?);
        }
        let mut acked = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            acked.push(delivery.await?);
        }
        Ok(acked)
    }

    /// A handle for one topic, which sends borrowed records without looking the topic up again.
    /// Waits until the topic's partitions are known, at most `max.block.ms`.
    ///
    /// # Errors
    /// As [`Producer::send`].
    pub async fn topic(&self, name: &str) -> Result<TopicProducer> {
        let shared = &self.handle.shared;
        let queue = match shared.topic(name) {
            Some(queue) => queue,
            None => shared.open_topic(&TopicName::from(name)).await?,
        };
        Ok(TopicProducer::new(self.clone(), queue))
    }

    /// Sends what is queued without waiting for `linger.ms`, and waits until each of these records
    /// is delivered or has failed. Records queued meanwhile are not waited for.
    ///
    /// # Errors
    /// None: each record's [`Delivery`] tells what became of it.
    pub async fn flush(&self) {
        self.handle.shared.flush().await;
    }

    /// Flushes within `within`, then closes. What is not delivered by then fails.
    ///
    /// # Errors
    /// [`Error::Timeout`] if something was left.
    pub async fn close(self, within: Duration) -> Result<()> {
        let shared = &self.handle.shared;
        let flushed = timeout(within, shared.flush()).await;
        if flushed.is_err() {
            shared.give_up();
        }
        shared.close();
        shared.pool.close(within).await;
        flushed.map_err(|_elapsed| Error::Timeout {
            what: "closing the producer",
            after: within,
            last: None,
        })
    }

    /// How many records were delivered and failed so far.
    #[must_use]
    pub fn counts(&self) -> ProducerCounts {
        self.handle.shared.counts()
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }
}
