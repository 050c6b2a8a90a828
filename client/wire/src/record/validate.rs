//! What a leader checks before it appends what a producer sent: everything.
//!
//! Source: Kafka 2.8 `Log.analyzeAndValidateRecords`, `LogValidator`, `ProduceRequest`.

use super::attributes::TimestampType;
use super::batch::{Batch, NO_TIMESTAMP_MS};
use super::batches::Batches;
use super::compression::Compression;
use super::entry::{Record, Records};
use super::refusal::ValidationError;
use crate::id::Offset;

/// Settings of a topic that decide what a producer may append to it.
#[derive(Clone, Copy, Debug)]
pub struct ProduceRules {
    /// Greatest size of one batch with its header, in bytes: `max.message.bytes`.
    pub batch_size_max_bytes: usize,
    /// Greatest size of the records of one batch after decompression, in bytes.
    pub decompressed_max_bytes: usize,
    /// True where every record needs a key: `cleanup.policy` holds `compact`.
    pub key_required: bool,
    /// What happens to timestamps.
    pub timestamp: TimestampRule,
    /// The broker's clock, ms since the Unix epoch.
    pub now_ms: i64,
    /// The topic's `compression.type`; none stands for `producer`, which keeps what was sent.
    pub compression: Option<Compression>,
    /// How deep to look.
    pub depth: RecordDepth,
    /// True from Produce version 7 on.
    pub zstd_allowed: bool,
}

/// `message.timestamp.type` with what belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampRule {
    /// The producer's timestamps stand.
    CreateTime {
        /// Greatest distance from the broker's clock, ms: `message.timestamp.difference.max.ms`.
        difference_max_ms: u64,
    },
    /// The broker's clock replaces them.
    LogAppendTime,
}

/// Which records are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecordDepth {
    /// All, as Kafka does: compressed batches are decompressed.
    #[default]
    Every,
    /// Those of uncompressed batches, and compressed ones only where an answer needs them.
    Uncompressed,
}

/// A batch that may be appended.
#[derive(Clone, Copy, Debug)]
pub struct Validated<'a> {
    /// The batch.
    pub batch: Batch<'a>,
    /// Type that the topic wants.
    pub timestamp_type: TimestampType,
    /// Greatest timestamp of the records, ms since the Unix epoch, -1 if none has one; the given
    /// clock where the broker sets the timestamps.
    pub max_timestamp_ms: i64,
    /// Offset of the first record with that timestamp, counted from the batch's first; the last
    /// record's where the records were not read or the broker sets the timestamps.
    pub max_timestamp_offset_delta: i32,
    /// Why the batch has to be written anew, if it cannot be appended as it is.
    pub rebuild: Option<RebuildReason>,
}

impl Validated<'_> {
    /// True if type and greatest timestamp are already right in the header, so that assigning
    /// offset and leader epoch is all there is to do.
    #[must_use]
    pub fn has_right_timestamp(&self) -> bool {
        self.batch.timestamp_type() == self.timestamp_type
            && self.batch.max_timestamp_ms() == self.max_timestamp_ms
    }
}

/// Why a batch cannot be appended as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RebuildReason {
    /// The topic wants another codec.
    Compression,
    /// Offset deltas do not count 0, 1, 2 ...: some old clients number them wrongly.
    OffsetDeltas,
}

/// Checks the one batch that a producer sent to a partition (Produce version 3 or newer).
///
/// `scratch` is for decompressed records and may be used again. Bytes after the batch that make no
/// further whole batch are ignored, as Kafka ignores them.
///
/// # Errors
/// The first rule that the batch breaks; see [`ValidationError`].
pub fn check_produced<'a>(
    bytes: &'a [u8],
    rules: &ProduceRules,
    scratch: &mut Vec<u8>,
) -> Result<Validated<'a>, ValidationError> {
    let batch = only_batch(bytes)?;
    check_frame(&batch, rules)?;
    let compression = check_header(&batch, rules)?;
    let found = if is_read(&batch, compression, rules) {
        let records = batch.decompress(scratch, rules.decompressed_max_bytes)?;
        check_records(records, rules)?
    } else {
        Found {
            max_timestamp_ms: batch.max_timestamp_ms(),
            max_timestamp_offset_delta: batch.last_offset_delta(),
            deltas_are_right: true,
        }
    };
    let rebuild = if rules
        .compression
        .is_some_and(|wanted| wanted != compression)
    {
        Some(RebuildReason::Compression)
    } else {
        (!found.deltas_are_right).then_some(RebuildReason::OffsetDeltas)
    };
    Ok(match rules.timestamp {
        TimestampRule::CreateTime { .. } => Validated {
            batch,
            timestamp_type: TimestampType::CreateTime,
            max_timestamp_ms: found.max_timestamp_ms,
            max_timestamp_offset_delta: found.max_timestamp_offset_delta,
            rebuild,
        },
        TimestampRule::LogAppendTime => Validated {
            batch,
            timestamp_type: TimestampType::LogAppendTime,
            max_timestamp_ms: rules.now_ms,
            max_timestamp_offset_delta: batch.last_offset_delta(),
            rebuild,
        },
    })
}

