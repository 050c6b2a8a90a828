//! `zookeeper-async` 5.0.0, the first choice of a client library: what kept it from being used,
//! asserted as known. A failure here is good news, and a reason to look at it again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use barnabas_tests::liveness::{eventually, within};
use barnabas_tests::proxy::{Network, Proxy};
use barnabas_tests::zookeeper::{LocalServer, four_letter};
use zookeeper_async::{Acl, CreateMode, WatchedEvent, ZkError, ZkResult, ZooKeeper};

async fn connect(address: &str, session_timeout_ms: u32) -> ZooKeeper {
    let timeout = Duration::from_millis(session_timeout_ms.into());
    let retry = Duration::from_millis(200);
    let connecting =
        ZooKeeper::connect_with_retry_time(address, timeout, |_: WatchedEvent| {}, retry);
    within("a connection", connecting).await.unwrap()
}

async fn create(client: &ZooKeeper, path: &str, data: &str, mode: CreateMode) -> ZkResult<String> {
    client
        .create(path, data.into(), Acl::open_unsafe().clone(), mode)
        .await
}

fn watches(server: &LocalServer) -> String {
    let answer = four_letter(server.address(), "wchs").expect("the server answers");
    answer.lines().last().unwrap_or_default().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn known_fault_its_watches_are_lost_on_a_reconnection_and_nobody_is_told() {
    let server = LocalServer::start();
    let proxy = Proxy::start(server.address());
    let client = connect(&proxy.address().to_string(), 20_000).await;
    create(&client, "/t", "1", CreateMode::Persistent)
        .await
        .unwrap();
    let fired = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&fired);
    let count = move |_: WatchedEvent| {
        counter.fetch_add(1, Ordering::SeqCst);
    };
    client.get_data_w("/t", count).await.unwrap();
    assert_eq!(watches(&server), "Total watches:1");
    proxy.cut_connections();
    eventually("it is connected again", async || {
        client.get_data("/t", false).await
    })
    .await;
    assert_eq!(watches(&server), "Total watches:0");
    client.set_data("/t", b"2".to_vec(), None).await.unwrap();
    assert_eq!(client.get_data("/t", false).await.unwrap().0, b"2");
    assert_eq!(fired.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn known_fault_it_answers_with_another_znodes_data_under_add_auth() {
    const ZNODES: usize = 32;
    const ROUNDS: usize = 200;
    let server = LocalServer::start();
    let client = Arc::new(connect(&server.address().to_string(), 20_000).await);
    for number in 0..ZNODES {
        create(
            &client,
            &format!("/{number}"),
            &number.to_string(),
            CreateMode::Persistent,
        )
        .await
        .unwrap();
    }
    let mut mixed_up = 0;
    for _ in 0..ROUNDS {
        let mut reads = tokio::task::JoinSet::new();
        for number in 0..ZNODES {
            let client = Arc::clone(&client);
            reads.spawn(async move {
                if number == ZNODES / 2 {
                    client.add_auth("digest", b"user:word".to_vec()).await.ok();
                }
                (number, client.get_data(&format!("/{number}"), false).await)
            });
        }
        while let Some(read) = within("a reply", reads.join_next()).await {
            let (number, reply) = read.unwrap();
            mixed_up +=
                usize::from(reply.is_ok_and(|(data, _)| data != number.to_string().as_bytes()));
        }
    }
    assert!(mixed_up > 0, "every reply belonged to its request");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn known_fault_it_begins_a_new_session_under_the_same_handle() {
    let server = LocalServer::start();
    let proxy = Proxy::start(server.address());
    let client = connect(&proxy.address().to_string(), 1_000).await;
    let truth = connect(&server.address().to_string(), 20_000).await;
    let owner = async |path: &str| {
        let stat = truth.exists(path, false).await?;
        stat.map(|stat| stat.ephemeral_owner).ok_or(ZkError::NoNode)
    };
    create(&client, "/before", "", CreateMode::Ephemeral)
        .await
        .unwrap();
    let before = owner("/before").await.unwrap();
    proxy.set(Network::Cut);
    eventually("its session expires", async || {
        match owner("/before").await {
            Err(ZkError::NoNode) => Ok(()),
            other => Err(other),
        }
    })
    .await;
    proxy.set(Network::Whole);
    eventually("the handle works on", async || {
        match create(&client, "/after", "", CreateMode::Ephemeral).await {
            // An earlier attempt whose reply was lost.
            Ok(_) | Err(ZkError::NodeExists) => Ok(()),
            Err(error) => Err(error),
        }
    })
    .await;
    assert_ne!(owner("/after").await.unwrap(), before);
}
