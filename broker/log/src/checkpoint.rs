//! Checkpoint files: small tables in text that survive a restart.
//!
//! ```text
//! 0              format version
//! 2              count of entries
//! topic-a 0 17   one entry a line: topic partition offset, or leader epoch and start offset
//! topic-b 3 5
//! ```
//!
//! They are replaced as a whole: written beside, synced, renamed. A missing or empty file holds no
//! entries. Source: `CheckpointFile` of Kafka 2.8.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::SplitAsciiWhitespace;

use barnabas_wire::id::{LeaderEpoch, Offset, PartitionId, TopicPartition};

use crate::files::Files;
use crate::leader_epoch_cache::EpochEntry;

const FORMAT_VERSION: &str = "0";

/// The leader epochs of a partition, in its directory.
pub const LEADER_EPOCH_CHECKPOINT: &str = "leader-epoch-checkpoint";

/// The tables of a log directory, one entry per partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OffsetTable {
    /// First offset of each partition that may not be on the disk: where recovery begins.
    RecoveryPoint,
    /// High watermark of each partition.
    HighWatermark,
    /// Log start of each partition where it lies above the first segment's base offset.
    LogStart,
}

impl OffsetTable {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::RecoveryPoint, Self::HighWatermark, Self::LogStart];

    /// The name of its file.
    #[must_use]
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::RecoveryPoint => "recovery-point-offset-checkpoint",
            Self::HighWatermark => "replication-offset-checkpoint",
            Self::LogStart => "log-start-offset-checkpoint",
        }
    }
}

/// An offset per partition.
pub type PartitionOffsets = BTreeMap<TopicPartition, Offset>;

/// Why a checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file has another format.
    #[error("{path}: format version is `{found}`, not {FORMAT_VERSION}")]
    FormatVersion {
        /// The file.
        path: PathBuf,
        /// Its first line.
        found: String,
    },
    /// A line cannot be read.
    #[error("{path}, line {line}: `{found}` is not {expected}")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What stands there.
        found: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// The file has more or fewer entries than it says: a part of it is missing.
    #[error("{path}: {found} entries where line 2 says {expected}")]
    Count {
        /// The file.
        path: PathBuf,
        /// The count in the file.
        expected: usize,
        /// The entries in the file.
        found: usize,
    },
}

/// Reads a table of the log directory `directory`.
///
/// # Errors
/// [`CheckpointError`]. Recovery points and log starts may then be taken for absent, at the price of
/// a scan; high watermarks must not be guessed.
pub fn read_offsets(
    directory: &Path,
    table: OffsetTable,
) -> Result<PartitionOffsets, CheckpointError> {
    let entries = read(
        &directory.join(table.file_name()),
        "`topic partition offset`",
        |fields| {
            let topic = fields.next()?;
            let partition = fields
                .next()?
                .parse()
                .ok()
                .filter(|&partition| partition >= 0)?;
            let offset = fields.next()?.parse().ok()?;
            Some((
                TopicPartition::new(topic, PartitionId(partition)),
                Offset(offset),
            ))
        },
    )?;
    Ok(entries.into_iter().collect())
}

/// Replaces a table of the log directory `directory`; durable when this returns.
///
/// # Errors
/// [`CheckpointError::Io`]; the old table is then still there, or the new one is.
pub fn write_offsets(
    files: &dyn Files,
    directory: &Path,
    table: OffsetTable,
    offsets: &PartitionOffsets,
) -> Result<(), CheckpointError> {
    let lines = offsets.iter().map(|(topic_partition, offset)| {
        format!(
            "{} {} {offset}",
            topic_partition.topic, topic_partition.partition
        )
    });
    write(
        files,
        &directory.join(table.file_name()),
        offsets.len(),
        lines,
    )
}

/// Reads the leader epochs of the partition in `directory`, in the order of the file.
///
/// # Errors
/// [`CheckpointError`].
pub fn read_leader_epochs(directory: &Path) -> Result<Vec<EpochEntry>, CheckpointError> {
    let path = directory.join(LEADER_EPOCH_CHECKPOINT);
    read(
        &path,
        "`leader-epoch start-offset`, both 0 or more",
        |fields| {
            let leader_epoch = fields.next()?.parse().ok().filter(|&epoch| epoch >= 0)?;
            let start_offset = fields.next()?.parse().ok().filter(|&offset| offset >= 0)?;
            Some(EpochEntry {
                leader_epoch: LeaderEpoch(leader_epoch),
                start_offset: Offset(start_offset),
            })
        },
    )
}

/// Replaces the leader epochs of the partition in `directory`; durable when this returns.
///
/// # Errors
/// [`CheckpointError::Io`]; the old file is then still there, or the new one is.
pub fn write_leader_epochs(
    files: &dyn Files,
    directory: &Path,
    entries: &[EpochEntry],
) -> Result<(), CheckpointError> {
    let lines = entries
        .iter()
        .map(|entry| format!("{} {}", entry.leader_epoch, entry.start_offset));
    write(
        files,
        &directory.join(LEADER_EPOCH_CHECKPOINT),
        entries.len(),
        lines,
    )
}

fn write(
    files: &dyn Files,
    path: &Path,
    count: usize,
    lines: impl Iterator<Item = String>,
) -> Result<(), CheckpointError> {
    let mut text = format!("{FORMAT_VERSION}\n{count}\n");
    for line in lines {
        text.push_str(&line);
        text.push('\n');
    }
    files
        .replace(path, text.as_bytes())
        .map_err(|source| CheckpointError::Io {
            path: path.into(),
            source,
        })
}

