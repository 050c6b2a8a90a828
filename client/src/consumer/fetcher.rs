//! The task that fetches: one request in flight to each leader.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use barnabas_connection::{Connection, Pending, RequestError};
use barnabas_wire::id::{BrokerId, PartitionId, TopicPartition};
use barnabas_wire::message::fetch::{FetchPartition, FetchTopic, PartitionData, Records};
use barnabas_wire::message::{FetchRequest, FetchResponse};
use barnabas_wire::record::Batches;
use barnabas_wire::{ErrorCode, Str};
use bytes::Bytes;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::chunk::Chunk;
use super::resolve::{Start, resolve};
use super::shared::{Fetchable, Shared};
use crate::cluster::{Broker, Cluster};
use crate::config::OffsetReset;
use crate::error::{Error, Result};

/// From version 13 on topics go by id, which not every cluster has.
const VERSION_MAX: i16 = 12;
/// How long to wait without any reason to look again.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) async fn run(shared: Arc<Shared>) {
    let news = shared.client.metadata().subscribe();
    let mut fetcher = Fetcher {
        shared,
        news,
        in_flight: BTreeMap::new(),
        connecting: BTreeSet::new(),
        connects: JoinSet::new(),
    };
    fetcher.run().await;
}

struct Fetcher {
    shared: Arc<Shared>,
    news: watch::Receiver<Arc<Cluster>>,
    in_flight: BTreeMap<BrokerId, InFlight>,
    connecting: BTreeSet<BrokerId>,
    connects: JoinSet<BrokerId>,
}

struct InFlight {
    answer: Pending<FetchResponse>,
    asked: Vec<Fetchable>,
}

impl Fetcher {
    async fn run(&mut self) {
        while !self.shared.is_closed() {
            let wake_at = self.dispatch();
            let shared = Arc::clone(&self.shared);
            tokio::select! {
                biased;
                (leader, answer) = next_answer(&mut self.in_flight) => self.complete(leader, answer),
                () = shared.wake.notified() => {}
                Some(connected) = self.connects.join_next() => {
                    if let Ok(id) = connected {
                        self.connecting.remove(&id);
                    }
                }
                // The client's own task sends these; without it there is no more news.
                _ = self.news.changed() => {}
                () = sleep_until(wake_at) => {}
            }
        }
    }

    /// Asks every leader that has nothing to answer. Returns when to look again.
    fn dispatch(&mut self) -> Instant {
        let now = Instant::now();
        let cluster = Arc::clone(&self.news.borrow_and_update());
        let (fetchable, wake_at) = self.shared.fetchable(now);
        let mut by_leader: BTreeMap<BrokerId, Vec<Fetchable>> = BTreeMap::new();
        for fetchable in fetchable {
            let TopicPartition { topic, partition } = &fetchable.partition;
            match cluster.leader(topic.as_str(), partition.0) {
                Some(leader) => by_leader.entry(leader.id).or_default().push(fetchable),
                None => self.back_off(&fetchable.partition),
            }
        }
        for (id, asked) in by_leader {
            let Some(leader) = cluster.brokers.get(&id) else {
                continue;
            };
            if self.in_flight.contains_key(&id) {
                continue;
            }
            let Some(connection) = self.connection(leader) else {
                continue;
            };
            let sent = self.submit(&connection, &cluster, &asked);
            match sent {
                Ok(answer) => {
                    self.shared.set_in_flight(&asked, true);
                    self.in_flight.insert(id, InFlight { answer, asked });
                }
                Err(error) => self.lost(id, &asked, error),
            }
        }
        wake_at.unwrap_or(now + PATIENCE)
    }

    /// The open connection to a leader; connects in the background if there is none.
    fn connection(&mut self, leader: &Broker) -> Option<Connection> {
        let open = self.shared.pool.open_connection(leader.id);
        if open.is_none() && self.connecting.insert(leader.id) {
            let (shared, leader) = (Arc::clone(&self.shared), leader.clone());
            self.connects.spawn(async move {
                if let Err(error) = shared.pool.connect(&leader).await {
                    tracing::debug!(broker_id = leader.id.0, %error, "could not connect");
                    shared.client.metadata().refresh_soon();
                }
                leader.id
            });
        }
        open
    }

    fn submit(
        &self,
        connection: &Connection,
        cluster: &Cluster,
        asked: &[Fetchable],
    ) -> Result<Pending<FetchResponse>, RequestError> {
        let version = connection.version_of::<FetchRequest>()?.min(VERSION_MAX);
        let settings = &self.shared.settings;
        let wait_ms = u64::try_from(settings.fetch_max_wait_ms).unwrap_or(0);
        let timeout = settings.request_timeout + Duration::from_millis(wait_ms);
        connection.submit(&self.request(cluster, asked), version, timeout)
    }

    fn request(&self, cluster: &Cluster, asked: &[Fetchable]) -> FetchRequest {
        let settings = &self.shared.settings;
        let mut topics: Vec<FetchTopic> = Vec::new();
        for Fetchable {
            partition: TopicPartition { topic, partition },
            offset,
            ..
        } in asked
        {
            let known = cluster.partition(topic.as_str(), partition.0);
            let wanted = FetchPartition {
                partition: partition.0,
                current_leader_epoch: known.map_or(-1, |known| known.leader_epoch.0),
                fetch_offset: *offset,
                partition_max_bytes: settings.partition_fetch_bytes,
                ..FetchPartition::default()
            };
            match topics
                .last_mut()
                .filter(|last| last.topic == topic.as_str())
            {
                Some(last) => last.partitions.push(wanted),
                None => topics.push(FetchTopic {
                    topic: Str::from(topic),
                    partitions: vec![wanted],
                    ..FetchTopic::default()
                }),
            }
        }
        FetchRequest {
            max_wait_ms: settings.fetch_max_wait_ms,
            min_bytes: settings.fetch_min_bytes,
            max_bytes: settings.fetch_max_bytes,
            topics,
            ..FetchRequest::default()
        }
    }

