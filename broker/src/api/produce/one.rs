//! One partition of a produce: from bytes to a slot of the answer.

use std::sync::Arc;

use barnabas_replica::Acknowledgement;
use barnabas_wire::message::produce::PartitionProduceResponse;
use barnabas_wire::record::{
    BatchError, Compression, ProduceRules, Validated, ValidationError, check_produced,
    convert_produced, leading_magic, rebuild,
};
use bytes::Bytes;
use tokio::sync::oneshot;

use super::error::{Failure, failed};
use crate::partition::{
    AppendFailure, AppendReceipt, AppendRequest, Appending, DECOMPRESSED_MAX_BYTES, Partition,
};

/// A checked batch: its bytes, and what was found in them.
pub(super) struct Batch {
    bytes: Bytes,
    record_count: i32,
    found: Found,
}

/// What [`Validated`] says besides the batch itself.
struct Found {
    timestamp_type: barnabas_wire::record::TimestampType,
    max_timestamp_ms: i64,
    max_timestamp_offset_delta: i32,
}

impl Batch {
    /// Checks what a producer sent. Message sets of old clients are written anew as a batch, and so are
    /// batches that cannot be stored as they are.
    pub(super) fn check(
        records: Bytes,
        rules: &ProduceRules,
        converts: bool,
        scratch: &mut Vec<u8>,
    ) -> Result<Self, Failure> {
        let old_magic = leading_magic(&records).filter(|magic| *magic < 2);
        let mut bytes = match old_magic {
            Some(_) if converts => convert_produced(&records, rules)?.batch,
            // May be shorter than a batch's header, and is no damaged batch all the same.
            Some(magic) => return Err(ValidationError::from(BatchError::Magic { magic }).into()),
            None => records,
        };
        let mut validated = check_produced(&bytes, rules, scratch)?;
        let rebuilt;
        if validated.rebuild.is_some() {
            let batch = validated.batch;
            let compression = rules.compression.map_or_else(|| batch.compression(), Ok);
            let compression = compression.unwrap_or(Compression::None);
            rebuilt = rebuild(&batch, compression, DECOMPRESSED_MAX_BYTES, scratch)?;
            bytes = rebuilt;
            validated = check_produced(&bytes, rules, scratch)?;
        }
        if validated.batch.attributes().is_transactional() {
            return Err(Failure::Transactional);
        }
        let record_count = validated.batch.record_count();
        let found = Found {
            timestamp_type: validated.timestamp_type,
            max_timestamp_ms: validated.max_timestamp_ms,
            max_timestamp_offset_delta: validated.max_timestamp_offset_delta,
        };
        let length = validated.batch.bytes().len();
        Ok(Self {
            bytes: bytes.slice(..length),
            record_count,
            found,
        })
    }

    fn append(
        &self,
        partition: &Arc<Partition>,
        terms: AppendRequest,
    ) -> Result<Appending, Failure> {
        let batch = barnabas_wire::record::Batch::parse(&self.bytes)
            .map_err(|error| Failure::Invalid(Box::new(error.into())))?;
        let validated = Validated {
            batch,
            timestamp_type: self.found.timestamp_type,
            max_timestamp_ms: self.found.max_timestamp_ms,
            max_timestamp_offset_delta: self.found.max_timestamp_offset_delta,
            rebuild: None,
        };
        Ok(partition.append(&validated, &self.bytes, terms))
    }
}

type Queued = oneshot::Receiver<Result<AppendReceipt, AppendFailure>>;

/// One partition of the answer, as far as it is known.
pub(super) enum Slot {
    /// It is known.
    Answered(PartitionProduceResponse),
    /// A log thread appends.
    Queued {
        index: i32,
        size: (u64, u64),
        partition: Arc<Partition>,
        queued: Queued,
    },
    /// It is appended, and not yet where its producer wants it.
    Waiting {
        index: i32,
        size: (u64, u64),
        partition: Arc<Partition>,
        receipt: AppendReceipt,
    },
    /// It is appended as its producer wants it.
    Appended {
        size: (u64, u64),
        response: PartitionProduceResponse,
    },
}

