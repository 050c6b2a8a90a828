//! The connection against a peer that does exactly what a test tells it to.

use std::io;
use std::time::Duration;

use barnabas_wire::api::Versions;
use barnabas_wire::frame::{FrameSplitter, encode_response};
use barnabas_wire::header::RequestHeader;
use barnabas_wire::message::api_versions::ApiVersion;
use barnabas_wire::message::{
    ApiVersionsResponse, MetadataRequest, MetadataResponse, ProduceRequest,
};
use barnabas_wire::{ApiKey, ErrorCode, Message, Source};
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// Longest time that anything here may hang; never reached in a test that passes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A broker's end of one connection.
struct Peer {
    socket: TcpStream,
    received: BytesMut,
}

impl Peer {
    async fn request(&mut self) -> Option<RequestHeader> {
        loop {
            if let Some(frame) = FrameSplitter::new(1 << 20)
                .next(&mut self.received)
                .unwrap()
            {
                return Some(RequestHeader::decode(&mut Source::new(&frame)).unwrap());
            }
            if self.socket.read_buf(&mut self.received).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    async fn answer<R: Message>(&mut self, to: &RequestHeader, response: &R) {
        self.answer_at(to.correlation_id, to.api_version, response)
            .await;
    }

    async fn answer_at<R: Message>(&mut self, correlation_id: i32, version: i16, response: &R) {
        let frame = encode_response(correlation_id, version, response).unwrap();
        self.socket
            .write_all(&frame.into_bytes().unwrap())
            .await
            .unwrap();
    }
}

async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

async fn accept(listener: &TcpListener) -> Peer {
    let (socket, _) = listener.accept().await.unwrap();
    Peer {
        socket,
        received: BytesMut::new(),
    }
}

fn silent(request_timeout: Duration) -> Options {
    Options {
        ask_versions: false,
        request_timeout,
        ..Options::default()
    }
}

/// A connection that asked nothing yet, and its peer.
async fn pair(options: Options) -> (Connection, Peer) {
    let (listener, port) = listen().await;
    let (connection, peer) = tokio::join!(
        Connection::open("127.0.0.1", port, options),
        accept(&listener)
    );
    (connection.unwrap(), peer)
}

fn submit(connection: &Connection) -> Result<Pending<MetadataResponse>, RequestError> {
    connection.submit(&MetadataRequest::default(), 4, PATIENCE)
}

fn metadata(controller_id: i32) -> MetadataResponse {
    MetadataResponse {
        controller_id,
        ..MetadataResponse::default()
    }
}

fn table() -> ApiVersionsResponse {
    let range = |api: ApiKey, min_version, max_version| ApiVersion {
        api_key: api.key(),
        min_version,
        max_version,
    };
    ApiVersionsResponse {
        api_keys: vec![
            range(ApiKey::ApiVersions, 0, 2),
            range(ApiKey::Metadata, 0, 5),
        ],
        ..ApiVersionsResponse::default()
    }
}

#[tokio::test]
async fn many_requests_go_out_before_the_first_answer() {
    let (connection, mut peer) = pair(silent(PATIENCE)).await;
    let pending: Vec<_> = (0..10).map(|_| submit(&connection).unwrap()).collect();
    let mut headers = Vec::new();
    for _ in 0..10 {
        headers.push(peer.request().await.unwrap());
    }
    for (index, header) in (0..).zip(&headers) {
        peer.answer(header, &metadata(index)).await;
    }
    for (index, pending) in (0..).zip(pending) {
        assert_eq!(pending.await.unwrap().controller_id, index);
    }
}

#[tokio::test]
async fn versions_are_asked_for_and_the_highest_common_one_is_used() {
    let (listener, port) = listen().await;
    let broker = async {
        let mut peer = accept(&listener).await;
        let first = peer.request().await.unwrap();
        assert_eq!((first.api, first.api_version), (ApiKey::ApiVersions, 3));
        peer.answer(&first, &table()).await;
        let second = peer.request().await.unwrap();
        assert_eq!((second.api, second.api_version), (ApiKey::Metadata, 5));
        peer.answer(&second, &metadata(7)).await;
    };
    let client = async {
        let connection = Connection::open("127.0.0.1", port, Options::default())
            .await
            .unwrap();
        let answer = connection.call(&MetadataRequest::default()).await.unwrap();
        assert_eq!(answer.controller_id, 7);
        assert_eq!(
            connection.versions().of(ApiKey::Metadata),
            Some(Versions { min: 0, max: 5 })
        );
        let produce = connection.call(&ProduceRequest::default()).await;
        assert!(matches!(
            produce,
            Err(RequestError::NoCommonVersion {
                api: ApiKey::Produce
            })
        ));
    };
    tokio::join!(broker, client);
}

/// A broker that knows `ApiVersions` up to 2 answers a newer question in version 0.
#[tokio::test]
async fn an_old_broker_is_asked_again_at_a_version_it_knows() {
    for (told, asked_again) in [(table(), 2), (ApiVersionsResponse::default(), 0)] {
        let (listener, port) = listen().await;
        let broker = async {
            let mut peer = accept(&listener).await;
            let first = peer.request().await.unwrap();
            let error_code = ErrorCode::UnsupportedVersion.code();
            let refusal = ApiVersionsResponse { error_code, ..told };
            peer.answer_at(first.correlation_id, 0, &refusal).await;
            let second = peer.request().await.unwrap();
            assert_eq!(second.api_version, asked_again);
            peer.answer(&second, &table()).await;
        };
        let open = Connection::open("127.0.0.1", port, Options::default());
        let (connection, ()) = tokio::join!(open, broker);
        let versions = connection.unwrap().versions().of(ApiKey::Metadata);
        assert_eq!(versions, Some(Versions { min: 0, max: 5 }));
    }
}

#[tokio::test]
async fn a_request_that_was_written_has_an_unknown_outcome_when_the_peer_goes() {
    let (connection, mut peer) = pair(silent(PATIENCE)).await;
    let pending = submit(&connection).unwrap();
    peer.request().await.unwrap();
    drop(peer);
    let error = pending.await.unwrap_err();
    assert!(
        matches!(
            error,
            RequestError::OutcomeUnknown(Disconnect::ClosedByPeer)
        ),
        "{error}"
    );
    assert!(error.was_sent());
    assert!(!connection.is_open());
    let error = submit(&connection).unwrap_err();
    assert!(
        matches!(error, RequestError::NotSent(Disconnect::ClosedByPeer)),
        "{error}"
    );
    assert!(!error.was_sent());
}

#[tokio::test]
async fn a_request_that_never_left_says_so() {
    let (connection, _peer) = pair(silent(PATIENCE)).await;
    // No await in between: the writer has had no chance to run on this one-threaded runtime.
    let pending = submit(&connection).unwrap();
    drop(connection);
    let error = pending.await.unwrap_err();
    assert!(
        matches!(error, RequestError::NotSent(Disconnect::Closed)),
        "{error}"
    );
}

#[tokio::test]
async fn an_unanswered_request_ends_the_connection_when_its_time_is_over() {
    let (connection, mut peer) = pair(silent(Duration::from_millis(20))).await;
    let request = MetadataRequest::default();
    let error = connection
        .call_at(&request, 4, Duration::from_millis(20))
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            RequestError::OutcomeUnknown(Disconnect::Timeout { .. })
        ),
        "{error}"
    );
    assert!(peer.request().await.is_some());
    assert!(peer.request().await.is_none(), "the connection is closed");
}

