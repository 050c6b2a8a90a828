//! Names of the files of a segment: the base offset in twenty digits, and what the file is.

use barnabas_wire::id::Offset;
use std::path::{Path, PathBuf};

/// Digits of a base offset in a file name: the largest offset has nineteen.
const DIGITS: usize = 20;

/// The files that belong to one base offset. Source: `Log.scala` of Kafka 2.8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SegmentFile {
    /// The batches.
    Log,
    /// Offset to position.
    OffsetIndex,
    /// Timestamp to offset.
    TimeIndex,
    /// Aborted transactions.
    TransactionIndex,
    /// The producers as of the base offset.
    ProducerSnapshot,
}

impl SegmentFile {
    /// All of them.
    pub(crate) const ALL: [Self; 5] = [
        Self::Log,
        Self::OffsetIndex,
        Self::TimeIndex,
        Self::TransactionIndex,
        Self::ProducerSnapshot,
    ];

    /// What stands behind the digits.
    pub(crate) const fn suffix(self) -> &'static str {
        match self {
            Self::Log => ".log",
            Self::OffsetIndex => ".index",
            Self::TimeIndex => ".timeindex",
            Self::TransactionIndex => ".txnindex",
            Self::ProducerSnapshot => ".snapshot",
        }
    }

    /// The path of this file in `directory`.
    pub(crate) fn path(self, directory: &Path, base_offset: Offset) -> PathBuf {
        directory.join(format!("{:0DIGITS$}{}", base_offset.0, self.suffix()))
    }

    /// Reads a file name; `None` for anything that is not exactly such a name.
    pub(crate) fn parse(name: &str) -> Option<(Offset, Self)> {
        let (digits, suffix) = name.split_at_checked(DIGITS)?;
        let file = Self::ALL.into_iter().find(|file| file.suffix() == suffix)?;
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        let base_offset = digits.parse().ok().filter(|_| is_number)?;
        Some((Offset(base_offset), file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expected: Option<(i64, SegmentFile)>) {
        let expected = expected.map(|(base_offset, file)| (Offset(base_offset), file));
        assert_eq!(SegmentFile::parse(name), expected, "{name}");
        if let Some((base_offset, file)) = expected {
            assert_eq!(file.path(Path::new(""), base_offset), Path::new(name));
        }
    }

    /// S16: a partition is a directory of data and index files.
    #[test]
    fn files_are_named_by_base_offset_and_kind() {
        check("00000000000000000000.log", Some((0, SegmentFile::Log)));
        check(
            "00000000000000368769.index",
            Some((368_769, SegmentFile::OffsetIndex)),
        );
        check(
            "09223372036854775807.timeindex",
            Some((i64::MAX, SegmentFile::TimeIndex)),
        );
        check(
            "00000000000000000007.txnindex",
            Some((7, SegmentFile::TransactionIndex)),
        );
        check(
            "00000000000000000007.snapshot",
            Some((7, SegmentFile::ProducerSnapshot)),
        );
        for other in [
            "00000000000000000000.log.deleted",
            "0000000000000000000.log",
            "99999999999999999999.log",
            "-0000000000000000001.log",
            "leader-epoch-checkpoint",
            "partition.metadata",
            "",
        ] {
            check(other, None);
        }
    }
}
