//! What a follower checks before it appends what its leader sent.
//!
//! Source: Kafka 2.8 `Log.analyzeAndValidateRecords`.

use super::batch::{Batch, NO_TIMESTAMP_MS};
use super::batches::Batches;
use super::refusal::ValidationError;
use crate::id::{LeaderEpoch, Offset};

/// What a follower learns about the batches a leader sent, from their headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplicatedBatches {
    /// Offset of the first record.
    pub first_offset: Offset,
    /// Offset of the last record.
    pub last_offset: Offset,
    /// Leader epoch of the last batch.
    pub last_leader_epoch: LeaderEpoch,
    /// Greatest timestamp, ms since the Unix epoch; -1 for none.
    pub max_timestamp_ms: i64,
    /// Last offset of the first batch with that timestamp.
    pub max_timestamp_offset: Offset,
    /// Number of batches.
    pub batch_count: usize,
    /// Size of the whole batches; bytes after that are the start of one that was cut off.
    pub size_bytes: usize,
}

/// Checks batches that a leader sent: sound, unchanged, in order. Records are not read. An
/// incomplete last batch ends them in silence; none is returned if there is no whole batch.
///
/// # Errors
/// [`ValidationError::Batch`] and [`ValidationError::OffsetOrder`].
pub fn check_replicated(bytes: &[u8]) -> Result<Option<ReplicatedBatches>, ValidationError> {
    let mut found: Option<ReplicatedBatches> = None;
    for batch in Batches::new(bytes) {
        let batch = match batch {
            Ok(batch) => batch,
            Err(error) if error.is_incomplete() => break,
            Err(error) => return Err(error.into()),
        };
        batch.verify_checksum()?;
        let so_far = found.get_or_insert_with(|| empty(&batch));
        let last_offset = batch.last_offset();
        let previous_offset = so_far.last_offset;
        if so_far.batch_count > 0 && last_offset <= previous_offset {
            return Err(ValidationError::OffsetOrder {
                previous_offset,
                last_offset,
            });
        }
        so_far.last_offset = last_offset;
        so_far.last_leader_epoch = batch.partition_leader_epoch();
        if batch.max_timestamp_ms() > so_far.max_timestamp_ms {
            so_far.max_timestamp_ms = batch.max_timestamp_ms();
            so_far.max_timestamp_offset = last_offset;
        }
        so_far.batch_count += 1;
        so_far.size_bytes += batch.bytes().len();
    }
    Ok(found)
}

fn empty(first: &Batch<'_>) -> ReplicatedBatches {
    ReplicatedBatches {
        first_offset: first.base_offset(),
        last_offset: first.last_offset(),
        last_leader_epoch: first.partition_leader_epoch(),
        max_timestamp_ms: NO_TIMESTAMP_MS,
        max_timestamp_offset: first.last_offset(),
        batch_count: 0,
        size_bytes: 0,
    }
}
