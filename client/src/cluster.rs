//! What the cluster looked like when it was last asked.

use std::collections::BTreeMap;

use barnabas_wire::ErrorCode;
use barnabas_wire::id::{BrokerId, LeaderEpoch, TopicName};
use barnabas_wire::message::MetadataResponse;
use barnabas_wire::message::metadata::{MetadataResponsePartition, MetadataResponseTopic};

/// Brokers, and the topics that were asked about. A snapshot: it never changes.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// The cluster's id; none from brokers older than 0.10.1.
    pub cluster_id: Option<String>,
    /// The controller, if one is known.
    pub controller_id: Option<BrokerId>,
    /// Live brokers by id.
    pub brokers: BTreeMap<BrokerId, Broker>,
    /// Topics by name, those that do not exist included (with their error).
    pub topics: BTreeMap<TopicName, Topic>,
    /// Counts the snapshots; 0 before the first answer.
    pub generation: u64,
}

/// A live broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    /// Its id.
    pub id: BrokerId,
    /// Its host on the listener that was asked.
    pub host: String,
    /// Its port there.
    pub port: u16,
    /// Its rack, if it has one.
    pub rack: Option<String>,
}

/// A topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topic {
    /// What keeps it from being used, if anything does.
    pub error: Option<ErrorCode>,
    /// Whether it is one of the cluster's own.
    pub is_internal: bool,
    /// Whether it is marked for deletion and still there. Told by a Barnabas broker when it is
    /// asked for all topics or described; false where the broker does not tell.
    pub is_marked_for_deletion: bool,
    /// Its partitions, by index.
    pub partitions: Vec<Partition>,
}

/// A partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Its index in the topic.
    pub index: i32,
    /// Its leader, if it has one.
    pub leader: Option<BrokerId>,
    /// Epoch of that leader; -1 if the broker does not tell.
    pub leader_epoch: LeaderEpoch,
    /// Assigned replicas, the preferred leader first.
    pub replicas: Vec<BrokerId>,
    /// In-sync replicas.
    pub isr: Vec<BrokerId>,
    /// Replicas that are not available.
    pub offline: Vec<BrokerId>,
}

impl Cluster {
    /// One partition of one topic, if both are known.
    #[must_use]
    pub fn partition(&self, topic: &str, index: i32) -> Option<&Partition> {
        let partitions = &self.topics.get(topic)?.partitions;
        partitions.get(usize::try_from(index).ok()?)
    }

    /// The broker that leads a partition, if both are known.
    #[must_use]
    pub fn leader(&self, topic: &str, index: i32) -> Option<&Broker> {
        self.brokers.get(&self.partition(topic, index)?.leader?)
    }

    /// The controller, if it is known and alive.
    #[must_use]
    pub fn controller(&self) -> Option<&Broker> {
        self.brokers.get(&self.controller_id?)
    }

    /// Takes over an answer: brokers as a whole, topics one by one.
    pub(crate) fn update(&mut self, response: &MetadataResponse) {
        self.cluster_id = response.cluster_id.as_ref().map(ToString::to_string);
        self.controller_id = broker_id(response.controller_id);
        self.brokers = response
            .brokers
            .iter()
            .filter_map(|broker| {
                let id = BrokerId(broker.node_id);
                let (host, port) = (broker.host.to_string(), u16::try_from(broker.port).ok()?);
                let rack = broker.rack.as_ref().map(ToString::to_string);
                Some((
                    id,
                    Broker {
                        id,
                        host,
                        port,
                        rack,
                    },
                ))
            })
            .collect();
        for topic in &response.topics {
            if let Some(name) = &topic.name {
                self.topics.insert(name.into(), Topic::from(topic));
            }
        }
        self.generation += 1;
    }
}

fn broker_id(id: i32) -> Option<BrokerId> {
    (id >= 0).then_some(BrokerId(id))
}

impl From<&MetadataResponseTopic> for Topic {
    fn from(topic: &MetadataResponseTopic) -> Self {
        let mut partitions: Vec<Partition> = topic.partitions.iter().map(Partition::from).collect();
        partitions.sort_by_key(|partition| partition.index);
        let code = ErrorCode::from_code(topic.error_code);
        Self {
            error: (code != ErrorCode::None).then_some(code),
            is_internal: topic.is_internal,
            is_marked_for_deletion: topic.is_marked_for_deletion,
            partitions,
        }
    }
}

impl From<&MetadataResponsePartition> for Partition {
    fn from(partition: &MetadataResponsePartition) -> Self {
        let ids = |ids: &[i32]| ids.iter().map(|&id| BrokerId(id)).collect();
        Self {
            index: partition.partition_index,
            leader: broker_id(partition.leader_id),
            leader_epoch: LeaderEpoch(partition.leader_epoch),
            replicas: ids(&partition.replica_nodes),
            isr: ids(&partition.isr_nodes),
            offline: ids(&partition.offline_replicas),
        }
    }
}
