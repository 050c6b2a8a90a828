//! Topics go: the marks are read, replicas deleted, and last of all the znodes.
//!
//! The mark is removed last, so whatever interrupts a deletion, the next controller finds it and goes
//! on. A topic with a replica on a broker that is not there waits for it.
//! Source: kafka 2.8 `controller/TopicDeletionManager.scala`.

use std::collections::{BTreeMap, BTreeSet};

use barnabas_wire::id::{BrokerId, TopicName, TopicPartition};
use barnabas_zk_schema::config::{ConfigEntity, ConfigZnode};
use barnabas_zk_schema::topic::TopicZnode;
use barnabas_zk_schema::topic_deletion::{TopicDeletionZnode, TopicDeletionsZnode};
use barnabas_zk_schema::{ControllerOp, Outcome, ZkError, ZkPath, ZkRead, ZkReply, Znode};

use crate::context::{Cause, Context};
use crate::failover::children;
use crate::operation::{Operation, Turn};
use crate::removal::{Removal, Removing};
use crate::replica_state::{Deletion, ReplicaState};
use crate::request::{ControlReply, LEADER_DURING_DELETE, PartitionMetadata};
use crate::topic_change::valid_names;

/// Reads which topics are marked.
#[derive(Debug, Default)]
pub(crate) struct DeletionChange {
    phase: MarksPhase,
}

#[derive(Debug, Default)]
enum MarksPhase {
    #[default]
    Marks,
    /// Marked topics that nobody knows: are they there?
    Strangers(Vec<TopicName>),
    Removal(Removal),
}

impl Operation for DeletionChange {
    fn begin(&mut self, context: &mut Context) -> Turn {
        context.dirty.deletions = false;
        Turn::Ask(vec![ControllerOp::read(ZkRead::Children(
            TopicDeletionsZnode.path(),
        ))])
    }

    fn resume(&mut self, context: &mut Context, outcomes: Vec<Outcome>) -> Turn {
        match std::mem::take(&mut self.phase) {
            MarksPhase::Marks => {
                let outcome = outcomes.into_iter().next().unwrap_or(Outcome::Unknown);
                match children(outcome) {
                    Ok(names) => self.marked(context, valid_names(names)),
                    Err(error) => {
                        tracing::error!(%error, "cannot read which topics are to be deleted");
                        Turn::Done
                    }
                }
            }
            MarksPhase::Strangers(names) => {
                let mut paths = Vec::new();
                for (name, outcome) in names.into_iter().zip(outcomes) {
                    if outcome.is_no_node() {
                        tracing::warn!(topic = %name, "no such topic to be deleted, removing the mark");
                        // A deletion may have been interrupted between the topic and these.
                        paths.push(ConfigZnode(ConfigEntity::Topic(name.clone())).path());
                        paths.push(TopicDeletionZnode(name).path());
                    } else if context.marked.insert(name.clone()) {
                        // Not noticed yet, or not to be understood; only once, or the latter had us
                        // read it for ever.
                        context.dirty.topics.insert(name);
                    }
                }
                let mut removal = Removal::new(paths);
                let removing = removal.next(&context.fence);
                self.removing(context, removal, removing)
            }
            MarksPhase::Removal(mut removal) => {
                let removing = removal.resume(&context.fence, outcomes.into_iter().next());
                self.removing(context, removal, removing)
            }
        }
    }
}

