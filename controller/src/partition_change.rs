//! Writes what partitions need, and tells it.
//!
//! ```text
//!            ┌────────────── settings of topics that only an unclean election could help
//!            ▼
//!  decide ──▶ write, in packs ──▶ written: into the context, told to the brokers
//!    ▲            │
//!    │            │ another version, a lost reply, a failed pack
//!    └── read ◀───┘
//! ```
//! A write names the version that the decision rests on; so what was read earlier may be old, and no
//! read is needed where nobody else has written. A lost reply is resolved by the read: the state is
//! then the one that was to be written, or the decision is made again.

use std::collections::{BTreeMap, BTreeSet};

use barnabas_wire::id::{TopicName, TopicPartition};
use barnabas_zk_schema::config::{ConfigEntity, ConfigZnode};
use barnabas_zk_schema::partition::{PartitionStateZnode, PartitionsZnode};
use barnabas_zk_schema::{ControllerOp, FencedOutcome, Outcome, ZkError, Znode};

use crate::context::{Cause, Context, Leadership};
use crate::operation::{Operation, Turn};
use crate::partition_state::{Basis, Decision};

/// Most partitions in one multi.
const PACK_COUNT_MAX: usize = 50;

/// Most times that a partition is read and decided anew before others get their turn.
const ROUNDS_MAX: usize = 10;

/// Partitions that are looked at together.
#[derive(Debug, Default)]
pub(crate) struct PartitionChange {
    phase: Phase,
    causes: BTreeMap<TopicPartition, Cause>,
    /// Topics of which it is known whether an unclean election is allowed.
    unclean: BTreeMap<TopicName, bool>,
    /// Topics whose `partitions` znode is asked for in the outstanding batch.
    parents: usize,
    /// What is being written, pack by pack.
    packs: Vec<Vec<(TopicPartition, Decision)>>,
    /// What was to be written when no answer came.
    attempts: BTreeMap<TopicPartition, Decision>,
    /// Partitions whose own znode is there while their state is not.
    begun: BTreeSet<TopicPartition>,
    rounds: usize,
}

#[derive(Debug, Default)]
enum Phase {
    #[default]
    Reads,
    Writes,
    Settings {
        topics: BTreeSet<TopicName>,
        partitions: Vec<TopicPartition>,
        pack_count: usize,
    },
}

impl Operation for PartitionChange {
    fn begin(&mut self, context: &mut Context) -> Turn {
        self.causes = std::mem::take(&mut context.pending);
        let partitions = self.causes.keys().cloned().collect();
        self.write(context, partitions, PACK_COUNT_MAX)
    }

    fn resume(&mut self, context: &mut Context, outcomes: Vec<Outcome>) -> Turn {
        match std::mem::take(&mut self.phase) {
            Phase::Settings {
                topics,
                partitions,
                pack_count,
            } => {
                self.take_settings(context, topics, outcomes);
                self.write(context, partitions, pack_count)
            }
            Phase::Writes => self.written(context, outcomes),
            Phase::Reads => self.read(context, outcomes),
        }
    }
}

impl PartitionChange {
    /// Asks for the settings of topics that only an unclean election could help, unless they are
    /// known. Which these are shows only once the states are the present ones.
    fn ask_settings(
        &mut self,
        context: &Context,
        partitions: &[TopicPartition],
        pack_count: usize,
    ) -> Option<Turn> {
        let topics: BTreeSet<_> = partitions
            .iter()
            .filter(|partition| !self.unclean.contains_key(&partition.topic))
            .filter(|partition| context.is_only_uncleanly_electable(partition))
            .map(|partition| partition.topic.clone())
            .collect();
        if topics.is_empty() {
            return None;
        }
        let settings = |topic: &TopicName| {
            ControllerOp::read(ConfigZnode(ConfigEntity::Topic(topic.clone())).read())
        };
        let ops = topics.iter().map(settings).collect();
        let partitions = partitions.to_vec();
        self.phase = Phase::Settings {
            topics,
            partitions,
            pack_count,
        };
        Some(Turn::Ask(ops))
    }

