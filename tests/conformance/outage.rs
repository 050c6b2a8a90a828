//! Servers that stop, stand still, or are not there yet.

use std::time::Duration;

use barnabas_tests::process::free_port;
use barnabas_tests::proxy::{Network, Proxy};
use barnabas_tests::zookeeper::ZooKeeper;
use barnabas_zk_schema::{Outcome, ZkOp, ZkRead};
use barnabas_zk_session::{Session, SessionEvent, Settings, StartError};

use crate::fixture::{LONG_MS, Pair, Party, SHORT_MS, read, settings};

/// The library gives a session up on its own after 1.4 timeouts without a server, while the server
/// keeps it: it is attached to again.
#[tokio::test]
async fn a_session_is_attached_to_again_after_a_long_outage_of_its_server() {
    let mut server = ZooKeeper::start();
    let mut pair = Pair::on(&server, "outage", SHORT_MS).await;
    pair.here.put_ephemeral("/e").await;
    pair.here.watch("/t").await;
    let before = pair.here.current();
    server.kill();
    pair.here
        .until(|event| *event == SessionEvent::Disconnected)
        .await;
    tokio::time::sleep(Duration::from_millis((3 * SHORT_MS).into())).await;
    server.restart();
    let told = pair
        .here
        .until(|event| *event == SessionEvent::Reconnected)
        .await;
    assert_eq!(told, []);
    assert_eq!(pair.here.current(), before);
    pair.here.watch("/t2").await;
    let owner = pair.here.owner("/e").await;
    assert_eq!(owner, Some(before.session));
    pair.truth.put("/t", "1").await;
    pair.here.until_told("/t").await;
}

#[tokio::test]
async fn operations_during_an_outage_end_and_later_ones_succeed() {
    let mut server = ZooKeeper::start();
    let chroot = server.chroot("during");
    let patience = Settings {
        request_timeout_ms: 300,
        ..settings(chroot.connect_string(), LONG_MS)
    };
    let party = Party::with(patience).await;
    party.put("/t", "1").await;
    server.kill();
    for _ in 0..3 {
        assert_eq!(party.run(read("/t")).await, Outcome::Unknown);
    }
    server.restart();
    party.put("/t", "2").await;
    assert_eq!(party.data("/t").await.unwrap().0, "2");
}

#[tokio::test]
async fn a_server_that_stood_still_is_used_again() {
    let mut server = ZooKeeper::start();
    let mut pair = Pair::on(&server, "pause", SHORT_MS).await;
    pair.here.put("/t", "1").await;
    server.pause();
    pair.here
        .until(|event| *event == SessionEvent::Disconnected)
        .await;
    server.resume();
    // Whether the session lived through it is the server's affair.
    pair.here.put("/t", "2").await;
    assert_eq!(pair.truth.data("/t").await.unwrap().0, "2");
}

#[tokio::test]
async fn a_start_waits_for_a_server_that_comes_late() {
    let server = ZooKeeper::shared();
    let proxy = Proxy::start(server.address());
    proxy.set(Network::Cut);
    let chroot = server.chroot_through(proxy.address(), "late");
    let starting = Party::start(chroot.connect_string(), LONG_MS);
    let coming = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        proxy.set(Network::Whole);
    };
    let (party, ()) = tokio::join!(starting, coming);
    party.put("/t", "1").await;
}

#[tokio::test]
async fn a_start_without_a_server_says_where_it_looked() {
    let address = format!("127.0.0.1:{}", free_port());
    let patience = Settings {
        connection_timeout_ms: 300,
        ..settings(&address, LONG_MS)
    };
    let error = Session::start(patience).await.unwrap_err();
    let StartError::Unreachable { servers, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(servers, &address);
    assert!(error.to_string().contains("zookeeper.connect"));
}

#[tokio::test]
async fn a_close_without_a_server_comes_to_an_end() {
    let server = ZooKeeper::shared();
    let proxy = Proxy::start(server.address());
    let chroot = server.chroot_through(proxy.address(), "close");
    let patience = Settings {
        request_timeout_ms: 300,
        ..settings(chroot.connect_string(), LONG_MS)
    };
    let mut party = Party::with(patience).await;
    proxy.set(Network::Cut);
    party
        .until(|event| *event == SessionEvent::Disconnected)
        .await;
    let generation = party.generation();
    party.session.close().await;
    assert_eq!(party.next().await, SessionEvent::Expired(generation));
    let outcome = party
        .session
        .execute_one(generation, ZkOp::Read(ZkRead::Exists("/".into())))
        .await;
    assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
}
