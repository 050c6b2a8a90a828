//! A batch of magic 2 as a view over its bytes: nothing is copied, nothing is allocated.

use std::fmt;
use std::ops::Deref;

use super::attributes::{Attributes, TimestampType};
use super::checksum::crc32c;
use super::compression::{Compression, CompressionError};
use super::entry::Records;
use super::error::BatchError;
use crate::id::{LeaderEpoch, Offset, ProducerEpoch, ProducerId};

/// Size of the fixed header, in bytes.
pub const HEADER_SIZE_BYTES: usize = 61;

/// Position after the length field: a batch is this many bytes longer than its length states.
pub const LENGTH_END: usize = 12;

/// "No timestamp", in place of milliseconds since the Unix epoch.
pub const NO_TIMESTAMP_MS: i64 = -1;

const MAGIC: i8 = 2;
const LEAST_LENGTH: usize = HEADER_SIZE_BYTES - LENGTH_END;

/// Positions of the header's fields, in bytes from the batch's start.
pub(super) mod position {
    pub(in super::super) const BASE_OFFSET: usize = 0;
    pub(in super::super) const LENGTH: usize = 8;
    pub(in super::super) const PARTITION_LEADER_EPOCH: usize = 12;
    pub(in super::super) const MAGIC: usize = 16;
    pub(in super::super) const CHECKSUM: usize = 17;
    pub(in super::super) const ATTRIBUTES: usize = 21;
    pub(in super::super) const LAST_OFFSET_DELTA: usize = 23;
    pub(in super::super) const BASE_TIMESTAMP: usize = 27;
    pub(in super::super) const MAX_TIMESTAMP: usize = 35;
    pub(in super::super) const PRODUCER_ID: usize = 43;
    pub(in super::super) const PRODUCER_EPOCH: usize = 51;
    pub(in super::super) const BASE_SEQUENCE: usize = 53;
    pub(in super::super) const RECORD_COUNT: usize = 57;
}

/// The header of one batch, without its records: what a log reader needs to find its way.
#[derive(Clone, Copy)]
pub struct BatchHeader<'a> {
    bytes: &'a [u8; HEADER_SIZE_BYTES],
}

