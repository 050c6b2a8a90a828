//! Random operations beside a model: a list of records.

use crate::support::*;
use barnabas_log::partition_log::PartitionLog;
use barnabas_log::settings::LogSettings;
use barnabas_wire::id::Offset;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Append { count: usize, size: usize },
    Truncate { share: u8 },
    RaiseLogStart { share: u8 },
    Flush,
    Checkpoint,
    Kill,
    Close,
    Read { share: u8, size_max_bytes: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (1_usize..5, 0_usize..3000).prop_map(|(count, size)| Step::Append { count, size }),
        1 => any::<u8>().prop_map(|share| Step::Truncate { share }),
        1 => any::<u8>().prop_map(|share| Step::RaiseLogStart { share }),
        1 => Just(Step::Flush),
        1 => Just(Step::Checkpoint),
        1 => Just(Step::Kill),
        1 => Just(Step::Close),
        4 => (any::<u8>(), 1_u64..10_000)
            .prop_map(|(share, size_max_bytes)| Step::Read { share, size_max_bytes }),
    ]
}

/// The log under test and what has to be in it.
struct World {
    place: Place,
    log: Option<PartitionLog>,
    records: Vec<(i64, Vec<u8>)>,
    batch_starts: Vec<i64>,
    log_start: i64,
    recovery_point: i64,
}

impl World {
    fn log(&self) -> &PartitionLog {
        self.log.as_ref().unwrap()
    }

    fn log_end(&self) -> i64 {
        self.records
            .last()
            .map_or(self.log_start, |last| last.0 + 1)
    }

    /// An offset between log start and log end.
    fn at(&self, share: u8) -> i64 {
        self.log_start + (self.log_end() - self.log_start) * i64::from(share) / 255
    }

    fn run(&mut self, step: &Step) {
        match *step {
            Step::Append { count, size } => {
                let log_end = self.log_end();
                let bytes = batch_of_size(NOW_MS + log_end, count, size);
                let appended = append(self.log(), &bytes).unwrap();
                assert_eq!(appended.first_offset, Offset(log_end));
                self.batch_starts.push(log_end);
                let offsets = log_end..=appended.last_offset.0;
                self.records
                    .extend(offsets.map(|offset| (offset, vec![0x61; size])));
            }
            Step::Truncate { share } => {
                let offset = self.at(share);
                self.log().truncate_to(Offset(offset)).unwrap();
                let end = match self.batch_starts.iter().rfind(|start| **start <= offset) {
                    Some(start) if offset < self.log_end() => *start,
                    _ => offset,
                };
                self.records.retain(|record| record.0 < end);
                self.batch_starts.retain(|start| *start < end);
                self.log_start = self.log_start.min(end);
                self.recovery_point = self.recovery_point.min(end);
            }
            Step::RaiseLogStart { share } => {
                self.log_start = self.at(share);
                self.log().raise_log_start(Offset(self.log_start));
                self.log().remove_old_segments().unwrap();
            }
            Step::Flush => drop(self.log().flush(NOW_MS).unwrap()),
            Step::Checkpoint => self.recovery_point = self.log().checkpoint(NOW_MS).unwrap().0,
            Step::Kill | Step::Close => self.restart(matches!(step, Step::Close)),
            Step::Read {
                share,
                size_max_bytes,
            } => self.read(self.at(share), size_max_bytes),
        }
        let offsets = self.log().offsets();
        assert_eq!(offsets.log_start, Offset(self.log_start));
        assert_eq!(offsets.log_end, Offset(self.log_end()));
    }

    fn restart(&mut self, is_clean: bool) {
        let log = self.log.take().unwrap();
        if is_clean {
            log.close(NOW_MS).unwrap();
        }
        drop(log);
        let mut open = self.place.open.clone();
        open.is_clean = is_clean;
        open.recovery_point = Offset(self.recovery_point);
        open.log_start_offset = Offset(self.log_start);
        self.log = Some(PartitionLog::open(open).unwrap().0);
    }

    /// What a read finds is what the model has from the start of that batch on.
    fn read(&self, from: i64, size_max_bytes: u64) {
        let expected = self.records.iter().filter(|record| record.0 >= from);
        let bytes = bytes_of(&read(self.log(), from, size_max_bytes));
        let mut found = Vec::new();
        for batch in barnabas_wire::record::Batches::new(&bytes) {
            let Ok(batch) = batch else { break };
            batch.verify_checksum().unwrap();
            let records = batch.records().map(|record| record.unwrap());
            found.extend(records.map(|record| (record.offset.0, record.value.unwrap().to_vec())));
        }
        found.retain(|record| record.0 >= from);
        assert!(
            found.iter().eq(expected.clone().take(found.len())),
            "read from {from}"
        );
        assert_eq!(found.is_empty(), expected.count() == 0, "read from {from}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_log_behaves_like_a_list(steps in prop::collection::vec(step(), 1..80), interval in 0_u64..5000) {
        let settings =
            LogSettings { segment_size_bytes: 20_000, index_interval_bytes: interval, ..small() };
        let place = Place::new(settings);
        let (log, _) = place.open(0);
        let mut world = World {
            place,
            log: Some(log),
            records: Vec::new(),
            batch_starts: Vec::new(),
            log_start: 0,
            recovery_point: 0,
        };
        for step in &steps {
            world.run(step);
        }
        let start = world.log_start;
        let expected: Vec<_> =
            world.records.iter().filter(|record| record.0 >= start).cloned().collect();
        prop_assert_eq!(records_from(world.log(), start), expected);
    }
}
