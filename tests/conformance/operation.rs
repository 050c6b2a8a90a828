//! What each operation does, and what refuses it.

use barnabas_tests::zookeeper::ZooKeeper;
use barnabas_zk_schema::{
    CreateMode, Expected, Outcome, ZkError, ZkOp, ZkPath, ZkRead, ZkReply, ZkVersion, ZkWrite,
};
use barnabas_zk_session::{REQUEST_SIZE_BYTES_MAX, Session, SessionEvent, StartError};

use crate::fixture::{LONG_MS, Pair, Party, create, creation, read, set, setting, settings};

fn version(version: i32) -> Expected {
    Expected::Version(ZkVersion(version))
}

fn delete(path: &str, expected: Expected) -> ZkOp {
    ZkOp::Write(ZkWrite::Delete {
        path: path.into(),
        expected,
    })
}

#[track_caller]
fn failed(outcome: &Outcome, expected: &ZkError) {
    assert_eq!(outcome, &Outcome::Failed(expected.clone()));
}

#[tokio::test]
async fn a_znode_is_created_read_set_and_deleted_by_version() {
    let party = Party::alone("crud").await;
    let create = || create("/a", "one", CreateMode::Persistent);
    let Outcome::Done(ZkReply::Created { path, stat }) = party.run(create()).await else {
        panic!("not created")
    };
    assert_eq!(
        (path.as_str(), stat.version, stat.ephemeral_owner),
        ("/a", ZkVersion(0), None)
    );
    failed(&party.run(create()).await, &ZkError::NodeExists);
    failed(
        &party.run(set("/a", "x", version(7))).await,
        &ZkError::BadVersion,
    );
    let Outcome::Done(ZkReply::Set(after)) = party.run(set("/a", "two", version(0))).await else {
        panic!("not set")
    };
    assert_eq!(
        (after.version, after.czxid, after.mzxid > stat.mzxid),
        (ZkVersion(1), stat.czxid, true)
    );
    let (data, stat) = party.data("/a").await.unwrap();
    assert_eq!((data.as_str(), stat), ("two", after));
    failed(
        &party.run(delete("/a", version(0))).await,
        &ZkError::BadVersion,
    );
    assert_eq!(
        party.run(delete("/a", version(1))).await,
        Outcome::Done(ZkReply::Deleted)
    );
    failed(
        &party.run(delete("/a", Expected::Any)).await,
        &ZkError::NoNode,
    );
}

#[tokio::test]
async fn questions_about_a_znode_are_answered_or_say_that_there_is_none() {
    let party = Party::alone("questions").await;
    let session = &party.session;
    session
        .ensure_paths(party.generation(), ["/a/b".into(), "/a/c".into()])
        .await
        .unwrap();
    let ask = |question: fn(ZkPath) -> ZkRead, path: &str| ZkOp::Read(question(path.into()));
    let Outcome::Done(ZkReply::Exists(stat)) = party.run(ask(ZkRead::Exists, "/a")).await else {
        panic!("no stat")
    };
    assert_eq!(stat.children_count, 2);
    let children = party.run(ask(ZkRead::Children, "/a")).await;
    assert_eq!(children.into_children().unwrap(), ["b", "c"]);
    for question in [ZkRead::Data, ZkRead::Exists, ZkRead::Children] {
        failed(&party.run(ask(question, "/none")).await, &ZkError::NoNode);
    }
    failed(
        &party.run(delete("/a", Expected::Any)).await,
        &ZkError::NotEmpty,
    );
}

#[tokio::test]
async fn an_ephemeral_znode_belongs_to_its_session_and_has_no_children() {
    let mut pair = Pair::start("ephemeral", LONG_MS).await;
    pair.here.put_ephemeral("/e").await;
    assert_eq!(pair.truth.owner("/e").await, Some(pair.here.id()));
    let below = pair
        .here
        .run(create("/e/below", "", CreateMode::Persistent))
        .await;
    failed(&below, &ZkError::EphemeralParent);
    let generation = pair.here.generation();
    pair.here.session.close().await;
    // The session is over on the server, not merely forgotten here.
    let gone = pair.truth.run(read("/e")).await;
    failed(&gone, &ZkError::NoNode);
    assert_eq!(pair.here.next().await, SessionEvent::Expired(generation));
    assert_eq!(pair.here.events.next().await, None);
    let after = pair.here.session.execute_one(generation, read("/e")).await;
    failed(&after, &ZkError::StaleSession);
}

#[tokio::test]
async fn dropping_the_last_handle_closes_the_session() {
    let pair = Pair::start("drop", LONG_MS).await;
    pair.here.put_ephemeral("/e").await;
    drop(pair.here);
    pair.truth.until_gone("/e").await;
}

