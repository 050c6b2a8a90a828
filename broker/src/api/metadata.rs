//! Metadata: brokers, topics and leaders, as seen through the listener of the one who asks.
//!
//! Source: kafka 2.8 server/KafkaApis.scala (`handleTopicMetadataRequest`), server/MetadataCache.scala.

use std::collections::BTreeSet;
use std::sync::Arc;

use barnabas_controller::request::PartitionMetadata;
use barnabas_wire::id::{BrokerId, PartitionId, TopicName};
use barnabas_wire::message::metadata::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use barnabas_wire::message::{MetadataRequest, MetadataResponse};
use barnabas_wire::{ErrorCode, Str, Uuid};
use barnabas_zk_schema::topic_name;

use super::{Context, Outcome};
use crate::auto_create::{self, Creation};
use crate::metadata_cache::{ClusterSnapshot, TopicView};
use crate::node::Node;

/// Topics that the group and transaction coordinators keep for themselves.
const INTERNAL_TOPICS: [&str; 2] = ["__consumer_offsets", "__transaction_state"];

/// What a request asks for, without what keeps its frame in memory.
struct Question {
    /// None: all topics.
    names: Option<BTreeSet<Str>>,
    may_create: bool,
    wants_marks: bool,
    api_version: i16,
    listener: Arc<str>,
}

pub(super) fn handle(context: &Context<'_>, request: MetadataRequest) -> Outcome<MetadataResponse> {
    let node = context.node;
    let question = match Question::of(context, request) {
        Ok(question) => question,
        Err(refused) => return refused.into(),
    };
    let cluster = node.metadata.snapshot();
    let unknown: Vec<Str> = match &question.names {
        Some(names) if question.may_create && node.settings.topics.is_auto_create_enabled => {
            let unknown = names
                .iter()
                .filter(|name| !cluster.topics.contains_key(name.as_str()));
            unknown.map(Str::detach).collect()
        }
        _ => vec![],
    };
    if unknown.is_empty() && !question.wants_marks {
        return question.answer(node, &cluster, &[]).into();
    }
    let question = question.detached();
    let node = Arc::clone(node);
    Outcome::spawn(async move {
        let created = auto_create::create(&node, unknown).await;
        let mut answer = question.answer(&node, &node.metadata.snapshot(), &created);
        if question.wants_marks {
            mark(&mut answer, &node.deletion_marks.read(&node.session).await);
        }
        answer
    })
}

impl Question {
    fn of(context: &Context<'_>, request: MetadataRequest) -> Result<Self, MetadataResponse> {
        let api_version = context.api_version();
        // In version 0 an empty list means all topics.
        let topics = request
            .topics
            .filter(|topics| api_version > 0 || !topics.is_empty());
        let mut names = BTreeSet::new();
        for topic in topics.iter().flatten() {
            match &topic.name {
                Some(name) if topic.topic_id == Uuid::default() => names.insert(name.clone()),
                // Topic ids came with a later protocol between brokers than ours.
                Some(_) | None => return Err(without_ids(topic.name.clone(), topic.topic_id)),
            };
        }
        Ok(Self {
            names: topics.is_some().then_some(names),
            may_create: request.allow_auto_topic_creation,
            wants_marks: request.include_deletion_marks,
            api_version,
            listener: Arc::clone(&context.peer.listener),
        })
    }

    /// The same in memory of its own, for a question that outlives its frame.
    fn detached(mut self) -> Self {
        self.names = self
            .names
            .map(|names| names.iter().map(Str::detach).collect());
        self
    }

    fn answer(
        &self,
        node: &Node,
        cluster: &ClusterSnapshot,
        created: &[(Str, Creation)],
    ) -> MetadataResponse {
        let topics = match &self.names {
            None => cluster
                .topics
                .iter()
                .map(|(name, topic)| self.topic(name.into(), topic, cluster))
                .collect(),
            Some(names) => names
                .iter()
                .map(|name| match cluster.topics.get(name.as_str()) {
                    Some(topic) => self.topic(name.clone(), topic, cluster),
                    None => missing(name, created),
                })
                .collect(),
        };
        MetadataResponse {
            brokers: self.brokers(cluster),
            cluster_id: Some(node.cluster_id.as_str().into()),
            controller_id: cluster.controller.map_or(-1, |controller| controller.0),
            topics,
            ..MetadataResponse::default()
        }
    }

