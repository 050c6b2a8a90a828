//! All partitions of this broker, and what controllers tell about them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use barnabas_config::TopicSettings;
use barnabas_log::directory::TopicIdentity;
use barnabas_replica::{
    Bugs, ControlFence, ControlRefusal, Decision, DecisionRefusal, LogWork, Replica, StopEpoch,
    StopRefusal,
};
use barnabas_wire::id::{
    BrokerEpoch, BrokerId, ControllerEpoch, PartitionId, TopicName, TopicPartition,
};
use parking_lot::RwLock;
use tokio::sync::{Mutex, MutexGuard, Notify};

use super::Partition;
use super::topic_rules::TopicRules;
use super::transition::OpenLog;
use crate::chance;
use crate::clock::wall_ms;
use crate::log_pool::LogPool;
use crate::log_store::{LogStore, PartitionOpening, StoreError};

/// What the registry needs to know of the broker.
#[derive(Clone, Debug)]
pub struct RegistrySettings {
    /// This broker.
    pub broker_id: BrokerId,
    /// Settings of topics without overrides.
    pub topic_defaults: TopicSettings,
}

/// What a partition has to know of its topic before it gets a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicFacts {
    /// Its settings, overrides included.
    pub settings: TopicSettings,
    /// Which topic of its name it is, if that is known.
    pub identity: Option<TopicIdentity>,
}

/// The facts of each topic, or that they cannot be had now.
pub type FactsByTopic = BTreeMap<TopicName, Result<TopicFacts, TopicFactsUnavailable>>;

/// Where the facts are kept: ZooKeeper.
pub trait TopicFactsSource: fmt::Debug + Send + Sync {
    /// The facts of these topics. Asked when the first partition of a topic comes to this broker; later
    /// settings come through [`PartitionRegistry::set_topic_settings`].
    fn facts_of<'a>(
        &'a self,
        topics: &'a [TopicName],
    ) -> Pin<Box<dyn Future<Output = FactsByTopic> + Send + 'a>>;
}

/// What has to be known of a topic cannot be read now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ZooKeeper does not answer")]
pub struct TopicFactsUnavailable;

/// Why a partition does not do as the controller said.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PartitionRefusal {
    /// The decision is not heeded.
    #[error(transparent)]
    Decision(#[from] DecisionRefusal),
    /// There is no log for it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What has to be known of the topic cannot be read now: the decision is heeded when it comes
    /// again.
    #[error(transparent)]
    Facts(#[from] TopicFactsUnavailable),
    /// The broker is stopping.
    #[error("the broker is stopping")]
    Stopping,
}

/// What became of a partition that was to be stopped.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StopOutcome {
    /// It goes on.
    #[error(transparent)]
    Refused(#[from] StopRefusal),
    /// It is stopped, and its log could not be deleted.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The broker is stopping.
    #[error("the broker is stopping")]
    Stopping,
}

/// A partition as a request finds it.
#[derive(Clone, Debug)]
pub enum Hosted {
    /// It is here, whatever its role.
    Here(Arc<Partition>),
    /// It is not: whether it exists elsewhere is for the metadata to say.
    Nowhere,
}

/// What is known of a topic.
#[derive(Clone)]
struct Known {
    rules: Arc<TopicRules>,
    identity: Option<TopicIdentity>,
}

type KnownResult = Result<Known, TopicFactsUnavailable>;

type Topics = BTreeMap<TopicName, BTreeMap<PartitionId, Arc<Partition>>>;

/// All partitions of this broker.
pub struct PartitionRegistry {
    settings: RegistrySettings,
    store: Arc<LogStore>,
    pool: Arc<LogPool>,
    facts: Arc<dyn TopicFactsSource>,
    topics: RwLock<Topics>,
    control: Mutex<ControlFence>,
    /// Told when the last log directory has failed.
    no_directory_works: Notify,
}

/// The turn of one controller's request: `LeaderAndIsr`, `StopReplica` and `UpdateMetadata` are heeded
/// one at a time.
#[derive(Debug)]
pub struct ControlTurn<'a> {
    registry: &'a PartitionRegistry,
    _fence: MutexGuard<'a, ControlFence>,
}

impl PartitionRegistry {
    /// No partitions yet.
    #[must_use]
    pub fn new(
        settings: RegistrySettings,
        store: Arc<LogStore>,
        pool: Arc<LogPool>,
        facts: Arc<dyn TopicFactsSource>,
    ) -> Self {
        Self {
            settings,
            store,
            pool,
            facts,
            topics: RwLock::default(),
            control: Mutex::default(),
            no_directory_works: Notify::new(),
        }
    }

    /// Looks a partition up.
    #[must_use]
    pub fn get(&self, topic: &str, partition: i32) -> Hosted {
        let topics = self.topics.read();
        topics
            .get(topic)
            .and_then(|partitions| partitions.get(&PartitionId(partition)))
            .map_or(Hosted::Nowhere, |partition| {
                Hosted::Here(Arc::clone(partition))
            })
    }

