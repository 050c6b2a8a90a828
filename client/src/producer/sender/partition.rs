//! One partition as the sender sees it: order, sequence numbers, second attempts.
//!
//! Order is kept like this: while a batch waits to be sent again, nothing else goes out; first
//! everything in flight has to land, then the batches go again one at a time, oldest first.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use barnabas_wire::id::BrokerId;
use tokio::time::Instant;

use super::outcome::Outcome;
use crate::error::Error;
use crate::producer::batch::{Batch, SentBatch};
use crate::producer::partition::{PartitionQueue, Waiting};
use crate::producer::sequence::Sequence;
use crate::producer::shared::Shared;

#[derive(Debug)]
pub(super) struct PartitionState {
    pub(super) queue: Arc<PartitionQueue>,
    /// Whether the partition is among the active ones.
    pub(super) is_listed: bool,
    /// The idempotent producer's numbers; none without idempotence.
    pub(super) sequence: Option<Sequence>,
    /// Numbers of the batches in flight, ascending.
    in_flight: Vec<u64>,
    /// Where they went.
    sent_to: Option<BrokerId>,
    /// Batches to be sent again, ascending by number.
    again: VecDeque<SentBatch>,
    /// When the first of them may go.
    not_before: Option<Instant>,
    /// A batch with a number may be missing in the log for ever: the next one needs a new epoch.
    needs_bump: bool,
    /// No epoch comes after the last one: a new producer id is needed.
    pub(super) has_used_up_epochs: bool,
}

/// What can be done for a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A batch can go.
    Ready,
    /// Nothing can go before that time, or before there is an answer.
    Wait(Option<Instant>),
    /// There is nothing to do.
    Idle,
}

impl PartitionState {
    pub(super) const fn new(queue: Arc<PartitionQueue>) -> Self {
        Self {
            queue,
            is_listed: false,
            sequence: None,
            in_flight: Vec::new(),
            sent_to: None,
            again: VecDeque::new(),
            not_before: None,
            needs_bump: false,
            has_used_up_epochs: false,
        }
    }

    pub(super) fn next(&self, shared: &Shared, now: Instant) -> Next {
        if !self.again.is_empty() {
            let too_early = self.not_before.filter(|&not_before| not_before > now);
            return match too_early {
                _ if !self.in_flight.is_empty() => Next::Wait(None),
                Some(not_before) => Next::Wait(Some(not_before)),
                None => Next::Ready,
            };
        }
        if self.needs_bump && !self.in_flight.is_empty() {
            return Next::Wait(None);
        }
        match self.queue.waiting() {
            Waiting::Full => Next::Ready,
            Waiting::Open(since) => {
                let due = since + shared.settings.linger;
                if shared.is_flushing() || due <= now || shared.is_short_of_memory() {
                    Next::Ready
                } else {
                    Next::Wait(Some(due))
                }
            }
            Waiting::Nothing if self.in_flight.is_empty() => Next::Idle,
            Waiting::Nothing => Next::Wait(None),
        }
    }

    /// While something is in flight to another broker, nothing goes to this one: it could
    /// overtake.
    pub(super) fn may_go_to(&self, broker: BrokerId) -> bool {
        self.in_flight.is_empty() || self.sent_to == Some(broker)
    }

    /// When the oldest batch that waits here has to be given up.
    pub(super) fn deadline(&self, shared: &Shared) -> Option<Instant> {
        let oldest = self.again.front().map(|batch| batch.opened_at);
        let oldest = oldest.or_else(|| self.queue.oldest())?;
        Some(oldest + shared.settings.delivery_timeout)
    }

    /// The next batch, numbered and in flight to `broker` from now on.
    pub(super) fn take(&mut self, shared: &Shared, broker: BrokerId) -> Option<SentBatch> {
        if self.needs_bump {
            self.bump();
        }
        if shared.settings.is_idempotent && self.sequence.is_none() {
            // The sender gets a new id before it looks here again.
            shared.wake.notify_one();
            return None;
        }
        let mut batch = match self.again.pop_front() {
            Some(batch) => batch,
            None => self.take_fresh(shared)?,
        };
        if batch.attempts > 0 {
            shared.sent_again();
        }
        batch.attempts += 1;
        self.in_flight.push(batch.number);
        self.sent_to = Some(broker);
        Some(batch)
    }

    fn take_fresh(&mut self, shared: &Shared) -> Option<SentBatch> {
        let batch = self.queue.take()?;
        let record_count = batch.builder.record_count();
        if record_count == 0 {
            shared.discard_batch(&batch);
            return None;
        }
        let number = batch.number;
        let stamp = self
            .sequence
            .as_mut()
            .map(|sequence| sequence.take(record_count));
        let sealed = batch.seal(stamp);
        if sealed.is_none() {
            // Its numbers are used up.
            self.needs_bump = stamp.is_some();
            shared.completed(number, record_count, false);
        }
        sealed
    }

