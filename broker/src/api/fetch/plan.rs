//! What a fetch is to read, and within which limits.

use std::sync::Arc;

use barnabas_log::partition_log::ReadBound;
use barnabas_wire::id::{PartitionId, TopicName, TopicPartition};
use barnabas_wire::message::FetchRequest;
use barnabas_wire::message::fetch::FetchPartition;

use super::super::Context;
use crate::fetch_session::{FetchContext, SessionHeader, SessionKey, SessionRefusal, Wanted};
use crate::partition::{Hosted, Partition};

/// The isolation level of consumers that see committed transactions only.
const READ_COMMITTED: i8 = 1;

/// What one fetch reads.
pub(super) struct Plan {
    pub(super) context: FetchContext,
    /// In the order of reading.
    pub(super) items: Vec<Item>,
    pub(super) bound: ReadBound,
    pub(super) reads_committed: bool,
    /// Bytes that are worth an answer before the time is over.
    pub(super) min_bytes: u64,
    /// Most bytes of the answer, but for the first batch.
    pub(super) max_bytes: u64,
}

/// One partition.
pub(super) struct Item {
    pub(super) key: SessionKey,
    pub(super) wanted: Wanted,
    pub(super) place: Place,
}

/// Where a partition is.
pub(super) enum Place {
    /// On this broker.
    Here(Arc<Partition>),
    /// On others.
    Elsewhere,
    /// Nowhere that this broker knows of.
    Unknown,
}

impl Plan {
    pub(super) fn new(
        context: &Context<'_>,
        request: &FetchRequest,
        now_ms: i64,
    ) -> Result<Self, SessionRefusal> {
        let named = named(request);
        let forgotten: Vec<_> = request
            .forgotten_topics_data
            .iter()
            .flat_map(|topic| {
                topic
                    .partitions
                    .iter()
                    .map(|index| key(&topic.topic, *index))
            })
            .collect();
        let header = SessionHeader {
            id: request.session_id,
            epoch: request.session_epoch,
        };
        let sessions = &context.node.fetch_sessions;
        let fetch_context = sessions.begin(header, &named, &forgotten, now_ms)?;
        let wanted = match &fetch_context {
            FetchContext::Sessionless | FetchContext::Opening => named,
            FetchContext::Incremental { session, .. } => {
                let session = session.lock();
                session
                    .partitions()
                    .map(|(key, wanted)| (key.clone(), *wanted))
                    .collect()
            }
        };
        let from_follower = request.replica_id >= 0;
        let reads_committed = !from_follower && request.isolation_level == READ_COMMITTED;
        let limit = u64::from(context.node.settings.network.fetch_max_bytes);
        let max_bytes = u64::try_from(request.max_bytes).unwrap_or(0).min(limit);
        let place = |(key, wanted): (SessionKey, Wanted)| {
            let place = place(context, &key);
            Item { key, wanted, place }
        };
        Ok(Self {
            context: fetch_context,
            items: wanted.into_iter().map(place).collect(),
            bound: match (from_follower, reads_committed) {
                (true, _) => ReadBound::LogEnd,
                (false, true) => ReadBound::LastStable,
                (false, false) => ReadBound::HighWatermark,
            },
            reads_committed,
            min_bytes: u64::try_from(request.min_bytes).unwrap_or(0).min(max_bytes),
            max_bytes,
        })
    }
}

fn named(request: &FetchRequest) -> Vec<(SessionKey, Wanted)> {
    let wanted = |partition: &FetchPartition| Wanted {
        fetch_offset: partition.fetch_offset,
        max_bytes: partition.partition_max_bytes,
        current_leader_epoch: partition.current_leader_epoch,
        last_fetched_epoch: partition.last_fetched_epoch,
    };
    let mut all = Vec::new();
    for topic in &request.topics {
        // One name for all partitions of the topic.
        let name = TopicName::from(topic.topic.as_str());
        let keyed = topic.partitions.iter().map(|partition| {
            let index = PartitionId(partition.partition);
            (
                TopicPartition {
                    topic: name.clone(),
                    partition: index,
                },
                wanted(partition),
            )
        });
        all.extend(keyed);
    }
    all
}

fn key(topic: &str, index: i32) -> SessionKey {
    SessionKey::new(topic, PartitionId(index))
}

fn place(context: &Context<'_>, key: &SessionKey) -> Place {
    match context
        .node
        .partitions
        .get(key.topic.as_str(), key.partition.0)
    {
        Hosted::Here(partition) => Place::Here(partition),
        Hosted::Nowhere => {
            let cluster = context.node.metadata.snapshot();
            match cluster.partition(key.topic.as_str(), key.partition) {
                Some(_) => Place::Elsewhere,
                None => Place::Unknown,
            }
        }
    }
}