    fn take_settings(
        &mut self,
        context: &Context,
        topics: BTreeSet<TopicName>,
        outcomes: Vec<Outcome>,
    ) {
        const KEY: &str = "unclean.leader.election.enable";
        let default = context.settings.unclean_leader_election_enable;
        for (topic, outcome) in topics.into_iter().zip(outcomes) {
            let own = outcome.into_data().ok().and_then(|(data, _)| {
                ConfigZnode::decode(&data)
                    .ok()?
                    .get(KEY)?
                    .trim()
                    .parse()
                    .ok()
            });
            self.unclean.insert(topic, own.unwrap_or(default));
        }
    }

    /// Decides about `partitions` and writes, at most `pack_count` of them in one multi.
    fn write(
        &mut self,
        context: &mut Context,
        partitions: Vec<TopicPartition>,
        pack_count: usize,
    ) -> Turn {
        if let Some(turn) = self.ask_settings(context, &partitions, pack_count) {
            return turn;
        }
        let mut decisions = Vec::new();
        for partition in partitions {
            let Some(cause) = self.causes.get_mut(&partition) else {
                continue;
            };
            let is_unclean_allowed = self.unclean.get(&partition.topic) == Some(&true);
            let Some(mut decision) = context.decide(&partition, cause, is_unclean_allowed) else {
                if std::mem::take(&mut cause.is_notice_owed) {
                    context.notify_leadership(&partition, false);
                }
                continue;
            };
            if decision.is_new() && self.begun.contains(&partition) {
                decision.basis = Basis::Parent;
            }
            decisions.push((partition, decision));
        }
        if decisions.is_empty() {
            return Turn::Done;
        }
        let parents: BTreeSet<_> = decisions
            .iter()
            .filter(|(_, decision)| decision.basis == Basis::Nothing)
            .map(|(partition, _)| partition.topic.clone())
            .filter(|topic| has_no_leadership(context, topic))
            .collect();
        self.parents = parents.len();
        let fence = &context.fence;
        let mut ops: Vec<_> = parents
            .into_iter()
            .map(|topic| fence.write([PartitionsZnode(topic).create(&())]))
            .collect();
        self.packs = decisions
            .chunks(pack_count.max(1))
            .map(<[_]>::to_vec)
            .collect();
        ops.extend(self.packs.iter().map(|pack| {
            fence.write(
                pack.iter()
                    .flat_map(|(partition, decision)| decision.writes(partition)),
            )
        }));
        self.phase = Phase::Writes;
        Turn::Ask(ops)
    }

    fn written(&mut self, context: &mut Context, outcomes: Vec<Outcome>) -> Turn {
        let mut outcomes = outcomes.into_iter().map(FencedOutcome::from);
        if outcomes
            .by_ref()
            .take(self.parents)
            .any(|outcome| outcome == FencedOutcome::Moved)
        {
            return Turn::Moved;
        }
        let mut unsure = Vec::new();
        for (pack, outcome) in std::mem::take(&mut self.packs).into_iter().zip(outcomes) {
            match outcome {
                FencedOutcome::Applied(_) => {
                    for (partition, decision) in pack {
                        apply(context, &partition, decision);
                    }
                }
                FencedOutcome::Moved => return Turn::Moved,
                FencedOutcome::Refused { error, .. } if is_final(&error) && pack.len() == 1 => {
                    give_up(context, &pack, &error);
                }
                FencedOutcome::Refused {
                    index: 0,
                    error: ZkError::NodeExists,
                } => {
                    let alone = pack.len() == 1;
                    self.begun
                        .extend(pack.iter().filter(|_| alone).map(|entry| entry.0.clone()));
                    unsure.extend(pack);
                }
                FencedOutcome::Refused { .. } | FencedOutcome::Unknown => unsure.extend(pack),
            }
        }
        if unsure.is_empty() {
            return Turn::Done;
        }
        self.attempts = unsure.into_iter().collect();
        self.phase = Phase::Reads;
        let read = |partition: &TopicPartition| {
            ControllerOp::read(PartitionStateZnode(partition.clone()).read())
        };
        Turn::Ask(self.attempts.keys().map(read).collect())
    }

