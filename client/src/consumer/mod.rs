//! Reads records of partitions that the caller chooses.
//!
//! A task fetches ahead in the background, one request in flight to each broker, until a
//! partition has four times `max.partition.fetch.bytes` waiting here, or all of them together
//! `fetch.max.bytes`. The caller takes records one by one;
//! they are slices of what was fetched.

mod chunk;
mod fetcher;
mod message;
mod resolve;
mod shared;

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use barnabas_wire::id::TopicPartition;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

pub use message::{Message, MessageHeader};
pub use resolve::Start;

use crate::client::Client;
use crate::config::ConsumerSettings;
use crate::error::{Error, Result};
use chunk::Chunk;
use shared::{Shared, Taken};

/// Collects what a consumer shall read.
#[derive(Debug)]
pub struct ConsumerBuilder {
    client: Client,
    settings: ConsumerSettings,
    assigned: BTreeMap<TopicPartition, Start>,
}

impl ConsumerBuilder {
    pub(crate) const fn new(client: Client, settings: ConsumerSettings) -> Self {
        Self {
            client,
            settings,
            assigned: BTreeMap::new(),
        }
    }

    /// Adds partitions with the place to begin at.
    #[must_use]
    pub fn assign(mut self, partitions: impl IntoIterator<Item = (TopicPartition, Start)>) -> Self {
        self.assigned.extend(partitions);
        self
    }

    /// Finds the offsets to begin at, and begins to fetch. Records that are written after this
    /// returns are read also where the place is [`Start::End`].
    ///
    /// # Errors
    /// [`Error::Kafka`] if a topic or partition does not exist; [`Error::Timeout`].
    pub async fn start(self) -> Result<Consumer> {
        let offsets = resolve::resolve(&self.client, &self.assigned).await?;
        let shared = Arc::new(Shared::new(self.client, self.settings, &offsets));
        let fetcher = tokio::spawn(fetcher::run(Arc::clone(&shared)));
        Ok(Consumer {
            shared,
            fetcher,
            messages: VecDeque::new(),
            chunk: None,
            positions: offsets,
        })
    }
}

/// Reads records. One task at a time reads; the fetching goes on behind it.
///
/// Records of one partition come in the order of their offsets. Reading takes nothing away from
/// others.
#[derive(Debug)]
pub struct Consumer {
    shared: Arc<Shared>,
    fetcher: JoinHandle<()>,
    /// Decoded and not yet handed out; all of one batch.
    messages: VecDeque<Message>,
    /// Where the next messages come from.
    chunk: Option<Chunk>,
    /// The offset after the last record that was handed out, partition by partition; where a chunk
    /// is being read, that chunk knows better.
    positions: BTreeMap<TopicPartition, i64>,
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.shared.close();
        self.fetcher.abort();
    }
}

impl Consumer {
    /// The next record. Waits for ever if none comes. Cancel safe: dropped before it is ready, no
    /// record is lost.
    ///
    /// # Errors
    /// [`Error::OffsetOutOfRange`]; [`Error::Corrupt`] for a batch that cannot be read, which is
    /// then skipped; [`Error::Kafka`] for anything that does not pass by itself. Leaders that move
    /// and brokers that come back are no errors.
    pub async fn recv(&mut self) -> Result<Message> {
        std::future::poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// Up to `count_max` records: all that are here, or else what comes first within `wait`.
    /// Empty if nothing comes.
    ///
    /// # Errors
    /// As [`Consumer::recv`]; records before an error are returned first.
    pub async fn poll(&mut self, count_max: usize, wait: Duration) -> Result<Vec<Message>> {
        let deadline = Instant::now() + wait;
        let mut messages = Vec::new();
        match timeout_at(deadline, self.recv()).await {
            Ok(first) => messages.push(first?),
            Err(_elapsed) => return Ok(messages),
        }
        while messages.len() < count_max {
            match self.messages.pop_front() {
                Some(message) => messages.push(message),
                None => match self.refill() {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        self.shared.fail(error);
                        break;
                    }
                },
            }
        }
        Ok(messages)
    }

