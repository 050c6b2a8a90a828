//! What one partition knows of each idempotent producer, so that a batch sent twice is stored once.
//!
//! A producer numbers its records per partition. Of each producer the last five batches are kept:
//! a batch that equals one of them is answered with the offsets it got the first time; one that
//! follows the last is appended; anything else is refused. Five, because a client may have five
//! requests under way. Source: KIP-98; `ProducerStateManager` of Kafka 2.8.

use std::collections::BTreeMap;

use barnabas_wire::id::{Offset, ProducerEpoch, ProducerId};

mod entry;

pub use entry::{NO_PRODUCER_EPOCH, NO_SEQUENCE, ProducerEntry, RETAINED_BATCH_COUNT, StoredBatch};

/// What the header of a batch says about its producer, with the offsets that it has or will have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerBatch {
    /// The producer.
    pub producer_id: ProducerId,
    /// Its incarnation.
    pub producer_epoch: ProducerEpoch,
    /// Number of the first record, or [`NO_SEQUENCE`].
    pub first_sequence: i32,
    /// Number of the last record, which wraps from `i32::MAX` to 0, or [`NO_SEQUENCE`].
    pub last_sequence: i32,
    /// Offset of the first record.
    pub first_offset: Offset,
    /// Offset of the last record.
    pub last_offset: Offset,
    /// Largest timestamp of the batch, in ms since 1970.
    pub max_timestamp_ms: i64,
    /// Whether the batch belongs to a transaction.
    pub is_transactional: bool,
}

/// The end of a transaction as its control batch says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndMarker {
    /// The producer whose transaction ends.
    pub producer_id: ProducerId,
    /// Its incarnation.
    pub producer_epoch: ProducerEpoch,
    /// Epoch of the transaction coordinator that wrote the marker.
    pub coordinator_epoch: i32,
    /// Offset of the marker.
    pub offset: Offset,
    /// Timestamp of the marker, in ms since 1970.
    pub timestamp_ms: i64,
}

/// Who appends, which decides how much is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendOrigin {
    /// A producer: epoch and sequence are checked.
    Client,
    /// A coordinator of this broker, whose batches carry no sequence: the epoch is checked.
    Coordinator,
    /// A follower that copies its leader, or recovery: the leader has checked.
    Replication,
}

/// What to do with a batch that is not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Append it, then [`ProducerStates::record`] it.
    Append,
    /// It is stored already: answer with these offsets and write nothing.
    Duplicate(StoredBatch),
}

/// Why a batch is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProducerError {
    /// A newer incarnation of the producer has written.
    #[error("producer {producer_id} has epoch {current}, the batch has {received}")]
    InvalidProducerEpoch {
        /// The producer.
        producer_id: ProducerId,
        /// The newest epoch seen.
        current: ProducerEpoch,
        /// The batch's epoch.
        received: ProducerEpoch,
    },
    /// The batch does not follow the last one.
    #[error(
        "producer {producer_id} epoch {producer_epoch}: sequence {received} does not follow {last}"
    )]
    OutOfOrderSequence {
        /// The producer.
        producer_id: ProducerId,
        /// The batch's epoch.
        producer_epoch: ProducerEpoch,
        /// Sequence of the last record stored in this epoch, or [`NO_SEQUENCE`].
        last: i32,
        /// First sequence of the batch.
        received: i32,
    },
    /// A batch outside a transaction came while the producer's transaction is open.
    #[error("producer {producer_id} has an open transaction and sent a batch outside of it")]
    InvalidTransactionState {
        /// The producer.
        producer_id: ProducerId,
    },
    /// A newer transaction coordinator has written a marker for this producer.
    #[error("coordinator epoch {received} is older than {current} for producer {producer_id}")]
    CoordinatorFenced {
        /// The producer.
        producer_id: ProducerId,
        /// The newest coordinator epoch seen.
        current: i32,
        /// The marker's coordinator epoch.
        received: i32,
    },
}

/// The producers of one partition.
///
/// Bounded by expiry: one entry per producer that has written within the expiry time.
#[derive(Clone, Debug, Default)]
pub struct ProducerStates {
    producers: BTreeMap<ProducerId, ProducerEntry>,
    open_transactions: BTreeMap<Offset, ProducerId>,
    end_offset: Offset,
}

impl ProducerStates {
    /// No producers, as of `offset`.
    #[must_use]
    pub fn starting_at(offset: Offset) -> Self {
        Self {
            end_offset: offset,
            ..Self::default()
        }
    }

    /// The producers of a snapshot that holds everything below `end_offset`.
    pub fn from_entries(
        entries: impl IntoIterator<Item = ProducerEntry>,
        end_offset: Offset,
    ) -> Self {
        let mut states = Self::starting_at(end_offset);
        for entry in entries {
            if let Some(first_offset) = entry.transaction_first_offset {
                states
                    .open_transactions
                    .insert(first_offset, entry.producer_id);
            }
            states.producers.insert(entry.producer_id, entry);
        }
        states
    }