impl<'a> BatchHeader<'a> {
    /// Looks at the header at the start of `bytes`; the records need not be there.
    ///
    /// # Errors
    /// [`BatchError::Incomplete`], [`BatchError::LengthTooSmall`] (so zeros are no batch) and
    /// [`BatchError::Magic`]. The checksum is not looked at.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, BatchError> {
        let Some(header) = bytes.first_chunk::<HEADER_SIZE_BYTES>() else {
            return Err(short_header(bytes));
        };
        let header = Self { bytes: header };
        if header.magic() != MAGIC {
            // Zeros have no magic either, but "length 0" is what tells the end of a log.
            return Err(wrong_start(header.length(), header.magic()));
        }
        if usize::try_from(header.length()).is_ok_and(|length| length >= LEAST_LENGTH) {
            Ok(header)
        } else {
            Err(BatchError::LengthTooSmall {
                length: header.length(),
            })
        }
    }

    #[inline]
    fn i16_at(self, at: usize) -> i16 {
        i16::from_be_bytes(self.field(at))
    }

    #[inline]
    fn i32_at(self, at: usize) -> i32 {
        i32::from_be_bytes(self.field(at))
    }

    #[inline]
    fn i64_at(self, at: usize) -> i64 {
        i64::from_be_bytes(self.field(at))
    }

    #[inline]
    #[expect(
        clippy::indexing_slicing,
        reason = "`position` lies inside the fixed header"
    )]
    fn field<const N: usize>(self, at: usize) -> [u8; N] {
        std::array::from_fn(|index| self.bytes[at + index])
    }

    const fn magic(self) -> i8 {
        self.bytes[position::MAGIC].cast_signed()
    }

    fn length(self) -> i32 {
        self.i32_at(position::LENGTH)
    }

    /// Size of the whole batch, header and length field included, in bytes; at least 61.
    #[must_use]
    pub fn size_bytes(self) -> usize {
        usize::try_from(self.length())
            .unwrap_or(0)
            .saturating_add(LENGTH_END)
    }

    /// Offset of the first record as the producer numbered them; compaction keeps it.
    #[must_use]
    pub fn base_offset(self) -> Offset {
        Offset(self.i64_at(position::BASE_OFFSET))
    }

    /// Offset of the last record.
    #[must_use]
    pub fn last_offset(self) -> Offset {
        Offset(
            self.base_offset()
                .0
                .saturating_add(i64::from(self.last_offset_delta())),
        )
    }

    /// Offset after the last record.
    #[must_use]
    pub fn next_offset(self) -> Offset {
        Offset(self.last_offset().0.saturating_add(1))
    }

    /// Epoch of the leader that appended the batch; -1 until one did.
    #[must_use]
    pub fn partition_leader_epoch(self) -> LeaderEpoch {
        LeaderEpoch(self.i32_at(position::PARTITION_LEADER_EPOCH))
    }

    /// The checksum as stored.
    #[must_use]
    pub fn checksum(self) -> u32 {
        u32::from_be_bytes(self.field(position::CHECKSUM))
    }

    /// The attribute bits.
    #[must_use]
    pub fn attributes(self) -> Attributes {
        Attributes(self.i16_at(position::ATTRIBUTES))
    }

    /// Last offset minus base offset; record count minus 1 until compaction. Not checked here.
    #[must_use]
    pub fn last_offset_delta(self) -> i32 {
        self.i32_at(position::LAST_OFFSET_DELTA)
    }

    /// Timestamp the records' deltas count from, ms since the Unix epoch.
    #[must_use]
    pub fn base_timestamp_ms(self) -> i64 {
        self.i64_at(position::BASE_TIMESTAMP)
    }

    /// Greatest timestamp of the records, ms since the Unix epoch; the append time of the batch
    /// where the type is log append time.
    #[must_use]
    pub fn max_timestamp_ms(self) -> i64 {
        self.i64_at(position::MAX_TIMESTAMP)
    }

    /// Who set the timestamps.
    #[must_use]
    pub fn timestamp_type(self) -> TimestampType {
        self.attributes().timestamp_type()
    }

    /// The codec of the records.
    ///
    /// # Errors
    /// [`CompressionError::UnknownCodec`] for the numbers 5 to 7.
    pub fn compression(self) -> Result<Compression, CompressionError> {
        self.attributes().compression()
    }

    /// Id of an idempotent producer, or none.
    #[must_use]
    pub fn producer_id(self) -> Option<ProducerId> {
        let id = self.i64_at(position::PRODUCER_ID);
        (id > -1).then_some(ProducerId(id))
    }

    /// Epoch of the idempotent producer; -1 without one.
    #[must_use]
    pub fn producer_epoch(self) -> ProducerEpoch {
        ProducerEpoch(self.i16_at(position::PRODUCER_EPOCH))
    }

    /// Sequence number of the first record; -1 without an idempotent producer.
    #[must_use]
    pub fn base_sequence(self) -> i32 {
        self.i32_at(position::BASE_SEQUENCE)
    }

    /// Sequence number of the last record, which wraps from 2^31-1 to 0; -1 without a producer.
    #[must_use]
    pub fn last_sequence(self) -> i32 {
        let base_sequence = self.base_sequence();
        if base_sequence < 0 {
            return -1;
        }
        // Masking the sign bit is arithmetic modulo 2^31.
        base_sequence.wrapping_add(self.last_offset_delta()) & i32::MAX
    }

    /// Number of records as stated; 0 is an empty batch that compaction left. Not checked here.
    #[must_use]
    pub fn record_count(self) -> i32 {
        self.i32_at(position::RECORD_COUNT)
    }
}

/// Names the batch without showing its records.
impl fmt::Debug for BatchHeader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchHeader")
            .field("base_offset", &self.base_offset())
            .field("last_offset_delta", &self.last_offset_delta())
            .field("record_count", &self.record_count())
            .field("size_bytes", &self.size_bytes())
            .field("attributes", &self.attributes())
            .finish_non_exhaustive()
    }
}

