//! What waits to be said to one broker.
//!
//! At most one request is outstanding; what comes meanwhile falls together, a later word about a
//! partition replacing an earlier one. Order is kept where it matters: within a round leaderships
//! come before metadata and metadata before stops, and a leadership that follows a stop of the same
//! partition opens a new round. So an outbox holds a few entries for each partition at most, however
//! long the broker is silent.

use std::collections::{BTreeMap, VecDeque};

use barnabas_wire::id::TopicPartition;

use crate::RequestId;
use crate::request::{PartitionLeadership, PartitionMetadata, PartitionStop};

/// Wait before a request is sent again, ms.
/// Source: kafka 2.8 `controller/ControllerChannelManager.scala`.
pub(crate) const RETRY_BACK_OFF_MS: u64 = 100;

/// Wait before a leadership is told again that the broker could not take, ms.
const UNTAKEN_BACK_OFF_MS: u64 = 1000;

/// Requests to one incarnation of one broker.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    earlier: VecDeque<Round>,
    last: Round,
    outstanding: Option<Letter>,
    /// Invariant: `Some` only while a letter is outstanding and unsent.
    sent_as: Option<RequestId>,
    not_before_ms: u64,
    /// Leaderships that the broker could not take, and whether they are new; to be told again.
    untaken: BTreeMap<TopicPartition, bool>,
    /// When; means nothing while there are none.
    untaken_until_ms: u64,
}

#[derive(Debug, Default)]
struct Round {
    leaderships: BTreeMap<TopicPartition, PartitionLeadership>,
    /// `Some` and empty: only the list of live brokers.
    metadata: Option<BTreeMap<TopicPartition, PartitionMetadata>>,
    stops: BTreeMap<TopicPartition, PartitionStop>,
}

/// One request's content; who is live and where is added when it is sent.
#[derive(Clone, Debug)]
pub(crate) enum Letter {
    Leaderships(BTreeMap<TopicPartition, PartitionLeadership>),
    Metadata(BTreeMap<TopicPartition, PartitionMetadata>),
    Stops(BTreeMap<TopicPartition, PartitionStop>),
}

impl Outbox {
    pub(crate) fn lead(&mut self, partition: &TopicPartition, mut word: PartitionLeadership) {
        if self.last.stops.contains_key(partition) {
            self.begin_round();
        }
        let leaderships = &mut self.last.leaderships;
        word.is_new |= leaderships
            .get(partition)
            .is_some_and(|earlier| earlier.is_new);
        leaderships.insert(partition.clone(), word);
    }

    pub(crate) fn tell(
        &mut self,
        partitions: impl IntoIterator<Item = (TopicPartition, PartitionMetadata)>,
    ) {
        self.last
            .metadata
            .get_or_insert_default()
            .extend(partitions);
    }

    pub(crate) fn stop(&mut self, partition: &TopicPartition, mut word: PartitionStop) {
        let round = &mut self.last;
        round.leaderships.remove(partition);
        word.delete |= round
            .stops
            .get(partition)
            .is_some_and(|earlier| earlier.delete);
        round.stops.insert(partition.clone(), word);
    }

    /// What follows is sent after what is there.
    pub(crate) fn begin_round(&mut self) {
        self.earlier.push_back(std::mem::take(&mut self.last));
    }

    /// The next letter to send now, if there is one; [`Self::sent`] must follow.
    pub(crate) fn next(&mut self, now_ms: u64) -> Option<&Letter> {
        if self.sent_as.is_some() || now_ms < self.not_before_ms {
            return None;
        }
        if self.outstanding.is_none() {
            self.outstanding = self.take();
        }
        self.outstanding.as_ref()
    }

    pub(crate) fn sent(&mut self, request: RequestId) {
        self.sent_as = Some(request);
    }

    /// The answer to `request` has come: the letter it answers, unless it is of no interest any more.
    pub(crate) fn answered(&mut self, request: RequestId) -> Option<Letter> {
        if self.sent_as != Some(request) {
            return None;
        }
        self.sent_as = None;
        self.outstanding.take()
    }

    /// No answer to `request` will come: the same letter goes out again after a while.
    pub(crate) fn failed(&mut self, request: RequestId, now_ms: u64) {
        if self.sent_as == Some(request) {
            self.sent_as = None;
            self.not_before_ms = now_ms.saturating_add(RETRY_BACK_OFF_MS);
        }
    }

    /// The broker could not take this leadership now; it may later.
    pub(crate) fn not_taken(&mut self, partition: &TopicPartition, is_new: bool, now_ms: u64) {
        if self.untaken.is_empty() {
            self.untaken_until_ms = now_ms.saturating_add(UNTAKEN_BACK_OFF_MS);
        }
        self.untaken.insert(partition.clone(), is_new);
    }

    /// Leaderships to be told again now, and whether they are new.
    pub(crate) fn take_untaken(&mut self, now_ms: u64) -> BTreeMap<TopicPartition, bool> {
        if now_ms < self.untaken_until_ms {
            return BTreeMap::new();
        }
        std::mem::take(&mut self.untaken)
    }

