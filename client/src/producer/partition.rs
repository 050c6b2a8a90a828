//! One partition's queue: the batch that takes records, and full ones behind it.

use std::collections::VecDeque;

use barnabas_wire::id::TopicName;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::batch::Batch;
use super::delivery::Delivery;
use super::record::Outgoing;

/// A partition as callers and the sender see it.
#[derive(Debug)]
pub(super) struct PartitionQueue {
    pub(super) topic: TopicName,
    pub(super) index: i32,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    /// Takes records.
    open: Option<Batch>,
    /// Full batches, oldest first.
    full: VecDeque<Batch>,
    /// Whether the sender looks at this partition.
    is_active: bool,
}

/// What became of an attempt to append.
#[derive(Debug)]
pub(super) enum Appended {
    /// The record is in the open batch. `is_new` if the sender has to be told of the partition.
    Done {
        delivery: Delivery,
        wakes_sender: Wake,
    },
    /// A new batch is needed first. `was_full` if another one was closed for that.
    NeedsBatch { was_full: bool },
    /// The record cannot be encoded.
    Refused(barnabas_wire::record::BuildError),
}

/// Whether the sender has to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wake {
    /// It knows of everything it needs to know.
    No,
    /// The partition is new to it.
    Activate,
}

/// What the sender can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    /// Nothing; the partition is no longer active.
    Nothing,
    /// A full batch.
    Full,
    /// A batch that takes records since then.
    Open(Instant),
}

impl PartitionQueue {
    pub(super) fn new(topic: TopicName, index: i32) -> Self {
        Self {
            topic,
            index,
            queue: Mutex::default(),
        }
    }

    /// Appends to the open batch if the record fits, or to `fresh` if there is none.
    pub(super) fn append(
        &self,
        record: &Outgoing<'_>,
        timestamp_ms: i64,
        batch_size_bytes: usize,
        fresh: &mut Option<Batch>,
    ) -> Appended {
        let mut queue = self.queue.lock();
        let mut was_full = false;
        if let Some(open) = &queue.open {
            let needed_bytes = open.builder.size_bytes() + record.size_max_bytes();
            if needed_bytes > batch_size_bytes && open.builder.record_count() > 0 {
                let full = queue.open.take();
                queue.full.extend(full);
                was_full = true;
            }
        }
        if queue.open.is_none() {
            queue.open = fresh.take();
        }
        let Some(open) = &mut queue.open else {
            return Appended::NeedsBatch { was_full };
        };
        let headers = record.headers.iter().copied();
        match open
            .builder
            .append(timestamp_ms, record.key, record.value, headers)
        {
            Ok(index) => {
                let delivery = open.completion.delivery(index, timestamp_ms);
                let is_active = std::mem::replace(&mut queue.is_active, true);
                let wakes_sender = if is_active { Wake::No } else { Wake::Activate };
                Appended::Done {
                    delivery,
                    wakes_sender,
                }
            }
            Err(error) => Appended::Refused(error),
        }
    }

    /// What there is to send. With nothing, the partition becomes inactive.
    pub(super) fn waiting(&self) -> Waiting {
        let mut queue = self.queue.lock();
        if !queue.full.is_empty() {
            return Waiting::Full;
        }
        match &queue.open {
            Some(open) => Waiting::Open(open.opened_at),
            None => {
                queue.is_active = false;
                Waiting::Nothing
            }
        }
    }

    /// Takes the oldest batch, the open one if there is no other.
    pub(super) fn take(&self) -> Option<Batch> {
        let mut queue = self.queue.lock();
        queue.full.pop_front().or_else(|| queue.open.take())
    }

    /// When the oldest batch got its first record.
    pub(super) fn oldest(&self) -> Option<Instant> {
        let queue = self.queue.lock();
        queue
            .full
            .front()
            .or(queue.open.as_ref())
            .map(|batch| batch.opened_at)
    }
}
