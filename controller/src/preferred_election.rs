//! A tool wishes that preferred replicas lead again.
//!
//! The wish is put into what is pending; its znode goes once that is done, so that an interrupted
//! wish is not lost. Source: kafka 2.8 `controller/KafkaController.scala`
//! (`processReplicaLeaderElection` with the ZooKeeper trigger).

use barnabas_zk_schema::preferred_election::PreferredElectionZnode;
use barnabas_zk_schema::{ControllerOp, Outcome, Znode};

use crate::context::{Cause, Context};
use crate::operation::{Operation, Turn};
use crate::removal::{Removal, Removing};

/// Reads the wish.
#[derive(Debug)]
pub(crate) struct PreferredElection;

impl Operation for PreferredElection {
    fn begin(&mut self, context: &mut Context) -> Turn {
        context.dirty.preferred_election = false;
        Turn::Ask(vec![ControllerOp::read(PreferredElectionZnode.read())])
    }

    fn resume(&mut self, context: &mut Context, outcomes: Vec<Outcome>) -> Turn {
        let outcome = outcomes.into_iter().next().unwrap_or(Outcome::Unknown);
        let Ok((data, _)) = outcome.into_data() else {
            return Turn::Done;
        };
        match PreferredElectionZnode::decode(&data) {
            Ok(partitions) => {
                let cause = Cause {
                    is_preferred_wanted: true,
                    ..Cause::default()
                };
                for partition in partitions {
                    if context.leadership(&partition).is_some() {
                        context.look_at(partition, cause.clone());
                    } else {
                        tracing::warn!(%partition, "no such partition to elect a preferred leader of");
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "a wish for preferred leaders cannot be read"),
        }
        context.is_wish_open = true;
        Turn::Done
    }
}

/// Removes the wish that was fulfilled, and looks for the next one: a tool may have written it
/// meanwhile.
#[derive(Debug)]
pub(crate) struct WishRemoval(Removal);

impl WishRemoval {
    pub(crate) fn new() -> Self {
        Self(Removal::new(vec![PreferredElectionZnode.path()]))
    }

    fn turn(context: &mut Context, removing: Removing) -> Turn {
        match removing {
            Removing::Ask(op) => Turn::Ask(vec![op]),
            Removing::Moved => Turn::Moved,
            Removing::Refused(error) => {
                tracing::error!(%error, "cannot remove a wish for preferred leaders");
                Turn::Done
            }
            Removing::Done => {
                context.dirty.preferred_election = true;
                Turn::Done
            }
            Removing::Interrupted => {
                context.dirty.preferred_election = true;
                Turn::Later
            }
        }
    }
}

impl Operation for WishRemoval {
    fn begin(&mut self, context: &mut Context) -> Turn {
        context.is_wish_open = false;
        let removing = self.0.next(&context.fence);
        Self::turn(context, removing)
    }

    fn resume(&mut self, context: &mut Context, outcomes: Vec<Outcome>) -> Turn {
        let removing = self.0.resume(&context.fence, outcomes.into_iter().next());
        Self::turn(context, removing)
    }
}
