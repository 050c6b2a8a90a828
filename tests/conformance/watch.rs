//! Watches: what they tell, and that nothing is missed over a reconnection.

use barnabas_tests::zookeeper::ZooKeeper;
use barnabas_zk_schema::{CreateMode, ZkPath};
use barnabas_zk_session::{SessionEvent, WATCHED_PATHS_SIZE_BYTES_MAX, WATCHES_MAX};

use crate::fixture::{LONG_MS, Pair, Party};

#[tokio::test]
async fn a_watch_tells_of_everything_at_and_below_its_path() {
    let mut pair = Pair::start("tell", LONG_MS).await;
    // Before there is anything there.
    pair.here.watch("/brokers").await;
    pair.truth.put("/brokers", "").await;
    pair.here.until_told("/brokers").await;
    pair.truth.put("/brokers/topics", "").await;
    pair.here.until_told("/brokers/topics").await;
    pair.truth.put("/brokers/topics/t", "1").await;
    pair.here.until_told("/brokers/topics/t").await;
    pair.truth.put("/brokers/topics/t", "2").await;
    pair.here.until_told("/brokers/topics/t").await;
    pair.truth.put_ephemeral("/brokers/one").await;
    pair.here.until_told("/brokers/one").await;
    pair.truth.session.close().await;
    pair.here.until_told("/brokers/one").await;
}

#[tokio::test]
async fn a_watch_sees_changes_before_during_and_after_a_cut() {
    let mut pair = Pair::start("cut", LONG_MS).await;
    pair.truth.put("/t", "0").await;
    pair.here.watch("/t").await;
    for round in 0..5 {
        pair.truth.put("/t", &format!("before {round}")).await;
        pair.here.until_told("/t").await;
        pair.proxy.cut_connections();
        pair.truth.put("/t", &format!("after {round}")).await;
        // By an event of the watch that is in place again, or by the resync that says so.
        pair.here
            .until(|event| matches!(event, SessionEvent::Resync(paths) if paths == &["/t".into()]))
            .await;
        assert_eq!(
            pair.here.data("/t").await.unwrap().0,
            format!("after {round}")
        );
    }
    pair.truth.put("/t", "last").await;
    pair.here.until_told("/t").await;
}

#[tokio::test]
async fn a_watch_that_was_ended_tells_no_more() {
    let mut pair = Pair::start("unwatch", LONG_MS).await;
    pair.here.watch("/a").await;
    pair.here.watch("/b").await;
    pair.here
        .session
        .unwatch(pair.here.generation(), "/a".into())
        .await;
    // A reply to anything sent later says that the command before it was carried out.
    pair.here.put("/other", "").await;
    pair.truth.put("/a", "1").await;
    pair.truth.put("/b", "1").await;
    let told = pair
        .here
        .until(|event| *event == SessionEvent::Dirty(vec!["/b".into()]))
        .await;
    assert_eq!(told, []);
}

/// More than twice as much would make the library break off every connection; see
/// `engine::known_fault_more_than_128_kib_of_watched_paths_end_the_session`.
#[tokio::test]
async fn as_many_watched_paths_as_there_may_be_are_restored_by_one_reconnection() {
    let mut pair = Pair::start("long-paths", LONG_MS).await;
    let length = WATCHED_PATHS_SIZE_BYTES_MAX / (WATCHES_MAX - 4) - 100;
    let paths: Vec<String> = (0..WATCHES_MAX - 4)
        .map(|number| format!("/{number:02}{}", "x".repeat(length)))
        .collect();
    for path in &paths {
        pair.here.watch(path).await;
    }
    let (before, connections) = (pair.here.current(), pair.proxy.connections_opened());
    pair.proxy.cut_connections();
    let mut missing: Vec<ZkPath> = paths.iter().map(|path| path.as_str().into()).collect();
    while !missing.is_empty() {
        if let SessionEvent::Resync(paths) = pair.here.next().await {
            missing.retain(|path| !paths.contains(path));
        }
    }
    assert_eq!(pair.here.current(), before);
    assert_eq!(pair.proxy.connections_opened(), connections + 1);
    pair.truth.put(&paths[7], "1").await;
    pair.here.until_told(&paths[7]).await;
}

#[tokio::test]
async fn a_path_beyond_the_limit_is_not_watched() {
    let mut pair = Pair::start("too-long", LONG_MS).await;
    let long = format!("/{}", "x".repeat(WATCHED_PATHS_SIZE_BYTES_MAX));
    pair.here
        .session
        .watch(pair.here.generation(), long.as_str().into())
        .await;
    pair.here.watch("/short").await;
    pair.truth.put(&long, "1").await;
    pair.truth.put("/short", "1").await;
    let told = pair
        .here
        .until(|event| *event == SessionEvent::Dirty(vec!["/short".into()]))
        .await;
    assert_eq!(told, []);
}

#[tokio::test]
async fn a_path_is_told_as_seen_from_the_chroot() {
    let chroot = ZooKeeper::shared().chroot("below");
    let mut party = Party::start(&format!("{}/deep/down", chroot.connect_string()), LONG_MS).await;
    party.watch("/").await;
    party.put("/t", "").await;
    party.until_told("/t").await;
    let created = crate::fixture::create("/t/u", "", CreateMode::Persistent);
    party.run(created).await;
    party
        .until(|event| *event == SessionEvent::Dirty(vec!["/t/u".into()]))
        .await;
}
