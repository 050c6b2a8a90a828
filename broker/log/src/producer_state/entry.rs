//! One producer: its epoch and its last batches.

use std::collections::VecDeque;

use barnabas_wire::id::{Offset, ProducerEpoch, ProducerId};

use super::{ProducerBatch, ProducerError};

/// Batches kept per producer, to recognise what is sent again. Kafka's clients keep no more than
/// this many requests under way.
pub const RETAINED_BATCH_COUNT: usize = 5;

/// A batch or producer without sequences.
pub const NO_SEQUENCE: i32 = -1;

/// A producer of which no epoch is known.
pub const NO_PRODUCER_EPOCH: ProducerEpoch = ProducerEpoch(-1);

/// A coordinator of which no epoch is known.
const NO_COORDINATOR_EPOCH: i32 = -1;

/// A batch as it was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredBatch {
    /// Sequence of its last record.
    pub last_sequence: i32,
    /// Offset of its last record.
    pub last_offset: Offset,
    /// Last offset minus first offset, 0 or more.
    pub offset_delta: i32,
    /// Its largest timestamp, in ms since 1970.
    pub timestamp_ms: i64,
}

impl StoredBatch {
    /// Sequence of its first record.
    #[must_use]
    pub fn first_sequence(&self) -> i32 {
        if self.last_sequence >= self.offset_delta {
            self.last_sequence - self.offset_delta
        } else {
            // The sequence wrapped inside the batch: 0 follows i32::MAX.
            i32::MAX - (self.offset_delta - self.last_sequence) + 1
        }
    }

    /// Offset of its first record.
    #[must_use]
    pub fn first_offset(&self) -> Offset {
        Offset(self.last_offset.0 - i64::from(self.offset_delta))
    }
}

/// One producer of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProducerEntry {
    /// The producer.
    pub producer_id: ProducerId,
    /// The newest epoch seen, or [`NO_PRODUCER_EPOCH`].
    pub producer_epoch: ProducerEpoch,
    /// Epoch of the coordinator that wrote the last transaction marker, or -1.
    pub coordinator_epoch: i32,
    /// Timestamp of the last batch or marker, in ms since 1970, or -1.
    pub last_timestamp_ms: i64,
    /// First offset of the open transaction.
    pub transaction_first_offset: Option<Offset>,
    batches: VecDeque<StoredBatch>,
}

impl ProducerEntry {
    /// A producer of which nothing is known yet.
    #[must_use]
    pub fn new(producer_id: ProducerId) -> Self {
        Self {
            producer_id,
            producer_epoch: NO_PRODUCER_EPOCH,
            coordinator_epoch: NO_COORDINATOR_EPOCH,
            last_timestamp_ms: -1,
            transaction_first_offset: None,
            batches: VecDeque::new(),
        }
    }

    /// The same with a last batch, as a snapshot keeps it.
    #[must_use]
    pub fn with_last_batch(mut self, batch: StoredBatch) -> Self {
        self.batches.clear();
        self.batches.push_back(batch);
        self
    }

    /// The last batches of this epoch, oldest first; at most [`RETAINED_BATCH_COUNT`].
    pub fn batches(&self) -> impl ExactSizeIterator<Item = &StoredBatch> {
        self.batches.iter()
    }

    /// The last batch of this epoch.
    #[must_use]
    pub fn last_batch(&self) -> Option<&StoredBatch> {
        self.batches.back()
    }

    pub(super) fn duplicate_of(&self, batch: &ProducerBatch) -> Option<StoredBatch> {
        if batch.producer_epoch != self.producer_epoch {
            return None;
        }
        self.batches
            .iter()
            .find(|stored| {
                stored.last_sequence == batch.last_sequence
                    && stored.first_sequence() == batch.first_sequence
            })
            .copied()
    }

    pub(super) fn check_epoch(&self, received: ProducerEpoch) -> Result<(), ProducerError> {
        if received < self.producer_epoch {
            return Err(ProducerError::InvalidProducerEpoch {
                producer_id: self.producer_id,
                current: self.producer_epoch,
                received,
            });
        }
        Ok(())
    }

    pub(super) fn check_sequence(&self, batch: &ProducerBatch) -> Result<(), ProducerError> {
        if self.producer_epoch == NO_PRODUCER_EPOCH {
            return Ok(());
        }
        let last = if batch.producer_epoch == self.producer_epoch {
            self.last_batch()
                .map_or(NO_SEQUENCE, |stored| stored.last_sequence)
        } else {
            NO_SEQUENCE
        };
        let expected = last.checked_add(1).unwrap_or(0);
        if batch.first_sequence != expected {
            return Err(ProducerError::OutOfOrderSequence {
                producer_id: self.producer_id,
                producer_epoch: batch.producer_epoch,
                last,
                received: batch.first_sequence,
            });
        }
        Ok(())
    }

    /// A new incarnation starts counting anew: batches of the old one can no longer be repeated.
    pub(super) fn enter_epoch(&mut self, producer_epoch: ProducerEpoch) {
        if self.producer_epoch != producer_epoch {
            self.batches.clear();
            self.producer_epoch = producer_epoch;
        }
    }

    pub(super) fn push(&mut self, batch: &ProducerBatch) {
        self.enter_epoch(batch.producer_epoch);
        if self.batches.len() == RETAINED_BATCH_COUNT {
            self.batches.pop_front();
        }
        let offset_delta = batch.last_offset.0.saturating_sub(batch.first_offset.0);
        self.batches.push_back(StoredBatch {
            last_sequence: batch.last_sequence,
            last_offset: batch.last_offset,
            // A batch's last offset delta is an i32 in its header.
            offset_delta: i32::try_from(offset_delta).unwrap_or(i32::MAX),
            timestamp_ms: batch.max_timestamp_ms,
        });
        self.last_timestamp_ms = batch.max_timestamp_ms;
    }

    pub(super) fn is_expired(&self, now_ms: i64, expiration_ms: i64) -> bool {
        self.transaction_first_offset.is_none()
            && now_ms.saturating_sub(self.last_timestamp_ms) >= expiration_ms
    }
}
