//! What a session tells unasked.

use std::fmt;

use barnabas_zk_schema::{SessionId, ZkEvent, ZkPath};

/// Number of a session within this process, from 1: a handle that was made for an earlier one is
/// refused instead of acting in the name of a session it knows nothing about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionGeneration(pub(crate) u64);

impl fmt::Display for SessionGeneration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A session that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Established {
    /// What operations for this session carry.
    pub generation: SessionGeneration,
    /// Its id on the server: the owner of the ephemeral znodes it creates.
    pub session: SessionId,
    /// The session timeout that the server granted, ms.
    pub session_timeout_ms: u32,
}

/// News of the session. A consumer that is slow misses no state, only its flapping: what is told is
/// the difference between what it was told last and what is so now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionEvent {
    /// A new session is there, with no ephemeral znodes and no watches.
    Established(Established),
    /// The connection is lost. The session may live on; operations wait.
    Disconnected,
    /// The same session has a connection again, its ephemeral znodes are as they were.
    /// [`Self::Resync`] follows for what is watched.
    Reconnected,
    /// The session is over and with it its ephemeral znodes. Operations for it are refused.
    Expired(SessionGeneration),
    /// The lease is over: the quorum may have given up this session. See [`crate::Lease`].
    LeaseOver,
    /// The lease holds (again).
    LeaseRenewed,
    /// Something happened at these paths: created, deleted, or data changed. Sorted. A hint: read again.
    Dirty(Vec<ZkPath>),
    /// The watches on these paths are in place, and anything may have happened before. Sorted. Read
    /// everything below them.
    Resync(Vec<ZkPath>),
}

impl SessionEvent {
    /// The same for a state machine; `None` for what concerns the lease.
    #[must_use]
    pub fn to_zk_event(&self) -> Option<ZkEvent> {
        match self {
            Self::Established(established) => Some(ZkEvent::Established {
                session: established.session,
            }),
            Self::Disconnected => Some(ZkEvent::Disconnected),
            Self::Reconnected => Some(ZkEvent::Reconnected),
            Self::Expired(_) => Some(ZkEvent::Expired),
            Self::LeaseOver | Self::LeaseRenewed => None,
            Self::Dirty(paths) => Some(ZkEvent::Dirty(paths.clone())),
            Self::Resync(paths) => Some(ZkEvent::Resync(paths.clone())),
        }
    }
}
