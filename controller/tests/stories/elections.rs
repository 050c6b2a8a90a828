//! Elections over all subsets of replicas, and placements against vectors. S13, S14.

use std::collections::BTreeSet;

use barnabas_controller::election::{self, Leading, Standing};
use barnabas_wire::id::BrokerId;

use crate::brokers;

/// Replicas of the partition in the order of preference; not sorted, so that order shows.
const REPLICAS: [i32; 4] = [3, 1, 4, 2];

/// Every subset of the replicas, in their order.
fn subsets() -> Vec<Vec<BrokerId>> {
    let of = |bits: u32| {
        let chosen = (0u32..)
            .zip(REPLICAS)
            .filter(|(index, _)| bits & (1 << index) != 0);
        chosen.map(|(_, id)| BrokerId(id)).collect()
    };
    (0..1 << REPLICAS.len()).map(of).collect()
}

fn standing(online: &[BrokerId], leaving: &[BrokerId], bounced: &[BrokerId]) -> Standing {
    Standing {
        replicas: brokers(&REPLICAS),
        online: online.iter().copied().collect(),
        leaving: leaving.iter().copied().collect(),
        bounced: bounced.iter().copied().collect(),
        is_unclean_allowed: false,
    }
}

/// Every standing with every state of leader and ISR that can be.
fn for_all(check: impl Fn(&Standing, &Leading)) {
    for online in subsets() {
        for faulty in subsets() {
            for isr in subsets().into_iter().filter(|isr| !isr.is_empty()) {
                let leaders = isr.iter().copied().map(Some).chain([None]);
                for leader in leaders {
                    let current = Leading {
                        leader,
                        isr: isr.clone(),
                    };
                    check(&standing(&online, &faulty, &[]), &current);
                    check(&standing(&online, &[], &faulty), &current);
                }
            }
        }
    }
}

/// S13: a leader is elected from the ISR, is online, and is in the new ISR.
#[test]
fn a_leader_is_always_an_online_member_of_the_isr() {
    for_all(|standing, current| {
        for next in [
            election::next(standing, current),
            election::preferred(standing, current),
        ] {
            if let Some(leader) = next.leader {
                assert!(
                    current.isr.contains(&leader),
                    "{standing:?} {current:?} {next:?}"
                );
                assert!(
                    standing.online.contains(&leader),
                    "{standing:?} {current:?} {next:?}"
                );
                assert!(
                    next.isr.contains(&leader),
                    "{standing:?} {current:?} {next:?}"
                );
            }
        }
    });
}

/// S13: somebody leads whenever any member of the ISR is online.
#[test]
fn somebody_leads_whenever_a_member_of_the_isr_is_online() {
    for_all(|standing, current| {
        let is_possible = current.isr.iter().any(|id| standing.online.contains(id));
        assert_eq!(
            election::next(standing, current).leader.is_some(),
            is_possible
        );
    });
}

#[test]
fn the_isr_never_grows_and_is_never_empty() {
    for_all(|standing, current| {
        let next = election::next(standing, current);
        assert!(!next.isr.is_empty());
        assert!(next.isr.iter().all(|id| current.isr.contains(id)));
    });
}

/// S14: without a leader the ISR stays whole: it is known who has what is committed.
#[test]
fn without_a_leader_the_isr_stays() {
    for_all(|standing, current| {
        let next = election::next(standing, current);
        if next.leader.is_none() {
            assert_eq!(next.isr, current.isr);
        }
    });
}

/// S13: a leader is kept while it is online, not leaving and not bounced.
#[test]
fn a_sound_leader_stays() {
    for_all(|standing, current| {
        if let Some(leader) = current.leader
            && standing.online.contains(&leader)
            && !standing.leaving.contains(&leader)
            && !standing.bounced.contains(&leader)
        {
            assert_eq!(election::next(standing, current).leader, Some(leader));
        }
    });
}

#[test]
fn a_second_look_changes_nothing() {
    for_all(|standing, current| {
        let next = election::next(standing, current);
        assert_eq!(election::next(standing, &next), next);
        let preferred = election::preferred(standing, current);
        assert_eq!(election::preferred(standing, &preferred), preferred);
    });
}

#[test]
fn the_first_assigned_replica_of_those_left_leads() {
    for_all(|standing, current| {
        let next = election::next(
            standing,
            &Leading {
                leader: None,
                isr: current.isr.clone(),
            },
        );
        let first = standing
            .replicas
            .iter()
            .copied()
            .find(|id| next.isr.contains(id));
        if next.leader.is_some() {
            assert_eq!(next.leader, first);
        }
    });
}

#[test]
fn members_that_leave_or_bounced_go_only_while_others_are_left() {
    for_all(|standing, current| {
        let next = election::next(standing, current);
        let is_sound = |id: &&BrokerId| {
            standing.online.contains(id)
                && !standing.leaving.contains(id)
                && !standing.bounced.contains(id)
        };
        let sound: BTreeSet<_> = current.isr.iter().filter(is_sound).collect();
        if !sound.is_empty() {
            assert_eq!(next.isr.iter().collect::<BTreeSet<_>>(), sound);
        }
    });
}

/// S14: an unclean election happens only where it is allowed and only when no member of the ISR is
/// online; the leader is then alone in the ISR.
#[test]
fn an_unclean_election_is_the_last_resort() {
    for_all(|standing, current| {
        let allowed = Standing {
            is_unclean_allowed: true,
            ..standing.clone()
        };
        let clean = election::next(standing, current);
        let next = election::next(&allowed, current);
        if clean.leader.is_some() || standing.online.is_empty() {
            assert_eq!(next, clean);
        } else {
            assert_eq!(next.isr, Vec::from_iter(next.leader));
            assert!(
                next.leader
                    .is_some_and(|leader| standing.online.contains(&leader))
            );
            assert!(election::is_only_uncleanly_electable(
                standing,
                &current.isr
            ));
        }
    });
}

#[test]
fn a_new_partition_is_led_by_its_first_online_replica_and_all_online_ones_are_in_sync() {
    for online in subsets() {
        let first = election::first(&standing(&online, &[], &[]));
        let expected = online.first().map(|&leader| (Some(leader), online.clone()));
        assert_eq!(first.map(|first| (first.leader, first.isr)), expected);
    }
}

#[track_caller]
fn check_next(online: &[i32], current: (i32, &[i32]), expected: (i32, &[i32])) {
    let leading = |(leader, isr): (i32, &[i32])| Leading {
        leader: (leader >= 0).then_some(BrokerId(leader)),
        isr: brokers(isr),
    };
    let next = election::next(&standing(&brokers(online), &[], &[]), &leading(current));
    assert_eq!(next, leading(expected));
}

/// S13, S14: by example.
#[test]
fn elections_by_example() {
    check_next(&[3, 1, 4, 2], (3, &[3, 1]), (3, &[3, 1]));
    check_next(&[1, 4, 2], (3, &[3, 1]), (1, &[1]));
    check_next(&[4, 2], (3, &[3, 1]), (-1, &[3, 1]));
    check_next(&[4, 2, 3], (-1, &[3, 1]), (3, &[3]));
    check_next(&[3], (3, &[3, 1, 4]), (3, &[3]));
}
