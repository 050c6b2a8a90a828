//! Settings of topics and brokers.

use barnabas_wire::Str;
use barnabas_wire::id::BrokerId;
use barnabas_wire::message::describe_configs::{
    DescribeConfigsResource, DescribeConfigsResourceResult,
};
use barnabas_wire::message::{DescribeConfigsRequest, DescribeConfigsResponse};

use super::{Admin, check};
use crate::error::{Error, Result};

const TOPIC: i8 = 2;
const BROKER: i8 = 4;

/// Whose settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigResource<'a> {
    /// A topic's.
    Topic(&'a str),
    /// A broker's; that broker answers.
    Broker(BrokerId),
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigEntry {
    /// Its key.
    pub name: String,
    /// Its value; none if it is a secret.
    pub value: Option<String>,
    /// Where the value comes from: 1 topic, 2 this broker, 3 all brokers, 4 the broker's file, 5
    /// default; -1 if the broker does not tell.
    pub source: i8,
    /// Whether it cannot be changed while the broker runs.
    pub is_read_only: bool,
    /// Whether it is a secret.
    pub is_sensitive: bool,
}

impl ConfigEntry {
    /// True if someone set it for the topic itself.
    #[must_use]
    pub const fn is_from_topic(&self) -> bool {
        self.source == 1
    }
}

impl From<&DescribeConfigsResourceResult> for ConfigEntry {
    fn from(entry: &DescribeConfigsResourceResult) -> Self {
        Self {
            name: entry.name.to_string(),
            value: entry.value.as_ref().map(ToString::to_string),
            source: entry.config_source,
            is_read_only: entry.read_only,
            is_sensitive: entry.is_sensitive,
        }
    }
}

impl Admin {
    /// Every setting of a topic or broker with its effective value, by name.
    ///
    /// # Errors
    /// [`Error::Kafka`] if the topic or broker does not exist; [`Error::Timeout`].
    pub async fn describe_configs(&self, resource: ConfigResource<'_>) -> Result<Vec<ConfigEntry>> {
        let (resource_type, resource_name, subject) = match resource {
            ConfigResource::Topic(name) => (TOPIC, name.to_owned(), format!("topic {name}")),
            ConfigResource::Broker(id) => (BROKER, id.to_string(), format!("broker {id}")),
        };
        let request = DescribeConfigsRequest {
            resources: vec![DescribeConfigsResource {
                resource_type,
                resource_name: Str::from(resource_name),
                configuration_keys: None,
            }],
            ..DescribeConfigsRequest::default()
        };
        let mut attempts = self.client.attempts("describing settings");
        let response = loop {
            if let Some(finished) = attempts.run(self.ask_configs(resource, &request)).await {
                break finished?;
            }
        };
        let result = response.results.first().ok_or_else(|| Error::Corrupt {
            subject: subject.clone(),
            reason: "the answer leaves it out".into(),
        })?;
        check(result.error_code, subject, result.error_message.as_deref())?;
        let mut entries: Vec<ConfigEntry> = result.configs.iter().map(ConfigEntry::from).collect();
        entries.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(entries)
    }

    async fn ask_configs(
        &self,
        resource: ConfigResource<'_>,
        request: &DescribeConfigsRequest,
    ) -> Result<DescribeConfigsResponse> {
        let metadata = self.client.metadata();
        match resource {
            ConfigResource::Broker(id) => {
                let cluster = metadata.refresh().await?;
                let broker = cluster.brokers.get(&id).ok_or_else(|| Error::Unreachable {
                    tried: vec![format!("broker {id} is not registered")],
                })?;
                self.read_from(broker, request).await
            }
            ConfigResource::Topic(_) => {
                let connection = metadata.any_connection().await?;
                let lost = |source| Error::Request {
                    broker_id: -1,
                    source,
                };
                connection.call(request).await.map_err(lost)
            }
        }
    }
}
