//! All that an active controller knows. Gone with its resignation.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use barnabas_wire::id::{BrokerEpoch, BrokerId, PartitionId, TopicName, TopicPartition};
use barnabas_zk_schema::broker::BrokerRegistration;
use barnabas_zk_schema::partition::PartitionState;
use barnabas_zk_schema::topic::TopicAssignment;
use barnabas_zk_schema::{Fence, ZkVersion, Zxid};

use crate::assignment::Candidates;
use crate::bugs::Bugs;
use crate::call::Call;
use crate::dirty::Dirty;
use crate::effect::Effect;
use crate::election::Standing;
use crate::outbox::Outbox;
use crate::replica_state::Deletion;
use crate::settings::Settings;
use crate::{CallId, RequestId};

/// State of the active controller: a mirror of what is in ZooKeeper, and what is under way.
///
/// The state of a partition or replica is never stored beside what it follows from: a partition is
/// new while it has no leadership, online while its leader is, else offline.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) settings: Settings,
    pub(crate) bugs: Bugs,
    /// What every write goes through; has the controller's epoch.
    pub(crate) fence: Fence,
    /// Registered brokers.
    pub(crate) brokers: BTreeMap<BrokerId, Broker>,
    /// Brokers that are about to stop. Invariant: registered.
    pub(crate) leaving: BTreeSet<BrokerId>,
    /// Replicas whose log directory their broker reported offline. Invariant: of registered brokers.
    pub(crate) offline_replicas: BTreeMap<BrokerId, BTreeSet<TopicPartition>>,
    pub(crate) topics: BTreeMap<TopicName, Topic>,
    /// Topics that are to go, while `delete.topic.enable` is true. Invariant: known topics.
    pub(crate) deletions: BTreeMap<TopicName, Deletion>,
    /// Topics with a mark that has no effect: `delete.topic.enable` is false, or the topic is not known.
    pub(crate) marked: BTreeSet<TopicName>,
    /// Partitions whose leadership has to be looked at, and why.
    pub(crate) pending: BTreeMap<TopicPartition, Cause>,
    /// A wish for preferred leaders is being fulfilled; its znode goes when nothing is pending.
    pub(crate) is_wish_open: bool,
    /// Calls for a controlled shutdown; answered when nothing is pending.
    pub(crate) shutdown_calls: VecDeque<(CallId, BrokerId)>,
    /// Calls that wait for their turn.
    pub(crate) calls: VecDeque<(CallId, Call)>,
    pub(crate) dirty: Dirty,
    /// What is to be done outside; taken by the machine after each turn of an operation.
    pub(crate) effects: Vec<Effect>,
    last_request: RequestId,
}

/// A registered broker.
#[derive(Debug)]
pub(crate) struct Broker {
    pub(crate) epoch: BrokerEpoch,
    pub(crate) registration: BrokerRegistration,
    pub(crate) outbox: Outbox,
}

/// A topic as last read.
#[derive(Debug)]
pub(crate) struct Topic {
    /// Identity: a later topic of the same name has another one.
    pub(crate) czxid: Zxid,
    pub(crate) assignment: TopicAssignment,
    /// One entry for each assigned partition; `None` while it has no `state` znode.
    pub(crate) leaderships: BTreeMap<PartitionId, Option<Leadership>>,
}

/// A `state` znode as last read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leadership {
    pub(crate) state: PartitionState,
    pub(crate) zk_version: ZkVersion,
}

/// Why a partition is looked at, beyond that somebody came or went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cause {
    /// Replicas that leave the ISR while others are in it.
    pub(crate) bounced: BTreeSet<BrokerId>,
    /// The leader epoch rises even if leader and ISR stay, to fence what an earlier incarnation
    /// of a replica has under way.
    pub(crate) is_epoch_raised: bool,
    /// The preferred replica shall lead.
    pub(crate) is_preferred_wanted: bool,
    /// Brokers were not told yet what is, as it is about to change. Should it not, they are told.
    pub(crate) is_notice_owed: bool,
}

impl Cause {
    pub(crate) fn merge(&mut self, other: Self) {
        self.bounced.extend(other.bounced);
        self.is_epoch_raised |= other.is_epoch_raised;
        self.is_preferred_wanted |= other.is_preferred_wanted;
        self.is_notice_owed |= other.is_notice_owed;
    }
}

impl Context {
    pub(crate) fn new(settings: Settings, bugs: Bugs, fence: Fence, last: RequestId) -> Self {
        Self {
            settings,
            bugs,
            fence,
            brokers: BTreeMap::new(),
            leaving: BTreeSet::new(),
            offline_replicas: BTreeMap::new(),
            topics: BTreeMap::new(),
            deletions: BTreeMap::new(),
            marked: BTreeSet::new(),
            pending: BTreeMap::new(),
            is_wish_open: false,
            shutdown_calls: VecDeque::new(),
            calls: VecDeque::new(),
            dirty: Dirty::default(),
            effects: Vec::new(),
            last_request: last,
        }
    }