    /// The channel was closed and opened anew: what was outstanding goes out again.
    pub(crate) fn reopen(&mut self) {
        self.sent_as = None;
        self.not_before_ms = 0;
    }

    /// When something can be sent at the earliest; `None` while nothing waits for time.
    pub(crate) fn deadline_ms(&self) -> Option<u64> {
        let waits = self.sent_as.is_none() && self.outstanding.is_some();
        let untaken = (!self.untaken.is_empty()).then_some(self.untaken_until_ms);
        waits
            .then_some(self.not_before_ms)
            .into_iter()
            .chain(untaken)
            .min()
    }

    fn take(&mut self) -> Option<Letter> {
        while let Some(round) = self.earlier.front_mut() {
            if let Some(letter) = round.take() {
                return Some(letter);
            }
            self.earlier.pop_front();
        }
        self.last.take()
    }
}

impl Round {
    fn take(&mut self) -> Option<Letter> {
        if !self.leaderships.is_empty() {
            return Some(Letter::Leaderships(std::mem::take(&mut self.leaderships)));
        }
        if let Some(metadata) = self.metadata.take() {
            return Some(Letter::Metadata(metadata));
        }
        (!self.stops.is_empty()).then(|| Letter::Stops(std::mem::take(&mut self.stops)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barnabas_wire::id::{BrokerId, ControllerEpoch, LeaderEpoch, PartitionId};
    use barnabas_zk_schema::ZkVersion;

    fn leadership(leader_epoch: i32, is_new: bool) -> PartitionLeadership {
        PartitionLeadership {
            controller_epoch: ControllerEpoch(1),
            leader: Some(BrokerId(1)),
            leader_epoch: LeaderEpoch(leader_epoch),
            isr: vec![BrokerId(1)],
            zk_version: ZkVersion(0),
            replicas: vec![BrokerId(1)],
            adding_replicas: Vec::new(),
            removing_replicas: Vec::new(),
            is_new,
        }
    }

    const STOP: PartitionStop = PartitionStop {
        leader_epoch: LeaderEpoch(-2),
        delete: true,
    };

    fn partition() -> TopicPartition {
        TopicPartition::new("t", PartitionId(0))
    }

    /// Sends and answers everything at time 0: the kinds of letters in their order.
    fn drain(outbox: &mut Outbox) -> Vec<&'static str> {
        let mut kinds = Vec::new();
        while let Some(letter) = outbox.next(0) {
            kinds.push(match letter {
                Letter::Leaderships(_) => "lead",
                Letter::Metadata(_) => "tell",
                Letter::Stops(_) => "stop",
            });
            let request = RequestId(kinds.len() as u64);
            outbox.sent(request);
            assert!(outbox.answered(request).is_some());
        }
        kinds
    }

    #[test]
    fn leaderships_go_before_metadata_and_metadata_before_stops() {
        let mut outbox = Outbox::default();
        outbox.stop(&TopicPartition::new("u", PartitionId(0)), STOP);
        outbox.tell([]);
        outbox.lead(&partition(), leadership(0, true));
        assert_eq!(drain(&mut outbox), ["lead", "tell", "stop"]);
    }

    #[test]
    fn a_leadership_after_a_stop_of_the_same_partition_stays_after_it() {
        let mut outbox = Outbox::default();
        outbox.stop(&partition(), STOP);
        outbox.lead(&partition(), leadership(0, true));
        assert_eq!(drain(&mut outbox), ["stop", "lead"]);
    }

    #[test]
    fn a_stop_takes_back_a_leadership_that_was_not_sent() {
        let mut outbox = Outbox::default();
        outbox.lead(&partition(), leadership(0, true));
        outbox.stop(&partition(), STOP);
        assert_eq!(drain(&mut outbox), ["stop"]);
    }

    #[test]
    fn a_later_word_replaces_an_earlier_one_and_newness_sticks() {
        let mut outbox = Outbox::default();
        outbox.lead(&partition(), leadership(0, true));
        outbox.lead(&partition(), leadership(1, false));
        let Some(Letter::Leaderships(words)) = outbox.next(0) else {
            panic!("no leaderships")
        };
        assert_eq!(words.get(&partition()), Some(&leadership(1, true)));
    }

    #[test]
    fn one_request_at_a_time_and_again_after_a_while_if_it_fails() {
        let mut outbox = Outbox::default();
        outbox.tell([]);
        assert!(outbox.next(0).is_some());
        outbox.sent(RequestId(1));
        outbox.tell([]);
        assert!(outbox.next(0).is_none());
        outbox.failed(RequestId(1), 50);
        assert_eq!(outbox.deadline_ms(), Some(150));
        assert!(outbox.next(149).is_none());
        assert!(outbox.next(150).is_some());
        outbox.sent(RequestId(2));
        assert!(outbox.answered(RequestId(1)).is_none());
        assert!(outbox.answered(RequestId(2)).is_some());
        assert!(outbox.next(150).is_some());
    }
}
