//! What a controller decides about one partition, and why it may not be heeded.

use barnabas_wire::id::{BrokerId, ControllerEpoch, LeaderEpoch};
use barnabas_zk_schema::ZkVersion;

/// One partition of a `LeaderAndIsr` request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The controller that decided.
    pub controller_epoch: ControllerEpoch,
    /// The leader, or [`BrokerId::NONE`].
    pub leader: BrokerId,
    /// Counts the decisions about this partition.
    pub leader_epoch: LeaderEpoch,
    /// The in-sync replicas.
    pub isr: Vec<BrokerId>,
    /// Version of the partition's `state` znode that says the same.
    pub zk_version: ZkVersion,
    /// The assigned replicas, the preferred leader first.
    pub replicas: Vec<BrokerId>,
    /// Whether the partition has just been created, so that no broker can have a log of it.
    pub is_new: bool,
}

/// What has to be done to the log before a decision holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogWork {
    /// Names the decision when the outcome is told.
    pub leader_epoch: LeaderEpoch,
    /// The log is opened, or created if there is none. Where a log directory is offline, only a new
    /// partition may be created: the log of another may lie there.
    pub is_new: bool,
    /// If true, [`LogWork::leader_epoch`] is entered into the log at its end, even if nothing is ever
    /// written in this epoch (KAFKA-7415).
    pub leads: bool,
}

/// Why a decision is not heeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecisionRefusal {
    /// It is known already, or a later one is.
    #[error("decision of leader epoch {received}, epoch {current} is known")]
    StaleLeaderEpoch {
        /// The epoch known.
        current: LeaderEpoch,
        /// The epoch received.
        received: LeaderEpoch,
    },
    /// This broker is none of the replicas.
    #[error("broker {broker_id} is not among the replicas")]
    NotAssigned {
        /// This broker.
        broker_id: BrokerId,
    },
    /// The log directory is offline.
    #[error("the log directory of this partition is offline")]
    Offline,
}

/// The leader epoch in a `StopReplica` request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopEpoch {
    /// The topic is being deleted, or the request is too old to carry an epoch: it always counts.
    Always,
    /// It counts if nothing newer is known.
    At(LeaderEpoch),
}

impl StopEpoch {
    /// What the controller sends when the topic is being deleted.
    const DURING_DELETE: i32 = -2;

    /// Reads the field of the request.
    #[must_use]
    pub fn from_wire(leader_epoch: i32) -> Self {
        if leader_epoch == Self::DURING_DELETE || leader_epoch == LeaderEpoch::NONE.0 {
            Self::Always
        } else {
            Self::At(LeaderEpoch(leader_epoch))
        }
    }
}

/// Why a `StopReplica` request is not heeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StopRefusal {
    /// A decision as new or newer is known.
    #[error("stop at leader epoch {received}, epoch {current} is known")]
    Fenced {
        /// The epoch known.
        current: LeaderEpoch,
        /// The epoch received.
        received: LeaderEpoch,
    },
    /// The log directory is offline.
    #[error("the log directory of this partition is offline")]
    Offline,
}
