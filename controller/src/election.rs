//! Who leads a partition: pure functions of assignment, in-sync replicas and who is there.
//!
//! Source: kafka 2.8 `controller/Election.scala`, with two differences. One write says what Kafka
//! says in several (a leader's move and the shrinking of the ISR). And an ISR whose members are all
//! gone is kept whole, not only its last member: whoever returns first has all that is committed.

use std::collections::BTreeSet;

use barnabas_wire::id::BrokerId;

/// What is known about the replicas of one partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Assigned replicas, preferred leader first.
    pub replicas: Vec<BrokerId>,
    /// Those that can be had: broker registered, log directory not known to be offline.
    pub online: BTreeSet<BrokerId>,
    /// Brokers that are about to stop.
    pub leaving: BTreeSet<BrokerId>,
    /// Brokers whose present incarnation is not the one that was in sync (KIP-903).
    pub bounced: BTreeSet<BrokerId>,
    /// Whether a replica outside the ISR may lead when none in it is online.
    pub is_unclean_allowed: bool,
}

/// Leader and in-sync replicas, as they are or as they shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leading {
    /// The leader, or nobody.
    pub leader: Option<BrokerId>,
    /// In-sync replicas; contains the leader.
    pub isr: Vec<BrokerId>,
}

/// Leader and ISR of a new partition: the first online replica, and all that are online. `None`
/// while there is none.
#[must_use]
pub fn first(standing: &Standing) -> Option<Leading> {
    let online = standing.online_replicas();
    let staying = online
        .iter()
        .find(|replica| !standing.leaving.contains(replica));
    let leader = *staying.or_else(|| online.first())?;
    Some(Leading {
        leader: Some(leader),
        isr: online,
    })
}

/// Leader and ISR after whatever happened to the replicas; equal to `current` if nothing has to
/// change.
///
/// - Members of the ISR that are gone, leaving or bounced leave it while another is left.
/// - A leader that is left stays. Else the first assigned replica among those left leads.
/// - Without any member online nobody leads and the ISR stays, unless an unclean election is allowed.
#[must_use]
pub fn next(standing: &Standing, current: &Leading) -> Leading {
    let isr = standing.usable(&current.isr);
    let leader = current
        .leader
        .filter(|leader| isr.contains(leader))
        .or_else(|| {
            standing
                .replicas
                .iter()
                .copied()
                .find(|replica| isr.contains(replica))
        });
    if leader.is_some() {
        return Leading { leader, isr };
    }
    if standing.is_unclean_allowed
        && let Some(Leading {
            leader: Some(leader),
            ..
        }) = first(standing)
    {
        return Leading {
            leader: Some(leader),
            isr: vec![leader],
        };
    }
    Leading {
        leader: None,
        isr: current.isr.clone(),
    }
}

/// The same with the preferred replica as leader, if it is in sync and online; else as [`next`].
#[must_use]
pub fn preferred(standing: &Standing, current: &Leading) -> Leading {
    let next = next(standing, current);
    match standing.replicas.first() {
        Some(&first) if next.leader.is_some() && next.isr.contains(&first) => Leading {
            leader: Some(first),
            isr: next.isr,
        },
        Some(_) | None => next,
    }
}

/// Whether only an unclean election could give this partition a leader, so that it has to be known
/// whether one is allowed.
#[must_use]
pub fn is_only_uncleanly_electable(standing: &Standing, isr: &[BrokerId]) -> bool {
    standing.usable(isr).is_empty() && !standing.online_replicas().is_empty()
}

impl Standing {
    /// Assigned replicas that are online, in the order of the assignment.
    fn online_replicas(&self) -> Vec<BrokerId> {
        self.replicas
            .iter()
            .copied()
            .filter(|replica| self.online.contains(replica))
            .collect()
    }

    /// Members of `isr` that may go on: the sound ones, or if there are none, all that are online.
    fn usable(&self, isr: &[BrokerId]) -> Vec<BrokerId> {
        let is_there =
            |member: &BrokerId| self.online.contains(member) && self.replicas.contains(member);
        let there: Vec<_> = isr.iter().copied().filter(is_there).collect();
        let is_sound =
            |member: &BrokerId| !self.leaving.contains(member) && !self.bounced.contains(member);
        let sound: Vec<_> = there.iter().copied().filter(is_sound).collect();
        if sound.is_empty() { there } else { sound }
    }
}
