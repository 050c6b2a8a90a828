//! Ids, epochs and offsets that must never be mixed up: one newtype each.
//!
//! Message structs carry plain integers, as on the wire; everything that decides carries these.

use std::fmt;
use std::sync::Arc;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl From<$inner> for $name {
            fn from(value: $inner) -> Self {
                Self(value)
            }
        }
    };
}

number! {
    /// A broker's id (`broker.id`), 0 or more. -1 stands for "none" on the wire.
    BrokerId(i32)
}
number! {
    /// Index of a partition within its topic, from 0.
    PartitionId(i32)
}
number! {
    /// Counts the leaders of one partition. Source: KIP-101.
    LeaderEpoch(i32)
}
number! {
    /// Counts the controllers of the cluster: the content of `/controller_epoch`.
    ControllerEpoch(i32)
}
number! {
    /// One registration of a broker: the czxid of its `/brokers/ids/N`. Source: KIP-380.
    BrokerEpoch(i64)
}
number! {
    /// An idempotent producer's id. Source: KIP-98.
    ProducerId(i64)
}
number! {
    /// Counts the incarnations of one producer id. Source: KIP-98.
    ProducerEpoch(i16)
}
number! {
    /// A record's number in its partition, from 0. Never a position in a file, which is bytes.
    Offset(i64)
}

impl BrokerId {
    /// "No broker": no leader, no controller.
    pub const NONE: Self = Self(-1);
}

impl LeaderEpoch {
    /// "Unknown or not given".
    pub const NONE: Self = Self(-1);

    /// The epoch after this one; stays at the largest value rather than wrap.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl ControllerEpoch {
    /// The epoch after this one; stays at the largest value rather than wrap.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl BrokerEpoch {
    /// "Not given": senders before KIP-380.
    pub const NONE: Self = Self(-1);
}

/// A topic's name; a clone is a reference count.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicName(Arc<str>);

impl TopicName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for TopicName {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl From<String> for TopicName {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

impl std::borrow::Borrow<str> for TopicName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// One partition of one topic; shown as `topic-partition`, as its directory is named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic.
    pub topic: TopicName,
    /// The partition's index.
    pub partition: PartitionId,
}

impl TopicPartition {
    /// Puts the two together.
    pub fn new(topic: impl Into<TopicName>, partition: PartitionId) -> Self {
        Self {
            topic: topic.into(),
            partition,
        }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}
