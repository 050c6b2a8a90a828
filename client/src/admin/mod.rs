//! What changes and describes the cluster.

mod config;
mod offset;
mod topic;

use barnabas_connection::Connection;
use barnabas_wire::id::BrokerId;
use barnabas_wire::{ErrorCode, Request};

use crate::client::Client;
use crate::cluster::{Broker, Cluster};
use crate::error::{Error, Result};

pub use config::{ConfigEntry, ConfigResource};
pub use offset::{OffsetAt, PartitionOffset};
pub use topic::{CreatedTopic, NewTopic, TopicDescription};

/// Creates, deletes, describes. Each call is tried again within `default.api.timeout.ms` where
/// that cannot do harm: a request whose outcome is unknown is sent again only if it changes
/// nothing.
#[derive(Clone, Debug)]
pub struct Admin {
    client: Client,
}

/// Who is in the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterDescription {
    /// The cluster's id; none from brokers older than 0.10.1.
    pub cluster_id: Option<String>,
    /// The controller, if one is known.
    pub controller_id: Option<BrokerId>,
    /// Live brokers by id.
    pub brokers: Vec<Broker>,
}

impl Admin {
    pub(crate) const fn new(client: Client) -> Self {
        Self { client }
    }

    /// Who is in the cluster now.
    ///
    /// # Errors
    /// [`Error::Unreachable`]; [`Error::Timeout`] if nobody answers in time.
    pub async fn describe_cluster(&self) -> Result<ClusterDescription> {
        let metadata = self.client.metadata();
        let mut attempts = self.client.attempts("describing the cluster");
        let response = loop {
            if let Some(finished) = attempts.run(metadata.ask_about(&[])).await {
                break finished?;
            }
        };
        let mut cluster = Cluster::default();
        cluster.update(&response);
        Ok(ClusterDescription {
            cluster_id: cluster.cluster_id,
            controller_id: cluster.controller_id,
            brokers: cluster.brokers.into_values().collect(),
        })
    }

    /// A connection to the controller.
    async fn controller(&self) -> Result<(BrokerId, Connection)> {
        let metadata = self.client.metadata();
        let mut cluster = metadata.cluster();
        if cluster.controller().is_none() {
            cluster = metadata.refresh().await?;
        }
        let controller = cluster.controller().ok_or_else(|| {
            Error::kafka(
                ErrorCode::NotController,
                "cluster",
                Some("no controller is elected at the moment"),
            )
        })?;
        Ok((controller.id, metadata.pool.connect(controller).await?))
    }

    /// Sends a request that changes something to the controller. Tried again only while the
    /// controller cannot have acted on it.
    async fn change<R: Request>(
        &self,
        what: &'static str,
        request: &R,
        refused: impl Fn(&R::Response) -> Option<ErrorCode>,
    ) -> Result<R::Response> {
        let mut attempts = self.client.attempts(what);
        loop {
            if let Some(finished) = attempts.run(self.try_change(request, &refused)).await {
                return finished?;
            }
        }
    }

    /// One attempt. The outer result is worth another one if it is retriable, the inner is not.
    async fn try_change<R: Request>(
        &self,
        request: &R,
        refused: &impl Fn(&R::Response) -> Option<ErrorCode>,
    ) -> Result<Result<R::Response>> {
        let (id, connection) = self.controller().await?;
        let lost = |source| Error::Request {
            broker_id: id.0,
            source,
        };
        let response = match connection.call(request).await {
            Err(source) if source.was_sent() => return Ok(Err(lost(source))),
            other => other.map_err(lost)?,
        };
        match refused(&response) {
            Some(code) if code == ErrorCode::NotController => {
                Err(Error::kafka(code, format!("broker {id}"), None::<String>))
            }
            Some(_) | None => Ok(Ok(response)),
        }
    }

    /// Sends a request that changes nothing to one broker.
    async fn read_from<R: Request>(&self, broker: &Broker, request: &R) -> Result<R::Response> {
        let connection = self.client.metadata().pool.connect(broker).await?;
        let lost = |source| Error::Request {
            broker_id: broker.id.0,
            source,
        };
        connection.call(request).await.map_err(lost)
    }
}

/// The error in a response, if its code is one.
fn check(code: i16, subject: impl Into<String>, message: Option<&str>) -> Result<()> {
    let code = ErrorCode::from_code(code);
    if code == ErrorCode::None {
        return Ok(());
    }
    Err(Error::kafka(code, subject, message))
}

/// A time limit as the protocol has it.
fn timeout_ms(timeout: std::time::Duration) -> i32 {
    i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX)
}
