//! Builds a batch of magic 2, record by record, in one buffer that is used again.

use bytes::Bytes;

use super::assign::put;
use super::attributes::{Attributes, TimestampType};
use super::batch::{Batch, HEADER_SIZE_BYTES, LENGTH_END, NO_TIMESTAMP_MS, position};
use super::checksum::crc32c;
use super::compression::{Compression, CompressionError};
use super::cursor::{put_varint, put_varlong, varint_size_bytes, varlong_size_bytes};
use super::entry::Header;
use super::error::RecordError;
use crate::id::{LeaderEpoch, Offset, ProducerEpoch, ProducerId};

/// Most bytes a record takes beyond key, value and headers: the widest varints.
/// Source: Kafka 2.8 `DefaultRecord.MAX_RECORD_OVERHEAD`.
pub const RECORD_OVERHEAD_MAX_BYTES: usize = 21;

const SIZE_MAX_BYTES: usize = i32::MAX as usize;
const MAGIC: u8 = 2;

/// A batch could not be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// The batch would outgrow its length field. The record was not added.
    #[error("a batch of {size_bytes} bytes outgrows the format's limit of 2^31-1")]
    TooLarge {
        /// Size the batch would have, at least.
        size_bytes: usize,
    },
    /// The codec failed or is not built in.
    #[error(transparent)]
    Compression(#[from] CompressionError),
    /// A record of the batch to be written anew cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// Builds batches one after the other: append records, then [`BatchBuilder::build`].
///
/// Appending allocates only where the buffer has to grow.
#[derive(Debug)]
pub struct BatchBuilder {
    /// Room for a header, then the records, not compressed.
    buffer: Vec<u8>,
    compression: Compression,
    attributes: Attributes,
    base_offset: Offset,
    leader_epoch: LeaderEpoch,
    producer_id: ProducerId,
    producer_epoch: ProducerEpoch,
    base_sequence: i32,
    base_timestamp_ms: i64,
    max_timestamp_ms: i64,
    record_count: i32,
    capacity_bytes: usize,
}

impl BatchBuilder {
    /// A builder without records whose buffer starts with room for `capacity_bytes` of batch.
    #[must_use]
    pub fn new(compression: Compression, capacity_bytes: usize) -> Self {
        Self {
            buffer: Vec::new(),
            compression,
            attributes: Attributes(0),
            base_offset: Offset(0),
            leader_epoch: LeaderEpoch::NONE,
            producer_id: ProducerId(-1),
            producer_epoch: ProducerEpoch(-1),
            base_sequence: -1,
            base_timestamp_ms: NO_TIMESTAMP_MS,
            max_timestamp_ms: NO_TIMESTAMP_MS,
            record_count: 0,
            capacity_bytes: capacity_bytes.max(HEADER_SIZE_BYTES),
        }
    }

    /// Number of records appended since the last build.
    #[must_use]
    pub const fn record_count(&self) -> i32 {
        self.record_count
    }

    /// Size of the batch so far, header included, before compression, in bytes.
    #[must_use]
    pub const fn size_bytes(&self) -> usize {
        if self.buffer.is_empty() {
            HEADER_SIZE_BYTES
        } else {
            self.buffer.len()
        }
    }

    /// Greatest timestamp so far, ms since the Unix epoch; -1 for none.
    #[must_use]
    pub const fn max_timestamp_ms(&self) -> i64 {
        self.max_timestamp_ms
    }

    /// Offset of the first record. A producer leaves it at 0.
    pub const fn set_base_offset(&mut self, base_offset: Offset) {
        self.base_offset = base_offset;
    }

    /// Leader epoch in the header. A producer leaves it at -1.
    pub const fn set_partition_leader_epoch(&mut self, leader_epoch: LeaderEpoch) {
        self.leader_epoch = leader_epoch;
    }

    /// Transactional and control bits; codec and timestamp type are set by the builder.
    pub const fn set_attributes(&mut self, attributes: Attributes) {
        self.attributes = attributes;
    }

    /// The idempotent producer that sends the next batch, and the number of its first record.
    /// Stays for the batches after it, so call it before each build.
    pub const fn set_producer(
        &mut self,
        producer_id: ProducerId,
        producer_epoch: ProducerEpoch,
        base_sequence: i32,
    ) {
        self.producer_id = producer_id;
        self.producer_epoch = producer_epoch;
        self.base_sequence = base_sequence;
    }

    /// Adds a record and returns its index in the batch, from 0.
    ///
    /// `timestamp_ms` counts from the Unix epoch. `headers` is passed over twice.
    ///
    /// # Errors
    /// [`BuildError::TooLarge`] if the batch would reach 2 GiB.
    #[inline]
    pub fn append<'h, H>(
        &mut self,
        timestamp_ms: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: H,
    ) -> Result<i32, BuildError>
    where
        H: IntoIterator<Item = Header<'h>> + Clone,
    {
        if self.record_count == 0 {
            self.start(timestamp_ms);
        }
        let index = self.record_count;
        let timestamp_delta_ms = timestamp_ms.wrapping_sub(self.base_timestamp_ms);
        let (header_count, header_size_bytes) = headers_size_bytes(headers.clone());
        let size_bytes = 1
            + varlong_size_bytes(timestamp_delta_ms)
            + varint_size_bytes(index)
            + nullable_size_bytes(key)
            + nullable_size_bytes(value)
            + varint_size_bytes(length(header_count))
            + header_size_bytes;
        let total_bytes = self
            .buffer
            .len()
            .saturating_add(size_bytes)
            .saturating_add(5);
        if total_bytes > SIZE_MAX_BYTES {
            return Err(BuildError::TooLarge {
                size_bytes: total_bytes,
            });
        }
        let out = &mut self.buffer;
        out.reserve(size_bytes + 5);
        put_varint(out, length(size_bytes));
        out.push(0);
        put_varlong(out, timestamp_delta_ms);
        put_varint(out, index);
        put_nullable(out, key);
        put_nullable(out, value);
        put_varint(out, length(header_count));
        for header in headers {
            put_varint(out, length(header.key.len()));
            out.extend_from_slice(header.key);
            put_nullable(out, header.value);
        }
        self.record_count = index + 1;
        self.max_timestamp_ms = self.max_timestamp_ms.max(timestamp_ms);
        Ok(index)
    }

    fn start(&mut self, timestamp_ms: i64) {
        self.buffer.clear();
        self.buffer.reserve(self.capacity_bytes);
        self.buffer.resize(HEADER_SIZE_BYTES, 0);
        self.base_timestamp_ms = timestamp_ms;
        self.max_timestamp_ms = NO_TIMESTAMP_MS;
    }

    /// Compresses, writes the header and hands the batch out; the builder is then empty.
    ///
    /// An uncompressed batch takes the buffer with it, and the next batch allocates one.
    ///
    /// # Errors
    /// [`BuildError::Compression`]; the records are dropped then.
    pub fn build(&mut self) -> Result<Bytes, BuildError> {
        if self.record_count == 0 {
            self.start(NO_TIMESTAMP_MS);
        }
        let mut batch = if self.compression == Compression::None {
            std::mem::take(&mut self.buffer)
        } else {
            let mut packed = Vec::with_capacity(self.buffer.len() / 2 + HEADER_SIZE_BYTES);
            packed.resize(HEADER_SIZE_BYTES, 0);
            let records = self.buffer.get(HEADER_SIZE_BYTES..).unwrap_or_default();
            let compressed = self.compression.compress(records, &mut packed);
            self.buffer.clear();
            if let Err(error) = compressed {
                self.record_count = 0;
                return Err(error.into());
            }
            packed
        };
        self.put_header(&mut batch)?;
        self.record_count = 0;
        Ok(Bytes::from(batch))
    }

    fn put_header(&self, batch: &mut [u8]) -> Result<(), BuildError> {
        let size_bytes = batch.len();
        let Ok(length) = i32::try_from(size_bytes - LENGTH_END) else {
            return Err(BuildError::TooLarge { size_bytes });
        };
        let attributes = self
            .attributes
            .with_compression(self.compression)
            .with_timestamp_type(TimestampType::CreateTime);
        put(
            batch,
            position::BASE_OFFSET,
            self.base_offset.0.to_be_bytes(),
        );
        put(batch, position::LENGTH, length.to_be_bytes());
        put(
            batch,
            position::PARTITION_LEADER_EPOCH,
            self.leader_epoch.0.to_be_bytes(),
        );
        put(batch, position::MAGIC, [MAGIC]);
        put(batch, position::ATTRIBUTES, attributes.0.to_be_bytes());
        put(
            batch,
            position::LAST_OFFSET_DELTA,
            (self.record_count - 1).to_be_bytes(),
        );
        put(
            batch,
            position::BASE_TIMESTAMP,
            self.base_timestamp_ms.to_be_bytes(),
        );
        put(
            batch,
            position::MAX_TIMESTAMP,
            self.max_timestamp_ms.to_be_bytes(),
        );
        put(
            batch,
            position::PRODUCER_ID,
            self.producer_id.0.to_be_bytes(),
        );
        put(
            batch,
            position::PRODUCER_EPOCH,
            self.producer_epoch.0.to_be_bytes(),
        );
        put(
            batch,
            position::BASE_SEQUENCE,
            self.base_sequence.to_be_bytes(),
        );
        put(
            batch,
            position::RECORD_COUNT,
            self.record_count.to_be_bytes(),
        );
        let checksum = crc32c(batch.get(position::ATTRIBUTES..).unwrap_or_default());
        put(batch, position::CHECKSUM, checksum.to_be_bytes());
        Ok(())
    }
}