    /// The records as a stream that never ends by itself.
    pub const fn stream(&mut self) -> MessageStream<'_> {
        MessageStream { consumer: self }
    }

    fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<Message>> {
        loop {
            if let Some(message) = self.messages.pop_front() {
                return Poll::Ready(Ok(message));
            }
            match self.refill() {
                Ok(true) => {}
                Ok(false) if self.shared.must_wait(cx.waker()) => return Poll::Pending,
                Ok(false) => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Decodes the next batch. False if nothing is here.
    fn refill(&mut self) -> Result<bool> {
        if self.chunk.is_none() {
            match self.shared.take() {
                Taken::Chunk(chunk) => self.chunk = Some(chunk),
                Taken::Nothing => return Ok(false),
                Taken::Failure(error) => return Err(error),
            }
        }
        let Some(chunk) = &mut self.chunk else {
            return Ok(false);
        };
        match chunk.decode_batch(&mut self.messages) {
            Ok(true) => {}
            Ok(false) => {
                self.positions
                    .insert(chunk.partition.clone(), chunk.end_offset());
                self.chunk = None;
            }
            Err(error) => {
                // What was decoded of the bad batch is not handed out.
                self.messages.clear();
                return Err(error);
            }
        }
        Ok(true)
    }

    /// The offset of the next record that would be handed out for a partition. It moves on also
    /// over offsets without a record, such as those that compaction took away.
    #[must_use]
    pub fn position(&self, partition: &TopicPartition) -> Option<i64> {
        if let Some(chunk) = self
            .chunk
            .as_ref()
            .filter(|chunk| chunk.partition == *partition)
        {
            let next = self.messages.front().map(|message| message.offset);
            return Some(next.unwrap_or_else(|| chunk.next_offset()));
        }
        self.positions.get(partition).copied()
    }

    /// The first offset that was not yet readable when a partition was last fetched.
    #[must_use]
    pub fn high_watermark(&self, partition: &TopicPartition) -> Option<i64> {
        self.shared.high_watermark(partition)
    }

    /// The partitions that are read.
    #[must_use]
    pub fn assignment(&self) -> Vec<TopicPartition> {
        self.positions.keys().cloned().collect()
    }

    /// Goes on from another place of a partition. What was fetched before is dropped.
    ///
    /// # Errors
    /// As [`ConsumerBuilder::start`]; [`Error::Kafka`] also if the partition is not assigned.
    pub async fn seek(&mut self, partition: &TopicPartition, start: Start) -> Result<()> {
        if !self.positions.contains_key(partition) {
            let code = barnabas_wire::ErrorCode::UnknownTopicOrPartition;
            return Err(Error::kafka(
                code,
                partition.to_string(),
                Some("is not assigned"),
            ));
        }
        let wanted = BTreeMap::from([(partition.clone(), start)]);
        let offsets = resolve::resolve(&self.shared.client, &wanted).await?;
        for (partition, offset) in offsets {
            if self
                .chunk
                .as_ref()
                .is_some_and(|chunk| chunk.partition == partition)
            {
                self.chunk = None;
                self.messages.clear();
            }
            self.shared.seek(&partition, offset);
            self.positions.insert(partition, offset);
        }
        Ok(())
    }

    /// Ends the fetching and closes the connections within `within`.
    pub async fn close(self, within: Duration) {
        self.shared.close();
        self.fetcher.abort();
        self.shared.pool.close(within).await;
    }
}

/// The records of a consumer, one by one.
#[derive(Debug)]
pub struct MessageStream<'a> {
    consumer: &'a mut Consumer,
}

impl futures_core::Stream for MessageStream<'_> {
    type Item = Result<Message>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.consumer.poll_recv(cx).map(Some)
    }
}
