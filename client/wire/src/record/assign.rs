//! A broker's changes to a batch in place: offset, leader epoch and append time.

use super::attributes::TimestampType;
use super::batch::{Batch, BatchHeader, position};
use super::checksum::crc32c;
use super::error::BatchError;
use crate::id::{LeaderEpoch, Offset, ProducerEpoch, ProducerId};

/// One whole batch that may be changed where it lies.
#[derive(Debug)]
pub struct BatchMut<'a> {
    bytes: &'a mut [u8],
}

impl<'a> BatchMut<'a> {
    /// Takes the batch at the start of `bytes`; bytes after it are left alone.
    ///
    /// # Errors
    /// As [`Batch::parse`].
    pub fn parse(bytes: &'a mut [u8]) -> Result<Self, BatchError> {
        let size_bytes = Batch::parse(bytes)?.bytes().len();
        Ok(Self {
            bytes: bytes.split_at_mut(size_bytes).0,
        })
    }

    /// Sets the offset of the first record. Outside the checksum.
    pub fn assign_base_offset(&mut self, base_offset: Offset) {
        self.put(position::BASE_OFFSET, base_offset.0.to_be_bytes());
    }

    /// Sets the epoch of the leader that appends. Outside the checksum.
    pub fn assign_partition_leader_epoch(&mut self, leader_epoch: LeaderEpoch) {
        self.put(
            position::PARTITION_LEADER_EPOCH,
            leader_epoch.0.to_be_bytes(),
        );
    }

    /// Sets the greatest timestamp and its type, and renews the checksum if either was different.
    /// Reads the whole batch once then. Source: Kafka 2.8 `DefaultRecordBatch.setMaxTimestamp`.
    pub fn assign_max_timestamp(&mut self, timestamp_type: TimestampType, max_timestamp_ms: i64) {
        let Ok(header) = BatchHeader::parse(self.bytes) else {
            return;
        };
        let attributes = header.attributes();
        if attributes.timestamp_type() == timestamp_type
            && header.max_timestamp_ms() == max_timestamp_ms
        {
            return;
        }
        let attributes = attributes.with_timestamp_type(timestamp_type);
        self.put(position::ATTRIBUTES, attributes.0.to_be_bytes());
        self.put(position::MAX_TIMESTAMP, max_timestamp_ms.to_be_bytes());
        self.renew_checksum();
    }

    /// Sets the idempotent producer and the number of its first record, and renews the checksum:
    /// a producer does this to a batch it sends again under a new epoch.
    pub fn assign_producer(
        &mut self,
        producer_id: ProducerId,
        producer_epoch: ProducerEpoch,
        base_sequence: i32,
    ) {
        self.put(position::PRODUCER_ID, producer_id.0.to_be_bytes());
        self.put(position::PRODUCER_EPOCH, producer_epoch.0.to_be_bytes());
        self.put(position::BASE_SEQUENCE, base_sequence.to_be_bytes());
        self.renew_checksum();
    }

    fn renew_checksum(&mut self) {
        let checksum = crc32c(self.bytes.get(position::ATTRIBUTES..).unwrap_or_default());
        self.put(position::CHECKSUM, checksum.to_be_bytes());
    }

    fn put<const N: usize>(&mut self, at: usize, field: [u8; N]) {
        put(self.bytes, at, field);
    }
}

/// Writes one header field; `bytes` holds a whole header.
pub(super) fn put<const N: usize>(bytes: &mut [u8], at: usize, field: [u8; N]) {
    if let Some(place) = bytes.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
        *place = field;
    }
}
