//! Seeded runs: sessions expire while their processes live, processes die and come back, connections
//! are cut with writes half done, requests get lost, log directories too, brokers leave, leaders change
//! the ISR, tools have wishes, topics come and go, and everything takes its time. After every change [`Checker`](crate::support::check::Checker) looks;
//! at the end all is healed and must be whole.
//!
//! A failure names its seed: put it into [`REGRESSIONS`] with a sentence.

use std::collections::BTreeSet;

use barnabas_controller::Bugs;
use barnabas_controller::call::{Call, MorePartitions};
use barnabas_wire::id::{BrokerId, TopicPartition};
use barnabas_zk_schema::controller::ControllerZnode;
use barnabas_zk_schema::isr_change::IsrChangeZnode;
use barnabas_zk_schema::log_dir_event::LogDirEventZnode;
use barnabas_zk_schema::partition::{PartitionState, PartitionStateZnode};
use barnabas_zk_schema::preferred_election::PreferredElectionZnode;
use barnabas_zk_schema::topic::{TopicAssignment, TopicZnode};
use barnabas_zk_schema::topic_deletion::TopicDeletionZnode;
use barnabas_zk_schema::{Expected, Znode};

use crate::support::check::Writer;
use crate::support::world::{Faults, Rng, World, settings};
use crate::{counted, create, lists, partition};

/// Seeds of each run of the suite; the environment variable `SEEDS` asks for another number.
const SEEDS: u64 = 150;
/// Things that happen in one run.
const HAPPENINGS: u64 = 60;
const BROKERS: [i32; 4] = [1, 2, 3, 4];
const TOPICS: [&str; 3] = ["a", "b", "c"];

/// Seeds that once failed, and why.
const REGRESSIONS: [(u64, &str); 1] = [(
    203,
    "a notice was withheld as a write was due, which then was not, and nobody was told",
)];

/// What came of one run.
struct Run {
    violation: Option<String>,
    trace: u64,
    operations: usize,
}

fn run(seed: u64, bugs: Bugs) -> Run {
    let mut world = World::new(settings(), seed);
    world.bugs = bugs;
    for id in BROKERS {
        world.start(BrokerId(id));
    }
    let mut rng = Rng::new(seed, 2);
    world.faults = Faults {
        delay_ms: 1 + rng.below(40),
        cut: 5 + rng.below(60),
        lost_request: 5 + rng.below(40),
    };
    let mut unsound = BTreeSet::new();
    for _ in 0..HAPPENINGS {
        world.run_for(rng.below(150));
        happen(&mut world, &mut rng, &mut unsound);
        if world.checker.violation.is_some() {
            break;
        }
    }
    if world.checker.violation.is_none() {
        heal(&mut world, &unsound);
    }
    let operations = world.executed.len();
    Run {
        violation: world.checker.violation.take(),
        trace: world.trace,
        operations,
    }
}

/// What happens next. Brokers that have to be started anew to be whole again go into `unsound`.
fn happen(world: &mut World, rng: &mut Rng, unsound: &mut BTreeSet<BrokerId>) {
    let id = BrokerId(BROKERS[usize::try_from(rng.below(4)).unwrap()]);
    let topic = TOPICS[usize::try_from(rng.below(3)).unwrap()];
    let partition = partition(topic, i32::try_from(rng.below(3)).unwrap());
    match rng.below(18) {
        0 => world.kill(id),
        1 => world.expire(id),
        2 | 3 => revive(world, id),
        4 => {
            world.kill(id);
            world.start(id);
        }
        5 | 6 => call(world, topic, rng),
        7 => tool_creates(world, topic),
        8 => tool_marks(world, topic),
        9 => tool_removes_controller(world),
        10 => {
            world
                .nodes
                .get_mut(&id)
                .unwrap()
                .broker
                .untakeable
                .insert(partition);
        }
        11 => {
            world
                .nodes
                .get_mut(&id)
                .unwrap()
                .broker
                .lost
                .insert(partition);
            world.tool(&LogDirEventZnode.create(&id));
            unsound.insert(id);
        }
        12 => tool_wishes(world, partition),
        13 => {
            let Some(active) = world.active() else { return };
            let broker_epoch = world.nodes[&id].broker.epoch;
            world.call(
                active,
                Call::ControlledShutdown {
                    broker: id,
                    broker_epoch,
                },
            );
            unsound.insert(id);
        }
        _ => leader_changes_isr(world, &partition, rng),
    }
}

fn tool_wishes(world: &mut World, partition: TopicPartition) {
    if !world.zookeeper.exists("/admin/preferred_replica_election") {
        world.tool(&PreferredElectionZnode.create(&vec![partition]));
    }
}

/// A dead process starts; a live one without a session learns of it and gets another.
fn revive(world: &mut World, id: BrokerId) {
    if !world.is_alive(id) {
        world.start(id);
    } else if !world.has_session(id) {
        world.renew(id);
    }
}

fn call(world: &mut World, topic: &str, rng: &mut Rng) {
    let Some(active) = world.active() else { return };
    let partitions = 1 + i32::try_from(rng.below(4)).unwrap();
    let call = match rng.below(4) {
        0 => Call::DeleteTopics(vec![topic.into()]),
        1 => create(counted(topic, partitions, 1)),
        2 => {
            let more = MorePartitions {
                topic: topic.into(),
                total: partitions,
                replicas: None,
            };
            Call::CreatePartitions {
                topics: vec![more],
                validate_only: false,
            }
        }
        _ => create(counted(topic, partitions, 3)),
    };
    world.call(active, call);
}

