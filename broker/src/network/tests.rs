//! The network layer against real sockets, with a service that echoes, waits or refuses as told.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use barnabas_wire::{FileRegion, Pieces, Sink};
use bytes::{BufMut, Bytes, BytesMut};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{oneshot, watch};

use super::*;

/// Frames beginning with `e` are echoed, `w` wait for [`Scripted::release`], `s` are silent, `f` answer
/// with a file, anything else is refused.
#[derive(Default)]
struct Scripted {
    begun: AtomicUsize,
    waiting: Mutex<Vec<oneshot::Sender<Pieces>>>,
    file: Mutex<Option<FileRegion>>,
}

impl Scripted {
    /// Answers the request that has waited longest.
    fn release(&self) {
        let promise = self.waiting.lock().remove(0);
        assert!(
            promise.send(pieces(b"late")).is_ok(),
            "the connection is still there"
        );
    }
}

impl Service for Scripted {
    fn begin(&self, _peer: &Peer, frame: Bytes) -> Begun {
        self.begun.fetch_add(1, Ordering::SeqCst);
        match frame.first() {
            Some(b'e') => Begun::Answered(pieces(&frame)),
            Some(b'w') => {
                let (promise, answer) = oneshot::channel();
                self.waiting.lock().push(promise);
                Begun::Waiting(Box::pin(async move { answer.await.ok() }))
            }
            Some(b's') => Begun::Silent,
            Some(b'f') => {
                let region = self.file.lock().clone().unwrap();
                let mut sink = Sink::new();
                sink.write_slice(&region.length.to_be_bytes());
                sink.write_file(&region);
                Begun::Answered(sink.finish().unwrap())
            }
            _ => Begun::Refused,
        }
    }
}

fn framed(body: &[u8]) -> Bytes {
    let mut frame = BytesMut::new();
    frame.put_u32(u32::try_from(body.len()).unwrap());
    frame.extend_from_slice(body);
    frame.freeze()
}

fn pieces(body: &[u8]) -> Pieces {
    let mut sink = Sink::new();
    sink.write_slice(&framed(body));
    sink.finish().unwrap()
}

struct Server {
    service: Arc<Scripted>,
    address: SocketAddr,
    metrics: NetworkMetrics,
    stop: watch::Sender<bool>,
    serving: tokio::task::JoinHandle<()>,
}

async fn server(limits: Limits, connections_max: usize, budget: i64) -> Server {
    let listener = Listener::bind(ListenerSettings {
        name: "PLAINTEXT".into(),
        host: "127.0.0.1".into(),
        port: 0,
        send_buffer_bytes: None,
        receive_buffer_bytes: None,
        is_between_brokers: false,
    })
    .await
    .unwrap();
    let address = listener.local_address().unwrap();
    let metrics = NetworkMetrics::default();
    let gate = Gate {
        limits,
        admission: Admission::new(connections_max, 1_000, BTreeMap::new()),
        budget: Budget::new(budget),
        metrics: metrics.clone(),
    };
    let (stop, stopping) = watch::channel(false);
    let service = Arc::new(Scripted::default());
    let serving = tokio::spawn(listener.serve(gate, Arc::clone(&service), stopping));
    Server {
        service,
        address,
        metrics,
        stop,
        serving,
    }
}

