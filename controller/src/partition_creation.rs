//! Adds partitions to topics on behalf of a call.

use std::collections::BTreeSet;

use barnabas_wire::id::{PartitionId, TopicName};
use barnabas_zk_schema::topic::{ReplicaLists, TopicAssignment, TopicZnode};
use barnabas_zk_schema::{ControllerOp, Expected, FencedOutcome, Outcome, ZkVersion, Znode};

use crate::CallId;
use crate::assignment::{self, PARTITIONS_MAX};
use crate::call::{Answer, AssignmentError, MorePartitions, TopicError};
use crate::context::Context;
use crate::operation::{Operation, Turn};
use crate::topic_creation::check_size;

/// Adds the partitions of one call.
#[derive(Debug)]
pub(crate) struct PartitionCreation {
    id: CallId,
    topics: Vec<MorePartitions>,
    validate_only: bool,
    phase: Phase,
    results: Vec<(String, Result<TopicAssignment, TopicError>)>,
    /// Positions in `results` of what is being read or written.
    open: Vec<usize>,
}

#[derive(Debug, Default)]
enum Phase {
    #[default]
    Read,
    Write,
    ReadBack,
}

impl PartitionCreation {
    pub(crate) const fn new(id: CallId, topics: Vec<MorePartitions>, validate_only: bool) -> Self {
        let phase = Phase::Read;
        Self {
            id,
            topics,
            validate_only,
            phase,
            results: Vec::new(),
            open: Vec::new(),
        }
    }

    fn answer(&mut self) -> Turn {
        Turn::Answer(Answer::Placed(std::mem::take(&mut self.results)))
    }

    fn set(&mut self, position: usize, result: Result<TopicAssignment, TopicError>) {
        if let Some((_, slot)) = self.results.get_mut(position) {
            *slot = result;
        }
    }

    fn ask(&self) -> Turn {
        let topic = |position: &usize| self.topics.get(*position).map(|topic| topic.topic.clone());
        let read = |topic: TopicName| ControllerOp::read(TopicZnode(topic).read());
        Turn::Ask(self.open.iter().filter_map(topic).map(read).collect())
    }

    /// The znodes as they are now: decides and writes at the version read.
    fn read(&mut self, context: &Context, outcomes: Vec<Outcome>) -> Turn {
        let mut ops = Vec::new();
        for (position, outcome) in std::mem::take(&mut self.open).into_iter().zip(outcomes) {
            let Some(topic) = self.topics.get(position).cloned() else {
                continue;
            };
            match read_assignment(&topic, outcome)
                .and_then(|(assignment, version)| Ok((plan(context, &topic, assignment)?, version)))
            {
                Ok((assignment, version)) => {
                    if !self.validate_only {
                        let expected = Expected::Version(version);
                        let write = TopicZnode(topic.topic).set(&assignment, expected);
                        ops.push(context.fence.write([write]));
                        self.open.push(position);
                    }
                    self.set(position, Ok(assignment));
                }
                Err(error) => self.set(position, Err(error)),
            }
        }
        if ops.is_empty() {
            return self.answer();
        }
        self.phase = Phase::Write;
        Turn::Ask(ops)
    }

    fn written(&mut self, context: &mut Context, outcomes: Vec<Outcome>) -> Turn {
        for (position, outcome) in std::mem::take(&mut self.open).into_iter().zip(outcomes) {
            let Some(topic) = self.topics.get(position).map(|topic| topic.topic.clone()) else {
                continue;
            };
            match FencedOutcome::from(outcome) {
                FencedOutcome::Applied(_) => {
                    context.dirty.topics.insert(topic);
                }
                FencedOutcome::Moved => return Turn::Moved,
                FencedOutcome::Refused { error, .. } => {
                    self.set(position, Err(TopicError::Refused(error)));
                }
                FencedOutcome::Unknown => self.open.push(position),
            }
        }
        if self.open.is_empty() {
            return self.answer();
        }
        self.phase = Phase::ReadBack;
        self.ask()
    }

    fn read_back(&mut self, context: &mut Context, outcomes: Vec<Outcome>) -> Turn {
        for (position, outcome) in std::mem::take(&mut self.open).into_iter().zip(outcomes) {
            let Some(topic) = self.topics.get(position).cloned() else {
                continue;
            };
            let found = read_assignment(&topic, outcome)
                .ok()
                .map(|(assignment, _)| assignment);
            let wanted = self
                .results
                .get(position)
                .and_then(|(_, result)| result.as_ref().ok());
            if found.is_none() || found.as_ref() != wanted {
                self.set(position, Err(TopicError::Unresolved));
            }
            context.dirty.topics.insert(topic.topic);
        }
        self.answer()
    }
}