    /// All partitions, sorted.
    #[must_use]
    pub fn partitions(&self) -> Vec<Arc<Partition>> {
        let topics = self.topics.read();
        topics
            .values()
            .flat_map(|partitions| partitions.values().cloned())
            .collect()
    }

    /// The log directories.
    #[must_use]
    pub fn store(&self) -> &Arc<LogStore> {
        &self.store
    }

    /// The threads that may block.
    #[must_use]
    pub fn pool(&self) -> &Arc<LogPool> {
        &self.pool
    }

    /// Takes new settings of a topic.
    pub fn set_topic_settings(&self, topic: &str, settings: TopicSettings) {
        let rules = Arc::new(TopicRules::new(settings));
        let partitions: Vec<_> = {
            let topics = self.topics.read();
            topics
                .get(topic)
                .map(|it| it.values().cloned().collect())
                .unwrap_or_default()
        };
        for partition in partitions {
            partition.set_rules(Arc::clone(&rules), jitter());
        }
    }

    /// Tells the partitions whose log directories have failed.
    pub fn notice_failed_directories(&self) {
        for name in self.store.offline_partitions() {
            if let Hosted::Here(partition) = self.get(name.topic.as_str(), name.partition.0) {
                partition.go_offline();
            }
        }
        if self.store.has_no_working_directory() {
            self.no_directory_works.notify_one();
        }
    }

    /// Returns when the last log directory has failed: then there is nothing left to serve. For one who
    /// waits.
    pub async fn until_no_directory_works(&self) {
        self.no_directory_works.notified().await;
    }

    /// Waits for the turn of a controller's request, and lets it in if the controller is still the
    /// newest and means this registration of the broker.
    ///
    /// # Errors
    /// [`ControlRefusal`].
    pub async fn control_turn(
        &self,
        controller_epoch: ControllerEpoch,
        received_broker_epoch: BrokerEpoch,
        own_broker_epoch: BrokerEpoch,
    ) -> Result<ControlTurn<'_>, ControlRefusal> {
        let mut fence = self.control.lock().await;
        fence.pass(controller_epoch, received_broker_epoch, own_broker_epoch)?;
        Ok(ControlTurn {
            registry: self,
            _fence: fence,
        })
    }

    fn insert(&self, partition: &Arc<Partition>) {
        let name = partition.name();
        let mut topics = self.topics.write();
        let partitions = topics.entry(name.topic.clone()).or_default();
        partitions
            .entry(name.partition)
            .or_insert_with(|| Arc::clone(partition));
    }

    fn remove(&self, name: &TopicPartition) {
        let mut topics = self.topics.write();
        if let Some(partitions) = topics.get_mut(&name.topic) {
            partitions.remove(&name.partition);
            if partitions.is_empty() {
                topics.remove(&name.topic);
            }
        }
    }

    /// The partition, or one that is not in the registry yet.
    fn get_or_make(&self, name: &TopicPartition, known: Known) -> Arc<Partition> {
        match self.get(name.topic.as_str(), name.partition.0) {
            Hosted::Here(partition) => partition,
            Hosted::Nowhere => {
                let broker_id = self.settings.broker_id;
                let replica = Replica::new(broker_id, known.rules.replica, Bugs::default());
                let pool = Arc::clone(&self.pool);
                let Known { rules, identity } = known;
                Arc::new(Partition::new(name.clone(), replica, rules, identity, pool))
            }
        }
    }

    /// What is known of these topics: what their partitions know, or else as it is kept.
    async fn known_of(&self, topics: BTreeSet<TopicName>) -> BTreeMap<TopicName, KnownResult> {
        let mut known = BTreeMap::new();
        let mut unknown = Vec::new();
        {
            let hosted = self.topics.read();
            for topic in topics {
                match hosted.get(&topic).and_then(|it| it.values().next()) {
                    Some(partition) => {
                        let (rules, identity) = (partition.rules(), partition.identity());
                        known.insert(topic, Ok(Known { rules, identity }));
                    }
                    None => unknown.push(topic),
                }
            }
        }
        if !unknown.is_empty() {
            for (topic, facts) in self.facts.facts_of(&unknown).await {
                let facts = facts.map(|TopicFacts { settings, identity }| {
                    let rules = Arc::new(TopicRules::new(settings));
                    Known { rules, identity }
                });
                known.insert(topic, facts);
            }
        }
        known
    }

    fn opening(&self, partition: &Partition, work: LogWork) -> OpenLog {
        let store = Arc::clone(&self.store);
        let request = PartitionOpening {
            partition: partition.name().clone(),
            is_new: work.is_new,
            settings: partition.rules().log_settings(jitter()),
            identity: partition.identity(),
        };
        Box::new(move || store.open_partition(request))
    }
}

