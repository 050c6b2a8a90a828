//! What has to be written about a partition.
//!
//! | state | is | leaves it by |
//! |---|---|---|
//! | new | assigned, without a `state` znode | creation of the znode, once a replica is online |
//! | online | its leader is online | loss of the leader |
//! | offline | its leader is not | election of another, or the leader's return |
//! | gone | its topic was deleted | |
//!
//! States are not kept, they follow from the context. So there is one function that compares what is
//! with what should be, whatever happened before; what it decides always has a higher leader epoch
//! than what it replaces. Source: kafka 2.8 `controller/PartitionStateMachine.scala`,
//! `ReplicaStateMachine.scala`.

use barnabas_wire::id::{LeaderEpoch, TopicPartition};
use barnabas_zk_schema::partition::{PartitionState, PartitionStateZnode, PartitionZnode};
use barnabas_zk_schema::{Expected, ZkVersion, ZkWrite, Znode};

use crate::context::{Cause, Context};
use crate::election::{self, Leading};

/// A `state` to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) state: PartitionState,
    pub(crate) basis: Basis,
}

/// What a decision replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Basis {
    /// Nothing: the partition is new.
    Nothing,
    /// Nothing, but its parent znode is there already, from an attempt that was interrupted.
    Parent,
    /// The state of this version.
    Version(ZkVersion),
}

impl Context {
    /// What has to be written about `partition`; `None` if all is as it should be or nothing can be
    /// done. The leader epoch of a decision is one above that of the state it replaces.
    pub(crate) fn decide(
        &self,
        partition: &TopicPartition,
        cause: &Cause,
        is_unclean_allowed: bool,
    ) -> Option<Decision> {
        let standing = self.standing(partition, cause, is_unclean_allowed)?;
        let controller_epoch = self.fence.epoch();
        let Some(leadership) = self.leadership(partition) else {
            let Leading { leader, isr } = election::first(&standing)?;
            let state = PartitionState {
                controller_epoch,
                leader,
                leader_epoch: LeaderEpoch(0),
                isr,
            };
            return Some(Decision {
                state,
                basis: Basis::Nothing,
            });
        };
        let state = &leadership.state;
        let current = Leading {
            leader: state.leader,
            isr: state.isr.clone(),
        };
        let mut next = if cause.is_preferred_wanted {
            election::preferred(&standing, &current)
        } else {
            election::next(&standing, &current)
        };
        if self.bugs.elects_outside_isr() && next.leader != current.leader {
            next.leader = standing
                .replicas
                .iter()
                .copied()
                .find(|id| standing.online.contains(id));
        }
        let is_epoch_raised = cause.is_epoch_raised && next.leader.is_some();
        if next == current && !is_epoch_raised {
            return None;
        }
        let leader_epoch = if self.bugs.keeps_leader_epoch() {
            state.leader_epoch
        } else {
            state.leader_epoch.next()
        };
        let Leading { leader, isr } = next;
        let state = PartitionState {
            controller_epoch,
            leader,
            leader_epoch,
            isr,
        };
        Some(Decision {
            state,
            basis: Basis::Version(leadership.zk_version),
        })
    }

    /// Whether nothing has to be written about a partition that has a leadership.
    pub(crate) fn is_settled(&self, partition: &TopicPartition, cause: &Cause) -> bool {
        self.decide(partition, cause, false).is_none()
    }

    /// Whether it has to be known first if an unclean election is allowed.
    pub(crate) fn is_only_uncleanly_electable(&self, partition: &TopicPartition) -> bool {
        let Some(leadership) = self.leadership(partition) else {
            return false;
        };
        self.standing(partition, &Cause::default(), false)
            .is_some_and(|standing| {
                election::is_only_uncleanly_electable(&standing, &leadership.state.isr)
            })
    }
}

impl Decision {
    /// The changes that write it.
    pub(crate) fn writes(&self, partition: &TopicPartition) -> Vec<ZkWrite> {
        let znode = PartitionStateZnode(partition.clone());
        let parent = PartitionZnode(partition.clone());
        match self.basis {
            Basis::Nothing => vec![parent.create(&()), znode.create(&self.state)],
            Basis::Parent => vec![znode.create(&self.state)],
            Basis::Version(version) => {
                vec![znode.set(&self.state, Expected::Version(version))]
            }
        }
    }

    /// The version that the state has once it is written.
    pub(crate) fn next_version(&self) -> ZkVersion {
        match self.basis {
            Basis::Nothing | Basis::Parent => ZkVersion(0),
            Basis::Version(ZkVersion(version)) => ZkVersion(version.wrapping_add(1)),
        }
    }

    /// Whether the partition begins with it.
    pub(crate) const fn is_new(&self) -> bool {
        matches!(self.basis, Basis::Nothing | Basis::Parent)
    }
}
