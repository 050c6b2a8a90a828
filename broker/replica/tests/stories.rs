//! Stories of one partition: what a controller, a log and producers tell it, and what it answers.
//!
//! A story returns what went against expectation, so that a control can bring a bug back and see the
//! story notice it.

use barnabas_replica::{
    Acknowledgement, Acks, Advance, AppendRefusal, Bugs, Decision, DecisionRefusal, Lease,
    LogBounds, LogWork, PendingAcknowledgement, ReadRefusal, Replica, ReplicaSettings, Role,
    StopEpoch, StopRefusal,
};
use barnabas_wire::id::{BrokerId, ControllerEpoch, LeaderEpoch, Offset};
use barnabas_zk_schema::ZkVersion;

const ME: BrokerId = BrokerId(1);

const SETTINGS: ReplicaSettings = ReplicaSettings {
    min_insync_replicas: 1,
    is_flushed_on_acknowledgement: false,
    elects_unclean_leader: false,
};

fn decision(leader: i32, leader_epoch: i32, isr: &[i32]) -> Decision {
    let isr: Vec<_> = isr.iter().copied().map(BrokerId).collect();
    Decision {
        controller_epoch: ControllerEpoch(1),
        leader: BrokerId(leader),
        leader_epoch: LeaderEpoch(leader_epoch),
        replicas: isr.clone(),
        isr,
        zk_version: ZkVersion(leader_epoch),
        is_new: leader_epoch == 0,
    }
}

fn bounds(log_start: i64, log_end: i64, flushed_end: i64, high_watermark: i64) -> LogBounds {
    LogBounds {
        log_start: Offset(log_start),
        log_end: Offset(log_end),
        flushed_end: Offset(flushed_end),
        high_watermark: Offset(high_watermark),
    }
}

/// A replica that leads alone, with an empty log, in leader epoch 0.
#[expect(clippy::expect_used, reason = "a test's own set-up")]
fn leader(settings: ReplicaSettings, bugs: Bugs) -> Replica {
    let mut replica = Replica::new(ME, settings, bugs);
    replica
        .decide(decision(1, 0, &[1]))
        .expect("the first decision");
    let _moved = replica.log_ready(LeaderEpoch(0), bounds(0, 0, 0, 0));
    replica
}

fn pending(acks: Acks, leader_epoch: i32, end_offset: i64) -> PendingAcknowledgement {
    PendingAcknowledgement {
        acks,
        leader_epoch: LeaderEpoch(leader_epoch),
        end_offset: Offset(end_offset),
    }
}

/// Compares in a story.
#[expect(clippy::needless_pass_by_value, reason = "reads like an assertion")]
fn expect<T: PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Result<(), String> {
    if found == expected {
        Ok(())
    } else {
        Err(format!("{what}: {found:?}, not {expected:?}"))
    }
}

fn told(advance: Advance) -> (Option<i64>, bool) {
    (
        advance.high_watermark.map(|offset| offset.0),
        advance.wakes_waiters,
    )
}

/// S9: the leader, and only the leader, takes records; with one replica all of them are committed.
#[test]
fn a_partition_of_one_replica_commits_what_its_leader_appends() {
    let mut replica = Replica::new(ME, SETTINGS, Bugs::default());
    assert_eq!(
        replica.append_terms(Acks::All, Lease::Held),
        Err(AppendRefusal::NotLeader)
    );
    let work = replica.decide(decision(1, 0, &[1])).unwrap();
    assert_eq!(
        work,
        LogWork {
            leader_epoch: LeaderEpoch(0),
            is_new: true,
            leads: true
        }
    );
    assert_eq!(replica.role(), Role::Idle, "the log is not there yet");
    assert_eq!(
        told(replica.log_ready(LeaderEpoch(0), bounds(0, 0, 0, 0))),
        (Some(0), true)
    );
    assert_eq!(replica.role(), Role::Leader);

    let terms = replica.append_terms(Acks::All, Lease::Held).unwrap();
    assert_eq!(terms.leader_epoch, LeaderEpoch(0));
    let waiting = pending(Acks::All, 0, 3);
    assert_eq!(replica.acknowledgement(&waiting), Acknowledgement::Wait);
    assert_eq!(told(replica.appended(Offset(3))), (Some(3), true));
    assert_eq!(replica.acknowledgement(&waiting), Acknowledgement::Done);
}

