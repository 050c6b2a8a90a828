//! Topics: create, delete, enlarge, list, describe.

use std::collections::BTreeMap;

use barnabas_wire::id::{BrokerId, TopicName};
use barnabas_wire::message::create_partitions::{
    CreatePartitionsAssignment, CreatePartitionsTopic,
};
use barnabas_wire::message::create_topics::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use barnabas_wire::message::delete_topics::DeleteTopicState;
use barnabas_wire::message::{
    CreatePartitionsRequest, CreateTopicsRequest, CreateTopicsResponse, DeleteTopicsRequest,
};
use barnabas_wire::{ErrorCode, Str};

use super::{Admin, check, timeout_ms};
use crate::cluster::{Cluster, Topic};
use crate::error::{Error, Result};

/// A topic to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTopic {
    name: String,
    partitions: Option<i32>,
    replication_factor: Option<i16>,
    assignment: Vec<Vec<BrokerId>>,
    configs: BTreeMap<String, String>,
}

impl NewTopic {
    /// A topic with the broker's defaults (`num.partitions`, `default.replication.factor`).
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            partitions: None,
            replication_factor: None,
            assignment: Vec::new(),
            configs: BTreeMap::new(),
        }
    }

    /// With this many partitions.
    #[must_use]
    pub const fn partitions(mut self, count: i32) -> Self {
        self.partitions = Some(count);
        self
    }

    /// With this many replicas of each partition.
    #[must_use]
    pub const fn replication_factor(mut self, factor: i16) -> Self {
        self.replication_factor = Some(factor);
        self
    }

    /// With these replicas: a list for each partition, the preferred leader first. Takes the place
    /// of partition count and replication factor.
    #[must_use]
    pub fn assignment(mut self, replicas: Vec<Vec<BrokerId>>) -> Self {
        self.assignment = replicas;
        self
    }

    /// With a setting of its own.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "numbers and flags are given by value"
    )]
    pub fn config(mut self, key: impl Into<String>, value: impl ToString) -> Self {
        self.configs.insert(key.into(), value.to_string());
        self
    }

    fn to_wire(&self) -> CreatableTopic {
        let is_placed = !self.assignment.is_empty();
        let assignment = |(index, replicas): (i32, &Vec<BrokerId>)| CreatableReplicaAssignment {
            partition_index: index,
            broker_ids: replicas.iter().map(|id| id.0).collect(),
        };
        let config = |(key, value): (&String, &String)| CreatableTopicConfig {
            name: Str::from(key),
            value: Some(Str::from(value)),
        };
        CreatableTopic {
            name: Str::from(&self.name),
            num_partitions: if is_placed {
                -1
            } else {
                self.partitions.unwrap_or(-1)
            },
            replication_factor: if is_placed {
                -1
            } else {
                self.replication_factor.unwrap_or(-1)
            },
            assignments: (0..).zip(&self.assignment).map(assignment).collect(),
            configs: self.configs.iter().map(config).collect(),
        }
    }
}

/// A topic that has come to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedTopic {
    /// Number of partitions; none if the broker does not tell.
    pub partitions: Option<i32>,
    /// Number of replicas of each; none if the broker does not tell.
    pub replication_factor: Option<i16>,
}

/// A topic with its partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicDescription {
    /// Its name.
    pub name: TopicName,
    /// Partitions and what is wrong with them.
    pub topic: Topic,
}

impl Admin {
    /// Creates a topic and waits until the controller knows it.
    ///
    /// # Errors
    /// [`Error::Kafka`] with the controller's refusal; [`Error::Request`] if it did not answer: the
    /// topic may exist then.
    pub async fn create_topic(&self, topic: NewTopic) -> Result<CreatedTopic> {
        let mut created = self.create_topics(&[topic], false).await?;
        created.pop().unwrap_or(Err(Error::Closed))
    }

    /// Creates topics, each on its own: the result of each stands in its place. With
    /// `validate_only` nothing is created.
    ///
    /// # Errors
    /// As [`Admin::create_topic`], for the request as a whole.
    pub async fn create_topics(
        &self,
        topics: &[NewTopic],
        validate_only: bool,
    ) -> Result<Vec<Result<CreatedTopic>>> {
        let request = CreateTopicsRequest {
            topics: topics.iter().map(NewTopic::to_wire).collect(),
            timeout_ms: timeout_ms(self.client.metadata().settings.options.request_timeout),
            validate_only,
        };
        let refused = |response: &CreateTopicsResponse| {
            response
                .topics
                .first()
                .map(|topic| ErrorCode::from_code(topic.error_code))
        };
        let response = self.change("creating topics", &request, refused).await?;
        let result = |topic: &NewTopic| {
            let found = response
                .topics
                .iter()
                .find(|found| found.name == topic.name.as_str());
            let found = found.ok_or_else(|| unanswered(&topic.name))?;
            check(
                found.error_code,
                subject(&topic.name),
                found.error_message.as_deref(),
            )?;
            Ok(CreatedTopic {
                partitions: (found.num_partitions > 0).then_some(found.num_partitions),
                replication_factor: (found.replication_factor > 0)
                    .then_some(found.replication_factor),
            })
        };
        Ok(topics.iter().map(result).collect())
    }

