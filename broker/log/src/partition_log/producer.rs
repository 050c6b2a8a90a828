//! What a batch says of its producer.

use crate::producer_state::{EndMarker, ProducerBatch};
use barnabas_wire::id::Offset;
use barnabas_wire::record::{Batch, BatchHeader};

/// The producer's part of a batch with these offsets; `None` for a producer without an id.
pub(super) fn producer_batch(
    header: BatchHeader<'_>,
    first_offset: Offset,
    last_offset: Offset,
) -> Option<ProducerBatch> {
    Some(ProducerBatch {
        producer_id: header.producer_id()?,
        producer_epoch: header.producer_epoch(),
        first_sequence: header.base_sequence(),
        last_sequence: header.last_sequence(),
        first_offset,
        last_offset,
        max_timestamp_ms: header.max_timestamp_ms(),
        is_transactional: header.attributes().is_transactional(),
    })
}

/// The transaction marker in a control batch at `offset`; `None` for any other control batch, or one
/// that cannot be read.
///
/// The key is a version and a type (0 abort, 1 commit), the value a version and the epoch of the
/// coordinator. Source: KIP-98; `EndTransactionMarker` of Kafka 2.8.
pub(super) fn end_marker(batch: &Batch<'_>, offset: Offset) -> Option<EndMarker> {
    let header = batch.header();
    if !header.attributes().is_control() {
        return None;
    }
    let record = batch.records().next()?.ok()?;
    let (_version, rest) = record.key?.split_first_chunk::<2>()?;
    let (0 | 1) = i16::from_be_bytes(*rest.first_chunk()?) else {
        return None;
    };
    let (_version, rest) = record.value?.split_first_chunk::<2>()?;
    Some(EndMarker {
        producer_id: header.producer_id()?,
        producer_epoch: header.producer_epoch(),
        coordinator_epoch: i32::from_be_bytes(*rest.first_chunk()?),
        offset,
        timestamp_ms: header.max_timestamp_ms(),
    })
}
