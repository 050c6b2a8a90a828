//! Creates topics on behalf of a call: validates, places, writes. What comes of it is noticed like
//! any topic that somebody wrote.
//!
//! Settings and topic are one fenced multi. Source: kafka 2.8 `zk/AdminZkClient.scala`, where they
//! are two writes and unfenced.

use std::collections::BTreeSet;

use barnabas_wire::id::TopicName;
use barnabas_zk_schema::config::{ConfigEntity, ConfigZnode};
use barnabas_zk_schema::topic::{ReplicaLists, TopicAssignment, TopicZnode};
use barnabas_zk_schema::topic_deletion::TopicDeletionZnode;
use barnabas_zk_schema::{
    ControllerOp, Expected, FencedOutcome, Outcome, ZkError, ZkRead, ZkReply, Znode, topic_name,
};

use crate::CallId;
use crate::assignment::{self, Circumstances};
use crate::call::{Answer, NewTopic, Placement, TopicError};
use crate::context::Context;
use crate::operation::{Operation, Turn};

/// Largest assignment, bytes; the server takes requests up to 1 MiB (`jute.maxbuffer`).
pub(crate) const ASSIGNMENT_SIZE_BYTES_MAX: usize = 900_000;

/// Creates the topics of one call.
#[derive(Debug)]
pub(crate) struct TopicCreation {
    id: CallId,
    topics: Vec<NewTopic>,
    validate_only: bool,
    random: u64,
    phase: Phase,
    results: Vec<(String, Result<TopicAssignment, TopicError>)>,
    /// Positions in `results` of what is being written or asked.
    open: Vec<usize>,
}

#[derive(Debug, Default)]
enum Phase {
    #[default]
    Look,
    Write,
    ReadBack,
}

impl TopicCreation {
    pub(crate) fn new(id: CallId, topics: Vec<NewTopic>, validate_only: bool, random: u64) -> Self {
        let phase = Phase::Look;
        Self {
            id,
            topics,
            validate_only,
            random,
            phase,
            results: Vec::new(),
            open: Vec::new(),
        }
    }

    fn answer(&mut self) -> Turn {
        Turn::Answer(Answer::Placed(std::mem::take(&mut self.results)))
    }

    /// Positions of the topics that nothing speaks against so far.
    fn good(&self) -> Vec<usize> {
        let results = self.results.iter().enumerate();
        results
            .filter(|(_, (_, result))| result.is_ok())
            .map(|(position, _)| position)
            .collect()
    }

    fn name(&self, position: usize) -> TopicName {
        let name = self
            .results
            .get(position)
            .map_or("", |(name, _)| name.as_str());
        name.into()
    }

    fn refuse(&mut self, position: usize, error: TopicError) {
        if let Some((_, result)) = self.results.get_mut(position) {
            *result = Err(error);
        }
    }

    /// What is there that was not noticed yet; and which topics have settings left from another time.
    fn looked(&mut self, context: &Context, outcomes: &[Outcome]) -> Turn {
        let mut ops = Vec::new();
        let open = std::mem::take(&mut self.open);
        for (position, answers) in open.into_iter().zip(outcomes.chunks(LOOKS)) {
            let is_there = |index: usize| {
                matches!(answers.get(index), Some(Outcome::Done(ZkReply::Exists(_))))
            };
            let name = self.name(position);
            if is_there(1) {
                self.refuse(position, TopicError::MarkedForDeletion(name.to_string()));
            } else if is_there(0) {
                self.refuse(position, TopicError::Exists(name.to_string()));
            } else if !self.validate_only {
                ops.extend(self.write(context, position, name, is_there(2)));
                self.open.push(position);
            }
        }
        if ops.is_empty() {
            return self.answer();
        }
        self.phase = Phase::Write;
        Turn::Ask(ops)
    }

    fn write(
        &self,
        context: &Context,
        position: usize,
        name: TopicName,
        has_settings: bool,
    ) -> Option<ControllerOp> {
        let (_, Ok(assignment)) = self.results.get(position)? else {
            return None;
        };
        let settings = &self.topics.get(position)?.config;
        let znode = ConfigZnode(ConfigEntity::Topic(name.clone()));
        let settings = if has_settings {
            znode.set(settings, Expected::Any)
        } else {
            znode.create(settings)
        };
        Some(
            context
                .fence
                .write([settings, TopicZnode(name).create(assignment)]),
        )
    }

    fn written(&mut self, context: &mut Context, outcomes: Vec<Outcome>) -> Turn {
        let mut unknown = Vec::new();
        let open = std::mem::take(&mut self.open);
        for (position, outcome) in open.into_iter().zip(outcomes) {
            let name = self.name(position);
            match FencedOutcome::from(outcome) {
                FencedOutcome::Applied(_) => {
                    context.dirty.topics.insert(name);
                }
                FencedOutcome::Moved => return Turn::Moved,
                FencedOutcome::Refused {
                    index: 1,
                    error: ZkError::NodeExists,
                } => {
                    self.refuse(position, TopicError::Exists(name.to_string()));
                }
                FencedOutcome::Refused { error, .. } => {
                    self.refuse(position, TopicError::Refused(error));
                }
                FencedOutcome::Unknown => unknown.push(position),
            }
        }
        if unknown.is_empty() {
            return self.answer();
        }
        let read = |position: &usize| ControllerOp::read(TopicZnode(self.name(*position)).read());
        let ops = unknown.iter().map(read).collect();
        self.open = unknown;
        self.phase = Phase::ReadBack;
        Turn::Ask(ops)
    }

