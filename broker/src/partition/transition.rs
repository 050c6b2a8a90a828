//! Taking and giving up roles: jobs of the partition, so that no append falls in between.

use std::sync::Arc;

use barnabas_log::partition_log::PartitionLog;
use barnabas_replica::{
    Decision, DecisionRefusal, LogBounds, LogWork, Role, StopEpoch, StopRefusal,
};
use tokio::sync::oneshot;

use super::Partition;
use crate::log_store::{StoreError, write_leader_epochs};

/// Gives a partition its log.
pub(super) type OpenLog = Box<dyn FnOnce() -> Result<Arc<PartitionLog>, StoreError> + Send>;

impl Partition {
    /// Takes a decision. [`Partition::carry_out`] must follow.
    pub(super) fn decide(&self, decision: Decision) -> Result<LogWork, DecisionRefusal> {
        self.lock().replica.decide(decision)
    }

    /// Has the log work of a decision done; the decision is in force when the answer comes. `open` is
    /// called on a log thread if there is no log yet.
    pub(super) fn carry_out(
        self: &Arc<Self>,
        work: LogWork,
        open: OpenLog,
    ) -> oneshot::Receiver<Result<(), StoreError>> {
        let (done, receiver) = oneshot::channel();
        let job = move |partition: &Arc<Self>| {
            // The controller's connection may have gone.
            let _gone = done.send(partition.take_role(work, open));
        };
        self.enqueue(self.lock(), Box::new(job));
        receiver
    }

    fn take_role(self: &Arc<Self>, work: LogWork, open: OpenLog) -> Result<(), StoreError> {
        let log = match self.log().map_or_else(open, Ok) {
            Ok(log) => log,
            Err(error) => {
                self.give_up(work, &error);
                return Err(error);
            }
        };
        let offsets = log.offsets();
        if work.leads {
            log.begin_leader_epoch(work.leader_epoch);
        }
        let mut state = self.lock();
        let before = state.replica.role();
        state.log = Some(Arc::clone(&log));
        let bounds = LogBounds {
            log_start: offsets.log_start,
            log_end: offsets.log_end,
            flushed_end: offsets.recovery_point,
            high_watermark: offsets.high_watermark,
        };
        let advance = state.replica.log_ready(work.leader_epoch, bounds);
        let role = state.replica.role();
        let flushes = state.replica.settings().is_flushed_on_acknowledgement;
        self.publish(state, advance);
        tracing::info!(
            target: "state_change",
            partition = %self.name(), ?before, ?role, leader_epoch = %work.leader_epoch,
            log_end_offset = %offsets.log_end, "took a role"
        );
        if work.leads {
            let (name, log) = (self.name().clone(), log);
            self.pool().submit(move || write_leader_epochs(&name, &log));
            // What lay unflushed when the broker died counts once it is on the disk.
            if flushes && offsets.recovery_point < offsets.log_end {
                self.request_flush();
            }
        }
        Ok(())
    }

    fn give_up(&self, work: LogWork, error: &StoreError) {
        match error {
            StoreError::Offline { .. } | StoreError::Damaged(_) => self.go_offline(),
            StoreError::Create { .. } => self.lock().replica.log_failed(work.leader_epoch),
        }
    }

    /// Stops the replica, if nothing newer is known. What is queued before it is done first.
    pub(super) fn stop(
        self: &Arc<Self>,
        epoch: StopEpoch,
    ) -> oneshot::Receiver<Result<(), StopRefusal>> {
        let (done, receiver) = oneshot::channel();
        let job = move |partition: &Arc<Self>| {
            let mut state = partition.lock();
            let before = state.replica.role();
            let stopped = state.replica.stop(epoch);
            let result = stopped.map(|advance| {
                state.log = None;
                partition.publish(state, advance);
                let role = Role::Idle;
                let name = partition.name();
                tracing::info!(target: "state_change", partition = %name, ?before, ?role, "stopped");
            });
            // The controller's connection may have gone.
            let _gone = done.send(result);
        };
        self.enqueue(self.lock(), Box::new(job));
        receiver
    }
}