#[tokio::test]
async fn a_sequential_znode_is_answered_with_its_number() {
    let party = Party::alone("sequential").await;
    for number in ["0000000000", "0000000001"] {
        let op = create("/change_", "", CreateMode::PersistentSequential);
        let Outcome::Done(ZkReply::Created { path, .. }) = party.run(op).await else {
            panic!("not created")
        };
        assert_eq!(path, ZkPath::from(format!("/change_{number}")));
    }
}

#[tokio::test]
async fn a_multi_does_all_or_nothing_and_names_the_first_that_failed() {
    let party = Party::alone("multi").await;
    let op = |check: i32| {
        ZkOp::Multi(vec![
            creation("/a", "one", CreateMode::Persistent),
            setting("/a", "two", version(0)),
            ZkWrite::Check {
                path: "/a".into(),
                version: ZkVersion(check),
            },
            creation("/b", "", CreateMode::Ephemeral),
            ZkWrite::Delete {
                path: "/b".into(),
                expected: Expected::Any,
            },
        ])
    };
    let error = ZkError::InMulti {
        index: 2,
        error: Box::new(ZkError::BadVersion),
    };
    failed(&party.run(op(9)).await, &error);
    failed(&party.run(read("/a")).await, &ZkError::NoNode);
    let Outcome::Done(ZkReply::Multi(replies)) = party.run(op(1)).await else {
        panic!("not done")
    };
    assert!(
        matches!(
            replies.as_slice(),
            [
                ZkReply::Created { .. },
                ZkReply::Set(_),
                ZkReply::Checked,
                ZkReply::Created { .. },
                ZkReply::Deleted
            ]
        ),
        "{replies:?}"
    );
    assert_eq!(party.data("/a").await.unwrap().0, "two");
}

#[tokio::test]
async fn operations_of_one_call_are_executed_in_their_order() {
    let party = Party::alone("order").await;
    let mut ops = vec![create("/n", "0", CreateMode::Persistent)];
    for number in 1..=100 {
        ops.push(set("/n", &number.to_string(), version(number - 1)));
        ops.push(read("/n"));
    }
    let outcomes = party.run_all(ops).await;
    for (number, pair) in (1..).zip(outcomes[1..].chunks(2)) {
        let (data, stat) = pair[1].clone().into_data().unwrap();
        assert_eq!(
            (data, stat.version),
            (number.to_string().into_bytes(), ZkVersion(number))
        );
    }
}

/// A request over the server's limit would make it close the connection, and every other request
/// under way would be lost with it.
#[tokio::test]
async fn a_request_that_is_too_large_is_refused_and_spoils_no_other() {
    let pair = Pair::start("oversize", LONG_MS).await;
    let big = "x".repeat(REQUEST_SIZE_BYTES_MAX);
    let largest = &big[..REQUEST_SIZE_BYTES_MAX - 200];
    let ops = vec![
        create("/a", largest, CreateMode::Persistent),
        create("/b", &big, CreateMode::Persistent),
        ZkOp::Multi(vec![creation("/c", largest, CreateMode::Persistent); 2]),
        create("/d", "", CreateMode::Persistent),
    ];
    let outcomes = pair.here.run_all(ops).await;
    let too_large = |outcome: &Outcome| {
        matches!(outcome, Outcome::Failed(ZkError::TooLarge { size_bytes, limit_bytes })
            if size_bytes >= limit_bytes)
    };
    assert!(matches!(outcomes[0], Outcome::Done(_)), "{:?}", outcomes[0]);
    assert!(too_large(&outcomes[1]) && too_large(&outcomes[2]));
    assert!(matches!(outcomes[3], Outcome::Done(_)));
    // The probe's connection and the session's, and no other one.
    assert_eq!(pair.proxy.connections_opened(), 2);
}

#[tokio::test]
async fn a_check_by_itself_is_no_operation() {
    let party = Party::alone("check").await;
    let check = ZkWrite::Check {
        path: "/".into(),
        version: ZkVersion(0),
    };
    assert!(matches!(
        party.run(ZkOp::Write(check)).await,
        Outcome::Failed(ZkError::Refused { .. })
    ));
}

#[tokio::test]
async fn a_chroot_that_is_missing_is_created_with_its_ancestors() {
    let chroot = ZooKeeper::shared().chroot("chroot");
    let deep = format!("{}/x/y", chroot.connect_string());
    let party = Party::start(&deep, LONG_MS).await;
    party.put("/znode", "1").await;
    let whole = Party::start(&chroot.server(), LONG_MS).await;
    let path = format!("{}/x/y/znode", chroot.path());
    assert_eq!(whole.data(&path).await.unwrap().0, "1");
}

#[tokio::test]
async fn a_connect_string_without_servers_is_refused() {
    let error = Session::start(settings("/chroot", LONG_MS))
        .await
        .unwrap_err();
    assert!(matches!(error, StartError::ConnectString(_)), "{error:?}");
}
