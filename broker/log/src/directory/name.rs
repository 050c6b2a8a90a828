//! Names of the directories inside a log directory.
//!
//! `topic-partition` holds a partition. One that is to be deleted is first renamed to
//! `topic-partition.<32 hex digits>-delete`, so that a partition of the same name can be created at
//! once; one that belongs to nobody known is `...-stray`. Source: `Log.scala` of Kafka 2.8.

use std::fmt;

use barnabas_wire::id::{PartitionId, TopicPartition};

/// Longest name of a topic, in bytes; all of them are ASCII.
pub const TOPIC_NAME_SIZE_MAX: usize = 249;

/// Longest name of a file on the usual file systems, in bytes.
const FILE_NAME_SIZE_MAX: usize = 255;

/// Why a partition's directory is out of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retired {
    /// Its files are to be deleted.
    Delete,
    /// It was moved out of the way and is never touched again: its topic is not the one of that name
    /// that there is today.
    Stray,
}

impl Retired {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Delete => "-delete",
            Self::Stray => "-stray",
        }
    }
}

/// What a directory's name says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DirectoryKind {
    /// The log of a partition.
    Partition(TopicPartition),
    /// A log out of use.
    Retired(Retired),
    /// A log that Kafka was copying from another log directory; ours never do.
    Future,
    /// A directory that other versions of Kafka keep here and that is none of ours.
    Ignored,
    /// None of the above.
    Unknown,
}

impl DirectoryKind {
    /// Reads a name.
    #[must_use]
    pub fn of(name: &str) -> Self {
        match name {
            "remote-log-index-cache" | "__cluster_metadata-0" => Self::Ignored,
            _ if is_retired_name(name, Retired::Delete.suffix()) => Self::Retired(Retired::Delete),
            _ if is_retired_name(name, Retired::Stray.suffix()) => Self::Retired(Retired::Stray),
            _ if is_retired_name(name, "-future") => Self::Future,
            _ => parse_partition(name).map_or(Self::Unknown, Self::Partition),
        }
    }
}

/// Whether the name is `something.<32 hex digits><suffix>`.
fn is_retired_name(name: &str, suffix: &str) -> bool {
    name.strip_suffix(suffix)
        .and_then(|rest| rest.rsplit_once('.'))
        .is_some_and(|(_, id)| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn parse_partition(name: &str) -> Option<TopicPartition> {
    let (topic, partition) = name.rsplit_once('-')?;
    let is_canonical = partition.bytes().all(|byte| byte.is_ascii_digit())
        && (partition == "0" || !partition.starts_with('0'));
    if !is_canonical || !is_topic_name(topic) {
        return None;
    }
    Some(TopicPartition::new(
        topic,
        PartitionId(partition.parse().ok()?),
    ))
}

/// Whether a topic may have this name: it must be usable as a file name.
#[must_use]
pub fn is_topic_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= TOPIC_NAME_SIZE_MAX
        && name != "."
        && name != ".."
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// The name that a partition's directory gets when it goes out of use.
///
/// `id` makes it unique and is to be random. The topic's name is cut where the whole would be longer
/// than a file's name may be (KAFKA-4893).
#[must_use]
pub fn retired_name(topic_partition: &TopicPartition, retired: Retired, id: u128) -> String {
    let tail = Tail {
        topic_partition,
        retired,
        id,
    }
    .to_string();
    let topic = topic_partition.topic.as_str();
    let kept_size = FILE_NAME_SIZE_MAX
        .saturating_sub(tail.len())
        .min(topic.len());
    format!("{}{tail}", topic.get(..kept_size).unwrap_or_default())
}

/// All of a retired name but the topic.
struct Tail<'a> {
    topic_partition: &'a TopicPartition,
    retired: Retired,
    id: u128,
}

impl fmt::Display for Tail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "-{}.{:032x}{}",
            self.topic_partition.partition,
            self.id,
            self.retired.suffix()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expected: &DirectoryKind) {
        assert_eq!(&DirectoryKind::of(name), expected, "{name}");
    }

    fn partition(topic: &str, partition: i32) -> DirectoryKind {
        DirectoryKind::Partition(TopicPartition::new(topic, PartitionId(partition)))
    }

    #[test]
    fn a_partition_is_named_by_its_topic_and_its_number() {
        check("orders-0", &partition("orders", 0));
        check("my.own-topic_1-12", &partition("my.own-topic_1", 12));
        check("looks-delete-3", &partition("looks-delete", 3));
        for none in [
            "orders",
            "orders-",
            "-0",
            "orders-x",
            "orders--1",
            "orders-00",
            "a b-0",
        ] {
            let expected = if none == "orders--1" {
                partition("orders-", 1)
            } else {
                DirectoryKind::Unknown
            };
            check(none, &expected);
        }
        check("orders-99999999999", &DirectoryKind::Unknown);
        check("lost+found", &DirectoryKind::Unknown);
    }

    #[test]
    fn what_others_keep_here_is_known() {
        let id = "0123456789abcdef0123456789ABCDEF";
        check(
            &format!("t-0.{id}-delete"),
            &DirectoryKind::Retired(Retired::Delete),
        );
        check(
            &format!("t-0.{id}-stray"),
            &DirectoryKind::Retired(Retired::Stray),
        );
        check(&format!("t-0.{id}-future"), &DirectoryKind::Future);
        check("t-0.0123-delete", &DirectoryKind::Unknown);
        check("remote-log-index-cache", &DirectoryKind::Ignored);
        check("__cluster_metadata-0", &DirectoryKind::Ignored);
    }

    #[test]
    fn a_retired_name_is_never_longer_than_a_file_name_may_be() {
        let short = TopicPartition::new("t", PartitionId(7));
        assert_eq!(
            retired_name(&short, Retired::Delete, 0xfe),
            "t-7.000000000000000000000000000000fe-delete"
        );
        let long = TopicPartition::new("x".repeat(TOPIC_NAME_SIZE_MAX), PartitionId(i32::MAX));
        for retired in [Retired::Delete, Retired::Stray] {
            let name = retired_name(&long, retired, u128::MAX);
            assert_eq!(name.len(), FILE_NAME_SIZE_MAX);
            check(&name, &DirectoryKind::Retired(retired));
        }
    }
}