fn short_header(bytes: &[u8]) -> BatchError {
    // A length that cannot be one is worth telling even where the rest of the header is missing.
    let length = bytes
        .get(position::LENGTH..LENGTH_END)
        .and_then(|field| field.first_chunk())
        .map(|field| i32::from_be_bytes(*field));
    match length {
        Some(length) if length <= 0 => BatchError::LengthTooSmall { length },
        Some(_) | None => BatchError::Incomplete {
            needed_bytes: HEADER_SIZE_BYTES,
            available_bytes: bytes.len(),
        },
    }
}

const fn wrong_start(length: i32, magic: i8) -> BatchError {
    if length <= 0 {
        BatchError::LengthTooSmall { length }
    } else {
        BatchError::Magic { magic }
    }
}

/// One whole batch of magic 2. Reads like its [`BatchHeader`].
#[derive(Clone, Copy)]
pub struct Batch<'a> {
    header: BatchHeader<'a>,
    bytes: &'a [u8],
}

/// As the header: records are nobody's business in a log line.
impl fmt::Debug for Batch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.header.fmt(f)
    }
}

impl<'a> Deref for Batch<'a> {
    type Target = BatchHeader<'a>;

    fn deref(&self) -> &Self::Target {
        &self.header
    }
}

impl<'a> Batch<'a> {
    /// Looks at the batch at the start of `bytes`; bytes after it are left alone.
    ///
    /// # Errors
    /// As [`BatchHeader::parse`], and [`BatchError::Incomplete`] if the records are cut off.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, BatchError> {
        let header = BatchHeader::parse(bytes)?;
        let needed_bytes = header.size_bytes();
        match bytes.get(..needed_bytes) {
            Some(bytes) => Ok(Self { header, bytes }),
            None => Err(BatchError::Incomplete {
                needed_bytes,
                available_bytes: bytes.len(),
            }),
        }
    }

    /// The header alone.
    #[must_use]
    pub const fn header(&self) -> BatchHeader<'a> {
        self.header
    }

    /// The bytes of the whole batch, exactly.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The bytes after the header: the records, compressed if the batch is.
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        self.bytes.get(HEADER_SIZE_BYTES..).unwrap_or_default()
    }

    /// Compares the stored checksum with the bytes.
    ///
    /// # Errors
    /// [`BatchError::Checksum`] if they differ.
    pub fn verify_checksum(&self) -> Result<(), BatchError> {
        let stored = self.header.checksum();
        let computed = crc32c(self.bytes.get(position::ATTRIBUTES..).unwrap_or_default());
        if stored == computed {
            Ok(())
        } else {
            Err(BatchError::Checksum { stored, computed })
        }
    }

    /// The records of an uncompressed batch, one by one, borrowed from the batch.
    ///
    /// Of a compressed batch these are none of use: see [`Batch::decompress`].
    #[must_use]
    pub fn records(&self) -> Records<'a> {
        Records::new(self.header, self.payload())
    }

    /// The records in `decompressed`, which came out of this batch's payload.
    #[must_use]
    pub fn records_in<'s>(&self, decompressed: &'s [u8]) -> Records<'s> {
        Records::new(self.header, decompressed)
    }

    /// The records of any batch; `scratch` holds them when they had to be decompressed, and is
    /// cleared before. An uncompressed batch is read where it lies.
    ///
    /// # Errors
    /// Any [`CompressionError`]: an unknown codec or one that is not built in, a damaged block, or
    /// more than `limit_bytes` of records.
    pub fn decompress<'s>(
        &self,
        scratch: &'s mut Vec<u8>,
        limit_bytes: usize,
    ) -> Result<Records<'s>, CompressionError>
    where
        'a: 's,
    {
        let compression = self.header.compression()?;
        if compression == Compression::None {
            return Ok(self.records());
        }
        scratch.clear();
        compression.decompress(self.payload(), limit_bytes, scratch)?;
        Ok(Records::new(self.header, scratch))
    }
}
