//! What comes back from ZooKeeper: answers, errors, and news nobody asked for.

use crate::path::ZkPath;
use crate::stat::{SessionId, Stat};

/// The answer to an operation that was carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ZkReply {
    /// To [`ZkRead::Data`](crate::ZkRead::Data).
    Data {
        /// The data; empty also where the znode has none.
        data: Vec<u8>,
        /// Its stat.
        stat: Stat,
    },
    /// To [`ZkRead::Exists`](crate::ZkRead::Exists).
    Exists(Stat),
    /// To [`ZkRead::Children`](crate::ZkRead::Children).
    Children {
        /// Names, not paths, in no order.
        names: Vec<String>,
        /// The parent's stat.
        stat: Stat,
    },
    /// To a create. Inside a multi the stat may be that of a create without stat: all zero.
    Created {
        /// The path, with its number if it was sequential.
        path: ZkPath,
        /// The new znode's stat.
        stat: Stat,
    },
    /// To a set: the stat after it.
    Set(Stat),
    /// To a delete.
    Deleted,
    /// To a check inside a multi.
    Checked,
    /// To a multi: one reply for each of its changes, in their order.
    Multi(Vec<Self>),
}

/// Why an operation was not carried out. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZkError {
    /// The znode, or for a create its parent, is not there.
    #[error("the znode does not exist")]
    NoNode,
    /// The znode to be created is there.
    #[error("the znode exists already")]
    NodeExists,
    /// The znode has another version than expected.
    #[error("the znode has another version than expected")]
    BadVersion,
    /// The znode to be deleted has children.
    #[error("the znode has children")]
    NotEmpty,
    /// The parent is ephemeral and can have no children.
    #[error("an ephemeral znode can have no children")]
    EphemeralParent,
    /// The ACL forbids it.
    #[error("ZooKeeper's access control forbids it")]
    NoAuth,
    /// The request is over the session's size limit and was not sent.
    #[error("the request takes {size_bytes} bytes, more than the {limit_bytes} that one may have")]
    TooLarge {
        /// Size of the request.
        size_bytes: usize,
        /// The limit.
        limit_bytes: usize,
    },
    /// The session that the operation was meant for is over; it was not sent.
    #[error("the session is over")]
    StaleSession,
    /// One change of a multi failed, and so none was made.
    #[error("change {index} of a multi failed: {error}")]
    InMulti {
        /// Which one, from 0: the first that failed.
        index: usize,
        /// Why.
        error: Box<Self>,
    },
    /// The server refused with a code that has no variant here.
    #[error("ZooKeeper refused with code {code}")]
    Refused {
        /// ZooKeeper's error code, negative.
        code: i32,
    },
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was carried out.
    Done(ZkReply),
    /// It was not.
    Failed(ZkError),
    /// No reply came: connection lost, timed out, or the session ended meanwhile. A read is asked
    /// again; whether a write happened is found out by reading, never by writing again.
    Unknown,
}

/// What the session tells unasked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ZkEvent {
    /// A new session is there; every ephemeral znode and watch of an earlier one is gone.
    Established {
        /// Its id.
        session: SessionId,
    },
    /// The connection is lost; the session may live on.
    Disconnected,
    /// The same session has a connection again. A [`Self::Resync`] follows for what is watched.
    Reconnected,
    /// The session is over and with it its ephemeral znodes. Nothing of it can be sent any more.
    Expired,
    /// Something happened at these paths (created, deleted, data changed). A hint: read again.
    Dirty(Vec<ZkPath>),
    /// Anything may have happened below these watched paths. Read all again.
    Resync(Vec<ZkPath>),
}

impl Outcome {
    /// The data and stat of a read.
    ///
    /// # Errors
    /// The outcome itself if it is anything else; [`ZkError::NoNode`] is part of that.
    pub fn into_data(self) -> Result<(Vec<u8>, Stat), Self> {
        match self {
            Self::Done(ZkReply::Data { data, stat }) => Ok((data, stat)),
            other @ (Self::Done(_) | Self::Failed(_) | Self::Unknown) => Err(other),
        }
    }

    /// The child names of a read, sorted.
    ///
    /// # Errors
    /// The outcome itself if it is anything else.
    pub fn into_children(self) -> Result<Vec<String>, Self> {
        match self {
            Self::Done(ZkReply::Children { mut names, .. }) => {
                names.sort_unstable();
                Ok(names)
            }
            other @ (Self::Done(_) | Self::Failed(_) | Self::Unknown) => Err(other),
        }
    }

    /// Whether it failed because a znode is not there.
    #[must_use]
    pub const fn is_no_node(&self) -> bool {
        matches!(self, Self::Failed(ZkError::NoNode))
    }
}