    /// Marks a topic for deletion and waits until the controller knows.
    ///
    /// # Errors
    /// As [`Admin::create_topic`].
    pub async fn delete_topic(&self, name: &str) -> Result<()> {
        let mut deleted = self.delete_topics(&[name]).await?;
        deleted.pop().unwrap_or(Err(Error::Closed))
    }

    /// Marks topics for deletion, each on its own: the result of each stands in its place.
    ///
    /// # Errors
    /// As [`Admin::create_topic`], for the request as a whole.
    pub async fn delete_topics(&self, names: &[&str]) -> Result<Vec<Result<()>>> {
        let by_name = |name: &&str| Str::from(*name);
        let state = |name: &&str| DeleteTopicState {
            name: Some(Str::from(*name)),
            ..DeleteTopicState::default()
        };
        // Up to version 5 the names stand in one list, from 6 on in another.
        let (_, connection) = self.controller().await?;
        let lost = |source| Error::Request {
            broker_id: -1,
            source,
        };
        let version = connection
            .version_of::<DeleteTopicsRequest>()
            .map_err(lost)?;
        let request = DeleteTopicsRequest {
            topics: if version >= 6 {
                names.iter().map(state).collect()
            } else {
                Vec::new()
            },
            topic_names: if version < 6 {
                names.iter().map(by_name).collect()
            } else {
                Vec::new()
            },
            timeout_ms: timeout_ms(self.client.metadata().settings.options.request_timeout),
        };
        let response = self
            .change("deleting topics", &request, |response| {
                response
                    .responses
                    .first()
                    .map(|topic| ErrorCode::from_code(topic.error_code))
            })
            .await?;
        let result = |name: &&str| {
            let is_it = |found: &Str| found.as_str() == *name;
            let found = response
                .responses
                .iter()
                .find(|found| found.name.as_ref().is_some_and(is_it));
            let found = found.ok_or_else(|| unanswered(name))?;
            check(
                found.error_code,
                subject(name),
                found.error_message.as_deref(),
            )
        };
        Ok(names.iter().map(result).collect())
    }

    /// Gives a topic more partitions: `count` in all. `assignment` may name the replicas of the
    /// new ones; otherwise the controller places them.
    ///
    /// # Errors
    /// As [`Admin::create_topic`].
    pub async fn create_partitions(
        &self,
        name: &str,
        count: i32,
        assignment: Option<Vec<Vec<BrokerId>>>,
    ) -> Result<()> {
        let place = |replicas: Vec<BrokerId>| CreatePartitionsAssignment {
            broker_ids: replicas.into_iter().map(|id| id.0).collect(),
        };
        let request = CreatePartitionsRequest {
            topics: vec![CreatePartitionsTopic {
                name: Str::from(name),
                count,
                assignments: assignment.map(|all| all.into_iter().map(place).collect()),
            }],
            timeout_ms: timeout_ms(self.client.metadata().settings.options.request_timeout),
            validate_only: false,
        };
        let response = self
            .change("creating partitions", &request, |response| {
                response
                    .results
                    .first()
                    .map(|topic| ErrorCode::from_code(topic.error_code))
            })
            .await?;
        let result = response.results.first().ok_or_else(|| unanswered(name))?;
        check(
            result.error_code,
            subject(name),
            result.error_message.as_deref(),
        )
    }

    /// Every topic, by name.
    ///
    /// # Errors
    /// [`Error::Unreachable`]; [`Error::Timeout`] if nobody answers in time.
    pub async fn list_topics(&self) -> Result<Vec<TopicDescription>> {
        let metadata = self.client.metadata();
        let mut attempts = self.client.attempts("listing topics");
        let response = loop {
            if let Some(finished) = attempts.run(metadata.ask_all()).await {
                break finished?;
            }
        };
        let mut cluster = Cluster::default();
        cluster.update(&response);
        Ok(descriptions(cluster))
    }

    /// Topics by name, each on its own: the result of each stands in its place.
    ///
    /// # Errors
    /// As [`Admin::list_topics`], for the request as a whole.
    pub async fn describe_topics(&self, names: &[&str]) -> Result<Vec<Result<TopicDescription>>> {
        let metadata = self.client.metadata();
        let names: Vec<TopicName> = names.iter().map(|name| TopicName::from(*name)).collect();
        let mut attempts = self.client.attempts("describing topics");
        let response = loop {
            if let Some(finished) = attempts.run(metadata.ask_about(&names)).await {
                break finished?;
            }
        };
        let mut cluster = Cluster::default();
        cluster.update(&response);
        let mut topics = cluster.topics;
        let result = |name: &TopicName| {
            let topic = topics
                .remove(name)
                .ok_or_else(|| unanswered(name.as_str()))?;
            match topic.error {
                // A topic without a leader can still be described.
                Some(code) if topic.partitions.is_empty() => {
                    Err(Error::kafka(code, subject(name.as_str()), None::<String>))
                }
                Some(_) | None => Ok(TopicDescription {
                    name: name.clone(),
                    topic,
                }),
            }
        };
        Ok(names.iter().map(result).collect())
    }
}

fn descriptions(cluster: Cluster) -> Vec<TopicDescription> {
    let describe = |(name, topic)| TopicDescription { name, topic };
    cluster.topics.into_iter().map(describe).collect()
}

fn subject(topic: &str) -> String {
    format!("topic {topic}")
}

fn unanswered(topic: &str) -> Error {
    Error::Corrupt {
        subject: subject(topic),
        reason: "the answer leaves it out".into(),
    }
}