impl DeletionChange {
    fn marked(&mut self, context: &mut Context, names: Vec<TopicName>) -> Turn {
        let names: BTreeSet<_> = names.into_iter().collect();
        if !context.settings.delete_topic_enable {
            for topic in names.difference(&context.marked) {
                tracing::warn!(%topic, "marked for deletion, and stays: delete.topic.enable is false");
            }
            context.marked = names;
            return Turn::Done;
        }
        take_back(context, &names);
        context.marked.retain(|topic| names.contains(topic));
        let mut strangers = Vec::new();
        for topic in names {
            if !context.topics.contains_key(&topic) {
                strangers.push(topic);
            } else if !context.deletions.contains_key(&topic) {
                tracing::info!(target: "state_change", %topic, "topic is to be deleted");
                context
                    .pending
                    .retain(|partition, _| partition.topic != topic);
                context.deletions.insert(topic, Deletion::default());
            }
        }
        let read = |topic: &TopicName| {
            ControllerOp::read(ZkRead::Exists(TopicZnode(topic.clone()).path()))
        };
        let ops: Vec<_> = strangers.iter().map(read).collect();
        self.phase = MarksPhase::Strangers(strangers);
        if ops.is_empty() {
            Turn::Done
        } else {
            Turn::Ask(ops)
        }
    }

    fn removing(&mut self, context: &mut Context, removal: Removal, removing: Removing) -> Turn {
        match removing {
            Removing::Ask(op) => {
                self.phase = MarksPhase::Removal(removal);
                Turn::Ask(vec![op])
            }
            Removing::Done => Turn::Done,
            Removing::Moved => Turn::Moved,
            Removing::Interrupted => {
                context.dirty.deletions = true;
                Turn::Later
            }
            Removing::Refused(error) => {
                tracing::error!(%error, "cannot remove the mark of a topic that does not exist");
                Turn::Done
            }
        }
    }
}

/// A mark that somebody takes back in time saves its topic, whose partitions nobody has looked at
/// meanwhile.
fn take_back(context: &mut Context, names: &BTreeSet<TopicName>) {
    let is_saved =
        |(topic, deletion): &(&TopicName, &Deletion)| !deletion.is_begun && !names.contains(*topic);
    let saved: Vec<_> = context
        .deletions
        .iter()
        .filter(is_saved)
        .map(|(topic, _)| topic.clone())
        .collect();
    for topic in saved {
        tracing::info!(target: "state_change", %topic, "topic is not to be deleted after all");
        context.deletions.remove(&topic);
        // Its znode may have got more partitions.
        context.dirty.topics.insert(topic.clone());
        for partition in context.partitions_of(&topic) {
            context.look_at(
                partition,
                Cause {
                    is_notice_owed: true,
                    ..Cause::default()
                },
            );
        }
    }
}

impl Context {
    /// Begins deletions that are due and tells brokers that have to be told. Returns a topic whose
    /// replicas are all gone, if there is one.
    pub(crate) fn advance_deletions(&mut self) -> Option<TopicName> {
        let topics: Vec<_> = self.deletions.keys().cloned().collect();
        let mut complete = None;
        for topic in topics {
            self.begin_deletion(&topic);
            self.delete_replicas(&topic);
            if self
                .deletions
                .get(&topic)
                .is_some_and(Deletion::is_complete)
            {
                complete.get_or_insert(topic);
            }
        }
        complete
    }

    fn begin_deletion(&mut self, topic: &TopicName) {
        let is_due = |deletion: &Deletion| !deletion.is_begun && !deletion.is_ineligible;
        if !self.deletions.get(topic).is_some_and(is_due) {
            return;
        }
        self.notify_topic_going(topic);
        let assignment = self
            .topics
            .get(topic)
            .map(|topic| &topic.assignment.partitions);
        let replicas = assignment
            .into_iter()
            .flatten()
            .flat_map(|(partition, replicas)| replicas.iter().map(|id| (*partition, *id)))
            .map(|replica| (replica, ReplicaState::Waiting))
            .collect();
        let has_partitions = self
            .topics
            .get(topic)
            .is_some_and(|it| !it.leaderships.is_empty());
        let untold = self
            .brokers
            .keys()
            .filter(|_| has_partitions)
            .copied()
            .collect();
        if let Some(deletion) = self.deletions.get_mut(topic) {
            deletion.is_begun = true;
            deletion.untold = untold;
            deletion.replicas = replicas;
        }
    }

