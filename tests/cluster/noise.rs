//! A broker under requests that are well formed and senseless, or sensible and damaged.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use barnabas_tests::cluster::Cluster;
use barnabas_wire::Request;
use barnabas_wire::frame::encode_request;
use barnabas_wire::generate::{Generate, Seed};
use barnabas_wire::header::RequestHeader;
use barnabas_wire::message::fetch::{FetchPartition, FetchTopic};
use barnabas_wire::message::produce::{PartitionProduceData, TopicProduceData};
use barnabas_wire::message::{
    ApiVersionsRequest, ControlledShutdownRequest, CreatePartitionsRequest, CreateTopicsRequest,
    DeleteTopicsRequest, DescribeClusterRequest, DescribeConfigsRequest, FetchRequest,
    InitProducerIdRequest, LeaderAndIsrRequest, ListOffsetsRequest, MetadataRequest,
    OffsetForLeaderEpochRequest, ProduceRequest, StopReplicaRequest, UpdateMetadataRequest,
};
use barnabas_wire::record::{BatchBuilder, Compression};

const TOPIC: &str = "noise";

/// Time that a peer reads what comes back before it goes: noise does not wait for long polls.
const LISTEN: Duration = Duration::from_millis(10);

/// Connections of noise for each kind of request.
const CONNECTIONS: u64 = 6;

/// Requests on each of them; a broker stops reading at the first that it cannot understand.
const REQUESTS: usize = 30;

fn frame<Q: Request>(request: &Q, api_version: i16) -> Vec<u8> {
    let client_id = Some("noise".into());
    let header = RequestHeader {
        api: Q::API,
        api_version,
        correlation_id: 1,
        client_id,
    };
    encode_request(&header, request)
        .unwrap()
        .into_bytes()
        .unwrap()
        .to_vec()
}

/// Sends frames on one connection and listens for a moment.
fn send(address: SocketAddr, frames: &[Vec<u8>]) {
    let mut stream = TcpStream::connect(address).expect("the broker accepts");
    stream.set_read_timeout(Some(LISTEN)).unwrap();
    for frame in frames {
        // A broker that has had enough closes the connection.
        if stream.write_all(frame).is_err() {
            return;
        }
    }
    let mut back = [0; 4096];
    while stream.read(&mut back).is_ok_and(|size| size > 0) {}
}

/// Requests with every field set to something, at every version that is served.
fn senseless<Q: Request + Generate>(address: SocketAddr) {
    let api = Q::API.row();
    for number in 0..CONNECTIONS {
        let mut seed = Seed::new(number);
        let frames: Vec<_> = (0..REQUESTS)
            .map(|_| {
                let versions = usize::try_from(api.served.max - api.served.min).unwrap() + 1;
                let version = api.served.min + i16::try_from(seed.below(versions)).unwrap();
                frame(&Q::generate(&mut seed, api.coding(version)), version)
            })
            .collect();
        send(address, &frames);
    }
}

/// This request with a few bytes changed, its length and API left alone.
fn damaged<Q: Request>(address: SocketAddr, request: &Q, api_version: i16) {
    let sound = frame(request, api_version);
    for number in 0..CONNECTIONS * 12 {
        let mut seed = Seed::new(number);
        let mut frames = vec![sound.clone(); 3];
        let last = frames.last_mut().unwrap();
        for _ in 0..=seed.below(3) {
            let place = 8 + seed.below(last.len() - 8);
            last[place] = seed.next().to_le_bytes()[0];
        }
        send(address, &frames);
    }
}

fn produce(acks: i16) -> ProduceRequest {
    let mut batch = BatchBuilder::new(Compression::None, 4096);
    for value in 0..10_u8 {
        batch
            .append(i64::from(value), Some(&[value]), Some(&[value; 50]), [])
            .unwrap();
    }
    let partition = PartitionProduceData {
        index: 0,
        records: Some(batch.build().unwrap()),
    };
    let topic = TopicProduceData {
        name: TOPIC.into(),
        partition_data: vec![partition],
    };
    ProduceRequest {
        acks,
        timeout_ms: 1_000,
        topic_data: vec![topic],
        ..Default::default()
    }
}

fn fetch() -> FetchRequest {
    let partition = FetchPartition {
        partition: 0,
        partition_max_bytes: 1 << 20,
        ..Default::default()
    };
    let topic = FetchTopic {
        topic: TOPIC.into(),
        partitions: vec![partition],
        ..Default::default()
    };
    FetchRequest {
        max_wait_ms: 10,
        min_bytes: 1,
        topics: vec![topic],
        ..Default::default()
    }
}

/// Nothing that a client sends ends a broker, and nothing keeps it from serving others.
#[test]
fn senseless_and_damaged_requests_harm_nobody() {
    let mut cluster = Cluster::start("noise", 1, &[]);
    cluster.tool(&["topic", "create", TOPIC]).ok();
    let address = cluster.brokers[0].address();
    senseless::<ApiVersionsRequest>(address);
    senseless::<MetadataRequest>(address);
    senseless::<ProduceRequest>(address);
    senseless::<FetchRequest>(address);
    senseless::<ListOffsetsRequest>(address);
    senseless::<OffsetForLeaderEpochRequest>(address);
    senseless::<InitProducerIdRequest>(address);
    senseless::<CreateTopicsRequest>(address);
    senseless::<CreatePartitionsRequest>(address);
    senseless::<DeleteTopicsRequest>(address);
    senseless::<DescribeConfigsRequest>(address);
    senseless::<DescribeClusterRequest>(address);
    for api_version in [3, 9] {
        damaged(address, &produce(1), api_version);
        damaged(address, &produce(-1), api_version);
        damaged(address, &produce(0), api_version);
    }
    for api_version in [4, 11, 12] {
        damaged(address, &fetch(), api_version);
    }
    cluster.tool(&["topic", "create", "after"]).ok();
    cluster
        .tool_with_input(&["produce", "after"], b"still\nhere\n")
        .ok();
    let read = cluster
        .tool(&["consume", "after", "--from-beginning", "--exit-at-end"])
        .ok();
    assert_eq!(read.lines().count(), 2);

    // The noise was heard: two sound requests went before each damaged one.
    for api_version in [3, 9] {
        let series = format!(
            "kafka_network_requestmetrics_requests_total{{request=\"Produce\",version=\"{api_version}\"}}"
        );
        let heard = cluster.brokers[0].metric(&series).expect("the metric");
        assert!(heard >= 300.0, "{heard} requests of version {api_version}");
    }

    // What only brokers send may say that another controller rules, so this comes last.
    senseless::<ControlledShutdownRequest>(address);
    senseless::<StopReplicaRequest>(address);
    senseless::<LeaderAndIsrRequest>(address);
    senseless::<UpdateMetadataRequest>(address);
    let process = cluster.brokers[0].process().unwrap();
    assert!(process.status().is_none(), "the broker has ended");
    TcpStream::connect(address).expect("the broker accepts");
    let log = cluster.brokers[0].log_text();
    assert!(!log.contains("panicked"), "{log}");
}
