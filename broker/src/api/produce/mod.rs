//! Produce: records to be appended.
//!
//! Each partition is checked and appended on the thread of the connection, if that needs no waiting.
//! What has to wait (for room in the log, for the disk, for other replicas) waits on a task of the
//! request; the next requests of the connection are begun meanwhile. Source: kafka 2.8
//! `KafkaApis.handleProduceRequest`, `ReplicaManager.appendRecords`.

mod error;
mod one;
mod wait;

use std::sync::Arc;
use std::time::Duration;

use barnabas_log::producer_state::AppendOrigin;
use barnabas_replica::{Acks, Lease};
use barnabas_wire::message::produce::{
    PartitionProduceData, PartitionProduceResponse, TopicProduceResponse,
};
use barnabas_wire::message::{ProduceRequest, ProduceResponse};
use barnabas_wire::{ErrorCode, Str};
use tracing::debug;

use super::{Context, Outcome, patience};
use crate::clock::wall_ms;
use crate::node::Node;
use crate::partition::{AppendRequest, Hosted};
use error::{Failure, failed};
use one::{Batch, Slot};

/// From this version on zstd may be used. Source: KIP-110.
const ZSTD_SINCE: i16 = 7;

/// Below this version message sets of magic 0 and 1 may come. Source: KIP-98.
const BATCHES_SINCE: i16 = 3;

/// Topics that only brokers write to. Source: kafka 2.8 `Topic.isInternal`.
const INTERNAL_TOPICS: [&str; 2] = ["__consumer_offsets", "__transaction_state"];

/// One topic of the answer, as far as it is known.
struct TopicSlots {
    name: Str,
    slots: Vec<Slot>,
}

pub(super) fn handle(context: &Context<'_>, request: ProduceRequest) -> Outcome<ProduceResponse> {
    let Some(acks) = Acks::from_wire(request.acks) else {
        return refused(request, ErrorCode::InvalidRequiredAcks).into();
    };
    let timeout = patience(request.timeout_ms);
    let mut appender = Appender::new(context, acks);
    let topics: Vec<_> = request
        .topic_data
        .into_iter()
        .map(|topic| TopicSlots {
            slots: topic
                .partition_data
                .into_iter()
                .map(|partition| appender.append(&topic.name, partition))
                .collect(),
            name: topic.name,
        })
        .collect();
    if acks == Acks::None {
        return without_answer(context, &topics);
    }
    if topics
        .iter()
        .flat_map(|topic| &topic.slots)
        .all(Slot::is_answered)
    {
        return Outcome::Done(answer(topics));
    }
    later(topics, timeout)
}

fn later(mut topics: Vec<TopicSlots>, timeout: Duration) -> Outcome<ProduceResponse> {
    Outcome::spawn(async move {
        let slots = topics.iter_mut().flat_map(|topic| &mut topic.slots);
        wait::until_answered(slots.collect(), timeout).await;
        answer(topics)
    })
}

/// acks=0: nothing is answered, and a failure closes the connection, so that the producer learns of it.
/// What is queued for want of room is past telling.
fn without_answer(context: &Context<'_>, topics: &[TopicSlots]) -> Outcome<ProduceResponse> {
    let failed = topics
        .iter()
        .flat_map(|topic| &topic.slots)
        .find_map(Slot::error_code);
    match failed {
        None => Outcome::Silent,
        Some(error_code) => {
            let peer = context.peer.address;
            debug!(%peer, error_code, "a produce with acks=0 failed");
            Outcome::Disconnect
        }
    }
}

fn answer(topics: Vec<TopicSlots>) -> ProduceResponse {
    let topic = |topic: TopicSlots| TopicProduceResponse {
        name: topic.name,
        partition_responses: topic.slots.into_iter().map(Slot::into_response).collect(),
    };
    ProduceResponse {
        responses: topics.into_iter().map(topic).collect(),
        ..ProduceResponse::default()
    }
}

/// The same error for every partition.
fn refused(request: ProduceRequest, code: ErrorCode) -> ProduceResponse {
    let partition = |partition: PartitionProduceData| PartitionProduceResponse {
        index: partition.index,
        error_code: code.code(),
        base_offset: -1,
        ..PartitionProduceResponse::default()
    };
    let topic = |topic: barnabas_wire::message::produce::TopicProduceData| TopicProduceResponse {
        name: topic.name,
        partition_responses: topic.partition_data.into_iter().map(partition).collect(),
    };
    ProduceResponse {
        responses: request.topic_data.into_iter().map(topic).collect(),
        ..ProduceResponse::default()
    }
}

/// What all partitions of one request share.
struct Appender<'a> {
    node: &'a Arc<Node>,
    api_version: i16,
    terms: AppendRequest,
    scratch: Vec<u8>,
}

impl<'a> Appender<'a> {
    fn new(context: &Context<'a>, acks: Acks) -> Self {
        let lease = if context.node.session.lease().is_held() {
            Lease::Held
        } else {
            Lease::Over
        };
        let terms = AppendRequest {
            acks,
            lease,
            origin: AppendOrigin::Client,
            now_ms: wall_ms(),
        };
        Self {
            node: context.node,
            api_version: context.api_version(),
            terms,
            scratch: Vec::new(),
        }
    }

    fn append(&mut self, topic: &Str, data: PartitionProduceData) -> Slot {
        let index = data.index;
        let slot = self.try_append(topic, data).unwrap_or_else(|failure| {
            debug!(%topic, index, %failure, "did not append");
            Slot::Answered(failed(index, &failure))
        });
        self.count(topic, index, &slot);
        slot
    }

    fn try_append(&mut self, topic: &Str, data: PartitionProduceData) -> Result<Slot, Failure> {
        let index = data.index;
        if INTERNAL_TOPICS.contains(&topic.as_str()) {
            return Err(Failure::InternalTopic);
        }
        let partition = match self.node.partitions.get(topic, index) {
            Hosted::Here(partition) => partition,
            Hosted::Nowhere => {
                let cluster = self.node.metadata.snapshot();
                let known = cluster.partition(topic, barnabas_wire::id::PartitionId(index));
                return Err(if known.is_some() {
                    Failure::NotHere
                } else {
                    Failure::Unknown
                });
            }
        };
        // A batch is not looked at if it would not be taken anyway.
        partition.check_append(self.terms.acks, self.terms.lease)?;
        let records = data.records.unwrap_or_default();
        let rules = partition.rules();
        let zstd_allowed = self.api_version >= ZSTD_SINCE;
        let rules = rules.produce_rules(zstd_allowed, self.terms.now_ms);
        let converts = self.api_version < BATCHES_SINCE;
        let batch = Batch::check(records, &rules, converts, &mut self.scratch)?;
        Ok(Slot::of(index, &batch, partition, self.terms))
    }

    fn count(&self, topic: &Str, index: i32, slot: &Slot) {
        let topics = &self.node.metrics.topics;
        match slot.error_code() {
            None => {
                let (records, bytes) = slot.size();
                topics.of(topic).produced(records, bytes);
            }
            Some(_) => match self.node.partitions.get(topic, index) {
                Hosted::Here(_) => topics.of(topic).produce_failed(),
                // The name may be anything that a client has made up.
                Hosted::Nowhere => topics.of_nothing_here().produce_failed(),
            },
        }
    }
}