    pub(crate) fn next_request(&mut self) -> RequestId {
        self.last_request = RequestId(self.last_request.0.saturating_add(1));
        self.last_request
    }

    pub(crate) const fn last_request(&self) -> RequestId {
        self.last_request
    }

    pub(crate) fn replicas(&self, partition: &TopicPartition) -> Option<&[BrokerId]> {
        let topic = self.topics.get(&partition.topic)?;
        topic
            .assignment
            .partitions
            .get(&partition.partition)
            .map(Vec::as_slice)
    }

    pub(crate) fn leadership(&self, partition: &TopicPartition) -> Option<&Leadership> {
        self.topics
            .get(&partition.topic)?
            .leaderships
            .get(&partition.partition)?
            .as_ref()
    }

    /// Takes over what was read or written; nothing if the partition is not assigned any more.
    pub(crate) fn set_leadership(
        &mut self,
        partition: &TopicPartition,
        leadership: Option<Leadership>,
    ) {
        if let Some(topic) = self.topics.get_mut(&partition.topic)
            && let Some(slot) = topic.leaderships.get_mut(&partition.partition)
        {
            *slot = leadership;
        }
    }

    /// Whether a replica on `broker` can be had.
    pub(crate) fn is_online(&self, partition: &TopicPartition, broker: BrokerId) -> bool {
        let is_offline = self
            .offline_replicas
            .get(&broker)
            .is_some_and(|offline| offline.contains(partition));
        self.brokers.contains_key(&broker) && !is_offline
    }

    /// What an election needs to know; `None` if the partition is not assigned.
    pub(crate) fn standing(
        &self,
        partition: &TopicPartition,
        cause: &Cause,
        is_unclean_allowed: bool,
    ) -> Option<Standing> {
        let replicas = self.replicas(partition)?.to_vec();
        let is_online = |replica: &&BrokerId| self.is_online(partition, **replica);
        let online = replicas.iter().filter(is_online).copied().collect();
        Some(Standing {
            replicas,
            online,
            leaving: self.leaving.clone(),
            bounced: cause.bounced.clone(),
            is_unclean_allowed,
        })
    }

    /// Every partition with its replicas.
    pub(crate) fn partitions(&self) -> impl Iterator<Item = (TopicPartition, &[BrokerId])> {
        self.topics.iter().flat_map(|(name, topic)| {
            topic
                .assignment
                .partitions
                .iter()
                .map(|(partition, replicas)| {
                    (
                        TopicPartition::new(name.clone(), *partition),
                        replicas.as_slice(),
                    )
                })
        })
    }

    /// Every partition that `broker` is assigned.
    pub(crate) fn partitions_on(&self, broker: BrokerId) -> Vec<TopicPartition> {
        self.partitions()
            .filter(|(_, replicas)| replicas.contains(&broker))
            .map(|(partition, _)| partition)
            .collect()
    }

    /// Asks for a look at a partition, unless its topic is going.
    pub(crate) fn look_at(&mut self, partition: TopicPartition, cause: Cause) {
        if !self.deletions.contains_key(&partition.topic) {
            self.pending.entry(partition).or_default().merge(cause);
        }
    }

    /// Forgets a topic and what was to be done about it.
    pub(crate) fn forget_topic(&mut self, name: &TopicName) {
        self.topics.remove(name);
        self.deletions.remove(name);
        self.pending.retain(|partition, _| partition.topic != *name);
        for offline in self.offline_replicas.values_mut() {
            offline.retain(|partition| partition.topic != *name);
        }
    }

    /// Brokers that may be given new replicas.
    pub(crate) fn candidates(&self) -> Candidates {
        self.brokers
            .iter()
            .filter(|(id, _)| !self.leaving.contains(id))
            .map(|(id, broker)| (*id, broker.registration.rack.clone()))
            .collect()
    }

    /// How many partitions each broker leads.
    pub(crate) fn leader_counts(&self) -> BTreeMap<BrokerId, usize> {
        let mut counts = BTreeMap::new();
        for topic in self.topics.values() {
            for leadership in topic.leaderships.values().flatten() {
                if let Some(leader) = leadership.state.leader {
                    *counts.entry(leader).or_insert(0) += 1;
                }
            }
        }
        counts
    }
}

impl Topic {
    /// A topic as just read: leaderships are not known yet.
    pub(crate) fn new(czxid: Zxid, assignment: TopicAssignment) -> Self {
        let leaderships = assignment
            .partitions
            .keys()
            .map(|partition| (*partition, None))
            .collect();
        Self {
            czxid,
            assignment,
            leaderships,
        }
    }
}
