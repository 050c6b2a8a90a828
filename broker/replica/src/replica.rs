//! The machine: which role this broker has for one partition, and how far its records are committed.

use barnabas_wire::id::{BrokerId, ControllerEpoch, LeaderEpoch, Offset};
use barnabas_zk_schema::ZkVersion;

use crate::bugs::Bugs;
use crate::decision::{Decision, DecisionRefusal, LogWork, StopEpoch, StopRefusal};

/// What the broker does for the partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Nothing yet: no decision has come into force.
    Idle,
    /// It takes and serves records.
    Leader,
    /// It copies from another broker, or waits for a leader ([`BrokerId::NONE`]).
    Follower {
        /// The leader.
        leader: BrokerId,
    },
    /// Its log directory has failed. Final.
    Offline,
}

/// Settings of one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplicaSettings {
    /// `min.insync.replicas`, 1 or more.
    pub min_insync_replicas: usize,
    /// Whether acknowledgements wait for the disk (`flush.messages` = 1): then records that are not
    /// flushed count for nothing.
    pub is_flushed_on_acknowledgement: bool,
    /// `unclean.leader.election.enable`.
    pub elects_unclean_leader: bool,
}

/// Where a log stands.
///
/// Invariant: `log_start <= high_watermark <= log_end` and `flushed_end <= log_end`; what is given
/// otherwise is put right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogBounds {
    /// First offset of the log.
    pub log_start: Offset,
    /// Offset that the next record gets.
    pub log_end: Offset,
    /// First offset that is not known to be on the disk.
    pub flushed_end: Offset,
    /// The high watermark as it was last known: in memory, or from the checkpoint.
    pub high_watermark: Offset,
}

/// What a step of the machine changed for those who wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Advance {
    /// The new high watermark, if it moved. The log is to be told under the same lock.
    pub high_watermark: Option<Offset>,
    /// Whether the answers to pending acknowledgements or reads may have changed: they are to be
    /// asked for again, after the lock is gone.
    pub wakes_waiters: bool,
}

/// Why nothing may be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadRefusal {
    /// Another broker leads, or nobody does.
    #[error("this broker does not lead the partition")]
    NotLeader,
    /// The reader knows an older leader epoch: it must learn of the new leader first.
    #[error("the reader is at leader epoch {received}, the leader at {current}")]
    Fenced {
        /// The leader's epoch.
        current: LeaderEpoch,
        /// The reader's.
        received: LeaderEpoch,
    },
    /// The reader knows a newer leader epoch than this broker.
    #[error("the reader is at leader epoch {received}, this broker at {current}")]
    UnknownLeaderEpoch {
        /// This broker's epoch.
        current: LeaderEpoch,
        /// The reader's.
        received: LeaderEpoch,
    },
    /// The log directory is offline.
    #[error("the log directory of this partition is offline")]
    Offline,
}

/// One partition as this broker has it.
#[derive(Clone, Debug)]
pub struct Replica {
    broker_id: BrokerId,
    settings: ReplicaSettings,
    bugs: Bugs,
    role: Role,
    controller_epoch: ControllerEpoch,
    leader_epoch: LeaderEpoch,
    zk_version: ZkVersion,
    replicas: Vec<BrokerId>,
    isr: Vec<BrokerId>,
    /// A decision whose log work is under way.
    pending: Option<Decision>,
    /// First epoch of the present leadership, without a break.
    leading_since: LeaderEpoch,
    leader_epoch_start: Offset,
    bounds: LogBounds,
}

impl Replica {
    /// A partition of which nothing has been decided.
    #[must_use]
    pub fn new(broker_id: BrokerId, settings: ReplicaSettings, bugs: Bugs) -> Self {
        let zero = Offset(0);
        Self {
            broker_id,
            settings,
            bugs,
            role: Role::Idle,
            controller_epoch: ControllerEpoch(0),
            leader_epoch: LeaderEpoch::NONE,
            zk_version: ZkVersion(-1),
            replicas: Vec::new(),
            isr: Vec::new(),
            pending: None,
            leading_since: LeaderEpoch::NONE,
            leader_epoch_start: zero,
            bounds: LogBounds {
                log_start: zero,
                log_end: zero,
                flushed_end: zero,
                high_watermark: zero,
            },
        }
    }

