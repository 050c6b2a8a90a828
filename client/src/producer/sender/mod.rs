//! The task that sends: takes batches from the queues, keeps requests in flight, deals with the
//! answers.

mod node;
mod outcome;
mod partition;
mod request;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Poll;

use barnabas_connection::{Connection, RequestError};
use barnabas_wire::id::{BrokerId, ProducerEpoch, ProducerId, TopicName};
use barnabas_wire::message::{InitProducerIdRequest, ProduceResponse};
use barnabas_wire::{ErrorCode, Str};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::batch::SentBatch;
use super::partition::PartitionQueue;
use super::sequence::Sequence;
use super::shared::Shared;
use crate::cluster::Cluster;
use crate::error::{Error, Result};
use node::{InFlight, Node};
use outcome::Outcome;
use partition::{Next, PartitionState};

/// Sends until the producer is closed and nothing is left.
pub(super) async fn run(shared: Arc<Shared>) {
    let news = shared.client.metadata().subscribe();
    let mut sender = Sender {
        shared,
        news,
        partitions: Vec::new(),
        slots: BTreeMap::new(),
        active: Vec::new(),
        nodes: BTreeMap::new(),
        identity: None,
        first: 0,
    };
    sender.run().await;
}

struct Sender {
    shared: Arc<Shared>,
    news: watch::Receiver<Arc<Cluster>>,
    /// Every partition that ever had a batch: it keeps its sequence numbers.
    partitions: Vec<PartitionState>,
    slots: BTreeMap<(TopicName, i32), usize>,
    /// Slots of partitions with something to send or in flight.
    active: Vec<usize>,
    nodes: BTreeMap<BrokerId, Node>,
    /// The idempotent producer's id and epoch, once it has them.
    identity: Option<(ProducerId, ProducerEpoch)>,
    /// Position in `active` to begin with, so that no partition is always last.
    first: usize,
}

/// Batches for one node's next request, by slot.
type Load = Vec<(usize, SentBatch)>;

impl Sender {
    async fn run(&mut self) {
        loop {
            self.adopt_activated();
            if !self.active.is_empty() {
                self.ensure_identity().await;
            }
            if self.shared.is_given_up() {
                self.give_up();
                return;
            }
            let wake_at = self.dispatch();
            if self.shared.is_closed() && self.active.is_empty() && !self.shared.has_incomplete() {
                return;
            }
            let shared = Arc::clone(&self.shared);
            let far = Instant::now() + shared.settings.delivery_timeout;
            tokio::select! {
                biased;
                (node, answer) = next_answer(&mut self.nodes) => self.complete(node, answer),
                () = shared.wake.notified() => {}
                changed = self.news.changed() => {
                    if changed.is_ok() {
                        let cluster = Arc::clone(&self.news.borrow_and_update());
                        shared.update_topics(&cluster);
                    }
                }
                () = sleep_until(wake_at.unwrap_or(far)) => {}
            }
        }
    }

    /// Fails everything, also what is in flight and may have arrived.
    fn give_up(&mut self) {
        let nodes = std::mem::take(&mut self.nodes);
        let in_flight = nodes.into_values().flat_map(|node| node.in_flight);
        for (slot, batch) in in_flight.flat_map(|request| request.load) {
            self.finish(slot, batch, Outcome::Failed(Error::Closed));
        }
        for partition in &mut self.partitions {
            partition.fail_all(&self.shared, &Error::Closed);
        }
    }

    fn adopt_activated(&mut self) {
        for queue in self.shared.take_activated() {
            let slot = self.slot(queue);
            let Some(partition) = self.partitions.get_mut(slot) else {
                continue;
            };
            if !std::mem::replace(&mut partition.is_listed, true) {
                self.active.push(slot);
            }
        }
    }

    fn slot(&mut self, queue: Arc<PartitionQueue>) -> usize {
        let key = (queue.topic.clone(), queue.index);
        *self.slots.entry(key).or_insert_with(|| {
            self.partitions.push(PartitionState::new(queue));
            self.partitions.len() - 1
        })
    }