#[tokio::test]
async fn a_peer_that_reads_nothing_is_given_up() {
    let (connection, _peer) = pair(silent(PATIENCE)).await;
    let records = Some(Bytes::from(vec![0; 64 << 20]));
    let request = produce(records);
    let pending = connection
        .submit(&request, 3, Duration::from_millis(50))
        .unwrap();
    let error = pending.await.unwrap_err();
    assert!(
        matches!(
            error,
            RequestError::OutcomeUnknown(Disconnect::Timeout { .. })
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_request_behind_a_patient_one_keeps_its_own_time() {
    let (connection, mut peer) = pair(silent(PATIENCE)).await;
    let patient = submit(&connection).unwrap();
    let request = MetadataRequest::default();
    let hasty = connection
        .submit(&request, 4, Duration::from_millis(20))
        .unwrap();
    peer.request().await.unwrap();
    for pending in [hasty, patient] {
        let error = pending.await.unwrap_err();
        assert!(
            matches!(
                error,
                RequestError::OutcomeUnknown(Disconnect::Timeout { .. })
            ),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_request_without_an_answer_is_given_up_too() {
    let (connection, _peer) = pair(silent(Duration::from_millis(50))).await;
    let request = produce(Some(Bytes::from(vec![0; 64 << 20])));
    let error = connection
        .submit_one_way(&request, 3)
        .unwrap()
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            RequestError::OutcomeUnknown(Disconnect::Timeout { .. })
        ),
        "{error}"
    );
}

#[tokio::test]
async fn answers_that_make_no_sense_end_the_connection() {
    let (connection, mut peer) = pair(silent(PATIENCE)).await;
    let pending = submit(&connection).unwrap();
    let header = peer.request().await.unwrap();
    peer.answer_at(header.correlation_id + 1, 4, &metadata(0))
        .await;
    let error = pending.await.unwrap_err();
    assert!(matches!(
        error,
        RequestError::OutcomeUnknown(Disconnect::OutOfOrder { .. })
    ));

    let (connection, mut peer) = pair(silent(PATIENCE)).await;
    peer.answer_at(0, 4, &metadata(0)).await;
    assert_eq!(peer.socket.read(&mut [0; 1]).await.unwrap_or(0), 0);
    assert!(matches!(
        connection.cause_of_end(),
        Some(Disconnect::Unasked)
    ));
}

#[tokio::test]
async fn a_response_above_the_limit_is_refused_before_it_is_read() {
    let options = Options {
        response_max_bytes: 1_000,
        ..silent(PATIENCE)
    };
    let (connection, mut peer) = pair(options).await;
    let pending = submit(&connection).unwrap();
    peer.request().await.unwrap();
    peer.socket
        .write_all(&1_001_i32.to_be_bytes())
        .await
        .unwrap();
    let error = pending.await.unwrap_err();
    assert!(
        matches!(
            error,
            RequestError::OutcomeUnknown(Disconnect::BadFrame { .. })
        ),
        "{error}"
    );
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_the_error_of_its_own_request_only() {
    let (connection, mut peer) = pair(silent(PATIENCE)).await;
    let (bad, good) = (submit(&connection).unwrap(), submit(&connection).unwrap());
    let first = peer.request().await.unwrap();
    let mut frame = 4_i32.to_be_bytes().to_vec();
    frame.extend(first.correlation_id.to_be_bytes());
    peer.socket.write_all(&frame).await.unwrap();
    let second = peer.request().await.unwrap();
    peer.answer(&second, &metadata(5)).await;
    let error = bad.await.unwrap_err();
    assert!(
        matches!(
            error,
            RequestError::Decode {
                api: ApiKey::Metadata,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(good.await.unwrap().controller_id, 5);
}

#[tokio::test]
async fn requests_in_flight_are_bounded_and_a_call_waits_for_its_turn() {
    let options = Options {
        in_flight_max: 2,
        ..silent(PATIENCE)
    };
    let (connection, mut peer) = pair(options).await;
    let first = submit(&connection).unwrap();
    let _second = submit(&connection).unwrap();
    let third = submit(&connection).unwrap_err();
    assert!(
        matches!(third, RequestError::TooManyInFlight { in_flight_max: 2 }),
        "{third}"
    );
    let request = MetadataRequest::default();
    let waiting = connection.call_at(&request, 4, PATIENCE);
    let broker = async {
        for index in 0..3 {
            let header = peer.request().await.unwrap();
            peer.answer(&header, &metadata(index)).await;
        }
    };
    let (called, ()) = tokio::join!(waiting, broker);
    assert_eq!(first.await.unwrap().controller_id, 0);
    assert_eq!(called.unwrap().controller_id, 2);
}

#[tokio::test]
async fn closing_waits_for_the_answers_that_are_due() {
    let (connection, mut peer) = pair(silent(PATIENCE)).await;
    let pending = submit(&connection).unwrap();
    let other = connection.clone();
    let broker = async {
        let header = peer.request().await.unwrap();
        let late = submit(&other).unwrap_err();
        assert!(
            matches!(late, RequestError::NotSent(Disconnect::Closed)),
            "{late}"
        );
        peer.answer(&header, &metadata(3)).await;
        assert!(
            peer.request().await.is_none(),
            "then the connection is closed"
        );
    };
    let ((), ()) = tokio::join!(connection.close(), broker);
    assert_eq!(pending.await.unwrap().controller_id, 3);
}

fn produce(records: Option<Bytes>) -> ProduceRequest {
    use barnabas_wire::message::produce::{PartitionProduceData, TopicProduceData};
    let data = PartitionProduceData {
        records,
        ..PartitionProduceData::default()
    };
    let topic = TopicProduceData {
        partition_data: vec![data],
        ..TopicProduceData::default()
    };
    ProduceRequest {
        topic_data: vec![topic],
        ..ProduceRequest::default()
    }
}

#[tokio::test]
async fn a_request_without_an_answer_is_done_when_it_is_written() {
    let (connection, mut peer) = pair(silent(PATIENCE)).await;
    let request = produce(None);
    connection
        .submit_one_way(&request, 3)
        .unwrap()
        .await
        .unwrap();
    let pending = submit(&connection).unwrap();
    assert_eq!(peer.request().await.unwrap().api, ApiKey::Produce);
    let header = peer.request().await.unwrap();
    peer.answer(&header, &metadata(1)).await;
    assert_eq!(pending.await.unwrap().controller_id, 1);
}

#[tokio::test]
async fn nobody_listening_is_told_with_the_address() {
    let (listener, port) = listen().await;
    drop(listener);
    let error = Connection::open("127.0.0.1", port, Options::default())
        .await
        .unwrap_err();
    let ConnectError::Refused { address, source } = error else {
        panic!("{error}")
    };
    assert_eq!(address.port(), port);
    assert_eq!(source.kind(), io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn a_peer_that_accepts_and_stays_silent_is_given_up() {
    let (_listener, port) = listen().await;
    let connect_timeout = Duration::from_millis(30);
    let options = Options {
        connect_timeout,
        ..Options::default()
    };
    let error = Connection::open("127.0.0.1", port, options)
        .await
        .unwrap_err();
    assert!(matches!(error, ConnectError::Timeout { .. }), "{error}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_source_address_can_be_chosen() {
    let source = "127.0.0.9".parse().unwrap();
    let options = Options {
        source_address: Some(source),
        ..silent(PATIENCE)
    };
    let (connection, peer) = pair(options).await;
    assert_eq!(connection.local_address().ip(), source);
    assert_eq!(peer.socket.peer_addr().unwrap().ip(), source);
}
