//! What ZooKeeper keeps beside a znode's data.

use std::fmt;

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
    };
}

number! {
    /// Counts the changes of one znode's data, from 0 at its creation.
    ZkVersion(i32)
}
number! {
    /// Place of a change in the order of all changes of the ensemble.
    Zxid(i64)
}
number! {
    /// One ZooKeeper session. Never 0.
    SessionId(i64)
}

/// The part of ZooKeeper's `Stat` that Kafka's protocol rests on, and what helps an operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stat {
    /// The change that created the znode. Of `/brokers/ids/N` it is the broker epoch (KIP-380), of
    /// `/brokers/topics/T` the identity of the topic.
    pub czxid: Zxid,
    /// The change that last wrote the data.
    pub mzxid: Zxid,
    /// The change that last added or removed a child.
    pub pzxid: Zxid,
    /// Creation, ms since the Unix epoch by the clock of the ensemble's leader.
    pub ctime_ms: i64,
    /// Last write of the data, ms since the Unix epoch by the clock of the ensemble's leader.
    pub mtime_ms: i64,
    /// Version of the data: what [`Expected::Version`](crate::Expected) is compared with.
    pub version: ZkVersion,
    /// Counts changes of the child list.
    pub cversion: i32,
    /// The session that an ephemeral znode lives with; `None` for a persistent one.
    pub ephemeral_owner: Option<SessionId>,
    /// Size of the data, bytes.
    pub data_length_bytes: i32,
    /// Number of children.
    pub children_count: i32,
}