/// A leader that restarts has everything it ever acknowledged, whatever the checkpoint says.
#[test]
fn a_restarted_leader_commits_its_whole_log_at_once() {
    let mut replica = Replica::new(ME, SETTINGS, Bugs::default());
    replica.decide(decision(1, 4, &[1])).unwrap();
    assert_eq!(
        told(replica.log_ready(LeaderEpoch(4), bounds(10, 50, 40, 20))),
        (Some(50), true)
    );
    assert_eq!(replica.leader_epoch_start(), Offset(50));
}

#[test]
fn a_high_watermark_from_a_checkpoint_is_kept_inside_the_log() {
    for (stored, expected) in [(3, 10), (99, 50), (30, 30)] {
        let mut replica = Replica::new(ME, SETTINGS, Bugs::default());
        replica.decide(decision(2, 4, &[1, 2])).unwrap();
        let _moved = replica.log_ready(LeaderEpoch(4), bounds(10, 50, 50, stored));
        assert_eq!(
            replica.high_watermark(),
            Offset(expected),
            "checkpoint says {stored}"
        );
        let _moved = replica.log_start_raised(Offset(45));
        assert_eq!(replica.high_watermark(), Offset(expected.max(45)));
    }
}

/// With others in the ISR nothing is committed by this broker's word alone (S12).
#[test]
fn a_leader_with_others_in_its_isr_does_not_commit_alone() {
    let mut replica = Replica::new(ME, SETTINGS, Bugs::default());
    replica.decide(decision(1, 0, &[1, 2])).unwrap();
    let _moved = replica.log_ready(LeaderEpoch(0), bounds(0, 0, 0, 0));
    assert_eq!(told(replica.appended(Offset(5))), (None, false));
    assert_eq!(
        replica.acknowledgement(&pending(Acks::All, 0, 5)),
        Acknowledgement::Wait
    );
    assert_eq!(
        replica.acknowledgement(&pending(Acks::Leader, 0, 5)),
        Acknowledgement::Done
    );
    // S9: the follower is lost, the controller says so, and all goes on.
    let mut alone = decision(1, 1, &[1]);
    alone.replicas = vec![BrokerId(1), BrokerId(2)];
    replica.decide(alone).unwrap();
    assert_eq!(
        told(replica.log_ready(LeaderEpoch(1), bounds(0, 5, 0, 0))),
        (Some(5), true)
    );
    assert_eq!(
        replica.acknowledgement(&pending(Acks::All, 0, 5)),
        Acknowledgement::Done
    );
}

fn a_failed_log_leaves_the_decision_open(bugs: Bugs) -> Result<(), String> {
    let mut replica = Replica::new(ME, SETTINGS, bugs);
    replica
        .decide(decision(1, 0, &[1]))
        .map_err(|error| error.to_string())?;
    replica.log_failed(LeaderEpoch(0));
    expect("role", replica.role(), Role::Idle)?;
    expect("leader epoch", replica.leader_epoch(), LeaderEpoch::NONE)?;
    replica
        .decide(decision(1, 0, &[1]))
        .map_err(|error| format!("repeated: {error}"))?;
    let _moved = replica.log_ready(LeaderEpoch(0), bounds(0, 0, 0, 0));
    expect("role after the repetition", replica.role(), Role::Leader)
}

