//! When a producer may append, and when it is answered.
//!
//! | acks | answered when |
//! |---|---|
//! | 0, 1 | the leader has appended; where acknowledgements wait for the disk, when it has flushed |
//! | all | the high watermark has passed the records, and the ISR is still large enough |
//!
//! Source: `Partition.checkEnoughReplicasReachOffset` and `appendRecordsToLeader` of Kafka 2.8;
//! `effectiveMinIsr` of 3.x.

use barnabas_wire::id::{LeaderEpoch, Offset};

use crate::replica::Replica;

/// How many replicas must have a record before its producer is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acks {
    /// None: there is no answer.
    None,
    /// The leader.
    Leader,
    /// Every in-sync replica.
    All,
}

impl Acks {
    /// Reads the field of a request; `None` for a value that means nothing.
    #[must_use]
    pub fn from_wire(acks: i16) -> Option<Self> {
        match acks {
            0 => Some(Self::None),
            1 => Some(Self::Leader),
            -1 => Some(Self::All),
            _ => None,
        }
    }
}

/// Whether this broker can be sure that ZooKeeper still counts it among the living.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    /// It was told so within the session's timeout.
    Held,
    /// It was not: another leader may have been elected.
    Over,
}

/// What an append goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppendTerms {
    /// The epoch to be written into the batch.
    pub leader_epoch: LeaderEpoch,
}

/// Why nothing may be appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendRefusal {
    /// Another broker leads, or nobody does.
    #[error("this broker does not lead the partition")]
    NotLeader,
    /// This broker leads, but may have been replaced without having heard of it.
    #[error("the session with ZooKeeper is in doubt, and so is this broker's leadership")]
    LeaseOver,
    /// `acks=all` with fewer in-sync replicas than `min.insync.replicas`.
    #[error("{isr_count} in-sync replicas where {required_count} are required")]
    NotEnoughReplicas {
        /// Members of the ISR.
        isr_count: usize,
        /// What `min.insync.replicas` comes to.
        required_count: usize,
    },
    /// The log directory is offline.
    #[error("the log directory of this partition is offline")]
    Offline,
}

/// Records that were appended and whose producer waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingAcknowledgement {
    /// What the producer asked for.
    pub acks: Acks,
    /// The epoch they were appended in.
    pub leader_epoch: LeaderEpoch,
    /// The offset after the last of them.
    pub end_offset: Offset,
}

/// How it stands with a pending acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledgement {
    /// Not yet.
    Wait,
    /// The producer may be told that the records are stored as it asked.
    Done,
    /// The records are stored, but the ISR has shrunk below `min.insync.replicas` meanwhile.
    NotEnoughReplicas,
    /// This broker has ceased to lead: the records may be lost.
    NotLeader,
    /// The log directory has gone offline: the records may be lost.
    Offline,
}

impl Replica {
    /// Whether a batch may be appended now. Nothing is remembered.
    ///
    /// `acks=all` goes on without the lease: a successor comes from the ISR and has every record
    /// that is acknowledged. Fewer acks do not, unless nobody else can be elected.
    ///
    /// # Errors
    /// [`AppendRefusal`].
    pub fn append_terms(&self, acks: Acks, lease: Lease) -> Result<AppendTerms, AppendRefusal> {
        if self.is_offline() {
            return Err(AppendRefusal::Offline);
        }
        if !self.is_leader() {
            return Err(AppendRefusal::NotLeader);
        }
        if lease == Lease::Over && self.can_be_replaced_unnoticed(acks) {
            return Err(AppendRefusal::LeaseOver);
        }
        let isr_count = self.isr().len();
        let required_count = self.required_isr_count();
        if acks == Acks::All && isr_count < required_count {
            return Err(AppendRefusal::NotEnoughReplicas {
                isr_count,
                required_count,
            });
        }
        Ok(AppendTerms {
            leader_epoch: self.leader_epoch(),
        })
    }

    /// How it stands with records that were appended under [`Replica::append_terms`].
    ///
    /// May change whenever [`Replica::advance`](crate::Advance) says so, and with every decision.
    #[must_use]
    pub fn acknowledgement(&self, pending: &PendingAcknowledgement) -> Acknowledgement {
        if self.is_offline() {
            return Acknowledgement::Offline;
        }
        // A leader that ceased and leads again may have lost the records in between.
        if !self.is_leader() || pending.leader_epoch < self.leading_since() {
            return Acknowledgement::NotLeader;
        }
        match pending.acks {
            Acks::None | Acks::Leader => {
                if self.counted_end() >= pending.end_offset {
                    Acknowledgement::Done
                } else {
                    Acknowledgement::Wait
                }
            }
            Acks::All if self.high_watermark() < pending.end_offset => Acknowledgement::Wait,
            Acks::All if self.isr().len() < self.required_isr_count() => {
                Acknowledgement::NotEnoughReplicas
            }
            Acks::All => Acknowledgement::Done,
        }
    }

    /// `min.insync.replicas`, but never more than there are replicas: more could never be met.
    fn required_isr_count(&self) -> usize {
        self.settings()
            .min_insync_replicas
            .min(self.replicas().len())
    }

    /// Whether another broker may lead by now, and lack what this one acknowledges. Followers do not
    /// fetch yet, so every other member of the ISR counts as silent.
    fn can_be_replaced_unnoticed(&self, acks: Acks) -> bool {
        let only_replica = self.replicas().len() <= 1;
        let alone_in_isr = self.isr().len() <= 1;
        if only_replica {
            return false;
        }
        self.settings().elects_unclean_leader || (acks != Acks::All && !alone_in_isr)
    }
}
