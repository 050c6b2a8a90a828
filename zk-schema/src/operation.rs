//! Operations on ZooKeeper as values.

use crate::path::ZkPath;
use crate::stat::ZkVersion;

/// How a znode is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateMode {
    /// Stays until it is deleted.
    Persistent,
    /// Goes with the session that created it.
    Ephemeral,
    /// Stays; the server appends a ten-digit number to the path.
    PersistentSequential,
}

/// What a write expects of the version before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Anything: version -1 on the wire.
    Any,
    /// Exactly this version; another one fails with `BadVersion`.
    Version(ZkVersion),
}

/// A question. Asking again is harmless.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ZkRead {
    /// Data and stat: answered by [`ZkReply::Data`](crate::ZkReply::Data) or `NoNode`.
    Data(ZkPath),
    /// Stat only: answered by [`ZkReply::Exists`](crate::ZkReply::Exists) or `NoNode`.
    Exists(ZkPath),
    /// Names of the children: answered by [`ZkReply::Children`](crate::ZkReply::Children) or `NoNode`.
    Children(ZkPath),
}

/// A change. Whether one whose reply was lost has happened is only known by reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ZkWrite {
    /// Creates a znode; `NodeExists` if it is there, `NoNode` if its parent is not.
    Create {
        /// Where; with [`CreateMode::PersistentSequential`] the number is appended.
        path: ZkPath,
        /// What is put in; empty stands for no data.
        data: Vec<u8>,
        /// How long it lives, and how it is named.
        mode: CreateMode,
    },
    /// Replaces the data; `NoNode` or `BadVersion` otherwise.
    Set {
        /// Where.
        path: ZkPath,
        /// The whole new data.
        data: Vec<u8>,
        /// The version to be replaced.
        expected: Expected,
    },
    /// Removes a znode without children; `NotEmpty` if it has some.
    Delete {
        /// Where.
        path: ZkPath,
        /// The version to be removed.
        expected: Expected,
    },
    /// Fails the multi it is in unless the znode has this version. Only within a multi.
    Check {
        /// Where.
        path: ZkPath,
        /// The version it must have.
        version: ZkVersion,
    },
}

/// One request to ZooKeeper.
///
/// A list of them is sent in order on one session and executed in that order. The session may join
/// neighbouring reads into one `MultiRead`; it never joins or reorders writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ZkOp {
    /// A question.
    Read(ZkRead),
    /// One change by itself. Never a [`ZkWrite::Check`].
    Write(ZkWrite),
    /// All of these changes or none: answered by [`ZkReply::Multi`](crate::ZkReply::Multi) or by
    /// [`ZkError::InMulti`](crate::ZkError::InMulti) naming the first that failed.
    Multi(Vec<ZkWrite>),
}

impl ZkWrite {
    /// The znode that is changed or checked.
    #[must_use]
    pub const fn path(&self) -> &ZkPath {
        match self {
            Self::Create { path, .. }
            | Self::Set { path, .. }
            | Self::Delete { path, .. }
            | Self::Check { path, .. } => path,
        }
    }

    /// What this change takes of a request, bytes: path and data, and 64 for lengths, ACL and flags.
    /// An upper bound; requests are limited to 1 MiB by the server (`jute.maxbuffer`).
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        const FRAME_BYTES: usize = 64;
        let data_bytes = match self {
            Self::Create { data, .. } | Self::Set { data, .. } => data.len(),
            Self::Delete { .. } | Self::Check { .. } => 0,
        };
        FRAME_BYTES
            .saturating_add(self.path().as_str().len())
            .saturating_add(data_bytes)
    }
}

impl ZkRead {
    /// The znode that is asked about.
    #[must_use]
    pub const fn path(&self) -> &ZkPath {
        match self {
            Self::Data(path) | Self::Exists(path) | Self::Children(path) => path,
        }
    }
}

impl ZkOp {
    /// Whether this changes nothing, so that a lost reply is mended by asking again.
    #[must_use]
    pub const fn is_read(&self) -> bool {
        matches!(self, Self::Read(_))
    }

    /// What the request takes, bytes; an upper bound as in [`ZkWrite::size_bytes`].
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        match self {
            Self::Read(read) => read.path().as_str().len(),
            Self::Write(write) => write.size_bytes(),
            Self::Multi(writes) => writes.iter().map(ZkWrite::size_bytes).sum(),
        }
    }
}