fn tool_creates(world: &mut World, topic: &str) {
    if !world.zookeeper.exists(&format!("/brokers/topics/{topic}")) {
        let partitions = lists(&[&[1, 2], &[3, 4], &[4]]);
        let assignment = TopicAssignment {
            partitions,
            ..TopicAssignment::default()
        };
        world.tool(&TopicZnode(topic.into()).create(&assignment));
    }
}

fn tool_marks(world: &mut World, topic: &str) {
    let is_there = world.zookeeper.exists(&format!("/brokers/topics/{topic}"));
    if is_there
        && !world
            .zookeeper
            .exists(&format!("/admin/delete_topics/{topic}"))
    {
        world.tool(&TopicDeletionZnode(topic.into()).create(&()));
    }
}

/// An operator forces an election; the controller's session lives, and it hears of it late.
fn tool_removes_controller(world: &mut World) {
    if world.zookeeper.exists("/controller") {
        world.tool(&ControllerZnode.delete(Expected::Any));
    }
}

/// A leader that believes so shrinks or widens the ISR, at the version that it was told.
fn leader_changes_isr(world: &mut World, partition: &TopicPartition, rng: &mut Rng) {
    let znode = PartitionStateZnode(partition.clone());
    let (Some(state), Some(stat)) = (
        world.zookeeper.get(&znode),
        world.zookeeper.stat(&znode.path()),
    ) else {
        return;
    };
    let Some(leader) = state.leader.filter(|leader| world.is_alive(*leader)) else {
        return;
    };
    let known = world.nodes[&leader].broker.replicas.get(partition);
    let Some(known) = known.filter(|known| known.leader_epoch == state.leader_epoch) else {
        return;
    };
    let live: Vec<_> = known
        .replicas
        .iter()
        .filter(|id| world.is_alive(**id))
        .copied()
        .collect();
    let isr = if rng.one_in(2) { vec![leader] } else { live };
    if !isr.contains(&leader) {
        return;
    }
    let state = PartitionState { isr, ..state };
    world
        .zookeeper
        .write(&znode.set(&state, Expected::Version(stat.version)));
    world.spread(Writer::Leader);
    world.tool(&IsrChangeZnode.create(&vec![partition.clone()]));
}

/// No more faults, every broker there; everything comes to rest and must be whole.
fn heal(world: &mut World, unsound: &BTreeSet<BrokerId>) {
    world.faults = Faults::default();
    world.run_for(2_000);
    for id in unsound {
        world.kill(*id);
    }
    for id in BROKERS {
        revive(world, BrokerId(id));
    }
    world.run_for(20_000);
    if world.checker.violation.is_none() {
        world.check_at_rest();
    }
}

/// S4, S13, S15, S18: one controller writes at a time, leaders are in sync, epochs rise, deleted
/// topics leave nothing, and in the end every partition has a leader that everybody knows.
#[test]
fn whatever_happens_the_cluster_stays_sound() {
    let mut operations = 0;
    let seeds = std::env::var("SEEDS").map_or(SEEDS, |text| text.parse().unwrap());
    for seed in (0..seeds).chain(REGRESSIONS.map(|(seed, _)| seed)) {
        let run = run(seed, Bugs::default());
        assert_eq!(run.violation, None, "seed {seed}");
        operations += run.operations;
    }
    assert!(
        operations > 10_000,
        "only {operations} operations in {SEEDS} runs"
    );
}

/// The same seed is the same run; another is another.
#[test]
fn a_seed_decides_everything() {
    let trace = |seed| run(seed, Bugs::default()).trace;
    assert_eq!(trace(7), trace(7));
    assert_ne!(trace(7), trace(8));
}

/// Controls: each known bug, brought back, is noticed.
#[cfg(feature = "bugs")]
mod controls {
    use super::*;

    #[track_caller]
    fn check_caught(bugs: Bugs, sign: &str) {
        let caught = (0..SEEDS).find_map(|seed| run(seed, bugs).violation.map(|it| (seed, it)));
        let Some((seed, violation)) = caught else {
            panic!("{bugs:?} was not noticed")
        };
        assert!(violation.contains(sign), "seed {seed}: {violation}");
    }

    /// S15: without the fence a controller writes while another rules (KAFKA-6082).
    #[test]
    fn unfenced_writes_are_caught() {
        let bugs = Bugs {
            unfenced_writes: true,
            ..Bugs::default()
        };
        check_caught(bugs, "wrote");
    }

    /// S13: a leader from outside the ISR is caught.
    #[test]
    fn an_election_outside_the_isr_is_caught() {
        let bugs = Bugs {
            elects_outside_isr: true,
            ..Bugs::default()
        };
        check_caught(bugs, "ISR");
    }

    #[test]
    fn a_leader_epoch_that_does_not_rise_is_caught() {
        let bugs = Bugs {
            keeps_leader_epoch: true,
            ..Bugs::default()
        };
        check_caught(bugs, "leader epoch did not rise");
    }

    /// S18: a deletion that leaves the topic's settings behind is caught.
    #[test]
    fn settings_left_behind_are_caught() {
        let bugs = Bugs {
            leaves_topic_config: true,
            ..Bugs::default()
        };
        check_caught(bugs, "its settings stay");
    }
}