    /// Begins a new epoch; nothing is in flight. Batches that were sent under the old one get new
    /// numbers. After 32,767 failures on one partition a new producer id is needed instead.
    fn bump(&mut self) {
        self.needs_bump = false;
        if let Some(sequence) = &mut self.sequence {
            if sequence.bump() {
                let numbered = *sequence;
                self.begin(numbered);
            } else {
                self.sequence = None;
                self.has_used_up_epochs = true;
            }
        }
    }

    /// Counts on from here; batches to be sent again come first.
    pub(super) fn begin(&mut self, mut sequence: Sequence) {
        for batch in &mut self.again {
            batch.stamp(sequence.take(batch.record_count));
        }
        self.sequence = Some(sequence);
        self.has_used_up_epochs = false;
    }

    /// A batch is no longer in flight.
    pub(super) fn landed(&mut self, number: u64) {
        self.in_flight.retain(|&other| other != number);
    }

    /// Deals with the outcome of a batch that has landed.
    pub(super) fn finish(&mut self, batch: SentBatch, outcome: Outcome, shared: &Shared) {
        match outcome {
            Outcome::Acked {
                base_offset,
                append_time_ms,
            } => {
                shared.completed(batch.number, batch.record_count, true);
                batch.completion.acked(base_offset, append_time_ms);
            }
            Outcome::Again { error, .. } => self.send_again(batch, error, shared),
            Outcome::OutOfSequence {
                error,
                is_forgotten,
            } if self.sequence.is_some() => {
                // A batch behind one that failed is out of order by itself; only the oldest says
                // that something is missing for good.
                let is_oldest = self
                    .oldest_outstanding()
                    .is_none_or(|oldest| batch.number < oldest);
                self.needs_bump |= is_oldest || is_forgotten;
                self.send_again(batch, error, shared);
            }
            Outcome::TooLarge(_) if batch.can_split() => self.split(batch, shared),
            Outcome::OutOfSequence { error, .. }
            | Outcome::TooLarge(error)
            | Outcome::Failed(error) => {
                self.fail(&batch, error, shared);
            }
        }
    }

    /// Sends the halves of a batch that was too large. The broker took none of its numbers.
    fn split(&mut self, batch: SentBatch, shared: &Shared) {
        match batch.split() {
            Ok(parts) => {
                shared.split(&parts);
                parts.into_iter().for_each(|part| self.insert_again(part));
            }
            Err((batch, error)) => self.fail(&batch, error, shared),
        }
    }

    fn insert_again(&mut self, batch: SentBatch) {
        let place = self
            .again
            .partition_point(|other| other.number < batch.number);
        self.again.insert(place, batch);
    }

    fn oldest_outstanding(&self) -> Option<u64> {
        let waiting = self.again.front().map(|batch| batch.number);
        self.in_flight
            .first()
            .copied()
            .into_iter()
            .chain(waiting)
            .min()
    }

    fn send_again(&mut self, mut batch: SentBatch, error: Error, shared: &Shared) {
        if batch.attempts > shared.settings.retries {
            self.fail(&batch, error, shared);
            return;
        }
        let settings = &shared.settings;
        let doublings = batch.attempts.saturating_sub(1).min(10);
        let backoff = settings.retry_backoff * 2_u32.saturating_pow(doublings);
        self.not_before = Some(Instant::now() + backoff.min(settings.retry_backoff_max));
        batch.last_error = Some(error);
        self.insert_again(batch);
    }

    fn fail(&mut self, batch: &SentBatch, error: Error, shared: &Shared) {
        // The broker will miss its numbers.
        self.needs_bump |= self.sequence.is_some();
        shared.completed(batch.number, batch.record_count, false);
        batch.completion.failed(error);
    }

    /// Gives up batches whose time is over. Those in flight have to land first.
    pub(super) fn expire(&mut self, shared: &Shared, now: Instant) {
        let after = shared.settings.delivery_timeout;
        let is_over = |opened_at: Instant| opened_at + after <= now;
        while let Some(batch) = self.again.pop_front_if(|batch| is_over(batch.opened_at)) {
            let error = expired(after, batch.last_error.clone());
            self.fail(&batch, error, shared);
        }
        while self.queue.oldest().is_some_and(is_over) {
            let Some(batch) = self.queue.take() else {
                break;
            };
            fail_unsent(&batch, expired(after, None), shared);
        }
    }

    /// Gives up everything that waits.
    pub(super) fn fail_all(&mut self, shared: &Shared, error: &Error) {
        while let Some(batch) = self.again.pop_front() {
            self.fail(&batch, error.clone(), shared);
        }
        while let Some(batch) = self.queue.take() {
            fail_unsent(&batch, error.clone(), shared);
        }
    }
}

fn fail_unsent(batch: &Batch, error: Error, shared: &Shared) {
    shared.completed(batch.number, batch.builder.record_count(), false);
    batch.completion.failed(error);
}

fn expired(after: Duration, last: Option<Error>) -> Error {
    Error::Timeout {
        what: "delivering a record",
        after,
        last: last.map(Box::new),
    }
}
