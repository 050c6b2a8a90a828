//! Many operations at once.

use barnabas_tests::liveness::within;
use barnabas_wire::id::ControllerEpoch;
use barnabas_zk_schema::controller::ControllerEpochZnode;
use barnabas_zk_schema::{
    ControllerOp, CreateMode, Expected, Fence, Outcome, ZkError, ZkOp, ZkReply, ZkVersion, Znode,
};

use crate::fixture::{Party, creation, read, setting};

/// As many partitions as a large broker leads.
const PARTITIONS: usize = 10_000;

async fn controller(name: &str) -> (Party, Fence) {
    let party = Party::alone(name).await;
    party.run(ControllerOp::create_epoch().into_op()).await;
    let stat = party
        .run(ZkOp::Read(ControllerEpochZnode.read()))
        .await
        .into_data()
        .unwrap()
        .1;
    (party, Fence::new(ControllerEpoch(0), stat.version))
}

async fn packed(party: &Party, ops: Vec<ZkOp>) -> Vec<Outcome> {
    within(
        "outcomes",
        party.session.execute_packed(party.generation(), ops),
    )
    .await
}

fn create(fence: Fence, path: &str) -> ZkOp {
    fence
        .write([creation(path, path, CreateMode::Persistent)])
        .into_op()
}

#[tokio::test]
async fn ten_thousand_partitions_are_written_and_read() {
    let (party, fence) = controller("bulk").await;
    let path = |number: usize| format!("/partition-{number}");
    let creations = (0..PARTITIONS)
        .map(|number| create(fence, &path(number)))
        .collect();
    let outcomes = packed(&party, creations).await;
    for (number, outcome) in outcomes.into_iter().enumerate() {
        let Outcome::Done(ZkReply::Multi(replies)) = outcome else {
            panic!("{outcome:?}")
        };
        let [ZkReply::Checked, ZkReply::Created { path: created, .. }] = replies.as_slice() else {
            panic!("{replies:?}")
        };
        assert_eq!(created.as_str(), path(number));
    }
    let reads = (0..PARTITIONS).map(|number| read(&path(number))).collect();
    let outcomes = party.run_all(reads).await;
    assert_eq!(outcomes.len(), PARTITIONS);
    for (number, outcome) in outcomes.into_iter().enumerate() {
        assert_eq!(outcome.into_data().unwrap().0, path(number).into_bytes());
    }
}

#[tokio::test]
async fn reads_of_what_is_not_there_fail_by_themselves() {
    let (party, fence) = controller("bulk-read").await;
    party.run(create(fence, "/a")).await;
    let outcomes = party
        .run_all(["/a", "/none", "/a"].map(read).to_vec())
        .await;
    assert!(matches!(outcomes[0], Outcome::Done(_)) && matches!(outcomes[2], Outcome::Done(_)));
    assert_eq!(outcomes[1], Outcome::Failed(ZkError::NoNode));
}

#[tokio::test]
async fn a_pack_that_fails_is_taken_apart_and_only_the_guilty_are_refused() {
    let (party, fence) = controller("pack").await;
    party.run(create(fence, "/taken")).await;
    let ops = vec![
        create(fence, "/a"),
        create(fence, "/taken"),
        create(fence, "/b"),
        fence
            .write([setting("/a", "x", Expected::Version(ZkVersion(9)))])
            .into_op(),
        read("/a"),
        create(fence, "/c"),
        create(fence, "/d"),
    ];
    let outcomes = packed(&party, ops).await;
    let refused = |error| {
        Outcome::Failed(ZkError::InMulti {
            index: 1,
            error: Box::new(error),
        })
    };
    for done in [0, 2, 5, 6] {
        assert!(
            matches!(outcomes[done], Outcome::Done(ZkReply::Multi(_))),
            "{:?}",
            outcomes[done]
        );
    }
    assert_eq!(outcomes[1], refused(ZkError::NodeExists));
    assert_eq!(outcomes[3], refused(ZkError::BadVersion));
    for path in ["/a", "/b", "/c", "/d"] {
        assert_eq!(party.data(path).await.unwrap().0, path);
    }
}

#[tokio::test]
async fn a_pack_behind_a_stale_fence_is_refused_as_a_whole() {
    let (party, fence) = controller("stale-pack").await;
    let stale = Fence::new(ControllerEpoch(0), ZkVersion(9));
    let ops = vec![
        create(stale, "/a"),
        create(stale, "/b"),
        create(fence, "/c"),
    ];
    let outcomes = packed(&party, ops).await;
    let moved = Outcome::Failed(ZkError::InMulti {
        index: 0,
        error: Box::new(ZkError::BadVersion),
    });
    assert_eq!(outcomes[..2], [moved.clone(), moved]);
    assert!(matches!(outcomes[2], Outcome::Done(_)));
    assert_eq!(
        party.run(read("/a")).await,
        Outcome::Failed(ZkError::NoNode)
    );
}
