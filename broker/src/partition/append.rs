//! Appending what producers send.

use std::sync::Arc;

use barnabas_log::error::{AppendError, LogError};
use barnabas_log::partition_log::{Appended, LeaderAppend, PartitionLog, TryAppend};
use barnabas_log::producer_state::AppendOrigin;
use barnabas_replica::{
    Acknowledgement, Acks, Advance, AppendRefusal, Lease, PendingAcknowledgement,
};
use barnabas_wire::id::{LeaderEpoch, Offset};
use barnabas_wire::record::{Batch, TimestampType, Validated};
use bytes::Bytes;
use tokio::sync::oneshot;

use super::Partition;
use super::hosted::State;

/// On which terms a batch is to be appended.
#[derive(Clone, Copy, Debug)]
pub struct AppendRequest {
    /// Who must have it before its producer is answered.
    pub acks: Acks,
    /// Whether this broker's session with ZooKeeper is beyond doubt.
    pub lease: Lease,
    /// From whom it comes.
    pub origin: AppendOrigin,
    /// The clock, ms since 1970.
    pub now_ms: i64,
}

/// Where a batch ended up.
#[derive(Clone, Copy, Debug)]
pub struct AppendReceipt {
    /// Offset of its first record.
    pub first_offset: Offset,
    /// Time of appending in ms since 1970 where the topic's records carry it; else -1.
    pub log_append_time_ms: i64,
    /// First offset of the log.
    pub log_start_offset: Offset,
    /// To ask again with, while the producer has to wait.
    pub pending: PendingAcknowledgement,
    /// How it stood right after the append.
    pub acknowledgement: Acknowledgement,
}

/// Why a batch was not appended.
#[derive(Debug, thiserror::Error)]
pub enum AppendFailure {
    /// The replica does not take it.
    #[error(transparent)]
    Refused(#[from] AppendRefusal),
    /// The log did not take it.
    #[error(transparent)]
    Log(#[from] AppendError),
    /// The broker is stopping.
    #[error("the broker is stopping")]
    Stopping,
}

/// The outcome of [`Partition::append`].
#[derive(Debug)]
pub enum Appending {
    /// It is done, or refused.
    Now(Result<AppendReceipt, AppendFailure>),
    /// A log thread does it. An error in the channel means that the broker is stopping.
    Queued(oneshot::Receiver<Result<AppendReceipt, AppendFailure>>),
}

/// A validated batch that owns its bytes.
#[derive(Debug)]
struct QueuedBatch {
    bytes: Bytes,
    timestamp_type: TimestampType,
    max_timestamp_ms: i64,
    max_timestamp_offset_delta: i32,
}

impl QueuedBatch {
    fn new(validated: &Validated<'_>, owner: &Bytes) -> Self {
        Self {
            bytes: owner.slice_ref(validated.batch.bytes()),
            timestamp_type: validated.timestamp_type,
            max_timestamp_ms: validated.max_timestamp_ms,
            max_timestamp_offset_delta: validated.max_timestamp_offset_delta,
        }
    }

    fn validated(&self) -> Result<Validated<'_>, AppendError> {
        Ok(Validated {
            batch: Batch::parse(&self.bytes)?,
            timestamp_type: self.timestamp_type,
            max_timestamp_ms: self.max_timestamp_ms,
            max_timestamp_offset_delta: self.max_timestamp_offset_delta,
            rebuild: None,
        })
    }
}

/// What an append leaves to be done once the lock is gone.
struct Aftermath {
    advance: Advance,
    is_flush_due: bool,
    room: Option<barnabas_log::partition_log::RoomRequest>,
}

impl Partition {
    /// Whether an append on these terms would be taken, so that a batch need not be looked at if not.
    ///
    /// # Errors
    /// [`AppendRefusal`].
    pub fn check_append(&self, acks: Acks, lease: Lease) -> Result<(), AppendRefusal> {
        self.lock()
            .replica
            .append_terms(acks, lease)
            .map(|_terms| ())
    }

