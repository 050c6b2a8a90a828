//! A batch on its way from the first record to its outcome.

use std::sync::Arc;

use barnabas_wire::id::{ProducerEpoch, ProducerId};
use barnabas_wire::record::{Batch as WireBatch, BatchBuilder, BatchMut, BuildError};
use bytes::{Bytes, BytesMut};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::delivery::Completion;
use crate::error::Error;

/// A batch that takes records, or waits to be sent for the first time.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) builder: BatchBuilder,
    pub(super) completion: Arc<Completion>,
    pub(super) opened_at: Instant,
    /// Its share of `buffer.memory`, given back with the batch.
    pub(super) memory: OwnedSemaphorePermit,
    /// Number of the batch among all of its producer.
    pub(super) number: u64,
}

/// A batch as it goes over the wire, until its outcome is known.
#[derive(Debug)]
pub(super) struct SentBatch {
    pub(super) bytes: Bytes,
    pub(super) record_count: i32,
    pub(super) completion: Arc<Completion>,
    pub(super) opened_at: Instant,
    pub(super) number: u64,
    /// How often it was sent.
    pub(super) attempts: u32,
    /// What the last attempt ended with.
    pub(super) last_error: Option<Error>,
    /// How many numbers from its own on belong to the batch: the parts that it is split into take
    /// theirs from these.
    span: u64,
    memory: OwnedSemaphorePermit,
}

/// Numbers that belong to a new batch.
pub(super) const SPAN: u64 = 1 << 20;

/// The producer's stamp on a batch. Source: KIP-98.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) producer_id: ProducerId,
    pub(super) producer_epoch: ProducerEpoch,
    pub(super) base_sequence: i32,
}

impl Batch {
    /// Makes the batch ready for the wire. Fails its records if that is not possible.
    pub(super) fn seal(mut self, stamp: Option<Stamp>) -> Option<SentBatch> {
        if let Some(stamp) = stamp {
            let Stamp {
                producer_id,
                producer_epoch,
                base_sequence,
            } = stamp;
            self.builder
                .set_producer(producer_id, producer_epoch, base_sequence);
        }
        let record_count = self.builder.record_count();
        match self.builder.build() {
            Ok(bytes) => Some(SentBatch {
                bytes,
                record_count,
                completion: self.completion,
                opened_at: self.opened_at,
                number: self.number,
                attempts: 0,
                last_error: None,
                span: SPAN,
                memory: self.memory,
            }),
            Err(error) => {
                self.completion.failed(unbuilt(&error));
                None
            }
        }
    }
}

fn unbuilt(error: &BuildError) -> Error {
    Error::Corrupt {
        subject: "batch".into(),
        reason: error.to_string(),
    }
}

impl SentBatch {
    /// Whether the batch can be split into two.
    pub(super) const fn can_split(&self) -> bool {
        self.record_count > 1 && self.span > 1
    }

    /// Two batches with the records and sequence numbers of this one, which is not in flight.
    ///
    /// # Errors
    /// What is wrong with the bytes, and the batch as it was.
    pub(super) fn split(mut self) -> Result<[Self; 2], (Box<Self>, Error)> {
        let at = self.record_count / 2;
        let (left, right) = match split_bytes(&self.bytes, at) {
            Ok(parts) => parts,
            Err(error) => return Err((Box::new(self), unbuilt(&error))),
        };
        let [left_completion, right_completion] = self.completion.split(at);
        let span = self.span / 2;
        let half = self.memory.num_permits() / 2;
        // Half of what is there can always be split off.
        let Some(memory) = self.memory.split(half) else {
            return Err((Box::new(self), Error::Closed));
        };
        let right = Self {
            bytes: right,
            record_count: self.record_count - at,
            completion: right_completion,
            number: self.number + span,
            last_error: self.last_error.clone(),
            span,
            memory,
            ..self
        };
        let left = Self {
            bytes: left,
            record_count: at,
            completion: left_completion,
            opened_at: right.opened_at,
            number: self.number,
            attempts: right.attempts,
            last_error: self.last_error,
            span,
            memory: self.memory,
        };
        Ok([left, right])
    }

    /// Puts another stamp on the batch, which is not in flight.
    pub(super) fn stamp(&mut self, stamp: Stamp) {
        let bytes = std::mem::take(&mut self.bytes);
        // The connection has let go of a batch that was answered; if not, this copies.
        let mut bytes = bytes
            .try_into_mut()
            .unwrap_or_else(|shared| BytesMut::from(&*shared));
        if let Ok(mut batch) = BatchMut::parse(&mut bytes) {
            let Stamp {
                producer_id,
                producer_epoch,
                base_sequence,
            } = stamp;
            batch.assign_producer(producer_id, producer_epoch, base_sequence);
        }
        self.bytes = bytes.freeze();
    }
}

/// The records before `at` and those from it on, as batches of their own.
fn split_bytes(bytes: &[u8], at: i32) -> Result<(Bytes, Bytes), BuildError> {
    let batch = WireBatch::parse(bytes).map_err(|_error| BuildError::TooLarge { size_bytes: 0 })?;
    let mut scratch = Vec::new();
    let mut parts = [0, at].map(|first| {
        let compression = batch.compression().unwrap_or_default();
        let mut builder = BatchBuilder::new(compression, bytes.len() / 2);
        if let Some(producer_id) = batch.producer_id() {
            let sequence = batch.base_sequence().wrapping_add(first) & i32::MAX;
            builder.set_producer(producer_id, batch.producer_epoch(), sequence);
        }
        builder
    });
    for record in batch.decompress(&mut scratch, usize::MAX)? {
        let record = record?;
        let [left, right] = &mut parts;
        let part = if record.offset_delta < at {
            left
        } else {
            right
        };
        part.append(
            record.timestamp_ms,
            record.key,
            record.value,
            record.headers,
        )?;
    }
    let [mut left, mut right] = parts;
    Ok((left.build()?, right.build()?))
}