    /// Takes a controller's decision. It holds once its log work is done:
    /// [`Replica::log_ready`] or [`Replica::log_failed`] must follow. Until then the old role stays,
    /// and the same decision may come again. A later decision takes the place of one under way.
    ///
    /// # Errors
    /// [`DecisionRefusal`]; nothing has changed.
    pub fn decide(&mut self, decision: Decision) -> Result<LogWork, DecisionRefusal> {
        if self.is_offline() {
            return Err(DecisionRefusal::Offline);
        }
        let received = decision.leader_epoch;
        let is_repeated = received == self.leader_epoch && self.bugs.applies_equal_epoch();
        if received <= self.leader_epoch && !is_repeated {
            return Err(DecisionRefusal::StaleLeaderEpoch {
                current: self.leader_epoch,
                received,
            });
        }
        if let Some(pending) = &self.pending
            && received < pending.leader_epoch
        {
            let current = pending.leader_epoch;
            return Err(DecisionRefusal::StaleLeaderEpoch { current, received });
        }
        if !decision.replicas.contains(&self.broker_id) {
            return Err(DecisionRefusal::NotAssigned {
                broker_id: self.broker_id,
            });
        }
        let work = LogWork {
            leader_epoch: received,
            is_new: decision.is_new,
            leads: decision.leader == self.broker_id,
        };
        if self.bugs.stores_epoch_early() {
            self.leader_epoch = received;
        }
        self.pending = Some(decision);
        Ok(work)
    }

    /// The log work of the decision at `leader_epoch` is done, and the log stands at `bounds`: the
    /// decision comes into force. The outcome of a decision that has been overtaken changes nothing.
    ///
    /// # Panics
    /// If the leader epoch were to fall, which [`Replica::decide`] rules out.
    pub fn log_ready(&mut self, leader_epoch: LeaderEpoch, bounds: LogBounds) -> Advance {
        let Some(decision) = self.pending.take_if(|it| it.leader_epoch == leader_epoch) else {
            return Advance::default();
        };
        assert!(
            decision.leader_epoch >= self.leader_epoch,
            "leader epoch {} after {}",
            decision.leader_epoch,
            self.leader_epoch
        );
        let led = self.is_leader();
        self.controller_epoch = decision.controller_epoch;
        self.leader_epoch = decision.leader_epoch;
        self.zk_version = decision.zk_version;
        self.replicas = decision.replicas;
        self.bounds = bounds;
        self.clamp();
        if decision.leader == self.broker_id {
            self.role = Role::Leader;
            self.isr = decision.isr;
            self.leader_epoch_start = self.bounds.log_end;
            if !led {
                self.leading_since = decision.leader_epoch;
            }
        } else {
            self.role = Role::Follower {
                leader: decision.leader,
            };
            // Only a leader knows who is in sync.
            self.isr.clear();
        }
        self.raise_high_watermark();
        Advance {
            high_watermark: Some(self.bounds.high_watermark),
            wakes_waiters: true,
        }
    }

    /// The log work of the decision at `leader_epoch` could not be done, for a reason that may pass:
    /// the decision is forgotten, so that it is heeded when it comes again.
    pub fn log_failed(&mut self, leader_epoch: LeaderEpoch) {
        self.pending.take_if(|it| it.leader_epoch == leader_epoch);
    }

    /// The log directory has failed. Final: whoever waits is to be told.
    pub fn go_offline(&mut self) -> Advance {
        self.role = Role::Offline;
        self.pending = None;
        self.isr.clear();
        Advance {
            high_watermark: None,
            wakes_waiters: true,
        }
    }

    /// Whether the partition may be stopped. If so, the machine is at its end: it refuses everything
    /// but a newer decision, and whoever waits is to be told.
    ///
    /// # Errors
    /// [`StopRefusal`]; nothing has changed.
    pub fn stop(&mut self, epoch: StopEpoch) -> Result<Advance, StopRefusal> {
        if self.is_offline() {
            return Err(StopRefusal::Offline);
        }
        let pending = self.pending.as_ref().map(|decision| decision.leader_epoch);
        let current = pending.unwrap_or(self.leader_epoch).max(self.leader_epoch);
        match epoch {
            StopEpoch::At(received) if received <= current => {
                return Err(StopRefusal::Fenced { current, received });
            }
            StopEpoch::At(_) | StopEpoch::Always => {}
        }
        self.role = Role::Idle;
        self.pending = None;
        self.isr.clear();
        Ok(Advance {
            high_watermark: None,
            wakes_waiters: true,
        })
    }

    /// The log now ends at `log_end`.
    pub fn appended(&mut self, log_end: Offset) -> Advance {
        debug_assert!(
            log_end >= self.bounds.log_end,
            "an append never shortens the log"
        );
        self.bounds.log_end = self.bounds.log_end.max(log_end);
        self.raised()
    }

    /// Everything below `flushed_end` is on the disk.
    pub fn flushed(&mut self, flushed_end: Offset) -> Advance {
        let before = self.counted_end();
        self.bounds.flushed_end = self
            .bounds
            .flushed_end
            .max(flushed_end)
            .min(self.bounds.log_end);
        let mut advance = self.raised();
        advance.wakes_waiters |= self.counted_end() > before;
        advance
    }

