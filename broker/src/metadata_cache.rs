//! What this broker knows of the cluster: brokers, topics, leaders. Told by the controller alone, through
//! `UpdateMetadata`.
//!
//! Readers take a snapshot and keep it for the length of a request; a writer makes the next snapshot and
//! swaps it in. The brokers of an update replace all that were known, its partitions are merged into
//! those that were; but the first update for a new registration replaces these too, since topics may
//! have gone while this broker was not registered and nobody could tell it.
//! Source: kafka 2.8 server/MetadataCache.scala, which only merges.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use barnabas_controller::request::{
    LEADER_DURING_DELETE, LiveBroker, PartitionMetadata, UpdateMetadata,
};
use barnabas_wire::id::{BrokerEpoch, BrokerId, PartitionId, TopicName, TopicPartition};
use barnabas_zk_schema::broker::Endpoint;
use parking_lot::Mutex;
use tokio::sync::watch;

/// The cluster as of one update.
#[derive(Clone, Debug, Default)]
pub struct ClusterSnapshot {
    /// The controller that sent the last update.
    pub controller: Option<BrokerId>,
    /// Brokers that live, by id.
    pub brokers: BTreeMap<BrokerId, Arc<LiveBroker>>,
    /// Topics with at least one partition that was told.
    pub topics: BTreeMap<TopicName, Arc<TopicView>>,
}

/// A topic's partitions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicView {
    /// Those that were told, by index.
    pub partitions: BTreeMap<PartitionId, PartitionMetadata>,
}

/// The cache itself.
#[derive(Debug)]
pub struct MetadataCache {
    snapshot: ArcSwap<ClusterSnapshot>,
    /// Held while writing; the registration that the last update was meant for.
    writing: Mutex<BrokerEpoch>,
    updates: watch::Sender<u64>,
}

impl Default for MetadataCache {
    fn default() -> Self {
        Self {
            snapshot: ArcSwap::default(),
            writing: Mutex::new(BrokerEpoch::NONE),
            updates: watch::Sender::new(0),
        }
    }
}

impl MetadataCache {
    /// The cluster as of now.
    #[must_use]
    pub fn snapshot(&self) -> Arc<ClusterSnapshot> {
        self.snapshot.load_full()
    }

    /// Wakes at every update; see [`MetadataCache::wait_until`].
    #[must_use]
    pub fn updates(&self) -> watch::Receiver<u64> {
        self.updates.subscribe()
    }

    /// Takes in one update from `controller`, meant for the registration `broker_epoch` of this broker.
    /// Updates are taken one at a time, in the order of the calls.
    pub fn update(&self, controller: BrokerId, broker_epoch: BrokerEpoch, update: UpdateMetadata) {
        let mut writing = self.writing.lock();
        let mut next = ClusterSnapshot::clone(&self.snapshot.load());
        if *writing < broker_epoch {
            *writing = broker_epoch;
            next.topics.clear();
        }
        next.controller = (controller != BrokerId::NONE).then_some(controller);
        let brokers = update.live_brokers.into_iter();
        next.brokers = brokers
            .map(|broker| (broker.broker, Arc::new(broker)))
            .collect();
        for (partition, metadata) in update.partitions {
            next.merge(partition, metadata);
        }
        self.snapshot.store(Arc::new(next));
        drop(writing);
        self.updates
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Waits until `condition` holds for a snapshot. Waits for ever if it never does: the caller sets
    /// the deadline.
    pub async fn wait_until(&self, mut condition: impl FnMut(&ClusterSnapshot) -> bool) {
        let mut updates = self.updates.subscribe();
        loop {
            updates.mark_unchanged();
            if condition(&self.snapshot.load()) || updates.changed().await.is_err() {
                return;
            }
        }
    }
}

impl ClusterSnapshot {
    fn merge(&mut self, partition: TopicPartition, metadata: PartitionMetadata) {
        let TopicPartition { topic, partition } = partition;
        if metadata.leader == LEADER_DURING_DELETE {
            if let Some(known) = self.topics.get_mut(&topic) {
                let known = Arc::make_mut(known);
                known.partitions.remove(&partition);
                if known.partitions.is_empty() {
                    self.topics.remove(&topic);
                }
            }
            return;
        }
        let known = self.topics.entry(topic).or_default();
        Arc::make_mut(known).partitions.insert(partition, metadata);
    }

    /// A partition, if it was told.
    #[must_use]
    pub fn partition(&self, topic: &str, partition: PartitionId) -> Option<&PartitionMetadata> {
        self.topics.get(topic)?.partitions.get(&partition)
    }

    /// Where `broker` is reached by those who came in through `listener`, if it lives and has that
    /// listener.
    #[must_use]
    pub fn endpoint(&self, broker: BrokerId, listener: &str) -> Option<&Endpoint> {
        self.brokers
            .get(&broker)?
            .endpoints
            .iter()
            .find(|endpoint| endpoint.listener == listener)
    }
}

#[cfg(test)]
mod tests {
    use barnabas_wire::id::{ControllerEpoch, LeaderEpoch};
    use barnabas_zk_schema::ZkVersion;

