//! Index files byte by byte, and any order of operations against a model.

use super::super::entry::{OffsetEntry, TimeEntry};
use super::*;
use crate::files::DiskFiles;
use proptest::prelude::*;

fn index<E: Entry>(directory: &tempfile::TempDir, is_there: bool) -> IndexFile<E> {
    let path = directory.path().join("index");
    if is_there {
        IndexFile::existing(Arc::new(DiskFiles), path)
    } else {
        IndexFile::empty(Arc::new(DiskFiles), path)
    }
}

/// The layouts that Kafka reads: 8 and 12 bytes, big-endian.
#[test]
fn entries_have_kafkas_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let offsets = index(&directory, false);
    offsets.push(OffsetEntry {
        relative_offset: 0x0102,
        position: 0x0304_0506,
    });
    offsets.write_exact().unwrap();
    assert_eq!(
        std::fs::read(offsets.path()).unwrap(),
        [0, 0, 1, 2, 3, 4, 5, 6]
    );
    let times = index(&directory, false);
    times.push(TimeEntry {
        timestamp_ms: 0x0196_0000_0007,
        relative_offset: 9,
    });
    times.write_exact().unwrap();
    assert_eq!(
        std::fs::read(times.path()).unwrap(),
        [0, 0, 1, 0x96, 0, 0, 0, 7, 0, 0, 0, 9]
    );
}

#[derive(Clone, Debug)]
enum Step {
    Push(u32),
    Write,
    Cool,
    Truncate(u32),
    Reopen { zeros: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (1_u32..2000).prop_map(Step::Push),
        3 => Just(Step::Write),
        1 => Just(Step::Cool),
        1 => any::<u32>().prop_map(Step::Truncate),
        1 => (0_u64..5000).prop_map(|zeros| Step::Reopen { zeros }),
    ]
}

proptest! {
    #[test]
    fn a_look_up_finds_what_a_linear_search_finds(
        steps in prop::collection::vec((step(), 1_usize..800), 1..40),
        targets in prop::collection::vec(any::<u32>(), 20),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let mut tested = index::<OffsetEntry>(&directory, false);
        let mut model: Vec<OffsetEntry> = Vec::new();
        for (step, times) in steps {
            match step {
                Step::Push(gap) => {
                    for _ in 0..times {
                        let last = model.last().map_or(0, |last| last.relative_offset);
                        let relative_offset = last + gap;
                        let entry = OffsetEntry { relative_offset, position: relative_offset * 2 };
                        tested.push(entry);
                        model.push(entry);
                    }
                }
                Step::Write => tested.write_pending().unwrap(),
                Step::Cool => {
                    // Sealed, and written no more; opened again to go on.
                    tested.write_exact().unwrap();
                    tested.cool();
                    tested = index(&directory, true);
                    tested.fill().unwrap();
                }
                Step::Truncate(share) => {
                    let last = model.last().map_or(0, |last| last.relative_offset);
                    let limit = share % last.max(1);
                    tested.truncate(|entry| entry.relative_offset < limit).unwrap();
                    model.retain(|entry| entry.relative_offset < limit);
                }
                Step::Reopen { zeros } => {
                    tested.write_exact().unwrap();
                    let file = std::fs::File::options().write(true).open(tested.path()).unwrap();
                    file.set_len(model.len() as u64 * 8 + zeros).unwrap();
                    tested = index(&directory, true);
                    tested.fill().unwrap();
                    // A single entry of zeros cannot be told from a first one.
                    if model.is_empty() && zeros >= 8 {
                        model.push(OffsetEntry { relative_offset: 0, position: 0 });
                    }
                }
            }
        }
        prop_assert_eq!(tested.last().unwrap(), model.last().copied());
        let last = model.last().map_or(0, |last| last.relative_offset);
        for target in targets {
            let target = target % (last + 2);
            let expected = model.iter().rfind(|entry| entry.relative_offset <= target).copied();
            let found = tested.last_where(|entry| entry.relative_offset <= target).unwrap();
            prop_assert_eq!(found, expected, "target {}", target);
        }
    }
}