fn read<T>(
    path: &Path,
    expected: &'static str,
    parse: impl Fn(&mut SplitAsciiWhitespace<'_>) -> Option<T>,
) -> Result<Vec<T>, CheckpointError> {
    let text = match fs::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => {
            return Err(CheckpointError::Io {
                path: path.into(),
                source,
            });
        }
    };
    let bad_line = |index: usize, found: &str, expected| CheckpointError::Line {
        path: path.into(),
        line: index + 1,
        found: found.chars().take(LINE_SHOWN_CHARS).collect(),
        expected,
    };
    let mut lines = text.lines().enumerate();
    let Some((_, version)) = lines.next() else {
        return Ok(Vec::new());
    };
    if version.trim() != FORMAT_VERSION {
        return Err(CheckpointError::FormatVersion {
            path: path.into(),
            found: version.chars().take(LINE_SHOWN_CHARS).collect(),
        });
    }
    let Some((index, count_line)) = lines.next() else {
        return Ok(Vec::new());
    };
    let count: usize = count_line
        .trim()
        .parse()
        .ok()
        .ok_or_else(|| bad_line(index, count_line, "a count of entries"))?;
    let mut entries = Vec::new();
    for (index, line) in lines {
        let mut fields = line.split_ascii_whitespace();
        let entry = parse(&mut fields).filter(|_| fields.next().is_none());
        entries.push(entry.ok_or_else(|| bad_line(index, line, expected))?);
    }
    if entries.len() != count {
        let found = entries.len();
        return Err(CheckpointError::Count {
            path: path.into(),
            expected: count,
            found,
        });
    }
    Ok(entries)
}

/// Characters of a damaged line that an error shows.
const LINE_SHOWN_CHARS: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::DiskFiles;
    use proptest::prelude::*;

    fn offsets(entries: &[(&str, i32, i64)]) -> PartitionOffsets {
        entries
            .iter()
            .map(|&(topic, partition, offset)| {
                (
                    TopicPartition::new(topic, PartitionId(partition)),
                    Offset(offset),
                )
            })
            .collect()
    }

    #[test]
    fn tables_have_kafkas_names_and_bytes() {
        let directory = tempfile::tempdir().unwrap();
        for table in OffsetTable::ALL {
            let entries = offsets(&[("topic-a", 0, 17), ("topic-b", 3, 5)]);
            write_offsets(&DiskFiles, directory.path(), table, &entries).unwrap();
            let bytes = fs::read(directory.path().join(table.file_name())).unwrap();
            assert_eq!(bytes, b"0\n2\ntopic-a 0 17\ntopic-b 3 5\n");
            assert_eq!(read_offsets(directory.path(), table).unwrap(), entries);
        }
        let mut names: Vec<_> = fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(
            names,
            [
                "log-start-offset-checkpoint",
                "recovery-point-offset-checkpoint",
                "replication-offset-checkpoint"
            ]
        );
    }

    #[test]
    fn leader_epochs_have_kafkas_bytes() {
        let directory = tempfile::tempdir().unwrap();
        let entries = [
            EpochEntry {
                leader_epoch: LeaderEpoch(0),
                start_offset: Offset(0),
            },
            EpochEntry {
                leader_epoch: LeaderEpoch(7),
                start_offset: Offset(120),
            },
        ];
        write_leader_epochs(&DiskFiles, directory.path(), &entries).unwrap();
        let bytes = fs::read(directory.path().join("leader-epoch-checkpoint")).unwrap();
        assert_eq!(bytes, b"0\n2\n0 0\n7 120\n");
        assert_eq!(read_leader_epochs(directory.path()).unwrap(), entries);
    }

    fn check(contents: &str, expected: Result<&[(&str, i32, i64)], &str>) {
        let directory = tempfile::tempdir().unwrap();
        let table = OffsetTable::HighWatermark;
        fs::write(directory.path().join(table.file_name()), contents).unwrap();
        let prefix = format!("{}/", directory.path().display());
        let found = read_offsets(directory.path(), table)
            .map_err(|error| error.to_string().replace(&prefix, ""));
        assert_eq!(found, expected.map(offsets).map_err(str::to_owned));
    }

    #[test]
    fn a_missing_or_empty_file_holds_nothing() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(
            read_offsets(directory.path(), OffsetTable::LogStart).unwrap(),
            offsets(&[])
        );
        check("", Ok(&[]));
        check("0\n", Ok(&[]));
        check("0\n0\n", Ok(&[]));
    }

    #[test]
    fn a_damaged_file_is_an_error_that_names_the_line() {
        let name = "replication-offset-checkpoint";
        check(
            "1\n0\n",
            Err(&format!("{name}: format version is `1`, not 0")),
        );
        check(
            "0\nx\n",
            Err(&format!("{name}, line 2: `x` is not a count of entries")),
        );
        for bad in ["t 0", "t 0 1 2", "t x 1", "t -1 1", "t 0 y", "", "\0\0\0"] {
            check(
                &format!("0\n2\nt 0 1\n{bad}\n"),
                Err(&format!(
                    "{name}, line 4: `{bad}` is not `topic partition offset`"
                )),
            );
        }
        check(
            "0\n2\nt 0 1\n",
            Err(&format!("{name}: 1 entries where line 2 says 2")),
        );
        check(
            "0\n1\nt 0 1\nt 1 1\n",
            Err(&format!("{name}: 2 entries where line 2 says 1")),
        );
    }

    proptest! {
        #[test]
        fn reading_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let directory = tempfile::tempdir().unwrap();
            let table = OffsetTable::RecoveryPoint;
            fs::write(directory.path().join(table.file_name()), &bytes).unwrap();
            drop(read_offsets(directory.path(), table));
            fs::write(directory.path().join(LEADER_EPOCH_CHECKPOINT), &bytes).unwrap();
            drop(read_leader_epochs(directory.path()));
        }
    }
}
