//! Decoding and encoding of the two messages that carry records.
#![expect(clippy::expect_used, reason = "a benchmark has nobody to tell")]

use std::fs::File;
use std::hint::black_box;
use std::sync::Arc;

use barnabas_wire::frame::encode_response;
use barnabas_wire::message::fetch::{FetchableTopicResponse, PartitionData, Records};
use barnabas_wire::message::produce::{PartitionProduceData, TopicProduceData};
use barnabas_wire::message::{FetchResponse, ProduceRequest};
use barnabas_wire::{FileRegion, Message, Str};
use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// A request with this many topics of one partition each.
fn produce(topics: usize, records_bytes: usize) -> ProduceRequest {
    let topic = |index| TopicProduceData {
        name: Str::from(format!("topic-{index}")),
        partition_data: vec![PartitionProduceData {
            index: 0,
            records: Some(Bytes::from(vec![7; records_bytes])),
        }],
    };
    ProduceRequest {
        acks: 1,
        topic_data: (0..topics).map(topic).collect(),
        ..ProduceRequest::default()
    }
}

/// A response with this many partitions of one topic, spliced from a file.
fn fetch(file: &Arc<File>, partitions: i32, length: u32) -> FetchResponse {
    let partition = |partition_index| PartitionData {
        partition_index,
        high_watermark: 1000,
        records: Records::File(FileRegion {
            file: Arc::clone(file),
            position: 0,
            length,
        }),
        ..PartitionData::default()
    };
    FetchResponse {
        responses: vec![FetchableTopicResponse {
            topic: "topic".into(),
            partitions: (0..partitions).map(partition).collect(),
            ..FetchableTopicResponse::default()
        }],
        ..FetchResponse::default()
    }
}

fn messages(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("message");
    group.throughput(Throughput::Elements(1));
    for (topics, records_bytes) in [(1, 16 << 10), (100, 1 << 10)] {
        let request = produce(topics, records_bytes).to_pieces(9);
        let Ok(frame) = request.and_then(barnabas_wire::Pieces::into_bytes) else {
            continue;
        };
        group.bench_function(
            format!("decode produce 9, {topics} x {records_bytes} B"),
            |bencher| {
                bencher.iter(|| ProduceRequest::from_bytes(black_box(&frame), 9));
            },
        );
    }
    let file = File::open("/dev/null").map(Arc::new).expect("it is there");
    for (partitions, length) in [(1, 16 << 10), (100, 1 << 10)] {
        group.bench_function(
            format!("make fetch 12, {partitions} x {length} B"),
            |bencher| {
                bencher
                    .iter(|| encode_response(1, 12, &fetch(&file, black_box(partitions), length)));
            },
        );
    }
    group.finish();
}

criterion_group!(benches, messages);
criterion_main!(benches);
