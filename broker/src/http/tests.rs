//! Over real sockets: what it answers, and that it cannot be held up.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::health::Obstacles;

struct Running {
    address: SocketAddr,
    health: Arc<Health>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

async fn start() -> Running {
    let health = Arc::new(Health::default());
    let metrics = Arc::new(Metrics::new());
    let server = Server::bind("127.0.0.1", 0, metrics, Arc::clone(&health))
        .await
        .unwrap();
    let address = server.local_address().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(server.run(async move { drop(stopped.await) }));
    Running {
        address,
        health,
        stop,
        task,
    }
}

async fn exchange(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut answer = Vec::new();
    // A connection that was one too many may be reset at any moment.
    if stream.write_all(request).await.is_ok() && stream.read_to_end(&mut answer).await.is_err() {
        answer.clear();
    }
    String::from_utf8(answer).unwrap()
}

async fn check(address: SocketAddr, request: &str, status: &str, body: &str) {
    let answer = exchange(address, request.as_bytes()).await;
    assert!(
        answer.starts_with(&format!("HTTP/1.1 {status}")),
        "{request:?}: {answer}"
    );
    assert!(answer.contains(body), "{request:?}: {answer}");
}

#[tokio::test]
async fn it_answers_three_paths_and_refuses_the_rest() {
    let running = start().await;
    let at = running.address;
    check(
        at,
        "GET /metrics HTTP/1.1\r\n\r\n",
        "200",
        "kafka_server_replicamanager_leadercount 0",
    )
    .await;
    check(at, "GET /healthz HTTP/1.1\r\n\r\n", "200", "alive").await;
    check(at, "GET /other HTTP/1.1\r\n\r\n", "404", "/metrics").await;
    check(at, "POST /metrics HTTP/1.1\r\n\r\n", "405", "only GET").await;
    check(at, "\u{16}\u{3}\u{1}\r\n\r\n", "400", "not an HTTP request").await;
    let long = format!(
        "GET /metrics HTTP/1.1\r\nx: {}",
        "y".repeat(2 * HEAD_MAX_BYTES)
    );
    check(at, &long, "431", "too long").await;
    running.stop.send(()).unwrap();
    running.task.await.unwrap();
    TcpStream::connect(at).await.unwrap_err();
}

#[derive(Debug, Default)]
struct Serving(Arc<AtomicBool>);

impl Obstacles for Serving {
    fn now(&self) -> Vec<&'static str> {
        if self.0.load(Ordering::Relaxed) {
            Vec::new()
        } else {
            vec!["no ZooKeeper session"]
        }
    }
}

#[tokio::test]
async fn it_is_ready_when_nothing_is_in_the_way() {
    let running = start().await;
    let ready = "GET /readyz HTTP/1.1\r\n\r\n";
    check(running.address, ready, "503", "not ready: starting").await;
    let serving = Arc::new(AtomicBool::new(false));
    running.health.started(Serving(Arc::clone(&serving)));
    check(
        running.address,
        ready,
        "503",
        "not ready: no ZooKeeper session",
    )
    .await;
    serving.store(true, Ordering::Relaxed);
    check(running.address, ready, "200", "ready").await;
    running.health.stopping();
    check(running.address, ready, "503", "not ready: stopping").await;
}

#[tokio::test]
async fn silent_connections_take_no_more_than_their_share() {
    let running = start().await;
    let mut silent = Vec::new();
    for _ in 0..CONNECTIONS_MAX {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(b"GET /met").await.unwrap();
        silent.push(stream);
    }
    // The server has them all once one more is closed without an answer.
    loop {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        let mut one = [0; 1];
        let read = timeout(Duration::from_millis(50), stream.read(&mut one)).await;
        if matches!(read, Ok(Ok(0) | Err(_))) {
            break;
        }
    }
    drop(silent);
    loop {
        let answer = exchange(running.address, b"GET /healthz HTTP/1.1\r\n\r\n").await;
        if answer.starts_with("HTTP/1.1 200") {
            break;
        }
    }
}

#[tokio::test]
async fn a_taken_port_is_told_with_the_setting_to_change() {
    let running = start().await;
    let (metrics, health) = (Arc::new(Metrics::new()), Arc::new(Health::default()));
    let port = running.address.port();
    let error = Server::bind("127.0.0.1", port, metrics, health)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("metrics.listeners"), "{error}");
}