    fn complete(&mut self, leader: BrokerId, answer: Result<FetchResponse, RequestError>) {
        let Some(InFlight { asked, .. }) = self.in_flight.remove(&leader) else {
            return;
        };
        self.shared.set_in_flight(&asked, false);
        let response = match answer {
            Ok(response) => response,
            Err(error) => return self.lost(leader, &asked, error),
        };
        if response.error_code != 0 {
            let code = ErrorCode::from_code(response.error_code);
            asked
                .iter()
                .for_each(|fetchable| self.refused(fetchable, code));
            return;
        }
        let asked: BTreeMap<TopicPartition, Fetchable> = asked
            .into_iter()
            .map(|asked| (asked.partition.clone(), asked))
            .collect();
        for topic in response.responses {
            for data in topic.partitions {
                let key = TopicPartition::new(&*topic.topic, PartitionId(data.partition_index));
                if let Some(fetchable) = asked.get(&key) {
                    self.take_over(fetchable, data);
                }
            }
        }
    }

    fn take_over(&self, fetchable: &Fetchable, data: PartitionData) {
        let code = ErrorCode::from_code(data.error_code);
        if code != ErrorCode::None {
            return self.refused(fetchable, code);
        }
        let records = match data.records {
            Records::Bytes(bytes) => bytes,
            Records::Null | Records::File(_) => Bytes::new(),
        };
        match whole_batches(&records, fetchable.offset) {
            Ok((size_bytes, to_offset)) => {
                let chunk = Chunk {
                    partition: fetchable.partition.clone(),
                    generation: fetchable.generation,
                    records: records.slice(..size_bytes),
                    from_offset: fetchable.offset,
                    to_offset,
                };
                self.shared.fetched(chunk, data.high_watermark);
            }
            Err(reason) => {
                let subject = format!("{} at offset {}", fetchable.partition, fetchable.offset);
                self.shared.fail(Error::Corrupt { subject, reason });
                self.shared.stop(fetchable);
            }
        }
    }

    fn refused(&self, fetchable: &Fetchable, code: ErrorCode) {
        if code == ErrorCode::OffsetOutOfRange {
            return self.out_of_range(fetchable);
        }
        self.back_off(&fetchable.partition);
        if !code.is_retriable() {
            self.shared.stop(fetchable);
            let subject = fetchable.partition.to_string();
            self.shared
                .fail(Error::kafka(code, subject, None::<String>));
        }
    }

    /// Goes where `auto.offset.reset` says.
    fn out_of_range(&self, fetchable: &Fetchable) {
        self.shared.stop(fetchable);
        let start = match self.shared.settings.offset_reset {
            OffsetReset::Earliest => Start::Beginning,
            OffsetReset::Latest => Start::End,
            OffsetReset::None => {
                let subject = fetchable.partition.to_string();
                let offset = fetchable.offset;
                return self
                    .shared
                    .fail(Error::OffsetOutOfRange { subject, offset });
            }
        };
        let (shared, fetchable) = (Arc::clone(&self.shared), fetchable.clone());
        tokio::spawn(async move {
            let wanted = BTreeMap::from([(fetchable.partition.clone(), start)]);
            match resolve(&shared.client, &wanted).await {
                Ok(offsets) => {
                    for offset in offsets.into_values() {
                        shared.reset(&fetchable, offset);
                    }
                }
                Err(error) => shared.fail(error),
            }
        });
    }

    fn lost(&self, leader: BrokerId, asked: &[Fetchable], source: RequestError) {
        let error = Error::Request {
            broker_id: leader.0,
            source,
        };
        asked
            .iter()
            .for_each(|fetchable| self.back_off(&fetchable.partition));
        if !error.is_retriable() {
            asked
                .iter()
                .for_each(|fetchable| self.shared.stop(fetchable));
            self.shared.fail(error);
        }
    }

    fn back_off(&self, partition: &TopicPartition) {
        self.shared.back_off(
            partition,
            Instant::now() + self.shared.settings.retry_backoff,
        );
        self.shared.client.metadata().refresh_soon();
    }
}

/// Size of the whole batches at the front, and the offset after them.
fn whole_batches(records: &[u8], from_offset: i64) -> Result<(usize, i64), String> {
    let mut batches = Batches::new(records);
    let mut to_offset = from_offset;
    for batch in &mut batches {
        match batch {
            Ok(batch) => to_offset = to_offset.max(batch.next_offset().0),
            Err(error) if error.is_incomplete() => break,
            Err(error) => return Err(error.to_string()),
        }
    }
    if batches.position() == 0 && !records.is_empty() {
        return Err("not one whole batch was sent".into());
    }
    Ok((batches.position(), to_offset))
}

/// The next answer of any leader. Waits for ever if nothing is in flight.
async fn next_answer(
    in_flight: &mut BTreeMap<BrokerId, InFlight>,
) -> (BrokerId, Result<FetchResponse, RequestError>) {
    std::future::poll_fn(|cx| {
        for (&id, request) in &mut *in_flight {
            if let Poll::Ready(answer) = Pin::new(&mut request.answer).poll(cx) {
                return Poll::Ready((id, answer));
            }
        }
        Poll::Pending
    })
    .await
}
