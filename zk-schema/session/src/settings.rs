//! How a session is set up, and why it may not come about.

use std::time::Duration;

use crate::connect_string::ConnectStringError;

/// What a session needs to know.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Servers and chroot: `host:port,host:port/chroot`. The chroot is created if it is missing.
    /// Kafka's `zookeeper.connect`.
    pub connect_string: String,
    /// Session timeout to ask for, ms; the server may grant another one, which then counts.
    /// Kafka's `zookeeper.session.timeout.ms`.
    pub session_timeout_ms: u32,
    /// How long [`Session::start`](crate::Session::start) tries to reach a server, ms.
    /// Kafka's `zookeeper.connection.timeout.ms`.
    pub connection_timeout_ms: u32,
    /// How long an operation waits for a connection, and then for its reply, ms; after that its
    /// outcome is unknown.
    pub request_timeout_ms: u32,
}

impl Settings {
    /// Settings with Kafka's timeouts of 18 s for session and connection, and as much for a request.
    /// Source: KIP-537.
    #[must_use]
    pub fn new(connect_string: impl Into<String>) -> Self {
        const KAFKA_TIMEOUT_MS: u32 = 18_000;
        Self {
            connect_string: connect_string.into(),
            session_timeout_ms: KAFKA_TIMEOUT_MS,
            connection_timeout_ms: KAFKA_TIMEOUT_MS,
            request_timeout_ms: KAFKA_TIMEOUT_MS,
        }
    }

    pub(crate) fn session_timeout(&self) -> Duration {
        Duration::from_millis(self.session_timeout_ms.into())
    }

    pub(crate) fn connection_timeout(&self) -> Duration {
        Duration::from_millis(self.connection_timeout_ms.into())
    }

    pub(crate) fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms.into())
    }
}

/// Why a session did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The connect string cannot be read.
    #[error("zookeeper.connect: {0}")]
    ConnectString(#[from] ConnectStringError),
    /// No server gave a session in time.
    #[error(
        "no ZooKeeper server of {servers} gave a session within {timeout_ms} ms ({last}): \
         is it running, and is zookeeper.connect right?"
    )]
    Unreachable {
        /// The servers that were tried.
        servers: String,
        /// How long, ms.
        timeout_ms: u32,
        /// What the last attempt said.
        last: String,
    },
    /// The server does not know an operation that came with ZooKeeper 3.6.
    #[error(
        "the ZooKeeper servers {servers} do not know {operation}, which came with ZooKeeper 3.6. \
         Upgrade the ensemble first: a 3.5 ensemble goes to 3.8 by a rolling restart, one server \
         at a time and the leader last, with its data and its configuration as they are"
    )]
    TooOld {
        /// The servers.
        servers: String,
        /// What was asked for.
        operation: &'static str,
    },
    /// The server has persistent watches switched off.
    #[error(
        "the ZooKeeper servers {servers} refuse persistent watches: they run with \
         zookeeper.watchManagerName=...WatchManagerOptimized. Remove that property from their \
         start options and restart them"
    )]
    NoPersistentWatches {
        /// The servers.
        servers: String,
    },
    /// The chroot could not be created.
    #[error("the chroot {chroot} could not be created: {reason}")]
    Chroot {
        /// The path.
        chroot: String,
        /// What the server said.
        reason: String,
    },
    /// The operating system gave no thread or runtime.
    #[error("the session's thread did not start")]
    Thread(#[source] std::io::Error),
    /// The thread ended before it could say why; a defect.
    #[error("the session's thread ended at its start")]
    Ended,
}