impl Server {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Waits until `count` requests have been begun.
    async fn begun(&self, count: usize) {
        while self.service.begun.load(Ordering::SeqCst) < count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

async fn answer(stream: &mut TcpStream) -> Vec<u8> {
    let length = stream.read_u32().await.unwrap();
    let mut body = vec![0; length as usize];
    stream.read_exact(&mut body).await.unwrap();
    body
}

/// Whether the broker has closed the connection, with a reset or in order.
async fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read_u8().await {
        Ok(byte) => panic!("the broker answered {byte}"),
        Err(error) => {
            matches!(
                error.kind(),
                ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset
            )
        }
    }
}

#[tokio::test]
async fn frames_with_impossible_lengths_close_the_connection_and_the_broker_goes_on() {
    let server = server(Limits::kafka_defaults(), 100, -1).await;
    let lengths: [&[u8]; 3] = [
        &[0x7f, 0xff, 0xff, 0xff],
        &[0xff; 4],
        b"GET / HTTP/1.1\r\n\r\n",
    ];
    for length in lengths {
        let mut stream = server.connect().await;
        stream.write_all(length).await.unwrap();
        assert!(is_closed(&mut stream).await);
    }
    assert_eq!(server.metrics.protocol_errors.get(), 3);
    assert_eq!(server.service.begun.load(Ordering::SeqCst), 0);
    let mut healthy = server.connect().await;
    healthy.write_all(&framed(b"echo")).await.unwrap();
    assert_eq!(answer(&mut healthy).await, b"echo");
}

#[tokio::test]
async fn what_was_asked_before_garbage_is_answered_before_the_connection_closes() {
    let server = server(Limits::kafka_defaults(), 100, -1).await;
    let mut other = server.connect().await;
    other.write_all(&framed(b"wait")).await.unwrap();
    server.begun(1).await;
    other.write_all(&[0xff; 4]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    server.service.release();
    assert_eq!(answer(&mut other).await, b"late");
    assert!(is_closed(&mut other).await);

    let mut stream = server.connect().await;
    stream.write_all(&framed(b"wait")).await.unwrap();
    stream.write_all(&framed(b"?")).await.unwrap();
    stream.write_all(&framed(b"echo")).await.unwrap();
    server.begun(3).await;
    server.service.release();
    assert_eq!(answer(&mut stream).await, b"late");
    assert!(is_closed(&mut stream).await);
    assert_eq!(
        server.service.begun.load(Ordering::SeqCst),
        3,
        "nothing is begun after garbage"
    );
}

#[tokio::test]
async fn a_later_request_is_begun_while_an_earlier_waits_and_answered_after_it() {
    let server = server(Limits::kafka_defaults(), 100, -1).await;
    let mut stream = server.connect().await;
    for body in [&b"wait"[..], b"echo1", b"silent", b"wait", b"echo2"] {
        stream.write_all(&framed(body)).await.unwrap();
    }
    server.begun(5).await;
    server.service.release();
    assert_eq!(answer(&mut stream).await, b"late");
    assert_eq!(answer(&mut stream).await, b"echo1");
    server.service.release();
    assert_eq!(answer(&mut stream).await, b"late");
    assert_eq!(answer(&mut stream).await, b"echo2");
}

#[tokio::test]
async fn one_connection_has_a_bounded_number_of_requests_in_flight() {
    let server = server(Limits::kafka_defaults(), 100, -1).await;
    let mut stream = server.connect().await;
    let more = REQUESTS_IN_FLIGHT_MAX + 10;
    for _ in 0..more {
        stream.write_all(&framed(b"wait")).await.unwrap();
    }
    server.begun(REQUESTS_IN_FLIGHT_MAX).await;
    // A second connection is served meanwhile, and time passes for the first.
    let mut other = server.connect().await;
    for _ in 0..20 {
        other.write_all(&framed(b"echo")).await.unwrap();
        assert_eq!(answer(&mut other).await, b"echo");
    }
    assert_eq!(
        server.service.begun.load(Ordering::SeqCst),
        REQUESTS_IN_FLIGHT_MAX + 20
    );
    server.service.release();
    assert_eq!(answer(&mut stream).await, b"late");
    server.begun(REQUESTS_IN_FLIGHT_MAX + 21).await;
}

#[tokio::test]
async fn a_budget_of_bytes_holds_back_the_next_request_until_one_is_answered() {
    let server = server(Limits::kafka_defaults(), 100, 4).await;
    let mut stream = server.connect().await;
    let mut other = server.connect().await;
    stream.write_all(&framed(b"wait")).await.unwrap();
    server.begun(1).await;
    stream.write_all(&framed(b"echo")).await.unwrap();
    other.write_all(&framed(b"echo")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(server.service.begun.load(Ordering::SeqCst), 1);
    server.service.release();
    assert_eq!(answer(&mut stream).await, b"late");
    assert_eq!(answer(&mut stream).await, b"echo");
    assert_eq!(answer(&mut other).await, b"echo");
}

#[tokio::test]
async fn a_full_broker_leaves_the_next_peer_in_the_backlog_until_one_goes() {
    let server = server(Limits::kafka_defaults(), 1, -1).await;
    let mut first = server.connect().await;
    first.write_all(&framed(b"echo")).await.unwrap();
    assert_eq!(answer(&mut first).await, b"echo");
    let mut second = server.connect().await;
    second.write_all(&framed(b"echo")).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(server.service.begun.load(Ordering::SeqCst), 1);
    drop(first);
    assert_eq!(answer(&mut second).await, b"echo");
}

#[tokio::test]
async fn silent_peers_are_closed() {
    let idle_max = Duration::from_millis(50);
    let limits = Limits {
        idle_max,
        buffer_keep: idle_max / 5,
        ..Limits::kafka_defaults()
    };
    let server = server(limits, 100, -1).await;
    let mut idle = server.connect().await;
    assert!(is_closed(&mut idle).await);

    let mut busy = server.connect().await;
    busy.write_all(&framed(b"wait")).await.unwrap();
    server.begun(1).await;
    tokio::time::sleep(idle_max * 4).await;
    server.service.release();
    assert_eq!(
        answer(&mut busy).await,
        b"late",
        "one that waits for its answer is not idle"
    );
    assert_eq!(server.metrics.connections_expired.get(), 1);
}

#[tokio::test]
async fn a_frame_that_never_ends_is_closed() {
    let stall = Duration::from_millis(50);
    let limits = Limits {
        frame_stall_max: stall,
        buffer_keep: stall / 5,
        ..Limits::kafka_defaults()
    };
    let server = server(limits, 100, -1).await;
    let mut slow = server.connect().await;
    slow.write_all(&[0, 0, 1, 0, b'e']).await.unwrap();
    assert!(is_closed(&mut slow).await);
}

#[tokio::test]
async fn a_frame_that_trickles_is_closed() {
    let stall = Duration::from_millis(200);
    let limits = Limits {
        frame_stall_max: stall,
        buffer_keep: stall / 20,
        ..Limits::kafka_defaults()
    };
    let server = server(limits, 100, -1).await;
    let mut trickle = server.connect().await;
    trickle.write_all(&[0, 0, 1, 0]).await.unwrap();
    while server.metrics.connections_expired.get() == 0 {
        // Fails once the broker has closed the connection.
        drop(trickle.write_all(b"e").await);
        tokio::time::sleep(stall / 20).await;
    }
    assert_eq!(server.service.begun.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn regions_of_a_file_arrive_whole_whether_small_or_large() {
    let server = server(Limits::kafka_defaults(), 100, -1).await;
    let bytes: Vec<u8> = (0..5_000_000_u32).map(|i| (i % 251) as u8).collect();
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    let file = Arc::new(file);
    for length in [0_u32, 1, 4_000, 64 * 1024 - 1, 64 * 1024, 3_000_000] {
        let region = FileRegion {
            file: Arc::clone(&file),
            position: 1_000,
            length,
        };
        *server.service.file.lock() = Some(region);
        let mut stream = server.connect().await;
        stream.write_all(&framed(b"echo")).await.unwrap();
        stream.write_all(&framed(b"file")).await.unwrap();
        stream.write_all(&framed(b"echo")).await.unwrap();
        assert_eq!(answer(&mut stream).await, b"echo");
        assert!(
            answer(&mut stream).await == bytes[1_000..1_000 + length as usize],
            "length {length}"
        );
        assert_eq!(answer(&mut stream).await, b"echo");
    }
}

#[tokio::test]
async fn stopping_answers_what_was_begun_and_then_closes() {
    let server = server(Limits::kafka_defaults(), 100, -1).await;
    let mut stream = server.connect().await;
    stream.write_all(&framed(b"wait")).await.unwrap();
    server.begun(1).await;
    server.stop.send_replace(true);
    server.service.release();
    assert_eq!(answer(&mut stream).await, b"late");
    assert!(is_closed(&mut stream).await);
    server.serving.await.unwrap();
    assert!(
        TcpStream::connect(server.address).await.is_err(),
        "the listener is gone"
    );
}
