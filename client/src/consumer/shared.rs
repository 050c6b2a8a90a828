//! What the reader and the fetching task of one consumer share.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;

use barnabas_wire::id::TopicPartition;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::chunk::Chunk;
use crate::client::Client;
use crate::config::ConsumerSettings;
use crate::error::Error;
use crate::pool::Pool;

/// How many fetches' worth of a partition may wait here: while the reader is busy, the next ones
/// come in. All partitions together may hold `fetch.max.bytes`, and one answer more.
const FETCHES_AHEAD: usize = 4;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) client: Client,
    pub(super) settings: ConsumerSettings,
    pub(super) pool: Pool,
    state: Mutex<State>,
    /// Wakes the fetching task.
    pub(super) wake: Notify,
    is_closed: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    assigned: BTreeMap<TopicPartition, Assigned>,
    /// Fetched and not yet taken, in the order of coming.
    chunks: VecDeque<Chunk>,
    failures: VecDeque<Error>,
    /// The reader, if it waits.
    waker: Option<Waker>,
}

#[derive(Debug)]
struct Assigned {
    /// Counts seeks.
    generation: u64,
    /// Next offset to fetch; none while it is being looked for.
    fetch_offset: Option<i64>,
    /// Bytes that are fetched and not yet taken.
    waiting_bytes: usize,
    is_in_flight: bool,
    not_before: Option<Instant>,
    high_watermark: Option<i64>,
}

/// What there is for the reader.
#[derive(Debug)]
pub(super) enum Taken {
    Chunk(Chunk),
    Failure(Error),
    Nothing,
}

/// A partition that can be fetched.
#[derive(Clone, Debug)]
pub(super) struct Fetchable {
    pub(super) partition: TopicPartition,
    pub(super) generation: u64,
    pub(super) offset: i64,
}

impl Shared {
    pub(super) fn new(
        client: Client,
        settings: ConsumerSettings,
        offsets: &BTreeMap<TopicPartition, i64>,
    ) -> Self {
        let connections = &client.metadata().settings;
        let pool = Pool::new(connections.options.clone(), connections.retry_backoff);
        let assigned = |(partition, &offset): (&TopicPartition, &i64)| {
            let assigned = Assigned {
                generation: 0,
                fetch_offset: Some(offset),
                waiting_bytes: 0,
                is_in_flight: false,
                not_before: None,
                high_watermark: None,
            };
            (partition.clone(), assigned)
        };
        let state = State {
            assigned: offsets.iter().map(assigned).collect(),
            ..State::default()
        };
        Self {
            client,
            settings,
            pool,
            state: Mutex::new(state),
            wake: Notify::new(),
            is_closed: AtomicBool::new(false),
        }
    }

    /// Takes the next chunk, or the next failure if there is one.
    pub(super) fn take(&self) -> Taken {
        let mut state = self.state.lock();
        if let Some(failure) = state.failures.pop_front() {
            return Taken::Failure(failure);
        }
        while let Some(chunk) = state.chunks.pop_front() {
            let Some(assigned) = state.assigned.get_mut(&chunk.partition) else {
                continue;
            };
            if assigned.generation == chunk.generation {
                assigned.waiting_bytes = assigned.waiting_bytes.saturating_sub(chunk.records.len());
                drop(state);
                self.wake.notify_one();
                return Taken::Chunk(chunk);
            }
        }
        Taken::Nothing
    }

    /// Registers the reader, unless there is something after all.
    pub(super) fn must_wait(&self, waker: &Waker) -> bool {
        let mut state = self.state.lock();
        if !state.chunks.is_empty() || !state.failures.is_empty() {
            return false;
        }
        state.waker = Some(waker.clone());
        true
    }

