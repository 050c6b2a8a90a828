//! Connections of one broker: requests in, answers out.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use barnabas_wire::api::ApiKey;
use barnabas_wire::frame::{FrameSplitter, encode_response};
use barnabas_wire::header::RequestHeader;
use barnabas_wire::message::api_versions::ApiVersion;
use barnabas_wire::message::fetch::{FetchableTopicResponse, PartitionData, Records};
use barnabas_wire::message::list_offsets::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use barnabas_wire::message::metadata::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use barnabas_wire::message::produce::{PartitionProduceResponse, TopicProduceResponse};
use barnabas_wire::message::*;
use barnabas_wire::{ErrorCode, Message, Source, Str};
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{Fault, PartitionLog, State};

pub(crate) async fn accept(listener: TcpListener, id: usize, state: Arc<Mutex<State>>) {
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        tokio::spawn(serve(socket, id, Arc::clone(&state)));
    }
}

async fn serve(mut socket: TcpStream, id: usize, state: Arc<Mutex<State>>) {
    let mut received = BytesMut::new();
    loop {
        while let Some(frame) = FrameSplitter::new(1 << 24).next(&mut received).unwrap() {
            let mut source = Source::new(&frame);
            let header = RequestHeader::decode(&mut source).unwrap();
            match answer(id, &header, &mut source, &state).await {
                Reply::Bytes(bytes) => {
                    if socket.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
                Reply::Nothing => {}
                Reply::Close => return,
            }
        }
        if socket.read_buf(&mut received).await.unwrap_or(0) == 0 {
            return;
        }
    }
}

enum Reply {
    Bytes(Bytes),
    Nothing,
    Close,
}

fn reply<R: Message>(header: &RequestHeader, response: &R) -> Reply {
    let frame = encode_response(header.correlation_id, header.api_version, response).unwrap();
    Reply::Bytes(frame.into_bytes().unwrap())
}

async fn answer(
    id: usize,
    header: &RequestHeader,
    source: &mut Source<'_>,
    state: &Mutex<State>,
) -> Reply {
    let version = header.api_version;
    match header.api {
        ApiKey::ApiVersions => reply(header, &api_versions()),
        ApiKey::Metadata => {
            let request = MetadataRequest::decode(source, version).unwrap();
            reply(header, &metadata(&request, &mut state.lock().unwrap()))
        }
        ApiKey::InitProducerId => {
            let mut state = state.lock().unwrap();
            state.next_producer_id += 1;
            let producer_id = state.next_producer_id;
            reply(
                header,
                &InitProducerIdResponse {
                    producer_id,
                    ..Default::default()
                },
            )
        }
        ApiKey::Produce => {
            let request = ProduceRequest::decode(source, version).unwrap();
            let (fault, response) = {
                let mut state = state.lock().unwrap();
                state.produces += 1;
                let fault = state.faults.pop_front().unwrap_or(Fault::None);
                let response =
                    (fault != Fault::CloseBefore).then(|| produce(id, &request, fault, &mut state));
                (fault, response)
            };
            match response {
                Some(_) if fault == Fault::CloseAfter => Reply::Close,
                Some(_) if request.acks == 0 => Reply::Nothing,
                Some(response) => reply(header, &response),
                None => Reply::Close,
            }
        }
        ApiKey::Fetch => {
            let request = FetchRequest::decode(source, version).unwrap();
            state.lock().unwrap().fetches += 1;
            let mut response = fetch(id, &request, &state.lock().unwrap());
            let is_empty = |response: &FetchResponse| {
                let mut all = response
                    .responses
                    .iter()
                    .flat_map(|topic| &topic.partitions);
                all.all(|data| data.records.is_empty() && data.error_code == 0)
            };
            if is_empty(&response) {
                tokio::time::sleep(Duration::from_millis(5)).await;
                response = fetch(id, &request, &state.lock().unwrap());
            }
            reply(header, &response)
        }
        ApiKey::ListOffsets => {
            let request = ListOffsetsRequest::decode(source, version).unwrap();
            reply(header, &list_offsets(id, &request, &state.lock().unwrap()))
        }
        other => panic!("{other} is not served here"),
    }
}

fn api_versions() -> ApiVersionsResponse {
    use ApiKey::*;
    let served = [
        ApiVersions,
        Metadata,
        Produce,
        Fetch,
        ListOffsets,
        InitProducerId,
    ];
    let row = |api: ApiKey| {
        let versions = api.row().served;
        ApiVersion {
            api_key: api.key(),
            min_version: versions.min,
            max_version: versions.max,
        }
    };
    ApiVersionsResponse {
        api_keys: served.map(row).into(),
        ..Default::default()
    }
}

fn metadata(request: &MetadataRequest, state: &mut State) -> MetadataResponse {
    state.metadata_requests += 1;
    let all: Vec<String> = state.topics.keys().cloned().collect();
    let names = request.topics.as_ref().map_or(all, |topics| {
        topics
            .iter()
            .map(|topic| topic.name.as_ref().unwrap().to_string())
            .collect()
    });
    let broker = |(id, port): (i32, &u16)| MetadataResponseBroker {
        node_id: id,
        host: Str::from_static("127.0.0.1"),
        port: i32::from(*port),
        rack: None,
    };
    let brokers = (0..).zip(&state.ports).map(broker).collect();
    let mut topics = Vec::new();
    for name in names {
        if state.auto_create && request.allow_auto_topic_creation {
            state
                .topics
                .entry(name.clone())
                .or_insert_with(|| vec![PartitionLog::new(0)]);
        }
        topics.push(topic(&name, state.topics.get(&name)));
    }
    MetadataResponse {
        brokers,
        topics,
        controller_id: 0,
        ..Default::default()
    }
}

fn topic(name: &str, logs: Option<&Vec<PartitionLog>>) -> MetadataResponseTopic {
    let broker = |id: usize| i32::try_from(id).unwrap();
    let partition = |(index, log): (i32, &PartitionLog)| MetadataResponsePartition {
        partition_index: index,
        leader_id: log.leader.map_or(-1, broker),
        leader_epoch: log.leader_epoch,
        replica_nodes: vec![0],
        isr_nodes: vec![0],
        ..Default::default()
    };
    MetadataResponseTopic {
        error_code: if logs.is_none() {
            ErrorCode::UnknownTopicOrPartition.code()
        } else {
            0
        },
        name: Some(Str::from(name)),
        partitions: logs.map_or_else(Vec::new, |logs| (0..).zip(logs).map(partition).collect()),
        ..Default::default()
    }
}

/// The log if this broker leads it.
fn led(
    id: usize,
    logs: Option<&mut Vec<PartitionLog>>,
    index: i32,
) -> Result<&mut PartitionLog, ErrorCode> {
    let log = logs.and_then(|logs| logs.get_mut(usize::try_from(index).unwrap()));
    let log = log.ok_or(ErrorCode::UnknownTopicOrPartition)?;
    if log.leader == Some(id) {
        Ok(log)
    } else {
        Err(ErrorCode::NotLeaderOrFollower)
    }
}

fn produce(
    id: usize,
    request: &ProduceRequest,
    fault: Fault,
    state: &mut State,
) -> ProduceResponse {
    let mut responses = Vec::new();
    for topic in &request.topic_data {
        let mut partition_responses = Vec::new();
        for data in &topic.partition_data {
            let logs = state.topics.get_mut(topic.name.as_str());
            let stored = match fault {
                Fault::Refuse(code) => Err(code),
                Fault::None | Fault::CloseBefore | Fault::CloseAfter => led(id, logs, data.index)
                    .and_then(|log| log.append(data.records.as_ref().unwrap())),
            };
            partition_responses.push(PartitionProduceResponse {
                index: data.index,
                error_code: stored.err().map_or(0, ErrorCode::code),
                base_offset: stored.unwrap_or(-1),
                ..Default::default()
            });
        }
        responses.push(TopicProduceResponse {
            name: topic.name.clone(),
            partition_responses,
        });
    }
    ProduceResponse {
        responses,
        ..Default::default()
    }
}

fn fetch(id: usize, request: &FetchRequest, state: &State) -> FetchResponse {
    let topic = |topic: &fetch::FetchTopic| {
        let data = |wanted: &fetch::FetchPartition| {
            let index = usize::try_from(wanted.partition).unwrap();
            let log = &state.topics[topic.topic.as_str()][index];
            let max_bytes = usize::try_from(wanted.partition_max_bytes).unwrap();
            let read = match log.leader {
                Some(leader) if leader == id => log.read(wanted.fetch_offset, max_bytes),
                _ => Err(ErrorCode::NotLeaderOrFollower),
            };
            PartitionData {
                partition_index: wanted.partition,
                error_code: read.as_ref().err().map_or(0, |code| code.code()),
                high_watermark: log.end_offset,
                records: Records::Bytes(read.unwrap_or_default().into()),
                ..Default::default()
            }
        };
        FetchableTopicResponse {
            topic: topic.topic.clone(),
            partitions: topic.partitions.iter().map(data).collect(),
            ..Default::default()
        }
    };
    FetchResponse {
        responses: request.topics.iter().map(topic).collect(),
        ..Default::default()
    }
}

fn list_offsets(id: usize, request: &ListOffsetsRequest, state: &State) -> ListOffsetsResponse {
    let topic = |topic: &list_offsets::ListOffsetsTopic| {
        let partition = |wanted: &list_offsets::ListOffsetsPartition| {
            let index = usize::try_from(wanted.partition_index).unwrap();
            let log = &state.topics[topic.name.as_str()][index];
            let is_led = log.leader == Some(id);
            ListOffsetsPartitionResponse {
                partition_index: wanted.partition_index,
                error_code: if is_led {
                    0
                } else {
                    ErrorCode::NotLeaderOrFollower.code()
                },
                offset: log.offset_at(wanted.timestamp),
                ..Default::default()
            }
        };
        ListOffsetsTopicResponse {
            name: topic.name.clone(),
            partitions: topic.partitions.iter().map(partition).collect(),
        }
    };
    ListOffsetsResponse {
        topics: request.topics.iter().map(topic).collect(),
        ..Default::default()
    }
}
