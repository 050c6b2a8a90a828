//! What the active controller does next.

use crate::broker_change::BrokerChange;
use crate::call::Call;
use crate::context::Context;
use crate::controller::Counts;
use crate::isr_change::IsrChange;
use crate::log_dir_event::LogDirEvent;
use crate::operation::Operation;
use crate::partition_change::PartitionChange;
use crate::partition_creation::PartitionCreation;
use crate::preferred_election::{PreferredElection, WishRemoval};
use crate::topic_change::TopicChange;
use crate::topic_creation::TopicCreation;
use crate::topic_deletion::{DeletionChange, DeletionCompletion};
use crate::topic_marking::TopicMarking;

impl Context {
    /// The most urgent work: who is there, which topics there are, what follows from both for
    /// partitions, and only then what somebody wants.
    pub(crate) fn next_operation(&mut self) -> Option<Box<dyn Operation>> {
        if self.dirty.brokers {
            self.dirty.brokers = false;
            return Some(Box::new(BrokerChange::default()));
        }
        if self.dirty.all_topics || !self.dirty.topics.is_empty() {
            return Some(Box::new(TopicChange::default()));
        }
        if !self.pending.is_empty() {
            return Some(Box::new(PartitionChange::default()));
        }
        if self.is_wish_open {
            return Some(Box::new(WishRemoval::new()));
        }
        while let Some((id, broker)) = self.shutdown_calls.pop_front() {
            self.finish_shutdown(id, broker);
        }
        if self.dirty.deletions {
            return Some(Box::new(DeletionChange::default()));
        }
        if let Some(topic) = self.advance_deletions() {
            return Some(Box::new(DeletionCompletion::new(topic)));
        }
        if self.dirty.isr_changes {
            return Some(Box::new(IsrChange::default()));
        }
        if self.dirty.log_dir_events {
            return Some(Box::new(LogDirEvent::default()));
        }
        if self.dirty.preferred_election {
            return Some(Box::new(PreferredElection));
        }
        self.next_call()
    }

    fn next_call(&mut self) -> Option<Box<dyn Operation>> {
        let (id, call) = self.calls.pop_front()?;
        match call {
            Call::CreateTopics {
                topics,
                validate_only,
                random,
            } => Some(Box::new(TopicCreation::new(
                id,
                topics,
                validate_only,
                random,
            ))),
            Call::CreatePartitions {
                topics,
                validate_only,
            } => Some(Box::new(PartitionCreation::new(id, topics, validate_only))),
            Call::DeleteTopics(topics) => Some(Box::new(TopicMarking::new(id, topics))),
            Call::ControlledShutdown {
                broker,
                broker_epoch,
            } => {
                self.begin_shutdown(id, broker, broker_epoch);
                self.next_operation()
            }
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts {
            live_brokers: self.brokers.len(),
            topics: self.topics.len(),
            topics_to_delete: self.deletions.len().saturating_add(self.marked.len()),
            ..Counts::default()
        };
        let waiting = self
            .deletions
            .values()
            .filter(|deletion| deletion.is_ineligible);
        counts.topics_ineligible_to_delete = waiting.count();
        for (partition, replicas) in self.partitions() {
            counts.partitions += 1;
            if self.deletions.contains_key(&partition.topic) {
                continue;
            }
            let leader = self
                .leadership(&partition)
                .and_then(|leadership| leadership.state.leader);
            if !leader.is_some_and(|leader| self.is_online(&partition, leader)) {
                counts.offline_partitions += 1;
            }
            if leader != replicas.first().copied() {
                counts.preferred_replica_imbalance += 1;
            }
        }
        counts
    }
}