    /// First offset that is not yet reflected here; names the snapshot that would be written now.
    #[must_use]
    pub fn end_offset(&self) -> Offset {
        self.end_offset
    }

    /// Says that everything below `offset` is reflected, whether or not it had a producer id.
    pub fn advance_end_offset(&mut self, offset: Offset) {
        self.end_offset = self.end_offset.max(offset);
    }

    /// All producers, by id.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &ProducerEntry> {
        self.producers.values()
    }

    /// One producer.
    #[must_use]
    pub fn entry(&self, producer_id: ProducerId) -> Option<&ProducerEntry> {
        self.producers.get(&producer_id)
    }

    /// First offset of the oldest transaction that has neither been committed nor aborted.
    #[must_use]
    pub fn first_undecided_offset(&self) -> Option<Offset> {
        self.open_transactions.keys().next().copied()
    }

    /// Decides about a batch before it is written; changes nothing.
    ///
    /// # Errors
    /// [`ProducerError`] if the batch must not be appended. Never for `Replication`.
    pub fn check(
        &self,
        batch: &ProducerBatch,
        origin: AppendOrigin,
    ) -> Result<Verdict, ProducerError> {
        let Some(entry) = self.producers.get(&batch.producer_id) else {
            // Nothing is known: the records may have been deleted by retention. Any sequence goes.
            return Ok(Verdict::Append);
        };
        match origin {
            AppendOrigin::Replication => return Ok(Verdict::Append),
            AppendOrigin::Coordinator => entry.check_epoch(batch.producer_epoch)?,
            AppendOrigin::Client => {
                if let Some(stored) = entry.duplicate_of(batch) {
                    return Ok(Verdict::Duplicate(stored));
                }
                entry.check_epoch(batch.producer_epoch)?;
                entry.check_sequence(batch)?;
            }
        }
        if entry.transaction_first_offset.is_some() && !batch.is_transactional {
            return Err(ProducerError::InvalidTransactionState {
                producer_id: batch.producer_id,
            });
        }
        Ok(Verdict::Append)
    }

    /// Takes in a batch that has been written, and moves the end offset past it.
    pub fn record(&mut self, batch: &ProducerBatch) {
        let entry = self
            .producers
            .entry(batch.producer_id)
            .or_insert_with(|| ProducerEntry::new(batch.producer_id));
        entry.push(batch);
        if batch.is_transactional && entry.transaction_first_offset.is_none() {
            entry.transaction_first_offset = Some(batch.first_offset);
            self.open_transactions
                .insert(batch.first_offset, batch.producer_id);
        }
        self.advance_end_offset(Offset(batch.last_offset.0.saturating_add(1)));
    }

    /// Decides about the end of a transaction before its marker is written; changes nothing.
    ///
    /// # Errors
    /// A producer or coordinator of an older epoch. Never for `Replication`.
    pub fn check_end(&self, marker: &EndMarker, origin: AppendOrigin) -> Result<(), ProducerError> {
        let Some(entry) = self.producers.get(&marker.producer_id) else {
            return Ok(());
        };
        if origin == AppendOrigin::Replication {
            return Ok(());
        }
        entry.check_epoch(marker.producer_epoch)?;
        if marker.coordinator_epoch < entry.coordinator_epoch {
            return Err(ProducerError::CoordinatorFenced {
                producer_id: marker.producer_id,
                current: entry.coordinator_epoch,
                received: marker.coordinator_epoch,
            });
        }
        Ok(())
    }

    /// Takes in a marker that has been written; returns where its transaction began, if it held
    /// records.
    pub fn record_end(&mut self, marker: &EndMarker) -> Option<Offset> {
        let entry = self
            .producers
            .entry(marker.producer_id)
            .or_insert_with(|| ProducerEntry::new(marker.producer_id));
        entry.enter_epoch(marker.producer_epoch);
        entry.coordinator_epoch = marker.coordinator_epoch;
        entry.last_timestamp_ms = marker.timestamp_ms;
        let first_offset = entry.transaction_first_offset.take();
        if let Some(first_offset) = first_offset {
            self.open_transactions.remove(&first_offset);
        }
        self.advance_end_offset(Offset(marker.offset.0.saturating_add(1)));
        first_offset
    }

    /// Forgets the producers that have written nothing for `expiration_ms` and have no open
    /// transaction.
    pub fn expire(&mut self, now_ms: i64, expiration_ms: i64) {
        self.producers
            .retain(|_, entry| !entry.is_expired(now_ms, expiration_ms));
    }
}

#[cfg(test)]
#[path = "producer_state/tests.rs"]
mod tests;