    fn brokers(&self, cluster: &ClusterSnapshot) -> Vec<MetadataResponseBroker> {
        let broker = |broker: &Arc<barnabas_controller::request::LiveBroker>| {
            let endpoint = cluster.endpoint(broker.broker, &self.listener)?;
            Some(MetadataResponseBroker {
                node_id: broker.broker.0,
                host: endpoint.host.as_str().into(),
                port: endpoint.port.into(),
                rack: broker.rack.as_deref().map(Str::from),
            })
        };
        cluster.brokers.values().filter_map(broker).collect()
    }

    fn topic(
        &self,
        name: Str,
        topic: &TopicView,
        cluster: &ClusterSnapshot,
    ) -> MetadataResponseTopic {
        let partitions = topic
            .partitions
            .iter()
            .map(|(index, partition)| self.partition(*index, partition, cluster))
            .collect();
        MetadataResponseTopic {
            is_internal: INTERNAL_TOPICS.contains(&name.as_str()),
            name: Some(name),
            partitions,
            ..MetadataResponseTopic::default()
        }
    }

    fn partition(
        &self,
        index: PartitionId,
        partition: &PartitionMetadata,
        cluster: &ClusterSnapshot,
    ) -> MetadataResponsePartition {
        let is_leader_here = cluster.endpoint(partition.leader, &self.listener).is_some();
        // Version 0 leaves out replicas that cannot be reached, and says so.
        let is_reachable = |id: &&BrokerId| {
            self.api_version > 0 || cluster.endpoint(**id, &self.listener).is_some()
        };
        let ids = |ids: &[BrokerId]| -> Vec<i32> {
            ids.iter().filter(is_reachable).map(|id| id.0).collect()
        };
        let (replica_nodes, isr_nodes) = (ids(&partition.replicas), ids(&partition.isr));
        let is_replica_missing =
            replica_nodes.len() < partition.replicas.len() || isr_nodes.len() < partition.isr.len();
        let error = if is_leader_here && is_replica_missing {
            ErrorCode::ReplicaNotAvailable
        } else if is_leader_here {
            ErrorCode::None
        } else if cluster.brokers.contains_key(&partition.leader) && self.api_version >= 6 {
            ErrorCode::ListenerNotFound
        } else {
            ErrorCode::LeaderNotAvailable
        };
        MetadataResponsePartition {
            error_code: error.code(),
            partition_index: index.0,
            leader_id: if is_leader_here {
                partition.leader.0
            } else {
                -1
            },
            leader_epoch: partition.leader_epoch.0,
            replica_nodes,
            isr_nodes,
            offline_replicas: partition.offline_replicas.iter().map(|id| id.0).collect(),
        }
    }
}

/// Notes which of the topics are marked for deletion.
fn mark(answer: &mut MetadataResponse, marked: &BTreeSet<TopicName>) {
    for topic in &mut answer.topics {
        let name = topic.name.as_ref().map(Str::as_str);
        topic.is_marked_for_deletion = name.is_some_and(|name| marked.contains(name));
    }
}

fn missing(name: &Str, created: &[(Str, Creation)]) -> MetadataResponseTopic {
    let creation = created.iter().find(|(created, _)| created == name);
    let error = match creation.map(|(_, creation)| creation) {
        // Clients ask again until the leader is there.
        Some(Creation::Done | Creation::UnderWay) => ErrorCode::LeaderNotAvailable,
        Some(Creation::Refused(error)) => *error,
        None if topic_name::validate(name).is_err() => ErrorCode::InvalidTopicException,
        None => ErrorCode::UnknownTopicOrPartition,
    };
    MetadataResponseTopic {
        error_code: error.code(),
        is_internal: INTERNAL_TOPICS.contains(&name.as_str()),
        name: Some(name.clone()),
        ..MetadataResponseTopic::default()
    }
}

fn without_ids(name: Option<Str>, topic_id: Uuid) -> MetadataResponse {
    let topic = MetadataResponseTopic {
        error_code: ErrorCode::InvalidRequest.code(),
        name: Some(name.unwrap_or_default()),
        topic_id,
        ..MetadataResponseTopic::default()
    };
    MetadataResponse {
        topics: vec![topic],
        ..MetadataResponse::default()
    }
}
