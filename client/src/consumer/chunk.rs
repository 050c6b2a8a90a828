//! What one fetch brought of one partition, decoded batch by batch.

use std::collections::VecDeque;

use barnabas_wire::id::{LeaderEpoch, TopicPartition};
use barnabas_wire::record::{Batch, Compression, Record};
use bytes::{Buf as _, Bytes};

use super::message::{Message, MessageHeader};
use crate::error::{Error, Result};

/// Most bytes that the records of one batch may take after decompression.
const DECOMPRESSED_MAX_BYTES: usize = 256 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) partition: TopicPartition,
    /// Seeks of the partition so far: a chunk from before the last one is of no use.
    pub(super) generation: u64,
    /// Whole batches.
    pub(super) records: Bytes,
    /// First offset wanted: a batch may begin before it.
    pub(super) from_offset: i64,
    /// The offset after the last whole batch.
    pub(super) to_offset: i64,
}

impl Chunk {
    /// Decodes the next batch that has records for the reader into `messages`. False at the end.
    pub(super) fn decode_batch(&mut self, messages: &mut VecDeque<Message>) -> Result<bool> {
        while !self.records.is_empty() && messages.is_empty() {
            let bytes = self.records.clone();
            let batch = match Batch::parse(&bytes) {
                Ok(batch) => batch,
                Err(error) if error.is_incomplete() => break,
                Err(error) => {
                    self.records.clear();
                    return Err(self.corrupt(error));
                }
            };
            self.records.advance(batch.bytes().len());
            let from_offset = self.from_offset;
            self.from_offset = self.from_offset.max(batch.next_offset().0);
            // Markers of transactions are not for the reader.
            if !batch.attributes().is_control() {
                batch
                    .verify_checksum()
                    .map_err(|error| self.corrupt(error))?;
                self.decode_records(&bytes, &batch, from_offset, messages)?;
            }
        }
        Ok(!messages.is_empty())
    }

    fn decode_records(
        &self,
        bytes: &Bytes,
        batch: &Batch<'_>,
        from_offset: i64,
        messages: &mut VecDeque<Message>,
    ) -> Result<()> {
        let mut scratch = Vec::new();
        let compression = batch.compression().map_err(|error| self.corrupt(error))?;
        // Slices of what was fetched, or of what came out of decompression.
        let unpacked = if compression == Compression::None {
            bytes.clone()
        } else {
            let payload = batch.payload();
            compression
                .decompress(payload, DECOMPRESSED_MAX_BYTES, &mut scratch)
                .map_err(|error| self.corrupt(error))?;
            Bytes::from(scratch)
        };
        let records = if compression == Compression::None {
            batch.records()
        } else {
            batch.records_in(&unpacked)
        };
        let leader_epoch = batch.partition_leader_epoch();
        for record in records {
            let record = record.map_err(|error| self.corrupt(error))?;
            if record.offset.0 >= from_offset {
                messages.push_back(self.message(&unpacked, &record, leader_epoch));
            }
        }
        Ok(())
    }

    fn message(&self, owner: &Bytes, record: &Record<'_>, leader_epoch: LeaderEpoch) -> Message {
        let slice = |bytes: Option<&[u8]>| bytes.map(|bytes| owner.slice_ref(bytes));
        Message {
            partition: self.partition.clone(),
            offset: record.offset.0,
            leader_epoch,
            timestamp_ms: record.timestamp_ms,
            key: slice(record.key),
            value: slice(record.value),
            headers: record
                .headers
                .map(|header| MessageHeader {
                    name: owner.slice_ref(header.key),
                    value: slice(header.value),
                })
                .collect(),
        }
    }

    /// The offset after the batches decoded so far.
    pub(super) const fn next_offset(&self) -> i64 {
        self.from_offset
    }

    /// The offset after all of it.
    pub(super) fn end_offset(&self) -> i64 {
        self.to_offset.max(self.from_offset)
    }

    fn corrupt(&self, error: impl std::fmt::Display) -> Error {
        let subject = format!("{} at offset {}", self.partition, self.from_offset);
        Error::Corrupt {
            subject,
            reason: error.to_string(),
        }
    }
}