    /// Sends whatever can be sent now. Returns when to look again without any news.
    fn dispatch(&mut self) -> Option<Instant> {
        let now = Instant::now();
        let cluster = Arc::clone(&self.news.borrow());
        let mut loads: BTreeMap<BrokerId, (Load, usize)> = BTreeMap::new();
        let mut wake_at: Option<Instant> = None;
        let mut wants_news = false;
        self.first = self.first.wrapping_add(1);
        let active = std::mem::take(&mut self.active);
        let (head, tail) = active.split_at(self.first.checked_rem(active.len()).unwrap_or(0));
        for &slot in tail.iter().chain(head) {
            let Some(partition) = self.partitions.get_mut(slot) else {
                continue;
            };
            partition.expire(&self.shared, now);
            let next = partition.next(&self.shared, now);
            if next == Next::Idle {
                partition.is_listed = false;
                continue;
            }
            self.active.push(slot);
            let deadline = match next {
                Next::Ready => {
                    let taken = take(
                        &mut self.nodes,
                        partition,
                        &cluster,
                        &self.shared,
                        &mut loads,
                        slot,
                    );
                    wants_news |= taken.is_err();
                    partition.deadline(&self.shared)
                }
                Next::Wait(until) => until.or_else(|| partition.deadline(&self.shared)),
                Next::Idle => None,
            };
            wake_at = [wake_at, deadline].into_iter().flatten().min();
        }
        for (id, (load, _)) in loads {
            // A leader that can take nothing now has an empty load: asking it would be a waste.
            if !load.is_empty() {
                self.submit(id, load);
            }
        }
        if wants_news {
            self.shared.client.metadata().refresh_soon();
        }
        wake_at
    }

    fn submit(&mut self, id: BrokerId, load: Load) {
        let Some(node) = self.nodes.get_mut(&id) else {
            return;
        };
        match node.submit(&self.shared.settings, &self.partitions, &load) {
            Ok(answer) => node.in_flight.push_back(InFlight { answer, load }),
            Err(error) => self.lost(id, load, &error),
        }
    }

    fn complete(&mut self, id: BrokerId, answer: Result<Option<ProduceResponse>, RequestError>) {
        let sent = self
            .nodes
            .get_mut(&id)
            .and_then(|node| node.in_flight.pop_front());
        let Some(InFlight { load, .. }) = sent else {
            return;
        };
        match answer {
            Ok(None) => {
                for (slot, batch) in load {
                    self.finish(
                        slot,
                        batch,
                        Outcome::Acked {
                            base_offset: -1,
                            append_time_ms: None,
                        },
                    );
                }
            }
            Ok(Some(response)) => {
                let mut outcomes = outcome::by_partition(&response);
                let mut take = |slot: usize| {
                    let queue = &self.partitions.get(slot)?.queue;
                    outcomes.remove(&(queue.topic.as_str(), queue.index))
                };
                let finished: Vec<(usize, SentBatch, Outcome)> = load
                    .into_iter()
                    .map(|(slot, batch)| {
                        (slot, batch, take(slot).unwrap_or_else(outcome::left_out))
                    })
                    .collect();
                for (slot, batch, outcome) in finished {
                    self.finish(slot, batch, outcome);
                }
            }
            Err(error) => self.lost(id, load, &error),
        }
    }

    /// A request without an answer: every batch of it is tried again, unless the request itself
    /// was the problem.
    fn lost(&mut self, id: BrokerId, load: Load, source: &RequestError) {
        let error = Error::Request {
            broker_id: id.0,
            source: source.clone(),
        };
        self.shared.client.metadata().refresh_soon();
        for (slot, batch) in load {
            let outcome = if error.is_retriable() {
                Outcome::Again {
                    error: error.clone(),
                    needs_news: true,
                }
            } else {
                Outcome::Failed(error.clone())
            };
            self.finish(slot, batch, outcome);
        }
    }

    fn finish(&mut self, slot: usize, batch: SentBatch, outcome: Outcome) {
        let Some(partition) = self.partitions.get_mut(slot) else {
            return;
        };
        partition.landed(batch.number);
        if matches!(
            &outcome,
            Outcome::Again {
                needs_news: true,
                ..
            }
        ) {
            self.shared.client.metadata().refresh_soon();
        }
        partition.finish(batch, outcome, &self.shared);
    }

