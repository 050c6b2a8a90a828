//! Requests as they are on the wire, to one broker: what each field and version is answered with.

mod fetch;
mod offsets;
mod produce;

use std::time::Duration;

use barnabas_connection::{Connection, Options};
use barnabas_tests::cluster::Cluster;
use barnabas_wire::id::{ProducerEpoch, ProducerId};
use barnabas_wire::message::produce::{
    PartitionProduceData, PartitionProduceResponse, TopicProduceData,
};
use barnabas_wire::message::{ProduceRequest, ProduceResponse};
use barnabas_wire::record::{BatchBuilder, Compression};
use barnabas_wire::{Request, Str};
use bytes::Bytes;

/// Patience for an answer that has to come.
const TIMEOUT: Duration = Duration::from_secs(60);

/// One broker with topic `t` of two partitions, and a connection to it.
struct Peer {
    cluster: Cluster,
    connection: Connection,
}

impl Peer {
    async fn start(name: &str, settings: &[(&str, &str)]) -> Self {
        let cluster = Cluster::start(name, 1, settings);
        cluster
            .tool(&["topic", "create", "t", "--partitions", "2"])
            .ok();
        let connection = connect(&cluster).await;
        Self {
            cluster,
            connection,
        }
    }

    async fn ask<R: Request>(&self, request: &R, api_version: i16) -> R::Response {
        let answer = self.connection.call_at(request, api_version, TIMEOUT).await;
        answer.unwrap_or_else(|error| panic!("version {api_version}: {error}"))
    }

    /// Produces to one partition; returns what is answered for it.
    async fn produce(
        &self,
        (topic, partition): (&str, i32),
        records: Option<Bytes>,
        acks: i16,
        api_version: i16,
    ) -> PartitionProduceResponse {
        let request = produce_request((topic, partition), records, acks);
        let answer: ProduceResponse = self.ask(&request, api_version).await;
        let [topic] = &answer.responses[..] else {
            panic!("one topic was asked: {answer:?}")
        };
        topic.partition_responses[0].clone()
    }

    /// Produces values to `t-0` that have to be taken.
    async fn store(&self, values: &[&str]) {
        let answer = self.produce(("t", 0), Some(batch(values)), -1, 9).await;
        assert_eq!(answer.error_code, 0, "{answer:?}");
    }
}

async fn connect(cluster: &Cluster) -> Connection {
    let address = cluster.brokers[0].address();
    let host = address.ip().to_string();
    let opened = Connection::open(&host, address.port(), Options::default());
    opened.await.expect("a broker that accepts connections")
}

fn produce_request(
    (topic, index): (&str, i32),
    records: Option<Bytes>,
    acks: i16,
) -> ProduceRequest {
    ProduceRequest {
        acks,
        timeout_ms: 30_000,
        topic_data: vec![TopicProduceData {
            name: Str::from(topic),
            partition_data: vec![PartitionProduceData { index, records }],
        }],
        ..ProduceRequest::default()
    }
}

fn batch(values: &[&str]) -> Bytes {
    idempotent_batch(values, None)
}

/// A batch of values; of a producer with this id, from this sequence on.
fn idempotent_batch(values: &[&str], producer: Option<(i64, i32)>) -> Bytes {
    let mut builder = BatchBuilder::new(Compression::None, 1024);
    if let Some((producer_id, sequence)) = producer {
        builder.set_producer(ProducerId(producer_id), ProducerEpoch(0), sequence);
    }
    for (value, timestamp_ms) in values.iter().zip(1_000_i64..) {
        let appended = builder.append(timestamp_ms, None, Some(value.as_bytes()), []);
        appended.expect("a small record");
    }
    builder.build().expect("a small batch")
}
