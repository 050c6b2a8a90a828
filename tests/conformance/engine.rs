//! `zookeeper-client` 0.11.2, the engine of the session layer: its two faults that the session layer
//! is built around, asserted as known. A failure here means that they are mended, and that a rule of
//! the session layer can be looked at again.

use std::time::Duration;

use barnabas_tests::liveness::{eventually, within};
use barnabas_tests::proxy::Proxy;
use barnabas_tests::zookeeper::{LocalServer, four_letter};
use zookeeper_client::{
    Acls, AddWatchMode, Client, CreateMode, Error, EventType, OneshotWatcher, SessionState,
};

async fn connect(proxy: &Proxy, session_timeout_ms: u64) -> Client {
    let timeout = Duration::from_millis(session_timeout_ms);
    let connector = Client::connector().with_session_timeout(timeout);
    let address = proxy.address().to_string();
    within("a connection", connector.connect(&address))
        .await
        .unwrap()
}

fn watches(server: &LocalServer) -> String {
    let answer = four_letter(server.address(), "wchs").expect("the server answers");
    answer.lines().last().unwrap_or_default().trim().to_owned()
}

#[tokio::test]
async fn known_fault_persistent_watches_are_not_restored_on_a_reconnection() {
    let server = LocalServer::start();
    let proxy = Proxy::start(server.address());
    let client = connect(&proxy, 20_000).await;
    let mode = AddWatchMode::PersistentRecursive;
    let mut watcher = client.watch("/t", mode).await.unwrap();
    assert_eq!(watches(&server), "Total watches:1");
    proxy.cut_connections();
    loop {
        let event = within("the reconnection", watcher.changed()).await;
        if event.session_state == SessionState::SyncConnected {
            assert_eq!(event.event_type, EventType::Session);
            break;
        }
    }
    eventually("it is connected again", async || client.get_data("/").await).await;
    assert_eq!(watches(&server), "Total watches:0");
}

/// A one-shot watch is restored; it is many of them that cannot be.
#[tokio::test]
async fn known_fault_more_than_128_kib_of_watched_paths_end_the_session() {
    const ZNODES: usize = 50;
    for (length, survives) in [(1_000, true), (4_000, false)] {
        let server = LocalServer::start();
        let proxy = Proxy::start(server.address());
        let client = connect(&proxy, 2_000).await;
        let options = CreateMode::Persistent.with_acls(Acls::anyone_all());
        let mut watchers: Vec<OneshotWatcher> = Vec::new();
        for number in 0..ZNODES {
            let path = format!("/{number}{}", "x".repeat(length));
            client.create(&path, b"", &options).await.unwrap();
            watchers.push(client.get_and_watch_data(&path).await.unwrap().2);
        }
        proxy.cut_connections();
        let read = eventually("it is connected again or gives up", async || {
            match client.get_data("/").await {
                Err(Error::ConnectionLoss) => Err(Error::ConnectionLoss),
                end => Ok(end.is_ok()),
            }
        })
        .await;
        assert_eq!(read, survives, "{length}");
    }
}

/// Why the session layer never sets a one-shot watch: on the path of a persistent watch the server
/// removes that one with it, and says nothing.
#[tokio::test]
async fn known_fault_of_the_server_a_one_shot_watch_takes_the_persistent_one_with_it() {
    let server = LocalServer::start();
    let proxy = Proxy::start(server.address());
    let client = connect(&proxy, 20_000).await;
    let options = CreateMode::Persistent.with_acls(Acls::anyone_all());
    client.create("/t", b"", &options).await.unwrap();
    let watcher = client
        .watch("/t", AddWatchMode::PersistentRecursive)
        .await
        .unwrap();
    let (_, _, once) = client.get_and_watch_data("/t").await.unwrap();
    client.set_data("/t", b"1", None).await.unwrap();
    within("the one-shot watch", once.changed()).await;
    assert_eq!(watches(&server), "Total watches:0");
    drop(watcher);
}