/// Writes a batch anew with another codec and offset deltas that count from 0, and keeps all else.
///
/// `scratch` is for decompressed records; they may take `decompressed_max_bytes`.
///
/// # Errors
/// Any [`BuildError`].
pub fn rebuild(
    batch: &Batch<'_>,
    compression: Compression,
    decompressed_max_bytes: usize,
    scratch: &mut Vec<u8>,
) -> Result<Bytes, BuildError> {
    let mut builder = BatchBuilder::new(compression, batch.bytes().len());
    builder.set_base_offset(batch.base_offset());
    builder.set_partition_leader_epoch(batch.partition_leader_epoch());
    builder.set_attributes(batch.attributes());
    if let Some(producer_id) = batch.producer_id() {
        builder.set_producer(producer_id, batch.producer_epoch(), batch.base_sequence());
    }
    for record in batch.decompress(scratch, decompressed_max_bytes)? {
        let record = record?;
        builder.append(
            record.timestamp_ms,
            record.key,
            record.value,
            record.headers,
        )?;
    }
    builder.build()
}

fn headers_size_bytes<'h>(headers: impl IntoIterator<Item = Header<'h>>) -> (usize, usize) {
    headers
        .into_iter()
        .fold((0, 0), |(count, size_bytes), header| {
            let key_size_bytes = varint_size_bytes(length(header.key.len())) + header.key.len();
            (
                count + 1,
                size_bytes + key_size_bytes + nullable_size_bytes(header.value),
            )
        })
}

fn nullable_size_bytes(bytes: Option<&[u8]>) -> usize {
    bytes.map_or(1, |bytes| {
        varint_size_bytes(length(bytes.len())) + bytes.len()
    })
}

fn put_nullable(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => {
            put_varint(out, length(bytes.len()));
            out.extend_from_slice(bytes);
        }
        None => put_varint(out, -1),
    }
}

/// Lengths beyond the format's limit make a batch beyond the limit, which `append` refuses.
fn length(size: usize) -> i32 {
    i32::try_from(size).unwrap_or(i32::MAX)
}
