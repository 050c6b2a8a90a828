//! Topics appear, get more partitions, disappear.
//!
//! Whoever wrote the znode, this controller on behalf of a request or a tool with its own session,
//! it is noticed here and only here. Source: kafka 2.8 `controller/KafkaController.scala`
//! (`processTopicChange`, `processPartitionModifications`).

use std::collections::BTreeSet;

use barnabas_wire::id::TopicName;
use barnabas_zk_schema::topic::{TopicZnode, TopicsZnode};
use barnabas_zk_schema::{ControllerOp, Outcome, ZkError, ZkRead, Znode, topic_name};

use crate::context::{Cause, Context, Topic};
use crate::failover::children;
use crate::operation::{Operation, Turn};

/// Reads topics that changed.
#[derive(Debug, Default)]
pub(crate) struct TopicChange {
    phase: Phase,
}

#[derive(Debug, Default)]
enum Phase {
    #[default]
    Lists,
    Topics(Vec<TopicName>),
}

impl Operation for TopicChange {
    fn begin(&mut self, context: &mut Context) -> Turn {
        if context.dirty.all_topics {
            context.dirty.all_topics = false;
            return Turn::Ask(vec![ControllerOp::read(ZkRead::Children(
                TopicsZnode.path(),
            ))]);
        }
        let topics = std::mem::take(&mut context.dirty.topics);
        self.read(topics)
    }

    fn resume(&mut self, context: &mut Context, outcomes: Vec<Outcome>) -> Turn {
        match std::mem::take(&mut self.phase) {
            Phase::Lists => {
                let outcome = outcomes.into_iter().next().unwrap_or(Outcome::Unknown);
                let mut topics = std::mem::take(&mut context.dirty.topics);
                match children(outcome) {
                    Ok(names) => topics.extend(valid_names(names)),
                    Err(error) => {
                        tracing::error!(%error, "cannot list topics, giving the controller away");
                        return Turn::Resign;
                    }
                }
                topics.extend(context.topics.keys().cloned());
                self.read(topics)
            }
            Phase::Topics(names) => {
                for (name, outcome) in names.iter().zip(outcomes) {
                    match read_topic(name, outcome) {
                        Ok(TopicRead::Found(topic)) => found(context, name, topic),
                        Ok(TopicRead::Missing) => missing(context, name),
                        Ok(TopicRead::Unreadable) => {}
                        Err(error) => tracing::error!(topic = %name, %error, "cannot read a topic"),
                    }
                }
                Turn::Done
            }
        }
    }
}

impl TopicChange {
    fn read(&mut self, topics: BTreeSet<TopicName>) -> Turn {
        let read = |topic: &TopicName| ControllerOp::read(TopicZnode(topic.clone()).read());
        let ops = topics.iter().map(read).collect();
        self.phase = Phase::Topics(topics.into_iter().collect());
        Turn::Ask(ops)
    }
}

fn found(context: &mut Context, name: &TopicName, read: Topic) {
    if context
        .topics
        .get(name)
        .is_some_and(|known| known.czxid != read.czxid)
    {
        missing(context, name);
    }
    let Some(known) = context.topics.get_mut(name) else {
        let partitions = read.leaderships.len();
        tracing::info!(target: "state_change", topic = %name, partitions, "topic has come");
        context.topics.insert(name.clone(), read);
        // It may have been marked before it was known.
        let is_due = context.settings.delete_topic_enable && context.marked.remove(name);
        context.dirty.deletions |= is_due;
        for partition in context.partitions_of(name) {
            context.look_at(partition, Cause::default());
        }
        return;
    };
    if context.deletions.contains_key(name) {
        // What was added to a topic on its way out is never begun and goes with it (KAFKA-6612).
        return;
    }
    let mut added = Vec::new();
    for (partition, replicas) in read.assignment.partitions {
        // Replicas of a partition that is known change by a reassignment only.
        if let std::collections::btree_map::Entry::Vacant(slot) =
            known.assignment.partitions.entry(partition)
        {
            slot.insert(replicas);
            known.leaderships.insert(partition, None);
            added.push(partition);
        }
    }
    known.assignment.topic_id = read.assignment.topic_id;
    if !added.is_empty() {
        tracing::info!(target: "state_change", topic = %name, ?added, "partitions have come");
    }
    for partition in context.partitions_of(name) {
        if added.contains(&partition.partition) {
            context.look_at(partition, Cause::default());
        }
    }
}

/// The znode is gone without a deletion that we led to its end: somebody removed it by hand. Brokers
/// stop its replicas, or they would take the leader epochs of a later topic of that name for old
/// ones; but they keep the logs.
fn missing(context: &mut Context, name: &TopicName) {
    if context.topics.contains_key(name) {
        tracing::warn!(topic = %name, "a topic's znode is gone although nobody deleted the topic");
        context.notify_topic_going(name);
        context.notify_topic_gone(name);
        context.forget_topic(name);
        context.dirty.deletions = true;
    }
}

/// What a topic's znode says.
#[derive(Debug)]
pub(crate) enum TopicRead {
    Found(Topic),
    Missing,
    /// Nothing that could be understood: the topic stays as it was known.
    Unreadable,
}

/// Reads a topic's znode.
pub(crate) fn read_topic(name: &TopicName, outcome: Outcome) -> Result<TopicRead, ZkError> {
    let (data, stat) = match outcome.into_data() {
        Ok(read) => read,
        Err(Outcome::Failed(ZkError::NoNode)) => return Ok(TopicRead::Missing),
        Err(Outcome::Failed(error)) => return Err(error),
        Err(Outcome::Done(_) | Outcome::Unknown) => return Err(ZkError::Refused { code: 0 }),
    };
    match TopicZnode::decode(&data) {
        Ok(assignment) => Ok(TopicRead::Found(Topic::new(stat.czxid, assignment))),
        Err(error) => {
            tracing::error!(topic = %name, %error, "a topic's znode cannot be understood");
            Ok(TopicRead::Unreadable)
        }
    }
}

/// Children that are topics' names; others are left alone.
pub(crate) fn valid_names(names: Vec<String>) -> Vec<TopicName> {
    let is_valid = |name: &String| {
        let valid = topic_name::validate(name);
        if let Err(error) = &valid {
            tracing::warn!(%error, "a topic in ZooKeeper has no topic's name, leaving it alone");
        }
        valid.is_ok()
    };
    names
        .into_iter()
        .filter(is_valid)
        .map(TopicName::from)
        .collect()
}
