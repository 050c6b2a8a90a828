//! Flushing a partition for those who wait for it.
//!
//! One flush of a partition runs at a time. Whoever asks meanwhile is served by the next one, together
//! with everybody else who asked: under load each flush acknowledges many batches.

use std::sync::Arc;

use barnabas_log::error::LogError;

use super::Partition;
use crate::clock::wall_ms;

/// Where a partition's flushing stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Flushing {
    /// Nobody asked.
    #[default]
    Idle,
    /// A log thread flushes.
    Running,
    /// A log thread flushes, and more was appended since: it has to go again.
    RunningAndWanted,
}

impl Partition {
    /// Sees to it that everything appended so far gets flushed soon.
    pub(super) fn request_flush(self: &Arc<Self>) {
        let mut state = self.lock();
        match state.flushing {
            Flushing::Idle => {
                state.flushing = Flushing::Running;
                drop(state);
                let partition = Arc::clone(self);
                self.pool().submit(move || partition.flush_while_wanted());
            }
            Flushing::Running | Flushing::RunningAndWanted => {
                state.flushing = Flushing::RunningAndWanted;
            }
        }
    }

    fn flush_while_wanted(&self) {
        loop {
            let Some(log) = self.log() else { return };
            let flushed = log.flush(wall_ms());
            let mut state = self.lock();
            let goes_on = state.flushing == Flushing::RunningAndWanted && flushed.is_ok();
            state.flushing = if goes_on {
                Flushing::Running
            } else {
                Flushing::Idle
            };
            match flushed {
                Ok(flushed_end) => {
                    let advance = state.replica.flushed(flushed_end);
                    self.publish(state, advance);
                }
                Err(error) => {
                    drop(state);
                    self.flush_failed(&error);
                }
            }
            if !goes_on {
                return;
            }
        }
    }

    fn flush_failed(&self, error: &LogError) {
        match error {
            LogError::Offline(_) => self.go_offline(),
            LogError::NoSpace { .. } | LogError::Closed => {
                tracing::warn!(partition = %self.name(), %error, "could not flush");
            }
        }
    }
}
