//! The wish to be controller.
//!
//! ```text
//!  look at /controller_epoch and /controller ──▶ somebody's ──▶ stand by
//!    ▲           │ nobody's                  └─▶ mine ──▶ active
//!    │           ▼
//!    └──── create /controller, raise /controller_epoch: both or none ──▶ active
//! ```
//! The epoch is read before the holder. So where the holder is this session, the epoch read is at
//! most the one it was elected with: a fence made of it may be too old and fail, never too new.
//! A lost reply is resolved by looking again: mine is what belongs to my session.
//! Source: kafka 2.8 `controller/KafkaController.scala` (`elect`), `zk/KafkaZkClient.scala`.

use barnabas_wire::id::{BrokerId, ControllerEpoch};
use barnabas_zk_schema::controller::{ControllerEpochZnode, ControllerHolder, ControllerZnode};
use barnabas_zk_schema::{ControllerOp, Fence, Outcome, SessionId, ZkError, ZkVersion, Znode};

/// One candidacy in one session.
#[derive(Debug)]
pub(crate) struct Candidacy {
    session: SessionId,
    holder: ControllerHolder,
    phase: Phase,
    tries: u32,
}

/// Elections lost to nobody before it waits a while.
const TRIES_MAX: u32 = 3;

#[derive(Debug)]
enum Phase {
    Look,
    CreateEpoch,
    Elect(ControllerEpoch),
}

/// How a candidacy goes on.
#[derive(Debug)]
pub(crate) enum Running {
    /// With the outcomes of these.
    Ask(Vec<ControllerOp>),
    /// This broker is the controller.
    Won(Fence),
    /// Another is.
    Lost(BrokerId),
    /// Who is cannot be told now; to be looked at again after a while.
    Unclear,
}

impl Candidacy {
    pub(crate) const fn new(session: SessionId, holder: ControllerHolder) -> Self {
        Self {
            session,
            holder,
            phase: Phase::Look,
            tries: 0,
        }
    }

    pub(crate) fn look(&mut self) -> Running {
        self.phase = Phase::Look;
        let reads = [ControllerEpochZnode.read(), ControllerZnode.read()];
        Running::Ask(reads.map(ControllerOp::read).into())
    }

    pub(crate) fn resume(&mut self, outcomes: Vec<Outcome>) -> Running {
        let mut outcomes = outcomes.into_iter();
        let first = outcomes.next().unwrap_or(Outcome::Unknown);
        match self.phase {
            Phase::Look => self.looked(first, outcomes.next().unwrap_or(Outcome::Unknown)),
            Phase::CreateEpoch => self.look(),
            Phase::Elect(epoch) => {
                if let Outcome::Done(reply) = &first
                    && let Some(fence) = Fence::elected(epoch, reply)
                {
                    return Running::Won(fence);
                }
                self.look()
            }
        }
    }

    fn looked(&mut self, epoch: Outcome, holder: Outcome) -> Running {
        let epoch = match epoch.into_data() {
            Ok((data, stat)) => match ControllerEpochZnode::decode(&data) {
                Ok(epoch) => Some((epoch, stat.version)),
                Err(error) => {
                    tracing::error!(%error, "cannot read the controller epoch, not a candidate");
                    return Running::Unclear;
                }
            },
            Err(Outcome::Failed(ZkError::NoNode)) => None,
            Err(outcome) => return unreadable(&outcome),
        };
        match holder.into_data() {
            Ok((data, stat)) => self.held(&data, stat.ephemeral_owner, epoch),
            Err(Outcome::Failed(ZkError::NoNode)) => self.run(epoch),
            Err(outcome) => unreadable(&outcome),
        }
    }

    fn held(
        &mut self,
        data: &[u8],
        owner: Option<SessionId>,
        epoch: Option<(ControllerEpoch, ZkVersion)>,
    ) -> Running {
        if owner == Some(self.session) {
            return match epoch {
                Some((epoch, version)) => Running::Won(Fence::new(epoch, version)),
                // Somebody removed it by hand; without it there is no fence.
                None => self.run(None),
            };
        }
        match ControllerZnode::decode(data) {
            Ok(holder) => Running::Lost(holder.broker),
            Err(error) => {
                tracing::error!(%error, "cannot tell who is the controller");
                Running::Unclear
            }
        }
    }

    fn run(&mut self, epoch: Option<(ControllerEpoch, ZkVersion)>) -> Running {
        if self.tries >= TRIES_MAX {
            return Running::Unclear;
        }
        self.tries += 1;
        let Some((epoch, version)) = epoch else {
            self.phase = Phase::CreateEpoch;
            return Running::Ask(vec![ControllerOp::create_epoch()]);
        };
        self.phase = Phase::Elect(epoch);
        Running::Ask(vec![ControllerOp::elect(&self.holder, epoch, version)])
    }
}

fn unreadable(outcome: &Outcome) -> Running {
    tracing::error!(?outcome, "cannot tell who is the controller");
    Running::Unclear
}