    /// A broker has confirmed what it was told about these partitions: it tells clients no more of
    /// those that are going.
    pub(crate) fn metadata_dropped(
        &mut self,
        broker: BrokerId,
        partitions: &BTreeMap<TopicPartition, PartitionMetadata>,
    ) {
        for (partition, word) in partitions {
            if word.leader == LEADER_DURING_DELETE
                && let Some(deletion) = self.deletions.get_mut(&partition.topic)
            {
                deletion.untold.remove(&broker);
            }
        }
    }

    fn delete_replicas(&mut self, topic: &TopicName) {
        let Some(deletion) = self.deletions.get_mut(topic) else {
            return;
        };
        if !deletion.is_begun || deletion.is_ineligible {
            return;
        }
        let mut told = Vec::new();
        for ((partition, broker), state) in &mut deletion.replicas {
            if *state != ReplicaState::Waiting {
                continue;
            }
            if self.brokers.contains_key(broker) {
                *state = ReplicaState::Stopping;
                told.push((TopicPartition::new(topic.clone(), *partition), *broker));
            } else {
                tracing::info!(
                    target: "state_change", %topic, %partition, %broker,
                    "the deletion waits for a broker that is not there"
                );
                *state = ReplicaState::Ineligible;
                deletion.is_ineligible = true;
            }
        }
        for (partition, broker) in told {
            self.notify_delete(&partition, broker);
        }
    }

    /// A broker has answered to the deletion of these replicas.
    pub(crate) fn replicas_stopped<'a>(
        &mut self,
        broker: BrokerId,
        partitions: impl Iterator<Item = &'a TopicPartition>,
        reply: &ControlReply,
    ) {
        for partition in partitions {
            let Some(deletion) = self.deletions.get_mut(&partition.topic) else {
                continue;
            };
            let replica = (partition.partition, broker);
            let Some(state) = deletion.replicas.get_mut(&replica) else {
                continue;
            };
            if *state != ReplicaState::Stopping {
                continue;
            }
            let failure = reply.failures.get(partition);
            if reply.refusal.is_none() && failure.is_none() {
                *state = ReplicaState::Deleted;
            } else {
                tracing::warn!(%partition, %broker, ?failure, refusal = ?reply.refusal, "a replica could not be deleted");
                *state = ReplicaState::Ineligible;
                deletion.is_ineligible = true;
            }
        }
    }
}

/// Removes the znodes of a topic whose replicas are all gone.
#[derive(Debug)]
pub(crate) struct DeletionCompletion {
    topic: TopicName,
    phase: ZnodesPhase,
    /// What is there, each parent before its children.
    found: Vec<ZkPath>,
}

#[derive(Debug, Default)]
enum ZnodesPhase {
    /// Children of the last so many of what was found are asked for.
    #[default]
    Identity,
    Children(usize),
    Removal(Removal),
}

impl DeletionCompletion {
    pub(crate) fn new(topic: TopicName) -> Self {
        Self {
            topic,
            phase: ZnodesPhase::Identity,
            found: Vec::new(),
        }
    }

    /// Whether the topic in ZooKeeper is the one that was deleted, not one of the same name that
    /// somebody created since.
    fn identified(&mut self, context: &Context, outcomes: Vec<Outcome>) -> Result<Turn, ZkError> {
        let known = context.topics.get(&self.topic).map(|topic| topic.czxid);
        match outcomes.into_iter().next().unwrap_or(Outcome::Unknown) {
            Outcome::Done(ZkReply::Exists(stat)) if Some(stat.czxid) == known => {
                self.found = vec![TopicZnode(self.topic.clone()).path()];
                Ok(self.list(1))
            }
            Outcome::Failed(ZkError::NoNode) => Ok(self.remove(context)),
            // Another topic's settings are not ours to remove; the mark was for the one that is gone.
            Outcome::Done(_) => {
                let mark = TopicDeletionZnode(self.topic.clone()).path();
                Ok(self.begin_removal(context, vec![mark]))
            }
            Outcome::Failed(error) => Err(error),
            Outcome::Unknown => Ok(Turn::Later),
        }
    }

