//! The Produce request for some batches.

use barnabas_wire::Str;
use barnabas_wire::message::ProduceRequest;
use barnabas_wire::message::produce::{PartitionProduceData, TopicProduceData};

use super::Load;
use super::partition::PartitionState;
use crate::config::{Acks, ProducerSettings};

/// One request with every batch of the load, topic by topic.
pub(super) fn produce_request(
    settings: &ProducerSettings,
    partitions: &[PartitionState],
    load: &Load,
) -> ProduceRequest {
    let mut topics: Vec<TopicProduceData> = Vec::new();
    for (slot, batch) in load {
        let Some(partition) = partitions.get(*slot) else {
            continue;
        };
        let data = PartitionProduceData {
            index: partition.queue.index,
            records: Some(batch.bytes.clone()),
        };
        let name = partition.queue.topic.as_str();
        match topics.iter_mut().find(|topic| topic.name.as_str() == name) {
            Some(topic) => topic.partition_data.push(data),
            None => topics.push(TopicProduceData {
                name: Str::from(name),
                partition_data: vec![data],
            }),
        }
    }
    ProduceRequest {
        transactional_id: None,
        acks: match settings.acks {
            Acks::None => 0,
            Acks::Leader => 1,
            Acks::All => -1,
        },
        timeout_ms: i32::try_from(settings.request_timeout.as_millis()).unwrap_or(i32::MAX),
        topic_data: topics,
    }
}