    /// No answer came to these: what is there tells.
    fn read_back(&mut self, context: &mut Context, outcomes: Vec<Outcome>) -> Turn {
        let open = std::mem::take(&mut self.open);
        for (position, outcome) in open.into_iter().zip(outcomes) {
            let name = self.name(position);
            let found = outcome.into_data().ok();
            let found = found.and_then(|(data, _)| TopicZnode::decode(&data).ok());
            let wanted = self
                .results
                .get(position)
                .and_then(|(_, result)| result.as_ref().ok());
            match found {
                Some(found) if Some(&found) == wanted => {}
                Some(_) => self.refuse(position, TopicError::Exists(name.to_string())),
                None => self.refuse(position, TopicError::Unresolved),
            }
            context.dirty.topics.insert(name);
        }
        self.answer()
    }
}

/// Questions for each topic: the topic itself, its mark, its settings.
const LOOKS: usize = 3;

impl Operation for TopicCreation {
    fn begin(&mut self, context: &mut Context) -> Turn {
        let mut names = BTreeSet::new();
        for topic in &self.topics {
            let result = if names.insert(&topic.name) {
                validate(context, topic, self.random)
            } else {
                Err(TopicError::Repeated(topic.name.clone()))
            };
            self.results.push((topic.name.clone(), result));
        }
        self.open = self.good();
        if self.open.is_empty() {
            return self.answer();
        }
        let looks = self.open.iter().flat_map(|position| {
            let name = self.name(*position);
            [
                TopicZnode(name.clone()).path(),
                TopicDeletionZnode(name.clone()).path(),
                ConfigZnode(ConfigEntity::Topic(name)).path(),
            ]
        });
        Turn::Ask(
            looks
                .map(|path| ControllerOp::read(ZkRead::Exists(path)))
                .collect(),
        )
    }

    fn resume(&mut self, context: &mut Context, outcomes: Vec<Outcome>) -> Turn {
        match std::mem::take(&mut self.phase) {
            Phase::Look => self.looked(context, &outcomes),
            Phase::Write => self.written(context, outcomes),
            Phase::ReadBack => self.read_back(context, outcomes),
        }
    }

    fn call(&self) -> Option<CallId> {
        Some(self.id)
    }
}

/// The assignment that a new topic gets.
fn validate(
    context: &Context,
    topic: &NewTopic,
    random: u64,
) -> Result<TopicAssignment, TopicError> {
    let name = topic.name.as_str();
    topic_name::validate(name)?;
    if context.deletions.contains_key(name) || context.marked.contains(name) {
        return Err(TopicError::MarkedForDeletion(name.to_owned()));
    }
    if context.topics.contains_key(name) {
        return Err(TopicError::Exists(name.to_owned()));
    }
    let collides = |other: &&TopicName| topic_name::collide(name, other.as_str());
    if let Some(other) = context.topics.keys().find(collides) {
        return Err(TopicError::Collides {
            name: name.to_owned(),
            other: other.to_string(),
        });
    }
    let partitions = place(context, &topic.placement, random)?;
    let assignment = TopicAssignment {
        partitions,
        ..TopicAssignment::default()
    };
    check_size(&assignment)?;
    Ok(assignment)
}

fn place(
    context: &Context,
    placement: &Placement,
    random: u64,
) -> Result<ReplicaLists, TopicError> {
    let brokers = context.candidates();
    match placement {
        Placement::Manual(lists) => {
            assignment::validate(lists, &brokers)?;
            Ok(lists.clone())
        }
        Placement::Counts {
            partitions,
            replication_factor,
        } => {
            let settings = &context.settings;
            let circumstances = Circumstances {
                leader_counts: context.leader_counts(),
                random,
            };
            assignment::place(
                settings.assignment_policy,
                &brokers,
                partitions.unwrap_or(settings.num_partitions),
                replication_factor.unwrap_or(settings.default_replication_factor),
                &circumstances,
            )
        }
    }
}

/// Whether ZooKeeper takes a znode of this assignment.
pub(crate) fn check_size(assignment: &TopicAssignment) -> Result<(), TopicError> {
    let size_bytes = TopicZnode::encode(assignment).len();
    if size_bytes > ASSIGNMENT_SIZE_BYTES_MAX {
        return Err(TopicError::TooLarge {
            size_bytes,
            limit_bytes: ASSIGNMENT_SIZE_BYTES_MAX,
        });
    }
    Ok(())
}