    fn list(&mut self, count: usize) -> Turn {
        self.phase = ZnodesPhase::Children(count);
        let last = self.found.iter().rev().take(count).rev();
        Turn::Ask(
            last.map(|path| ControllerOp::read(ZkRead::Children(path.clone())))
                .collect(),
        )
    }

    fn listed(
        &mut self,
        context: &Context,
        count: usize,
        outcomes: Vec<Outcome>,
    ) -> Result<Turn, ZkError> {
        let parents: Vec<_> = self.found.iter().rev().take(count).rev().cloned().collect();
        let mut below = Vec::new();
        for (parent, outcome) in parents.iter().zip(outcomes) {
            below.extend(
                children(outcome)?
                    .into_iter()
                    .map(|name| parent.child(name)),
            );
        }
        if below.is_empty() {
            return Ok(self.remove(context));
        }
        let count = below.len();
        self.found.extend(below);
        Ok(self.list(count))
    }

    /// Children before parents, then the topic's settings, then the mark.
    fn remove(&mut self, context: &Context) -> Turn {
        let mut paths = std::mem::take(&mut self.found);
        paths.reverse();
        if !context.bugs.leaves_topic_config() {
            paths.push(ConfigZnode(ConfigEntity::Topic(self.topic.clone())).path());
        }
        paths.push(TopicDeletionZnode(self.topic.clone()).path());
        self.begin_removal(context, paths)
    }

    fn begin_removal(&mut self, context: &Context, paths: Vec<ZkPath>) -> Turn {
        let mut removal = Removal::new(paths);
        match removal.next(&context.fence) {
            Removing::Ask(op) => {
                self.phase = ZnodesPhase::Removal(removal);
                Turn::Ask(vec![op])
            }
            Removing::Done | Removing::Interrupted | Removing::Moved | Removing::Refused(_) => {
                Turn::Done
            }
        }
    }

    fn removing(&mut self, context: &mut Context, removal: Removal, removing: Removing) -> Turn {
        match removing {
            Removing::Ask(op) => {
                self.phase = ZnodesPhase::Removal(removal);
                Turn::Ask(vec![op])
            }
            Removing::Done => {
                tracing::info!(target: "state_change", topic = %self.topic, "topic is deleted");
                context.forget_topic(&self.topic);
                // One of the same name may be there already.
                context.dirty.topics.insert(self.topic.clone());
                Turn::Done
            }
            Removing::Moved => Turn::Moved,
            Removing::Interrupted => Turn::Later,
            Removing::Refused(error) => self.refused(context, &error),
        }
    }

    fn refused(&self, context: &mut Context, error: &ZkError) -> Turn {
        tracing::error!(topic = %self.topic, %error, "cannot remove a deleted topic's znodes");
        if let Some(deletion) = context.deletions.get_mut(&self.topic) {
            // Tried again with the next start of one of its brokers, as any failed deletion.
            deletion.is_ineligible = true;
            for state in deletion.replicas.values_mut() {
                *state = ReplicaState::Ineligible;
            }
        }
        Turn::Done
    }
}

impl Operation for DeletionCompletion {
    fn begin(&mut self, _: &mut Context) -> Turn {
        Turn::Ask(vec![ControllerOp::read(ZkRead::Exists(
            TopicZnode(self.topic.clone()).path(),
        ))])
    }

    fn resume(&mut self, context: &mut Context, outcomes: Vec<Outcome>) -> Turn {
        let turn = match std::mem::take(&mut self.phase) {
            ZnodesPhase::Identity => self.identified(context, outcomes),
            ZnodesPhase::Children(count) => self.listed(context, count, outcomes),
            ZnodesPhase::Removal(mut removal) => {
                let removing = removal.resume(&context.fence, outcomes.into_iter().next());
                return self.removing(context, removal, removing);
            }
        };
        turn.unwrap_or_else(|error| self.refused(context, &error))
    }
}
