//! The machine loses power at any file operation: what was flushed is there, and nothing is that was
//! never appended.

mod disk;

use crate::support::*;
use barnabas_log::error::OpenError;
use barnabas_log::health::DirectoryHealth;
use barnabas_log::partition_log::PartitionLog;
use barnabas_log::settings::LogSettings;
use disk::{Chance, VolatileFiles};
use proptest::prelude::*;
use std::path::Path;
use std::sync::Arc;

#[derive(Clone, Copy, Debug)]
enum Step {
    Append { count: usize, size: usize },
    Flush,
    Checkpoint,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1_usize..4, 0_usize..3000).prop_map(|(count, size)| Step::Append { count, size }),
        1 => Just(Step::Flush),
        1 => Just(Step::Checkpoint),
    ]
}

/// What a run has written, and what it was told is durable.
struct Run {
    records: Vec<(i64, Vec<u8>)>,
    flushed: i64,
}

/// Runs the steps until the power is cut.
fn run(log: &PartitionLog, steps: &[Step]) -> Run {
    let mut run = Run {
        records: Vec::new(),
        flushed: 0,
    };
    for step in steps {
        let done = match *step {
            Step::Append { count, size } => {
                let log_end = i64::try_from(run.records.len()).unwrap();
                let bytes = batch_of_size(NOW_MS + log_end, count, size);
                // What fails half done may or may not be there afterwards.
                let offsets = log_end..log_end + i64::try_from(count).unwrap();
                run.records
                    .extend(offsets.map(|offset| (offset, vec![0x61; size])));
                append(log, &bytes).map(drop).is_ok()
            }
            Step::Flush => log.flush(NOW_MS).is_ok(),
            Step::Checkpoint => log.checkpoint(NOW_MS).is_ok(),
        };
        // A roll makes records durable as well.
        run.flushed = log.offsets().recovery_point.0;
        if !done {
            break;
        }
    }
    run
}

fn reopen(place: &Place, directory: &Path, recovery_point: i64) -> Result<PartitionLog, OpenError> {
    let mut open = place.open.clone();
    open.directory = directory.to_owned();
    open.health = Arc::new(DirectoryHealth::new(place.root.path().to_owned()));
    open.recovery_point = barnabas_wire::id::Offset(recovery_point);
    PartitionLog::open(open).map(|(log, _)| log)
}

/// Cuts the power after `operations` and compares what is left; the bug, if any, is in the files.
fn check(steps: &[Step], operations: u64, seed: u64, flush_messages: u64, loses_syncs: bool) {
    let settings = LogSettings {
        segment_size_bytes: 20_000,
        index_interval_bytes: 1000,
        flush_messages,
        ..small()
    };
    let place = Place::new(settings);
    let files = VolatileFiles::new(operations, loses_syncs);
    let mut open = place.open.clone();
    open.files = Arc::new(files.clone());
    let Ok((log, _)) = PartitionLog::open(open) else {
        return;
    };
    let run = run(&log, steps);
    drop(log);
    let after = place.root.path().join("after-0");
    files.cut_power(&place.open.directory, &after, &mut Chance(seed));
    let log = reopen(&place, &after, run.flushed).unwrap();
    let found = records_from(&log, 0);
    let flushed = usize::try_from(run.flushed).unwrap();
    assert!(
        found.len() >= flushed,
        "{} of {flushed} flushed records",
        found.len()
    );
    assert_eq!(found, run.records[..found.len()]);
    // The log goes on, and what it then holds is found again after a mere kill.
    fill(&log, &batch(&[(NOW_MS, b"after")]));
    drop(log);
    let log = reopen(&place, &after, run.flushed).unwrap();
    assert_eq!(records_from(&log, 0).len(), found.len() + 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_was_flushed_outlives_the_power(
        steps in prop::collection::vec(step(), 1..60),
        operations in 5_u64..400,
        seed in any::<u64>(),
        flush_messages in prop_oneof![Just(1), Just(u64::MAX)],
    ) {
        check(&steps, operations, seed, flush_messages, false);
    }
}

/// Control: a disk that forgets what it was asked to sync is found out.
#[test]
fn a_disk_that_lies_about_syncs_is_found_out() {
    let steps: Vec<Step> = (0..30)
        .map(|index| match index % 3 {
            2 => Step::Flush,
            _ => Step::Append {
                count: 2,
                size: 500,
            },
        })
        .collect();
    let lost = (0..20).any(|seed| {
        let run = std::panic::AssertUnwindSafe(|| check(&steps, 1000, seed, u64::MAX, true));
        std::panic::catch_unwind(run).is_err()
    });
    assert!(lost, "the checker sees nothing");
}