    /// What is in ZooKeeper tells which writes happened; the rest is decided anew, one by one.
    fn read(&mut self, context: &mut Context, outcomes: Vec<Outcome>) -> Turn {
        let mut open = Vec::new();
        for ((partition, attempt), outcome) in
            std::mem::take(&mut self.attempts).into_iter().zip(outcomes)
        {
            let (data, stat) = match outcome.into_data() {
                Ok(read) => read,
                Err(outcome) if outcome.is_no_node() => {
                    // The topic itself may be gone; its own znode tells.
                    context.dirty.topics.insert(partition.topic.clone());
                    // A state that was there and vanished is not begun again at epoch 0.
                    if attempt.is_new() {
                        open.push(partition);
                    }
                    continue;
                }
                Err(outcome) => {
                    tracing::error!(%partition, ?outcome, "cannot read a partition's state");
                    continue;
                }
            };
            let Ok(state) = PartitionStateZnode::decode(&data) else {
                tracing::error!(%partition, "a partition's state cannot be read; it stays as it is");
                continue;
            };
            if state.controller_epoch > context.fence.epoch() {
                return Turn::Moved;
            }
            if state == attempt.state && stat.version == attempt.next_version() {
                apply(context, &partition, attempt);
                continue;
            }
            let leadership = Leadership {
                state,
                zk_version: stat.version,
            };
            context.set_leadership(&partition, Some(leadership));
            // Whether or not more follows: what was read is news.
            context.notify_leadership(&partition, false);
            open.push(partition);
        }
        self.rounds = self.rounds.saturating_add(1);
        if self.rounds >= ROUNDS_MAX {
            for partition in open {
                let cause = self.causes.remove(&partition).unwrap_or_default();
                context.look_at(partition, cause);
            }
            return Turn::Later;
        }
        self.write(context, open, 1)
    }
}

/// It is written: the context knows at once (KAFKA-9212) and the brokers are told.
fn apply(context: &mut Context, partition: &TopicPartition, decision: Decision) {
    tracing::info!(
        target: "state_change", %partition, leader = ?decision.state.leader,
        leader_epoch = %decision.state.leader_epoch, isr = ?decision.state.isr,
        controller_epoch = %decision.state.controller_epoch, "decided about a partition"
    );
    let is_new = decision.is_new();
    let zk_version = decision.next_version();
    context.set_leadership(
        partition,
        Some(Leadership {
            state: decision.state,
            zk_version,
        }),
    );
    context.notify_leadership(partition, is_new);
}

/// ZooKeeper will not take it however often it is asked.
fn give_up(context: &mut Context, pack: &[(TopicPartition, Decision)], error: &ZkError) {
    for (partition, _) in pack {
        tracing::error!(%partition, %error, "cannot write a partition's state; it stays as it is");
        context.notify_leadership(partition, false);
    }
}

fn is_final(error: &ZkError) -> bool {
    match error {
        ZkError::NoAuth
        | ZkError::TooLarge { .. }
        | ZkError::EphemeralParent
        | ZkError::NotEmpty
        | ZkError::InMulti { .. }
        | ZkError::Refused { .. } => true,
        ZkError::NoNode | ZkError::NodeExists | ZkError::BadVersion | ZkError::StaleSession => {
            false
        }
    }
}

fn has_no_leadership(context: &Context, topic: &TopicName) -> bool {
    let topic = context.topics.get(topic);
    topic.is_some_and(|topic| topic.leaderships.values().all(Option::is_none))
}