    use super::*;

    /// An `UpdateMetadata` with partitions (topic, index, leader) and these brokers.
    fn update(leaders: &[(&str, i32, i32)], brokers: &[i32]) -> UpdateMetadata {
        let partition = |(topic, index, leader): &(&str, i32, i32)| {
            let leader = BrokerId(*leader);
            let metadata = PartitionMetadata {
                controller_epoch: ControllerEpoch(1),
                leader,
                leader_epoch: LeaderEpoch(0),
                isr: vec![leader],
                zk_version: ZkVersion(0),
                replicas: vec![leader],
                offline_replicas: vec![],
            };
            (TopicPartition::new(*topic, PartitionId(*index)), metadata)
        };
        let broker = |id: &i32| LiveBroker {
            broker: BrokerId(*id),
            endpoints: vec![],
            rack: None,
        };
        UpdateMetadata {
            partitions: leaders.iter().map(partition).collect(),
            live_brokers: brokers.iter().map(broker).collect(),
        }
    }

    /// What is expected is each topic's leaders in order.
    #[track_caller]
    fn check(updates: &[&[(&str, i32, i32)]], expected: &[(&str, &[i32])]) {
        let cache = MetadataCache::default();
        for leaders in updates {
            cache.update(BrokerId(1), BrokerEpoch(1), update(leaders, &[]));
        }
        let snapshot = cache.snapshot();
        let leaders: Vec<(&str, Vec<i32>)> = snapshot
            .topics
            .iter()
            .map(|(topic, view)| {
                (
                    topic.as_str(),
                    view.partitions.values().map(|view| view.leader.0).collect(),
                )
            })
            .collect();
        let leaders: Vec<_> = leaders
            .iter()
            .map(|(topic, ids)| (*topic, &ids[..]))
            .collect();
        assert_eq!(leaders, expected);
    }

    #[test]
    fn partitions_of_an_update_are_merged_into_those_that_were_known() {
        check(
            &[&[("a", 0, 1), ("a", 1, 2)], &[("a", 1, 3), ("b", 0, 1)]],
            &[("a", &[1, 3]), ("b", &[1])],
        );
        check(&[&[("a", 0, 1)], &[("a", 0, -1)]], &[("a", &[-1])]);
    }

    /// S18: a deleted topic leaves the metadata of every broker.
    #[test]
    fn a_topic_is_gone_when_its_last_partition_is_being_deleted() {
        check(
            &[&[("a", 0, 1), ("a", 1, 2)], &[("a", 0, -2)]],
            &[("a", &[2])],
        );
        check(
            &[&[("a", 0, 1), ("a", 1, 2)], &[("a", 0, -2), ("a", 1, -2)]],
            &[],
        );
    }

    #[test]
    fn the_brokers_of_an_update_replace_all_that_were_known() {
        let cache = MetadataCache::default();
        cache.update(BrokerId(1), BrokerEpoch(1), update(&[], &[1, 2]));
        cache.update(BrokerId(2), BrokerEpoch(1), update(&[], &[2, 3]));
        let snapshot = cache.snapshot();
        assert_eq!(
            snapshot.brokers.keys().collect::<Vec<_>>(),
            [&BrokerId(2), &BrokerId(3)]
        );
        assert_eq!(snapshot.controller, Some(BrokerId(2)));
    }

    /// A topic that went while this broker was not registered is not told to clients for ever.
    #[test]
    fn the_first_update_for_a_new_registration_replaces_all_partitions() {
        let cache = MetadataCache::default();
        cache.update(BrokerId(1), BrokerEpoch(1), update(&[("a", 0, 1)], &[]));
        cache.update(BrokerId(1), BrokerEpoch(2), update(&[("b", 0, 1)], &[]));
        cache.update(BrokerId(1), BrokerEpoch(2), update(&[("c", 0, 1)], &[]));
        // A controller that does not say which registration it means changes nothing about that.
        cache.update(BrokerId(1), BrokerEpoch::NONE, update(&[], &[]));
        let snapshot = cache.snapshot();
        let topics: Vec<_> = snapshot.topics.keys().map(TopicName::as_str).collect();
        assert_eq!(topics, ["b", "c"]);
    }

    #[tokio::test]
    async fn one_who_waits_for_a_topic_wakes_when_it_is_told() {
        let cache = Arc::new(MetadataCache::default());
        let waiting = tokio::spawn({
            let cache = Arc::clone(&cache);
            async move {
                cache
                    .wait_until(|cluster| cluster.topics.contains_key("a"))
                    .await;
            }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        cache.update(BrokerId(1), BrokerEpoch(1), update(&[("a", 0, 1)], &[]));
        waiting.await.unwrap();
    }
}