impl ControlTurn<'_> {
    /// Has this broker lead or follow as the controller decided. When this returns, every decision that
    /// was not refused is in force.
    pub async fn lead_or_follow(
        &self,
        decisions: BTreeMap<TopicPartition, Decision>,
    ) -> BTreeMap<TopicPartition, Result<(), PartitionRefusal>> {
        let registry = self.registry;
        let topics = decisions.keys().map(|name| name.topic.clone()).collect();
        let known = registry.known_of(topics).await;
        let mut outcome = BTreeMap::new();
        let mut accepted = Vec::new();
        for (name, decision) in decisions {
            let known = known.get(&name.topic).cloned();
            match self.decide(&name, decision, known.unwrap_or(Err(TopicFactsUnavailable))) {
                Ok((partition, work)) => accepted.push((name, partition, work)),
                Err(refusal) => {
                    outcome.insert(name, Err(refusal));
                }
            }
        }
        let mut unplaced = self.make_directories(&accepted).await;
        let mut waiting = Vec::new();
        for (name, partition, work) in accepted {
            registry.insert(&partition);
            let open: OpenLog = match unplaced.remove(&name) {
                Some(error) => Box::new(move || Err(error)),
                None => registry.opening(&partition, work),
            };
            waiting.push((name, partition.carry_out(work, open)));
        }
        for (name, done) in waiting {
            let result = match done.await {
                Ok(result) => result.map_err(PartitionRefusal::from),
                Err(_closed) => Err(PartitionRefusal::Stopping),
            };
            outcome.insert(name, result);
        }
        outcome
    }

    fn decide(
        &self,
        name: &TopicPartition,
        decision: Decision,
        known: KnownResult,
    ) -> Result<(Arc<Partition>, LogWork), PartitionRefusal> {
        let partition = self.registry.get_or_make(name, known?);
        let work = partition.decide(decision)?;
        Ok((partition, work))
    }

    /// Makes all directories in one go, so that each log directory is synced once.
    async fn make_directories(
        &self,
        accepted: &[(TopicPartition, Arc<Partition>, LogWork)],
    ) -> BTreeMap<TopicPartition, StoreError> {
        let missing: Vec<_> = accepted
            .iter()
            .filter(|(_, partition, _)| partition.log().is_none())
            .map(|(name, _, work)| (name.clone(), work.is_new))
            .collect();
        if missing.is_empty() {
            return BTreeMap::new();
        }
        let store = Arc::clone(&self.registry.store);
        let made = self.registry.pool.run(move || {
            store.make_directories(missing.iter().map(|(name, is_new)| (name, *is_new)))
        });
        made.await.unwrap_or_default()
    }

    /// Stops partitions, and deletes the logs of those with the flag. When this returns, partitions of
    /// these names may be created anew.
    pub async fn stop(
        &self,
        partitions: BTreeMap<TopicPartition, (StopEpoch, bool)>,
    ) -> BTreeMap<TopicPartition, Result<(), StopOutcome>> {
        let registry = self.registry;
        let mut stopping = Vec::new();
        for (name, (epoch, deletes)) in partitions {
            let done = match registry.get(name.topic.as_str(), name.partition.0) {
                Hosted::Here(partition) => {
                    let delay_ms = partition.rules().settings.file_delete_delay_ms;
                    Some((partition.stop(epoch), delay_ms))
                }
                Hosted::Nowhere => None,
            };
            stopping.push((name, deletes, done));
        }
        let mut outcome = BTreeMap::new();
        let mut deleted: BTreeMap<u64, Vec<TopicPartition>> = BTreeMap::new();
        for (name, deletes, done) in stopping {
            // A log that nobody hosts may still lie here: the topic was deleted while we were away.
            let mut delay_ms = registry.settings.topic_defaults.file_delete_delay_ms;
            if let Some((done, own_delay_ms)) = done {
                delay_ms = own_delay_ms;
                let stopped = done.await;
                if let Ok(Err(refusal)) = stopped {
                    outcome.insert(name, Err(refusal.into()));
                    continue;
                }
                if stopped.is_err() {
                    outcome.insert(name, Err(StopOutcome::Stopping));
                    continue;
                }
                registry.remove(&name);
            }
            if deletes {
                deleted.entry(delay_ms).or_default().push(name.clone());
            }
            outcome.insert(name, Ok(()));
        }
        for (delay_ms, names) in deleted {
            let store = Arc::clone(&registry.store);
            let due_ms = wall_ms().saturating_add_unsigned(delay_ms);
            let failed = registry
                .pool
                .run(move || store.delete(&names, due_ms))
                .await;
            for (name, error) in failed.unwrap_or_default() {
                outcome.insert(name, Err(error.into()));
            }
        }
        outcome
    }
}

impl fmt::Debug for PartitionRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PartitionRegistry")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

/// A number in 0..=1 that differs from log to log.
fn jitter() -> f64 {
    f64::from(u32::from_be_bytes(chance::bytes())) / f64::from(u32::MAX)
}
