//! Where the one piece of work lies that waits for ZooKeeper.

use barnabas_zk_schema::{ControllerOp, Outcome, ZkError};

use crate::candidacy::Candidacy;
use crate::effect::Effect;
use crate::operation::Operation;
use crate::{BatchId, CallId};

/// What can be at work.
#[derive(Debug)]
pub(crate) enum Work {
    Candidacy(Candidacy),
    Operation(Box<dyn Operation>),
}

/// At most one piece of work, with its outstanding batch.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    outstanding: Option<Outstanding>,
    last_batch: BatchId,
}

#[derive(Debug)]
struct Outstanding {
    work: Work,
    batch: BatchId,
    /// Kept where all are reads, which may be asked again.
    reads: Option<Vec<ControllerOp>>,
    count: usize,
    /// When to ask again; `Some` only while nothing is sent.
    again_at_ms: Option<u64>,
}

/// What an answer leads to.
#[derive(Debug)]
pub(crate) enum Replied {
    /// Work goes on with these outcomes.
    Go(Work, Vec<Outcome>),
    /// Nothing: it was for an earlier batch, or the reads are asked again after a while.
    Wait,
}

impl Desk {
    pub(crate) const fn is_free(&self) -> bool {
        self.outstanding.is_none()
    }

    /// Sends `ops` for `work`, which lies here until they are answered.
    pub(crate) fn ask(&mut self, work: Work, ops: Vec<ControllerOp>, effects: &mut Vec<Effect>) {
        let batch = self.next_batch();
        let reads = ops.iter().all(|op| op.op().is_read()).then(|| ops.clone());
        let count = ops.len();
        self.outstanding = Some(Outstanding {
            work,
            batch,
            reads,
            count,
            again_at_ms: None,
        });
        effects.push(Effect::Zk { batch, ops });
    }

    /// An answer has come. Reads that were not answered are asked again at `again_at_ms`.
    pub(crate) fn take(
        &mut self,
        batch: BatchId,
        mut outcomes: Vec<Outcome>,
        again_at_ms: u64,
    ) -> Replied {
        let Some(mut outstanding) = self.outstanding.take_if(|it| it.batch == batch) else {
            return Replied::Wait;
        };
        outcomes.resize(outstanding.count, Outcome::Unknown);
        for outcome in &mut outcomes {
            if *outcome == Outcome::Failed(ZkError::StaleSession) {
                *outcome = Outcome::Unknown;
            }
        }
        if outstanding.reads.is_some() && outcomes.contains(&Outcome::Unknown) {
            outstanding.again_at_ms = Some(again_at_ms);
            self.outstanding = Some(outstanding);
            return Replied::Wait;
        }
        Replied::Go(outstanding.work, outcomes)
    }

    /// Asks reads again whose time has come.
    pub(crate) fn ask_again(&mut self, now_ms: u64, effects: &mut Vec<Effect>) {
        let is_due = |it: &mut Outstanding| it.again_at_ms.is_some_and(|at| at <= now_ms);
        let Some(outstanding) = self.outstanding.take_if(is_due) else {
            return;
        };
        if let Some(reads) = outstanding.reads {
            self.ask(outstanding.work, reads, effects);
        }
    }

    pub(crate) fn deadline_ms(&self) -> Option<u64> {
        self.outstanding
            .as_ref()
            .and_then(|outstanding| outstanding.again_at_ms)
    }

    /// Drops what lies here; the call that it would have answered.
    pub(crate) fn clear(&mut self) -> Option<CallId> {
        match self.outstanding.take()?.work {
            Work::Candidacy(_) => None,
            Work::Operation(operation) => operation.call(),
        }
    }

    fn next_batch(&mut self) -> BatchId {
        self.last_batch = BatchId(self.last_batch.0.saturating_add(1));
        self.last_batch
    }
}
