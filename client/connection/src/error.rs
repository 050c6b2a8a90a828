//! What can go wrong, sorted by whether the broker may have seen the request.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use barnabas_wire::{ApiKey, DecodeError, EncodeError, ErrorCode};

/// A connection could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The name has no address.
    #[error("cannot resolve {host}: {source}")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// No address of the name took the connection; the last one's answer.
    #[error("{address}: {source}")]
    Refused {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// It took too long.
    #[error("{host}:{port} did not answer within {} ms", after.as_millis())]
    Timeout {
        /// The broker's name.
        host: String,
        /// The broker's port.
        port: u16,
        /// The time that was allowed.
        after: Duration,
    },
    /// The broker closed the connection or answered wrongly when asked for its versions.
    #[error("{host}:{port} does not answer like a Kafka broker: {source}")]
    Handshake {
        /// The broker's name.
        host: String,
        /// The broker's port.
        port: u16,
        /// What went wrong.
        source: RequestError,
    },
    /// The broker refused to tell its versions.
    #[error("{host}:{port} refuses to tell its versions: {code:?}")]
    VersionsRefused {
        /// The broker's name.
        host: String,
        /// The broker's port.
        port: u16,
        /// The broker's error.
        code: ErrorCode,
    },
}

/// Why a connection ended.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Disconnect {
    /// It was closed on this side.
    #[error("the connection was closed here")]
    Closed,
    /// The broker closed it.
    #[error("the broker closed the connection")]
    ClosedByPeer,
    /// The system reported an error.
    #[error("the connection failed: {0}")]
    Io(Arc<io::Error>),
    /// A request was not answered in time.
    #[error("no answer within {} ms", after.as_millis())]
    Timeout {
        /// The time that was allowed.
        after: Duration,
    },
    /// What the broker sent is not an answer to the oldest request.
    #[error("the broker answered request {found} instead of {expected}")]
    OutOfOrder {
        /// The correlation id that was due.
        expected: i32,
        /// The correlation id that came.
        found: i32,
    },
    /// The broker sent bytes without having been asked.
    #[error("the broker sent a response that nobody asked for")]
    Unasked,
    /// The broker sent a frame that cannot be one.
    #[error("the broker sent a bad frame: {reason}")]
    BadFrame {
        /// What is wrong with it.
        reason: String,
    },
}

/// A request without an answer that can be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RequestError {
    /// The request never left this side.
    #[error("the request was not sent: {0}")]
    NotSent(Disconnect),
    /// As many requests are in flight as may be. Nothing was sent.
    #[error("{in_flight_max} requests are in flight already")]
    TooManyInFlight {
        /// The limit.
        in_flight_max: usize,
    },
    /// The broker and this codec have no version of the API in common. Nothing was sent.
    #[error("the broker speaks no version of {api} that this client speaks")]
    NoCommonVersion {
        /// The API.
        api: ApiKey,
    },
    /// The request cannot be written at that version. Nothing was sent.
    #[error("the request cannot be written: {0}")]
    Encode(#[from] EncodeError),
    /// The request may have reached the broker, and may have been carried out.
    #[error("the request was sent but not answered: {0}")]
    OutcomeUnknown(Disconnect),
    /// The broker answered, but the answer cannot be read.
    #[error("the answer to {api} cannot be read: {source}")]
    Decode {
        /// The API.
        api: ApiKey,
        /// What is wrong with the bytes.
        source: DecodeError,
    },
}

impl RequestError {
    /// False if the broker cannot have seen the request: sending it again, here or elsewhere,
    /// cannot carry it out twice.
    #[must_use]
    pub const fn was_sent(&self) -> bool {
        match self {
            Self::NotSent(_)
            | Self::TooManyInFlight { .. }
            | Self::NoCommonVersion { .. }
            | Self::Encode(_) => false,
            Self::OutcomeUnknown(_) | Self::Decode { .. } => true,
        }
    }

    /// True if the connection is of no use any more.
    #[must_use]
    pub const fn is_disconnect(&self) -> bool {
        matches!(self, Self::NotSent(_) | Self::OutcomeUnknown(_))
    }
}