    /// Gets the idempotent producer's id, however long that takes; batches expire meanwhile.
    async fn ensure_identity(&mut self) {
        let settings = &self.shared.settings;
        let mut backoff = settings.retry_backoff;
        let is_used_up = |slot: &usize| {
            self.partitions
                .get(*slot)
                .is_some_and(|partition| partition.has_used_up_epochs)
        };
        if self.active.iter().any(is_used_up) {
            self.identity = None;
        }
        while settings.is_idempotent && self.identity.is_none() {
            match self.ask_identity().await {
                Ok(identity) => self.identity = Some(identity),
                Err(error) => {
                    let now = Instant::now();
                    for &slot in &self.active {
                        let Some(partition) = self.partitions.get_mut(slot) else {
                            continue;
                        };
                        if error.is_retriable() {
                            partition.expire(&self.shared, now);
                        } else {
                            partition.fail_all(&self.shared, &error);
                        }
                    }
                    let is_over = self.shared.is_closed() && !self.shared.has_incomplete();
                    if is_over || self.shared.is_given_up() {
                        return;
                    }
                    tokio::time::sleep(backoff).await;
                    backoff = (backoff * 2).min(settings.retry_backoff_max);
                    if !error.is_retriable() {
                        return;
                    }
                }
            }
        }
        let Some((id, epoch)) = self.identity else {
            return;
        };
        for &slot in &self.active {
            if let Some(partition) = self
                .partitions
                .get_mut(slot)
                .filter(|it| it.sequence.is_none())
            {
                partition.begin(Sequence::new(id, epoch));
            }
        }
    }

    async fn ask_identity(&self) -> Result<(ProducerId, ProducerEpoch)> {
        let connection: Connection = self.shared.client.metadata().any_connection().await?;
        let request = InitProducerIdRequest {
            transactional_id: None::<Str>,
            // Kafka's own producer sends this where there are no transactions.
            transaction_timeout_ms: i32::MAX,
            ..InitProducerIdRequest::default()
        };
        let lost = |source| Error::Request {
            broker_id: -1,
            source,
        };
        let response = connection.call(&request).await.map_err(lost)?;
        let code = ErrorCode::from_code(response.error_code);
        if code != ErrorCode::None {
            return Err(Error::kafka(code, "InitProducerId", None::<String>));
        }
        Ok((
            ProducerId(response.producer_id),
            ProducerEpoch(response.producer_epoch),
        ))
    }
}

/// Takes the partition's next batch for its leader's next request, if that can go out.
/// An error means that the cluster has to be asked where the leader is.
fn take(
    nodes: &mut BTreeMap<BrokerId, Node>,
    partition: &mut PartitionState,
    cluster: &Cluster,
    shared: &Arc<Shared>,
    loads: &mut BTreeMap<BrokerId, (Load, usize)>,
    slot: usize,
) -> Result<(), NoLeader> {
    let (topic, index) = (partition.queue.topic.as_str(), partition.queue.index);
    let leader = cluster.leader(topic, index).ok_or(NoLeader)?;
    if !partition.may_go_to(leader.id) {
        return Ok(());
    }
    let node = nodes.entry(leader.id).or_default();
    let (load, load_bytes) = loads.entry(leader.id).or_default();
    if !node.is_open(leader, shared) || node.in_flight.len() >= shared.settings.in_flight_max {
        return Ok(());
    }
    // A first batch goes whatever its size; the broker may still refuse it.
    if !load.is_empty()
        && *load_bytes + shared.settings.batch_size_bytes > shared.settings.request_max_bytes
    {
        return Ok(());
    }
    if let Some(batch) = partition.take(shared, leader.id) {
        *load_bytes += batch.bytes.len();
        load.push((slot, batch));
    }
    Ok(())
}

/// Nobody known leads the partition.
struct NoLeader;

/// The next answer of any node, in each node's order. Waits for ever without requests in flight.
async fn next_answer(
    nodes: &mut BTreeMap<BrokerId, Node>,
) -> (BrokerId, Result<Option<ProduceResponse>, RequestError>) {
    std::future::poll_fn(|cx| {
        for (&id, node) in &mut *nodes {
            if let Some(oldest) = node.in_flight.front_mut()
                && let Poll::Ready(answer) = oldest.answer.poll(cx)
            {
                return Poll::Ready((id, answer));
            }
        }
        Poll::Pending
    })
    .await
}
