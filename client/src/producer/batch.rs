//! A batch on its way from the first record to its outcome.

use std::sync::Arc;

use barnabas_wire::id::{ProducerEpoch, ProducerId};
use barnabas_wire::record::{BatchBuilder, BatchMut, BuildError};
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
    _memory: OwnedSemaphorePermit,
}

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
                _memory: self.memory,
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
