//! The lease: renewed by what a quorum has agreed on, and by nothing else.

use barnabas_tests::proxy::Network;
use barnabas_tests::zookeeper::Ensemble;
use barnabas_zk_schema::{CreateMode, Expected, ZkOp, ZkWrite};
use barnabas_zk_session::SessionEvent;

use crate::fixture::{LONG_MS, Pair, Party, create};

/// Session timeout of tests that wait for the end of a lease, ms: it ends after two thirds.
const LEASE_MS: u32 = 3_000;

#[tokio::test]
async fn a_lease_holds_while_its_znode_is_there() {
    let mut pair = Pair::start("lease", LEASE_MS).await;
    assert!(!pair.here.session.lease().is_held());
    pair.here.session.renew_lease_with("/me".into());
    pair.here.put("/other", "").await;
    assert!(!pair.here.session.lease().is_held());
    pair.here.put("/me", "").await;
    pair.here
        .until(|event| *event == SessionEvent::LeaseRenewed)
        .await;
    assert!(pair.here.session.lease().is_held());
    let delete = ZkWrite::Delete {
        path: "/me".into(),
        expected: Expected::Any,
    };
    pair.truth.run(ZkOp::Write(delete)).await;
    pair.here
        .until(|event| *event == SessionEvent::LeaseOver)
        .await;
    assert!(!pair.here.session.lease().is_held());
}

#[tokio::test]
async fn a_lease_ends_without_answers_and_begins_with_them() {
    let mut pair = Pair::start("lease-hole", LEASE_MS).await;
    pair.here.session.renew_lease_with("/me".into());
    pair.here.put("/me", "").await;
    for network in [Network::Blackhole, Network::NoReplies, Network::Cut] {
        pair.here
            .until(|event| *event == SessionEvent::LeaseRenewed)
            .await;
        pair.proxy.set(network);
        pair.here
            .until(|event| *event == SessionEvent::LeaseOver)
            .await;
        pair.proxy.set(Network::Whole);
    }
    pair.here
        .until(|event| *event == SessionEvent::LeaseRenewed)
        .await;
}

/// A follower that is cut off from its leader goes on answering reads: a lease renewed by reads
/// would be held here for as long as that lasts.
#[tokio::test]
async fn a_lease_ends_at_a_follower_that_has_lost_the_quorum_and_still_answers_reads() {
    let mut ensemble = Ensemble::start();
    let leader = ensemble.leader();
    let follower = (leader + 1) % 3;
    let address = ensemble.servers()[follower].address().to_string();
    let mut party = Party::start(&address, LONG_MS / 2).await;
    party.run(create("/me", "", CreateMode::Persistent)).await;
    party.session.renew_lease_with("/me".into());
    party
        .until(|event| *event == SessionEvent::LeaseRenewed)
        .await;
    // A session of its own, since a server answers a session in order, and nothing behind a write
    // that waits for the quorum.
    let reader = Party::start(&address, LONG_MS).await;
    for other in [leader, (leader + 2) % 3] {
        ensemble.servers()[other].pause();
    }
    party.until(|event| *event == SessionEvent::LeaseOver).await;
    assert_eq!(reader.data("/me").await.unwrap().0, "");
    assert!(!party.session.lease().is_held());
    for other in [leader, (leader + 2) % 3] {
        ensemble.servers()[other].resume();
    }
    party
        .until(|event| *event == SessionEvent::LeaseRenewed)
        .await;
}

/// The leader dies: the session moves to another server and keeps its znodes.
#[tokio::test]
async fn a_session_survives_the_death_of_the_ensembles_leader() {
    let mut ensemble = Ensemble::start();
    let mut party = Party::start(&ensemble.connect_string(), LONG_MS).await;
    party.put_ephemeral("/e").await;
    party.watch("/t").await;
    let before = party.current();
    let leader = ensemble.leader();
    ensemble.servers()[leader].kill();
    party.put("/t", "1").await;
    party.until_told("/t").await;
    assert_eq!(party.current(), before);
    assert_eq!(party.owner("/e").await, Some(before.session));
}