impl Slot {
    /// Appends, and keeps what came of it.
    pub(super) fn of(
        index: i32,
        batch: &Batch,
        partition: Arc<Partition>,
        terms: AppendRequest,
    ) -> Self {
        let size = (
            u64::from(batch.record_count.unsigned_abs()),
            batch.bytes.len() as u64,
        );
        match batch.append(&partition, terms) {
            Ok(Appending::Now(Ok(receipt))) => Self::appended(index, size, partition, receipt),
            Ok(Appending::Now(Err(failure))) => {
                Self::Answered(failed(index, &Failure::from(failure)))
            }
            Ok(Appending::Queued(queued)) => Self::Queued {
                index,
                size,
                partition,
                queued,
            },
            Err(failure) => Self::Answered(failed(index, &failure)),
        }
    }

    fn appended(
        index: i32,
        size: (u64, u64),
        partition: Arc<Partition>,
        receipt: AppendReceipt,
    ) -> Self {
        match settled(index, &receipt, receipt.acknowledgement) {
            Some(response) => Self::Appended { size, response },
            None => Self::Waiting {
                index,
                size,
                partition,
                receipt,
            },
        }
    }

    /// Waits for the log thread, if one appends.
    pub(super) async fn dequeue(&mut self) {
        let Self::Queued {
            index,
            size,
            partition,
            queued,
        } = self
        else {
            return;
        };
        let (index, size, partition) = (*index, *size, Arc::clone(partition));
        *self = match queued.await {
            Ok(Ok(receipt)) => Self::appended(index, size, partition, receipt),
            Ok(Err(failure)) => Self::Answered(failed(index, &failure.into())),
            Err(_closed) => Self::Answered(failed(index, &AppendFailure::Stopping.into())),
        };
    }

    /// The partition that this slot waits for.
    pub(super) fn waits_for(&self) -> Option<&Arc<Partition>> {
        match self {
            Self::Waiting { partition, .. } => Some(partition),
            Self::Answered(_) | Self::Queued { .. } | Self::Appended { .. } => None,
        }
    }

    /// Looks whether it still has to wait. When the time is over, it does not.
    pub(super) fn look(&mut self, is_over: bool) {
        let Self::Waiting {
            index,
            size,
            partition,
            receipt,
        } = self
        else {
            return;
        };
        let now = partition.acknowledgement(&receipt.pending);
        if let Some(response) = settled(*index, receipt, now) {
            *self = Self::Appended {
                size: *size,
                response,
            };
        } else if is_over {
            *self = Self::Answered(failed(*index, &Failure::TimedOut));
        }
    }

    /// Whether nothing is to be waited for.
    pub(super) fn is_answered(&self) -> bool {
        match self {
            Self::Answered(_) | Self::Appended { .. } => true,
            Self::Queued { .. } | Self::Waiting { .. } => false,
        }
    }

    /// The error, if it is known to have failed.
    pub(super) fn error_code(&self) -> Option<i16> {
        match self {
            Self::Answered(response) | Self::Appended { response, .. } => {
                (response.error_code != 0).then_some(response.error_code)
            }
            Self::Queued { .. } | Self::Waiting { .. } => None,
        }
    }

    /// Records and bytes of the batch.
    pub(super) fn size(&self) -> (u64, u64) {
        match self {
            Self::Answered(_) => (0, 0),
            Self::Queued { size, .. }
            | Self::Waiting { size, .. }
            | Self::Appended { size, .. } => *size,
        }
    }

    pub(super) fn into_response(self) -> PartitionProduceResponse {
        match self {
            Self::Answered(response) | Self::Appended { response, .. } => response,
            // All slots are answered before the answer is made.
            Self::Queued { index, .. } | Self::Waiting { index, .. } => {
                failed(index, &Failure::TimedOut)
            }
        }
    }
}

/// The answer for records that were appended, unless they have to wait.
fn settled(
    index: i32,
    receipt: &AppendReceipt,
    acknowledgement: Acknowledgement,
) -> Option<PartitionProduceResponse> {
    let failure = match acknowledgement {
        Acknowledgement::Wait => return None,
        Acknowledgement::Done => None,
        Acknowledgement::NotEnoughReplicas => Some(Failure::NotEnoughReplicasAfterAppend),
        Acknowledgement::NotLeader => Some(Failure::NotHere),
        Acknowledgement::Offline => Some(Failure::Offline),
    };
    Some(failure.map_or_else(
        || PartitionProduceResponse {
            index,
            base_offset: receipt.first_offset.0,
            log_append_time_ms: receipt.log_append_time_ms,
            log_start_offset: receipt.log_start_offset.0,
            ..PartitionProduceResponse::default()
        },
        |failure| failed(index, &failure),
    ))
}