/// KAFKA-9307, KAFKA-9769.
#[test]
fn a_decision_whose_log_work_failed_is_heeded_when_it_comes_again() {
    assert_eq!(
        a_failed_log_leaves_the_decision_open(Bugs::default()),
        Ok(())
    );
}

#[cfg(feature = "bugs")]
#[test]
fn control_an_epoch_stored_early_is_noticed() {
    let bugs = Bugs {
        stores_epoch_early: true,
        ..Bugs::default()
    };
    assert!(a_failed_log_leaves_the_decision_open(bugs).is_err());
}

fn an_equal_or_older_epoch_changes_nothing(bugs: Bugs) -> Result<(), String> {
    let mut replica = leader(SETTINGS, bugs);
    replica
        .decide(decision(1, 5, &[1]))
        .map_err(|error| error.to_string())?;
    let _moved = replica.log_ready(LeaderEpoch(5), bounds(0, 0, 0, 0));
    for received in [LeaderEpoch(5), LeaderEpoch(4)] {
        let current = LeaderEpoch(5);
        expect(
            "decision",
            replica.decide(decision(2, received.0, &[1, 2])),
            Err(DecisionRefusal::StaleLeaderEpoch { current, received }),
        )?;
    }
    expect("role", replica.role(), Role::Leader)
}

/// KAFKA-2721.
#[test]
fn a_decision_that_is_known_or_older_is_ignored() {
    assert_eq!(
        an_equal_or_older_epoch_changes_nothing(Bugs::default()),
        Ok(())
    );
}

#[cfg(feature = "bugs")]
#[test]
fn control_an_equal_epoch_applied_again_is_noticed() {
    let bugs = Bugs {
        applies_equal_epoch: true,
        ..Bugs::default()
    };
    assert!(an_equal_or_older_epoch_changes_nothing(bugs).is_err());
}

#[test]
fn a_decision_overtaken_while_its_log_work_ran_never_holds() {
    let mut replica = leader(SETTINGS, Bugs::default());
    replica.decide(decision(1, 1, &[1])).unwrap();
    replica.decide(decision(2, 2, &[1, 2])).unwrap();
    let (current, received) = (LeaderEpoch(2), LeaderEpoch(1));
    assert_eq!(
        replica.decide(decision(1, 1, &[1])),
        Err(DecisionRefusal::StaleLeaderEpoch { current, received })
    );
    assert_eq!(
        replica.log_ready(LeaderEpoch(1), bounds(0, 9, 9, 9)),
        Advance::default()
    );
    assert_eq!(replica.leader_epoch(), LeaderEpoch(0));
    let _moved = replica.log_ready(LeaderEpoch(2), bounds(0, 0, 0, 0));
    assert_eq!(
        replica.role(),
        Role::Follower {
            leader: BrokerId(2)
        }
    );
    assert!(replica.isr().is_empty());
}

#[test]
fn a_decision_about_other_brokers_is_refused() {
    let mut replica = Replica::new(ME, SETTINGS, Bugs::default());
    assert_eq!(
        replica.decide(decision(2, 0, &[2, 3])),
        Err(DecisionRefusal::NotAssigned { broker_id: ME })
    );
}

fn an_acknowledgement_waits_for_the_disk(bugs: Bugs) -> Result<(), String> {
    let settings = ReplicaSettings {
        is_flushed_on_acknowledgement: true,
        ..SETTINGS
    };
    let mut replica = leader(settings, bugs);
    expect("appended", told(replica.appended(Offset(4))), (None, false))?;
    for acks in [Acks::Leader, Acks::All] {
        let waits = replica.acknowledgement(&pending(acks, 0, 4));
        expect("before the flush", waits, Acknowledgement::Wait)?;
    }
    expect(
        "half flushed",
        told(replica.flushed(Offset(2))),
        (Some(2), true),
    )?;
    expect("flushed", told(replica.flushed(Offset(4))), (Some(4), true))?;
    for acks in [Acks::Leader, Acks::All] {
        let done = replica.acknowledgement(&pending(acks, 0, 4));
        expect("after the flush", done, Acknowledgement::Done)?;
    }
    Ok(())
}

