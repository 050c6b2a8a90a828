//! How far the deletion of a topic is, replica by replica.
//!
//! ```text
//!            broker lives          answer: done
//!  Waiting ───────────────▶ Stopping ──────────▶ Deleted     all Deleted: the znodes go
//!     ▲                        │
//!     │ a broker of the topic  │ answer: failed, or the broker dies
//!     └──────── starts ─────── Ineligible
//! ```
//! A replica of a topic that stays has no state of its own: it is online while its broker is
//! registered and its log directory not known to be offline.
//! Source: kafka 2.8 `controller/TopicDeletionManager.scala`, `ReplicaStateMachine.scala`.

use std::collections::{BTreeMap, BTreeSet};

use barnabas_wire::id::{BrokerId, PartitionId};

/// A topic on its way out.
#[derive(Debug, Default)]
pub(crate) struct Deletion {
    /// Whether brokers were told that the topic is going. Until then it serves on.
    pub(crate) is_begun: bool,
    /// Whether it waits for a broker that keeps one of its replicas to start.
    pub(crate) is_ineligible: bool,
    /// Brokers that have not confirmed yet that they tell clients of the topic no more. The znodes
    /// stay until they have: a later controller could not know what to tell them.
    pub(crate) untold: BTreeSet<BrokerId>,
    /// Every replica. Empty until the deletion is begun.
    pub(crate) replicas: BTreeMap<(PartitionId, BrokerId), ReplicaState>,
}

/// A replica of a topic on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReplicaState {
    /// Has to be told.
    Waiting,
    /// Was told; the answer is awaited.
    Stopping,
    /// Its log is gone.
    Deleted,
    /// Its broker is not there, or could not do it.
    Ineligible,
}

impl Deletion {
    /// Every replica's log is gone, and no client is told of the topic any more.
    pub(crate) fn is_complete(&self) -> bool {
        let is_deleted = |state: &ReplicaState| *state == ReplicaState::Deleted;
        self.is_begun && self.untold.is_empty() && self.replicas.values().all(is_deleted)
    }

    /// The broker is gone, or another incarnation of it has come: what it was told is void.
    pub(crate) fn lose(&mut self, broker: BrokerId) {
        self.untold.remove(&broker);
        for (_, state) in self
            .replicas
            .iter_mut()
            .filter(|((_, id), _)| *id == broker)
        {
            if matches!(state, ReplicaState::Stopping | ReplicaState::Waiting) {
                *state = ReplicaState::Ineligible;
                self.is_ineligible = true;
            }
        }
    }

    /// A broker with one of its replicas has started: what could not be done is tried again.
    pub(crate) fn resume(&mut self) {
        self.is_ineligible = false;
        for state in self.replicas.values_mut() {
            if *state == ReplicaState::Ineligible {
                *state = ReplicaState::Waiting;
            }
        }
    }
}
