//! A batch on its way: operations become requests, requests are sent in order and within limits,
//! replies become outcomes.

mod plan;
mod request;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use barnabas_zk_schema::{Outcome, ZkError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use crate::command::Batch;
use crate::engine::{Engine, EngineError};
use crate::link::Tenure;
use request::{Request, Settled};

pub use plan::{MULTI_READ_PATHS_MAX, PACK_WRITES_MAX};

/// Requests of one session under way at once, at most.
pub const IN_FLIGHT_MAX: usize = 512;

/// `MultiRead`s of one session under way at once, at most: each answer may be large.
pub const MULTI_READS_IN_FLIGHT_MAX: usize = 8;

/// Limits that the batches of a session share.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    in_flight: Arc<Semaphore>,
    multi_reads: Arc<Semaphore>,
    request_timeout: Duration,
    chroot_size_bytes: usize,
}

impl Limits {
    pub(crate) fn new(request_timeout: Duration, chroot_size_bytes: usize) -> Self {
        Self {
            in_flight: Arc::new(Semaphore::new(IN_FLIGHT_MAX)),
            multi_reads: Arc::new(Semaphore::new(MULTI_READS_IN_FLIGHT_MAX)),
            request_timeout,
            chroot_size_bytes,
        }
    }
}

/// Sends the operations of a batch and answers it.
pub(crate) async fn run<E: Engine>(tenure: Tenure<E>, limits: Limits, batch: Batch) {
    let mut sender = Sender {
        tenure,
        limits,
        under_way: JoinSet::new(),
        outcomes: vec![Outcome::Unknown; batch.ops.len()],
        stopped: None,
    };
    let mut requests = plan::plan(batch.ops, batch.is_packed);
    // Twice at most: what a pack that failed is taken apart into is no pack.
    while !requests.is_empty() {
        for request in requests {
            sender.send(request).await;
        }
        requests = sender.finish().await;
    }
    // The caller may have lost its interest; what was sent is sent.
    drop(batch.reply.send(sender.outcomes));
}

struct Sender<E> {
    tenure: Tenure<E>,
    limits: Limits,
    under_way: JoinSet<Settled>,
    outcomes: Vec<Outcome>,
    /// Nothing is sent any more, and this is the outcome of what was not.
    stopped: Option<Outcome>,
}

impl<E: Engine> Sender<E> {
    /// Sends a request as soon as there are room and a connection.
    async fn send(&mut self, request: Request) {
        if let Some(outcome) = &self.stopped {
            let outcome = outcome.clone();
            return self.settle(request.all(&outcome));
        }
        if let Some(error) = request.too_large(self.limits.chroot_size_bytes) {
            return self.settle(request.all(&Outcome::Failed(error)));
        }
        let Some(permits) = self.permits(&request).await else {
            // Nobody closes the semaphores; if somebody did, nothing could be sent.
            return self.stop(&request, Outcome::Unknown);
        };
        let timeout = self.limits.request_timeout;
        let engine = match tokio::time::timeout(timeout, self.tenure.engine()).await {
            Ok(Some(engine)) => engine,
            Ok(None) => return self.stop(&request, Outcome::Failed(ZkError::StaleSession)),
            Err(_elapsed) => return self.stop(&request, Outcome::Unknown),
        };
        self.sync_if_needed(&engine);
        // Sent here and now, in its order; only the wait for the reply is a task.
        let reply = request.send(&engine);
        drop(engine);
        let tenure = self.tenure.clone();
        self.under_way.spawn_local(async move {
            let reply = tokio::time::timeout(timeout, reply).await;
            drop(permits);
            let lost = matches!(
                reply,
                Ok(Err(EngineError::Lost(_)
                    | EngineError::Expired
                    | EngineError::Closed(_)))
                    | Err(_)
            );
            if lost {
                tenure.needs_sync();
            }
            match reply {
                Ok(Ok(settled)) => settled,
                Ok(Err(error)) => request.failed(error),
                Err(_elapsed) => request.unknown(),
            }
        });
    }

    fn sync_if_needed(&mut self, engine: &E) {
        if !self.tenure.takes_sync() {
            return;
        }
        let tenure = self.tenure.clone();
        let sync = tokio::time::timeout(self.limits.request_timeout, engine.sync());
        self.under_way.spawn_local(async move {
            if !matches!(sync.await, Ok(Ok(()))) {
                tenure.needs_sync();
            }
            Settled::default()
        });
    }

    async fn permits(&self, request: &Request) -> Option<Permits> {
        let multi_read = if request.is_multi_read() {
            Some(
                Arc::clone(&self.limits.multi_reads)
                    .acquire_owned()
                    .await
                    .ok()?,
            )
        } else {
            None
        };
        let in_flight = Arc::clone(&self.limits.in_flight)
            .acquire_owned()
            .await
            .ok()?;
        Some((in_flight, multi_read))
    }

    fn stop(&mut self, request: &Request, outcome: Outcome) {
        self.settle(request.all(&outcome));
        self.stopped = Some(outcome);
    }

    fn settle(&mut self, outcomes: Vec<(usize, Outcome)>) {
        for (place, outcome) in outcomes {
            if let Some(slot) = self.outcomes.get_mut(place) {
                *slot = outcome;
            }
        }
    }

    /// Waits for every reply; returns what is to be sent again.
    async fn finish(&mut self) -> Vec<Request> {
        let mut again = Vec::new();
        while let Some(settled) = self.under_way.join_next().await {
            // A task that panicked leaves its operations unknown, which they are.
            if let Ok(settled) = settled {
                self.settle(settled.outcomes);
                again.extend(settled.again);
            }
        }
        again.sort_unstable_by_key(Request::first_place);
        again
    }
}

/// Places under way: one among all requests, and one among the multi-reads.
type Permits = (OwnedSemaphorePermit, Option<OwnedSemaphorePermit>);