#[test]
fn where_every_record_is_flushed_an_unflushed_one_counts_for_nothing() {
    assert_eq!(
        an_acknowledgement_waits_for_the_disk(Bugs::default()),
        Ok(())
    );
}

#[cfg(feature = "bugs")]
#[test]
fn control_an_unflushed_record_that_counts_is_noticed() {
    let bugs = Bugs {
        counts_unflushed: true,
        ..Bugs::default()
    };
    assert!(an_acknowledgement_waits_for_the_disk(bugs).is_err());
}

#[test]
fn a_leader_that_was_deposed_in_between_does_not_acknowledge_what_it_had() {
    let mut replica = leader(SETTINGS, Bugs::default());
    let _moved = replica.appended(Offset(4));
    let waiting = pending(Acks::All, 0, 4);
    // Led on without a break: the records are still there.
    replica.decide(decision(1, 1, &[1])).unwrap();
    let _moved = replica.log_ready(LeaderEpoch(1), bounds(0, 4, 0, 4));
    assert_eq!(replica.acknowledgement(&waiting), Acknowledgement::Done);
    // Followed for a while: other records may lie there now.
    replica.decide(decision(2, 2, &[1, 2])).unwrap();
    let _moved = replica.log_ready(LeaderEpoch(2), bounds(0, 4, 0, 4));
    assert_eq!(
        replica.acknowledgement(&waiting),
        Acknowledgement::NotLeader
    );
    replica.decide(decision(1, 3, &[1])).unwrap();
    let _moved = replica.log_ready(LeaderEpoch(3), bounds(0, 9, 0, 4));
    assert_eq!(
        replica.acknowledgement(&waiting),
        Acknowledgement::NotLeader
    );
    assert_eq!(
        replica.acknowledgement(&pending(Acks::All, 3, 9)),
        Acknowledgement::Done
    );
}

#[test]
fn too_small_an_isr_refuses_acks_all_but_no_more_than_all_replicas_are_required() {
    let settings = ReplicaSettings {
        min_insync_replicas: 2,
        ..SETTINGS
    };
    let mut replica = Replica::new(ME, settings, Bugs::default());
    let mut alone = decision(1, 0, &[1]);
    alone.replicas = vec![BrokerId(1), BrokerId(2)];
    replica.decide(alone).unwrap();
    let _moved = replica.log_ready(LeaderEpoch(0), bounds(0, 0, 0, 0));
    assert_eq!(
        replica.append_terms(Acks::All, Lease::Held),
        Err(AppendRefusal::NotEnoughReplicas {
            isr_count: 1,
            required_count: 2
        })
    );
    assert!(replica.append_terms(Acks::Leader, Lease::Held).is_ok());
    let _moved = replica.appended(Offset(1));
    let waiting = pending(Acks::All, 0, 1);
    assert_eq!(
        replica.acknowledgement(&waiting),
        Acknowledgement::NotEnoughReplicas
    );

    assert!(
        leader(settings, Bugs::default())
            .append_terms(Acks::All, Lease::Held)
            .is_ok()
    );
}