    /// Appends a batch, or queues it behind what is queued already. `owner` holds the bytes of
    /// `validated`. Never blocks.
    ///
    /// # Panics
    /// If `validated` is no part of `owner`.
    pub fn append(
        self: &Arc<Self>,
        validated: &Validated<'_>,
        owner: &Bytes,
        request: AppendRequest,
    ) -> Appending {
        let mut state = self.lock();
        if !state.is_working() {
            match self.append_under_lock(&mut state, validated, request) {
                Ok(Some((receipt, aftermath))) => {
                    drop(state);
                    self.follow_up(aftermath);
                    return Appending::Now(Ok(receipt));
                }
                Ok(None) => {}
                Err(failure) => {
                    drop(state);
                    self.note_failure(&failure);
                    return Appending::Now(Err(failure));
                }
            }
        }
        let batch = QueuedBatch::new(validated, owner);
        let (done, receiver) = oneshot::channel();
        let job = move |partition: &Arc<Self>| {
            // The producer may have gone meanwhile.
            drop(done.send(partition.append_blocking(&batch, request)));
        };
        self.enqueue(state, Box::new(job));
        Appending::Queued(receiver)
    }

    /// `None` if it cannot be done without blocking.
    fn append_under_lock(
        &self,
        state: &mut State,
        validated: &Validated<'_>,
        request: AppendRequest,
    ) -> Result<Option<(AppendReceipt, Aftermath)>, AppendFailure> {
        let leader_epoch = state
            .replica
            .append_terms(request.acks, request.lease)?
            .leader_epoch;
        let log = state.log.clone().ok_or(AppendRefusal::NotLeader)?;
        match log.try_append(&leader_append(validated, leader_epoch, request))? {
            TryAppend::Done(appended) => Ok(Some(settle(
                state,
                &log,
                appended,
                leader_epoch,
                request.acks,
            ))),
            TryAppend::NeedsRoom => Ok(None),
        }
    }

    /// On a log thread, while no other job of this partition runs: the epoch cannot change meanwhile.
    fn append_blocking(
        self: &Arc<Self>,
        batch: &QueuedBatch,
        request: AppendRequest,
    ) -> Result<AppendReceipt, AppendFailure> {
        let (receipt, aftermath) = self.append_as_job(batch, request).inspect_err(|failure| {
            self.note_failure(failure);
        })?;
        self.follow_up(aftermath);
        Ok(receipt)
    }

    fn append_as_job(
        &self,
        batch: &QueuedBatch,
        request: AppendRequest,
    ) -> Result<(AppendReceipt, Aftermath), AppendFailure> {
        let state = self.lock();
        let leader_epoch = state
            .replica
            .append_terms(request.acks, request.lease)?
            .leader_epoch;
        let log = state.log.clone().ok_or(AppendRefusal::NotLeader)?;
        drop(state);
        let validated = batch.validated()?;
        let appended = log.append(&leader_append(&validated, leader_epoch, request))?;
        let mut state = self.lock();
        Ok(settle(
            &mut state,
            &log,
            appended,
            leader_epoch,
            request.acks,
        ))
    }

    fn follow_up(self: &Arc<Self>, aftermath: Aftermath) {
        if let Some(room) = aftermath.room {
            self.pool().submit(move || room.run());
        }
        if aftermath.is_flush_due {
            self.request_flush();
        }
        if aftermath.advance.wakes_waiters {
            self.waiters().wake();
        }
    }

    fn note_failure(&self, failure: &AppendFailure) {
        if let AppendFailure::Log(AppendError::Log(LogError::Offline(_))) = failure {
            self.go_offline();
        }
    }
}

fn leader_append<'a>(
    batch: &'a Validated<'a>,
    leader_epoch: LeaderEpoch,
    request: AppendRequest,
) -> LeaderAppend<'a> {
    LeaderAppend {
        batch,
        leader_epoch,
        origin: request.origin,
        now_ms: request.now_ms,
    }
}

/// Takes an append into account.
fn settle(
    state: &mut State,
    log: &PartitionLog,
    appended: Appended,
    leader_epoch: LeaderEpoch,
    acks: Acks,
) -> (AppendReceipt, Aftermath) {
    let end_offset = Offset(appended.last_offset.0.saturating_add(1));
    let advance = if appended.is_duplicate {
        Advance::default()
    } else {
        state.replica.appended(end_offset)
    };
    if let Some(high_watermark) = advance.high_watermark {
        log.set_high_watermark(high_watermark);
    }
    let pending = PendingAcknowledgement {
        acks,
        leader_epoch,
        end_offset,
    };
    let receipt = AppendReceipt {
        first_offset: appended.first_offset,
        log_append_time_ms: appended.log_append_time_ms,
        log_start_offset: appended.log_start_offset,
        acknowledgement: state.replica.acknowledgement(&pending),
        pending,
    };
    let is_flush_due = appended.is_flush_due;
    (
        receipt,
        Aftermath {
            advance,
            is_flush_due,
            room: appended.room,
        },
    )
}
