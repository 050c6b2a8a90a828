//! Asking another broker, at the versions that inter-broker protocol 2.6 pins: the peer is not asked what
//! it speaks. Source: kafka 2.8 controller/ControllerChannelManager.scala.

use std::time::Duration;

use barnabas_connection::{ConnectError, Connection, Options, RequestError};
use barnabas_wire::Request;

/// How this broker asks others.
#[derive(Clone, Debug)]
pub struct Asker {
    /// Options of the connections, versions not asked for.
    options: Options,
}

/// Another broker gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// It could not be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The request has no answer that can be used.
    #[error(transparent)]
    Request(#[from] RequestError),
}

impl Asker {
    /// Asks with these options, but never for versions.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            options: Options {
                ask_versions: false,
                ..options
            },
        }
    }

    /// Connects to the broker at `host`:`port`.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(&self, host: &str, port: u16) -> Result<Connection, ConnectError> {
        Connection::open(host, port, self.options.clone()).await
    }

    /// How long an answer may take.
    #[must_use]
    pub const fn patience(&self) -> Duration {
        self.options.request_timeout
    }

    /// Connects, asks once, and closes.
    ///
    /// # Errors
    /// Any [`PeerError`].
    pub async fn ask_once<Q: Request>(
        &self,
        (host, port): (&str, u16),
        api_version: i16,
        request: &Q,
    ) -> Result<Q::Response, PeerError> {
        let connection = self.connect(host, port).await?;
        Ok(connection
            .call_at(request, api_version, self.patience())
            .await?)
    }
}