    /// Partitions to be fetched now, and when the next one may be if none can.
    pub(super) fn fetchable(&self, now: Instant) -> (Vec<Fetchable>, Option<Instant>) {
        let fetch_bytes = usize::try_from(self.settings.partition_fetch_bytes).unwrap_or(1);
        let limit_bytes = fetch_bytes.saturating_mul(FETCHES_AHEAD);
        let total_max_bytes = usize::try_from(self.settings.fetch_max_bytes).unwrap_or(1);
        let state = self.state.lock();
        let total_bytes: usize = state
            .assigned
            .values()
            .map(|assigned| assigned.waiting_bytes)
            .sum();
        if total_bytes >= total_max_bytes {
            return (Vec::new(), None);
        }
        let mut wake_at: Option<Instant> = None;
        let mut fetchable = Vec::new();
        for (partition, assigned) in &state.assigned {
            let Some(offset) = assigned.fetch_offset else {
                continue;
            };
            if assigned.is_in_flight || assigned.waiting_bytes >= limit_bytes {
                continue;
            }
            if let Some(not_before) = assigned.not_before.filter(|&not_before| not_before > now) {
                wake_at = Some(wake_at.map_or(not_before, |at| at.min(not_before)));
                continue;
            }
            let (partition, generation) = (partition.clone(), assigned.generation);
            fetchable.push(Fetchable {
                partition,
                generation,
                offset,
            });
        }
        (fetchable, wake_at)
    }

    /// Marks partitions as asked for, or as answered.
    pub(super) fn set_in_flight(&self, partitions: &[Fetchable], is_in_flight: bool) {
        let mut state = self.state.lock();
        for fetchable in partitions {
            if let Some(assigned) = state.assigned.get_mut(&fetchable.partition) {
                assigned.is_in_flight = is_in_flight;
            }
        }
    }

    /// Leaves a partition alone for a while.
    pub(super) fn back_off(&self, partition: &TopicPartition, until: Instant) {
        if let Some(assigned) = self.state.lock().assigned.get_mut(partition) {
            assigned.not_before = Some(until);
        }
    }

    /// Takes over what a fetch brought: the next offset, the high watermark, and the chunk if it
    /// has records. False if the partition was sought elsewhere meanwhile.
    pub(super) fn fetched(&self, chunk: Chunk, high_watermark: i64) {
        let mut state = self.state.lock();
        let Some(assigned) = state.assigned.get_mut(&chunk.partition) else {
            return;
        };
        if assigned.generation != chunk.generation {
            return;
        }
        assigned.high_watermark = Some(high_watermark);
        assigned.not_before = None;
        if chunk.records.is_empty() {
            return;
        }
        assigned.fetch_offset = Some(chunk.to_offset);
        assigned.waiting_bytes += chunk.records.len();
        state.chunks.push_back(chunk);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// A failure for the reader, behind what was fetched before.
    pub(super) fn fail(&self, error: Error) {
        let mut state = self.state.lock();
        state.failures.push_back(error);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Stops fetching a partition until it is sought.
    pub(super) fn stop(&self, fetchable: &Fetchable) {
        let mut state = self.state.lock();
        let assigned = state.assigned.get_mut(&fetchable.partition);
        if let Some(assigned) = assigned.filter(|found| found.generation == fetchable.generation) {
            assigned.fetch_offset = None;
        }
    }

    /// Goes on from `offset`; what was fetched before is dropped.
    pub(super) fn seek(&self, partition: &TopicPartition, offset: i64) {
        let mut state = self.state.lock();
        if let Some(assigned) = state.assigned.get_mut(partition) {
            assigned.generation += 1;
            assigned.fetch_offset = Some(offset);
            assigned.waiting_bytes = 0;
            assigned.not_before = None;
        }
        state.chunks.retain(|chunk| chunk.partition != *partition);
        drop(state);
        self.wake.notify_one();
    }

    /// As [`Shared::seek`], unless someone else sought since.
    pub(super) fn reset(&self, fetchable: &Fetchable, offset: i64) {
        let mut state = self.state.lock();
        let assigned = state.assigned.get_mut(&fetchable.partition);
        if let Some(assigned) = assigned.filter(|found| found.generation == fetchable.generation) {
            assigned.fetch_offset = Some(offset);
        }
        drop(state);
        self.wake.notify_one();
    }

    pub(super) fn high_watermark(&self, partition: &TopicPartition) -> Option<i64> {
        self.state.lock().assigned.get(partition)?.high_watermark
    }

    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }
}