impl Operation for PartitionCreation {
    fn begin(&mut self, context: &mut Context) -> Turn {
        let mut names = BTreeSet::new();
        for topic in &self.topics {
            let name = topic.topic.to_string();
            let result = if !names.insert(&topic.topic) {
                Err(TopicError::Repeated(name.clone()))
            } else if context.deletions.contains_key(&topic.topic) {
                Err(TopicError::MarkedForDeletion(name.clone()))
            } else if context.topics.contains_key(&topic.topic) {
                Ok(TopicAssignment::default())
            } else {
                Err(TopicError::Unknown(name.clone()))
            };
            self.results.push((name, result));
        }
        let results = self.results.iter().enumerate();
        self.open = results
            .filter(|(_, entry)| entry.1.is_ok())
            .map(|entry| entry.0)
            .collect();
        if self.open.is_empty() {
            self.answer()
        } else {
            self.ask()
        }
    }

    fn resume(&mut self, context: &mut Context, outcomes: Vec<Outcome>) -> Turn {
        match std::mem::take(&mut self.phase) {
            Phase::Read => self.read(context, outcomes),
            Phase::Write => self.written(context, outcomes),
            Phase::ReadBack => self.read_back(context, outcomes),
        }
    }

    fn call(&self) -> Option<CallId> {
        Some(self.id)
    }
}

fn read_assignment(
    topic: &MorePartitions,
    outcome: Outcome,
) -> Result<(TopicAssignment, ZkVersion), TopicError> {
    let unknown = || TopicError::Unknown(topic.topic.to_string());
    let (data, stat) = outcome.into_data().ok().ok_or_else(unknown)?;
    let assignment = TopicZnode::decode(&data).ok().ok_or_else(unknown)?;
    Ok((assignment, stat.version))
}

/// The assignment with the new partitions in it.
fn plan(
    context: &Context,
    topic: &MorePartitions,
    mut assignment: TopicAssignment,
) -> Result<TopicAssignment, TopicError> {
    let name = || topic.topic.to_string();
    if !assignment.adding_replicas.is_empty() || !assignment.removing_replicas.is_empty() {
        return Err(TopicError::Reassigning(name()));
    }
    let current = i32::try_from(assignment.partitions.len()).unwrap_or(i32::MAX);
    if !(1..=PARTITIONS_MAX).contains(&topic.total) {
        return Err(TopicError::Partitions {
            count: topic.total,
            max: PARTITIONS_MAX,
        });
    }
    if topic.total <= current {
        return Err(TopicError::NotMore {
            topic: name(),
            current,
            total: topic.total,
        });
    }
    let brokers = context.candidates();
    let added = match &topic.replicas {
        Some(lists) => chosen(lists, &assignment.partitions, current, topic.total, context)?,
        None => {
            let policy = context.settings.assignment_policy;
            assignment::extend(policy, &brokers, &assignment.partitions, topic.total)?
        }
    };
    let ring: Vec<_> = brokers.keys().map(ToString::to_string).collect();
    tracing::info!(topic = %topic.topic, ?ring, from = current, to = topic.total, "adding partitions");
    assignment.partitions.extend(added);
    check_size(&assignment)?;
    Ok(assignment)
}

/// What the caller chose for the new partitions.
fn chosen(
    lists: &[Vec<barnabas_wire::id::BrokerId>],
    partitions: &ReplicaLists,
    current: i32,
    total: i32,
    context: &Context,
) -> Result<ReplicaLists, TopicError> {
    let wanted = usize::try_from(total.saturating_sub(current)).unwrap_or(0);
    if lists.len() != wanted {
        let given = lists.len();
        return Err(TopicError::Assignment(AssignmentError::Count {
            given,
            wanted,
        }));
    }
    let expected = partitions.values().next().map_or(1, Vec::len);
    let mut added = ReplicaLists::new();
    for (index, replicas) in (current..).zip(lists) {
        let partition = PartitionId(index);
        assignment::validate_replicas(partition, replicas, expected, &context.candidates())
            .map_err(TopicError::Assignment)?;
        added.insert(partition, replicas.clone());
    }
    Ok(added)
}