fn only_batch(bytes: &[u8]) -> Result<Batch<'_>, ValidationError> {
    let mut batches = Batches::new(bytes);
    let batch = batches.next().ok_or(ValidationError::NoBatch)??;
    match batches.next() {
        None => Ok(batch),
        Some(Err(error)) if error.is_incomplete() => Ok(batch),
        Some(Err(error)) => Err(error.into()),
        Some(Ok(_)) => Err(ValidationError::MoreThanOneBatch),
    }
}

fn check_frame(batch: &Batch<'_>, rules: &ProduceRules) -> Result<(), ValidationError> {
    let base_offset = batch.base_offset();
    if base_offset != Offset(0) {
        return Err(ValidationError::BaseOffset { base_offset });
    }
    let size_bytes = batch.bytes().len();
    if size_bytes > rules.batch_size_max_bytes {
        let limit_bytes = rules.batch_size_max_bytes;
        return Err(ValidationError::TooLarge {
            size_bytes,
            limit_bytes,
        });
    }
    Ok(batch.verify_checksum()?)
}

fn check_header(batch: &Batch<'_>, rules: &ProduceRules) -> Result<Compression, ValidationError> {
    let record_count = batch.record_count();
    let delta = batch.last_offset_delta();
    if record_count <= 0 || delta != record_count - 1 {
        return Err(ValidationError::RecordCount {
            record_count,
            delta,
        });
    }
    if batch.attributes().is_control() {
        return Err(ValidationError::ControlBatch);
    }
    let base_sequence = batch.base_sequence();
    if batch.producer_id().is_some() && base_sequence < 0 {
        return Err(ValidationError::Sequence { base_sequence });
    }
    if batch.timestamp_type() == TimestampType::LogAppendTime {
        return Err(ValidationError::TimestampType);
    }
    let compression = batch.compression()?;
    if compression == Compression::Zstd && !rules.zstd_allowed {
        return Err(ValidationError::ZstdNotAllowed);
    }
    Ok(compression)
}

/// Sarama leaves the greatest timestamp of a compressed batch unset, so it has to be found.
fn is_read(batch: &Batch<'_>, compression: Compression, rules: &ProduceRules) -> bool {
    compression == Compression::None
        || rules.depth == RecordDepth::Every
        || rules.key_required
        || batch.max_timestamp_ms() == NO_TIMESTAMP_MS
        || rules
            .compression
            .is_some_and(|wanted| wanted != compression)
}

struct Found {
    max_timestamp_ms: i64,
    max_timestamp_offset_delta: i32,
    deltas_are_right: bool,
}

fn check_records(records: Records<'_>, rules: &ProduceRules) -> Result<Found, ValidationError> {
    let mut found = Found {
        max_timestamp_ms: NO_TIMESTAMP_MS,
        max_timestamp_offset_delta: -1,
        deltas_are_right: true,
    };
    for (index, record) in (0_u32..).zip(records) {
        let record = record?;
        check_record(index, &record, rules)?;
        if record.timestamp_ms > found.max_timestamp_ms {
            found.max_timestamp_ms = record.timestamp_ms;
            found.max_timestamp_offset_delta = i32::try_from(index).unwrap_or(i32::MAX);
        }
        found.deltas_are_right &= i64::from(record.offset_delta) == i64::from(index);
    }
    Ok(found)
}

#[inline]
fn check_record(
    index: u32,
    record: &Record<'_>,
    rules: &ProduceRules,
) -> Result<(), ValidationError> {
    if rules.key_required && record.key.is_none() {
        return Err(ValidationError::KeyMissing { index });
    }
    check_timestamp(index, record.timestamp_ms, rules)
}

#[inline]
pub(super) fn check_timestamp(
    index: u32,
    timestamp_ms: i64,
    rules: &ProduceRules,
) -> Result<(), ValidationError> {
    match rules.timestamp {
        TimestampRule::CreateTime { difference_max_ms }
            if timestamp_ms != NO_TIMESTAMP_MS
                && timestamp_ms.abs_diff(rules.now_ms) > difference_max_ms =>
        {
            let now_ms = rules.now_ms;
            Err(ValidationError::Timestamp {
                index,
                timestamp_ms,
                now_ms,
                difference_max_ms,
            })
        }
        TimestampRule::CreateTime { .. } | TimestampRule::LogAppendTime => Ok(()),
    }
}