    /// The log now starts at `log_start`: retention, or a deletion of records.
    pub fn log_start_raised(&mut self, log_start: Offset) -> Advance {
        let before = self.bounds.high_watermark;
        self.bounds.log_start = self.bounds.log_start.max(log_start);
        self.clamp();
        let high_watermark = self.bounds.high_watermark;
        Advance {
            high_watermark: (high_watermark != before).then_some(high_watermark),
            wakes_waiters: true,
        }
    }

    /// Settings have changed.
    pub fn set_settings(&mut self, settings: ReplicaSettings) -> Advance {
        self.settings = settings;
        let mut advance = self.raised();
        advance.wakes_waiters = true;
        advance
    }

    /// Whether a reader that knows `leader_epoch` (if it says) may read here.
    ///
    /// # Errors
    /// [`ReadRefusal`].
    pub fn check_reader(&self, leader_epoch: Option<LeaderEpoch>) -> Result<(), ReadRefusal> {
        if self.is_offline() {
            return Err(ReadRefusal::Offline);
        }
        let current = self.leader_epoch;
        if let Some(received) = leader_epoch {
            if received < current {
                return Err(ReadRefusal::Fenced { current, received });
            }
            if received > current {
                return Err(ReadRefusal::UnknownLeaderEpoch { current, received });
            }
        }
        if self.is_leader() {
            Ok(())
        } else {
            Err(ReadRefusal::NotLeader)
        }
    }

    /// What the broker does for the partition.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// Whether this broker leads.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.role == Role::Leader
    }

    /// Whether the log directory has failed.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        self.role == Role::Offline
    }

    /// Epoch of the decision in force, or [`LeaderEpoch::NONE`].
    #[must_use]
    pub fn leader_epoch(&self) -> LeaderEpoch {
        self.leader_epoch
    }

    /// Where the present leader epoch begins. Until the high watermark has come here, the leader
    /// cannot tell what is committed.
    #[must_use]
    pub fn leader_epoch_start(&self) -> Offset {
        self.leader_epoch_start
    }

    /// The controller that made the decision in force.
    #[must_use]
    pub fn controller_epoch(&self) -> ControllerEpoch {
        self.controller_epoch
    }

    /// Version of the `state` znode that says the same as the decision in force.
    #[must_use]
    pub fn zk_version(&self) -> ZkVersion {
        self.zk_version
    }

    /// The assigned replicas.
    #[must_use]
    pub fn replicas(&self) -> &[BrokerId] {
        &self.replicas
    }

    /// The in-sync replicas, as far as this broker leads; else none.
    #[must_use]
    pub fn isr(&self) -> &[BrokerId] {
        &self.isr
    }

    /// First offset that is not committed.
    #[must_use]
    pub fn high_watermark(&self) -> Offset {
        self.bounds.high_watermark
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &ReplicaSettings {
        &self.settings
    }

    /// First epoch of the present leadership.
    pub(crate) fn leading_since(&self) -> LeaderEpoch {
        self.leading_since
    }

    /// The end of the log as far as it counts for acknowledgements.
    pub(crate) fn counted_end(&self) -> Offset {
        if self.settings.is_flushed_on_acknowledgement && !self.bugs.counts_unflushed() {
            self.bounds.flushed_end
        } else {
            self.bounds.log_end
        }
    }

    fn raised(&mut self) -> Advance {
        let moved = self.raise_high_watermark();
        Advance {
            high_watermark: moved.then_some(self.bounds.high_watermark),
            // Records below the log end are news for followers and for nobody else.
            wakes_waiters: moved,
        }
    }

    /// The high watermark is the smallest end among the in-sync replicas. Ours is the only one we
    /// know; with others in the ISR it stays.
    fn raise_high_watermark(&mut self) -> bool {
        let is_alone = self.isr.iter().all(|member| *member == self.broker_id);
        if !self.is_leader() || !is_alone {
            return false;
        }
        let end = self.counted_end();
        if end <= self.bounds.high_watermark {
            return false;
        }
        self.bounds.high_watermark = end;
        self.clamp();
        true
    }

    /// Keeps the offsets in order: a checkpoint may lie outside of the log it belongs to (KAFKA-9491).
    fn clamp(&mut self) {
        let bounds = &mut self.bounds;
        bounds.log_end = bounds.log_end.max(bounds.log_start);
        bounds.flushed_end = bounds.flushed_end.min(bounds.log_end);
        bounds.high_watermark = bounds
            .high_watermark
            .clamp(bounds.log_start, bounds.log_end);
    }
}
