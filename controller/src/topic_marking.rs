//! Marks topics for deletion on behalf of a call.

use barnabas_wire::id::TopicName;
use barnabas_zk_schema::topic_deletion::TopicDeletionZnode;
use barnabas_zk_schema::{ControllerOp, FencedOutcome, Outcome, ZkError, ZkRead, ZkReply, Znode};

use crate::CallId;
use crate::call::{Answer, TopicError};
use crate::context::Context;
use crate::operation::{Operation, Turn};

/// Marks the topics of one call.
#[derive(Debug)]
pub(crate) struct TopicMarking {
    id: CallId,
    is_reading_back: bool,
    results: Vec<(TopicName, Result<(), TopicError>)>,
    /// Positions in `results` of what is being written or asked.
    open: Vec<usize>,
}

impl TopicMarking {
    pub(crate) fn new(id: CallId, topics: Vec<TopicName>) -> Self {
        let results = topics.into_iter().map(|topic| (topic, Ok(()))).collect();
        Self {
            id,
            is_reading_back: false,
            results,
            open: Vec::new(),
        }
    }

    fn answer(&mut self) -> Turn {
        Turn::Answer(Answer::Marked(std::mem::take(&mut self.results)))
    }

    fn znodes(&self) -> impl Iterator<Item = TopicDeletionZnode> {
        let topics = self
            .open
            .iter()
            .filter_map(|position| self.results.get(*position));
        topics.map(|(topic, _)| TopicDeletionZnode(topic.clone()))
    }

    fn refuse(&mut self, position: usize, error: TopicError) {
        if let Some((_, result)) = self.results.get_mut(position) {
            *result = Err(error);
        }
    }

    fn written(&mut self, outcomes: Vec<Outcome>) -> Turn {
        for (position, outcome) in std::mem::take(&mut self.open).into_iter().zip(outcomes) {
            match FencedOutcome::from(outcome) {
                FencedOutcome::Applied(_)
                | FencedOutcome::Refused {
                    error: ZkError::NodeExists,
                    ..
                } => {}
                FencedOutcome::Moved => return Turn::Moved,
                FencedOutcome::Refused { error, .. } => {
                    self.refuse(position, TopicError::Refused(error));
                }
                FencedOutcome::Unknown => self.open.push(position),
            }
        }
        if self.open.is_empty() {
            return self.answer();
        }
        self.is_reading_back = true;
        let read = |znode: TopicDeletionZnode| ControllerOp::read(ZkRead::Exists(znode.path()));
        Turn::Ask(self.znodes().map(read).collect())
    }

    fn read_back(&mut self, outcomes: Vec<Outcome>) -> Turn {
        for (position, outcome) in std::mem::take(&mut self.open).into_iter().zip(outcomes) {
            if !matches!(outcome, Outcome::Done(ZkReply::Exists(_))) {
                self.refuse(position, TopicError::Unresolved);
            }
        }
        self.answer()
    }
}

impl Operation for TopicMarking {
    fn begin(&mut self, context: &mut Context) -> Turn {
        let mut open = Vec::new();
        for (position, (topic, result)) in self.results.iter_mut().enumerate() {
            if !context.settings.delete_topic_enable {
                *result = Err(TopicError::DeletionDisabled);
            } else if context.topics.contains_key(topic) {
                open.push(position);
            } else {
                *result = Err(TopicError::Unknown(topic.to_string()));
            }
        }
        self.open = open;
        if self.open.is_empty() {
            return self.answer();
        }
        // One by one: a mark that is there already fails only itself.
        let fence = context.fence;
        Turn::Ask(
            self.znodes()
                .map(|znode| fence.write([znode.create(&())]))
                .collect(),
        )
    }

    fn resume(&mut self, context: &mut Context, outcomes: Vec<Outcome>) -> Turn {
        context.dirty.deletions = true;
        if self.is_reading_back {
            self.read_back(outcomes)
        } else {
            self.written(outcomes)
        }
    }

    fn call(&self) -> Option<CallId> {
        Some(self.id)
    }
}