/// Corrections to the design, C3.3: who is fenced when the session with ZooKeeper is in doubt.
#[test]
fn only_who_can_be_replaced_unnoticed_is_fenced_without_a_lease() {
    let check = |replicas: &[i32], isr: &[i32], unclean: bool, fenced: [bool; 2]| {
        let settings = ReplicaSettings {
            elects_unclean_leader: unclean,
            ..SETTINGS
        };
        let mut replica = Replica::new(ME, settings, Bugs::default());
        let mut given = decision(1, 0, isr);
        given.replicas = replicas.iter().copied().map(BrokerId).collect();
        replica.decide(given).unwrap();
        let _moved = replica.log_ready(LeaderEpoch(0), bounds(0, 0, 0, 0));
        let found = [Acks::Leader, Acks::All].map(|acks| {
            assert!(replica.append_terms(acks, Lease::Held).is_ok());
            replica.append_terms(acks, Lease::Over) == Err(AppendRefusal::LeaseOver)
        });
        assert_eq!(
            found, fenced,
            "replicas {replicas:?}, ISR {isr:?}, unclean {unclean}"
        );
    };
    check(&[1], &[1], false, [false, false]);
    check(&[1], &[1], true, [false, false]);
    check(&[1, 2], &[1], false, [false, false]);
    check(&[1, 2], &[1, 2], false, [true, false]);
    check(&[1, 2], &[1], true, [true, true]);
    check(&[1, 2], &[1, 2], true, [true, true]);
}

#[test]
fn a_reader_of_another_epoch_is_told_so() {
    let mut replica = leader(SETTINGS, Bugs::default());
    replica.decide(decision(1, 5, &[1])).unwrap();
    let _moved = replica.log_ready(LeaderEpoch(5), bounds(0, 0, 0, 0));
    let current = LeaderEpoch(5);
    assert_eq!(replica.check_reader(None), Ok(()));
    assert_eq!(replica.check_reader(Some(current)), Ok(()));
    let received = LeaderEpoch(4);
    assert_eq!(
        replica.check_reader(Some(received)),
        Err(ReadRefusal::Fenced { current, received })
    );
    let received = LeaderEpoch(6);
    assert_eq!(
        replica.check_reader(Some(received)),
        Err(ReadRefusal::UnknownLeaderEpoch { current, received })
    );
    replica.decide(decision(2, 6, &[1, 2])).unwrap();
    let _moved = replica.log_ready(LeaderEpoch(6), bounds(0, 0, 0, 0));
    assert_eq!(replica.check_reader(None), Err(ReadRefusal::NotLeader));
}

/// KIP-570: a stop that was sent before the latest decision must not take effect after it.
#[test]
fn a_stop_counts_only_if_nothing_as_new_is_known() {
    let mut replica = leader(SETTINGS, Bugs::default());
    let current = LeaderEpoch(0);
    assert_eq!(StopEpoch::from_wire(-2), StopEpoch::Always);
    assert_eq!(StopEpoch::from_wire(-1), StopEpoch::Always);
    assert_eq!(
        replica.stop(StopEpoch::from_wire(0)),
        Err(StopRefusal::Fenced {
            current,
            received: current
        })
    );
    assert_eq!(replica.role(), Role::Leader);
    assert!(replica.clone().stop(StopEpoch::from_wire(1)).is_ok());
    // A newer decision under way counts as known.
    replica.decide(decision(1, 1, &[1])).unwrap();
    assert!(replica.stop(StopEpoch::from_wire(1)).is_err());
    assert_eq!(told(replica.stop(StopEpoch::Always).unwrap()), (None, true));
    assert_eq!(
        replica.acknowledgement(&pending(Acks::Leader, 0, 0)),
        Acknowledgement::NotLeader
    );
}

#[test]
fn a_failed_log_directory_is_final() {
    let mut replica = leader(SETTINGS, Bugs::default());
    assert_eq!(told(replica.go_offline()), (None, true));
    assert_eq!(
        replica.append_terms(Acks::Leader, Lease::Held),
        Err(AppendRefusal::Offline)
    );
    assert_eq!(replica.check_reader(None), Err(ReadRefusal::Offline));
    assert_eq!(
        replica.decide(decision(1, 9, &[1])),
        Err(DecisionRefusal::Offline)
    );
    assert_eq!(replica.stop(StopEpoch::Always), Err(StopRefusal::Offline));
    assert_eq!(
        replica.acknowledgement(&pending(Acks::All, 0, 0)),
        Acknowledgement::Offline
    );
}
