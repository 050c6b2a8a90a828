//! S15: one wins the controller's znode, and whoever lost it writes nothing.

use barnabas_tests::liveness::eventually;
use barnabas_tests::proxy::{Network, Proxy};
use barnabas_tests::zookeeper::ZooKeeper;
use barnabas_wire::id::{BrokerId, ControllerEpoch};
use barnabas_zk_schema::controller::{ControllerEpochZnode, ControllerHolder, ControllerZnode};
use barnabas_zk_schema::{
    ControllerOp, CreateMode, Fence, FencedOutcome, Outcome, ZkError, ZkOp, Znode,
};
use barnabas_zk_session::{SessionEvent, Settings};

use crate::fixture::{LONG_MS, Pair, Party, SHORT_MS, creation, settings};

/// Reads the epoch and stands for election once.
async fn stand(party: &Party, broker: i32) -> Result<Fence, Outcome> {
    party.run(ControllerOp::create_epoch().into_op()).await;
    let (data, stat) = party
        .run(ZkOp::Read(ControllerEpochZnode.read()))
        .await
        .into_data()?;
    let epoch: ControllerEpoch = ControllerEpochZnode::decode(&data).unwrap();
    let holder = ControllerHolder {
        broker: BrokerId(broker),
        timestamp_ms: 0,
    };
    match party
        .run(ControllerOp::elect(&holder, epoch, stat.version).into_op())
        .await
    {
        Outcome::Done(reply) => Ok(Fence::elected(epoch, &reply).expect("an election's reply")),
        other => Err(other),
    }
}

async fn write(party: &Party, fence: Fence, path: &str) -> FencedOutcome {
    let op = fence.write([creation(path, "", CreateMode::Persistent)]);
    party.run(op.into_op()).await.into()
}

#[tokio::test]
async fn one_of_two_is_elected_and_the_other_told_so() {
    let pair = Pair::start("election", LONG_MS).await;
    let fence = stand(&pair.here, 1).await.unwrap();
    assert_eq!(fence.epoch(), ControllerEpoch(1));
    let refused = ZkError::InMulti {
        index: 0,
        error: Box::new(ZkError::NodeExists),
    };
    assert_eq!(
        stand(&pair.truth, 2).await.unwrap_err(),
        Outcome::Failed(refused)
    );
    assert!(matches!(
        write(&pair.here, fence, "/mine").await,
        FencedOutcome::Applied(_)
    ));
}

/// KAFKA-6082: a controller that was cut off, and is back with a new session, writes nothing.
#[tokio::test]
async fn a_deposed_controller_writes_nothing_from_its_old_session_or_a_new_one() {
    let mut pair = Pair::start("deposed", SHORT_MS).await;
    let old = pair.here.current();
    let stale = stand(&pair.here, 1).await.unwrap();
    pair.truth.watch("/controller").await;
    pair.proxy.set(Network::Cut);
    // The other one learns of it by its watch, and wins.
    pair.truth.until_told("/controller").await;
    let fence = stand(&pair.truth, 2).await.unwrap();
    assert_eq!(fence.epoch(), ControllerEpoch(2));
    pair.proxy.set(Network::Whole);
    pair.here
        .until(|event| matches!(event, SessionEvent::Established(_)))
        .await;
    let op = stale.write([creation("/zombie", "", CreateMode::Persistent)]);
    let outcome = pair
        .here
        .session
        .execute_one(old.generation, op.into_op())
        .await;
    assert_eq!(outcome, Outcome::Failed(ZkError::StaleSession));
    assert_eq!(
        write(&pair.here, stale, "/zombie").await,
        FencedOutcome::Moved
    );
    let zombie = pair.truth.run(crate::fixture::read("/zombie")).await;
    assert_eq!(zombie, Outcome::Failed(ZkError::NoNode));
    assert!(matches!(
        write(&pair.truth, fence, "/mine").await,
        FencedOutcome::Applied(_)
    ));
}

/// A prototype that took its own znode for another's stayed without a controller for 20 s.
#[tokio::test]
async fn an_election_whose_reply_was_lost_is_recognised_by_its_session() {
    let server = ZooKeeper::shared();
    let proxy = Proxy::start(server.address());
    let chroot = server.chroot_through(proxy.address(), "lost-election");
    let patience = Settings {
        request_timeout_ms: 500,
        ..settings(chroot.connect_string(), LONG_MS)
    };
    let party = Party::with(patience).await;
    party.run(ControllerOp::create_epoch().into_op()).await;
    let holder = ControllerHolder {
        broker: BrokerId(1),
        timestamp_ms: 0,
    };
    let (data, stat) = party
        .run(ZkOp::Read(ControllerEpochZnode.read()))
        .await
        .into_data()
        .unwrap();
    let epoch = ControllerEpochZnode::decode(&data).unwrap();
    proxy.set(Network::NoReplies);
    let elect = ControllerOp::elect(&holder, epoch, stat.version).into_op();
    assert_eq!(party.run(elect).await, Outcome::Unknown);
    proxy.set(Network::Whole);
    let (_, stat) = eventually("the znode is read", async || {
        party
            .run(ZkOp::Read(ControllerZnode.read()))
            .await
            .into_data()
    })
    .await;
    assert_eq!(stat.ephemeral_owner, Some(party.id()));
}
