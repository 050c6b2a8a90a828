//! What a call to the cluster can end with.

use std::sync::Arc;
use std::time::Duration;

use barnabas_connection::{ConnectError, RequestError};
use barnabas_wire::ErrorCode;

use crate::config::ConfigError;

/// A result of this library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed. Cheap to clone: all records of a batch share one.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The cluster answered with an error.
    #[error("{}: {}", code.name(), told(subject, message.as_deref().unwrap_or_else(|| code.message())))]
    Kafka {
        /// Kafka's code.
        code: ErrorCode,
        /// What it is about: a topic, a partition, a setting.
        subject: String,
        /// What the broker says in words, if it does.
        message: Option<String>,
    },
    /// None of the brokers that were tried takes connections.
    #[error("cannot reach any broker: {}", tried.join("; "))]
    Unreachable {
        /// Each server that was tried, with what happened.
        tried: Vec<String>,
    },
    /// One broker does not take connections.
    #[error("cannot reach broker {broker_id}: {source}")]
    BrokerUnreachable {
        /// The broker's id.
        broker_id: i32,
        /// What happened.
        source: Arc<ConnectError>,
    },
    /// A request was not answered; see [`RequestError::was_sent`].
    #[error("broker {broker_id}: {source}")]
    Request {
        /// The broker's id; -1 before it is known.
        broker_id: i32,
        /// What happened.
        source: RequestError,
    },
    /// Something took too long; the last failure on the way, if there was one.
    #[error("{what} took more than {} ms{}", after.as_millis(), because(last.as_deref()))]
    Timeout {
        /// What was waited for.
        what: &'static str,
        /// The time that was allowed.
        after: Duration,
        /// What stood in the way.
        last: Option<Box<Self>>,
    },
    /// A setting is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A record is larger than a request or the buffer may be.
    #[error("a record of {size_bytes} bytes is larger than {setting} ({limit_bytes}) allows")]
    RecordTooLarge {
        /// Its size with all overhead, in bytes.
        size_bytes: usize,
        /// The limit, in bytes.
        limit_bytes: usize,
        /// The setting that limits it.
        setting: &'static str,
    },
    /// The buffer is full. Nothing was queued.
    #[error("buffer.memory is used up")]
    BufferFull,
    /// What a broker sent cannot be read.
    #[error("{subject}: {reason}")]
    Corrupt {
        /// The partition.
        subject: String,
        /// What is wrong.
        reason: String,
    },
    /// There is no offset to start from, and `auto.offset.reset` says not to choose one.
    #[error("{subject}: offset {offset} is not in the log, and auto.offset.reset is none")]
    OffsetOutOfRange {
        /// The partition.
        subject: String,
        /// The offset.
        offset: i64,
    },
    /// The producer, consumer or client was closed.
    #[error("already closed")]
    Closed,
}

/// What is wrong with what; a broker may have named it already.
fn told(subject: &str, message: &str) -> String {
    if message.starts_with(subject) {
        message.to_owned()
    } else {
        format!("{subject}: {message}")
    }
}

fn because(last: Option<&Error>) -> String {
    last.map(|error| format!("; last: {error}"))
        .unwrap_or_default()
}

impl Error {
    pub(crate) fn kafka(
        code: ErrorCode,
        subject: impl Into<String>,
        message: Option<impl Into<String>>,
    ) -> Self {
        Self::Kafka {
            code,
            subject: subject.into(),
            message: message.map(Into::into),
        }
    }

    /// Kafka's code, if the cluster answered with one.
    #[must_use]
    pub const fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Kafka { code, .. } => Some(*code),
            Self::Unreachable { .. }
            | Self::BrokerUnreachable { .. }
            | Self::Request { .. }
            | Self::Timeout { .. }
            | Self::Config(_)
            | Self::RecordTooLarge { .. }
            | Self::BufferFull
            | Self::Corrupt { .. }
            | Self::OffsetOutOfRange { .. }
            | Self::Closed => None,
        }
    }

    /// True if the same call may succeed later.
    #[must_use]
    pub const fn is_retriable(&self) -> bool {
        match self {
            Self::Kafka { code, .. } => code.is_retriable(),
            Self::Unreachable { .. }
            | Self::BrokerUnreachable { .. }
            | Self::Timeout { .. }
            | Self::BufferFull => true,
            Self::Request { source, .. } => source.is_disconnect(),
            Self::Config(_)
            | Self::RecordTooLarge { .. }
            | Self::Corrupt { .. }
            | Self::OffsetOutOfRange { .. }
            | Self::Closed => false,
        }
    }

    /// True if no broker could be reached.
    #[must_use]
    pub const fn is_unreachable(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. } | Self::BrokerUnreachable { .. }
        )
    }
}
