//! `CreateTopics`: done by the active controller, answered when its effect can be seen here.
//!
//! Source: kafka 2.8 server/KafkaApis.scala (`handleCreateTopicsRequest`), server/ZkAdminManager.scala.

use std::collections::BTreeMap;
use std::sync::Arc;

use barnabas_config::describe;
use barnabas_controller::call::{Answer, Call, NewTopic, Placement};
use barnabas_wire::id::{BrokerId, PartitionId};
use barnabas_wire::message::create_topics::{
    CreatableTopic, CreatableTopicConfigs, CreatableTopicResult,
};
use barnabas_wire::message::{CreateTopicsRequest, CreateTopicsResponse};
use barnabas_wire::{ErrorCode, Str};
use barnabas_zk_schema::config::ConfigValues;
use barnabas_zk_schema::topic::TopicAssignment;
use tokio::time::timeout;

use super::topic_error::{Refused, call_code};
use super::{Context, Outcome, config_source, patience};
use crate::node::Node;

pub(super) fn handle(
    context: &Context<'_>,
    request: CreateTopicsRequest,
) -> Outcome<CreateTopicsResponse> {
    if !context.node.controller.is_active() {
        let refuse = |topic: &CreatableTopic| {
            refused(topic.name.clone(), Refused::code(ErrorCode::NotController))
        };
        return answer(request.topics.iter().map(refuse).collect()).into();
    }
    let node = Arc::clone(context.node);
    Outcome::spawn(async move { answer(create(&node, request).await) })
}

fn answer(topics: Vec<CreatableTopicResult>) -> CreateTopicsResponse {
    CreateTopicsResponse {
        topics,
        ..CreateTopicsResponse::default()
    }
}

async fn create(node: &Node, request: CreateTopicsRequest) -> Vec<CreatableTopicResult> {
    let mut results = BTreeMap::new();
    let mut wanted = Vec::new();
    for topic in &request.topics {
        let is_repeated = request
            .topics
            .iter()
            .filter(|other| other.name == topic.name)
            .count()
            > 1;
        let checked = if is_repeated {
            Err(Refused::new(
                ErrorCode::InvalidRequest,
                "the topic is named more than once",
            ))
        } else {
            new_topic(topic)
        };
        match checked {
            Ok(new) => wanted.push(new),
            Err(error) => {
                drop(results.insert(topic.name.clone(), refused(topic.name.clone(), error)));
            }
        }
    }
    let configs: BTreeMap<String, ConfigValues> = wanted
        .iter()
        .map(|new| (new.name.clone(), new.config.clone()))
        .collect();
    let validate_only = request.validate_only;
    let random = crate::chance::random();
    let mut created = Vec::new();
    if !wanted.is_empty() {
        match node
            .controller
            .call(Call::CreateTopics {
                topics: wanted,
                validate_only,
                random,
            })
            .await
        {
            Answer::Placed(placed) => {
                for (name, result) in placed {
                    let one = match result {
                        Ok(assignment) => {
                            created.push((name.clone(), assignment.partitions.len()));
                            described(node, &name, &assignment, configs.get(&name))
                        }
                        Err(error) => refused(Str::from(&name), Refused::from(&error)),
                    };
                    results.insert(Str::from(name), one);
                }
            }
            Answer::Refused(error) => refuse_all(&mut results, &configs, call_code(&error)),
            Answer::Marked(_) | Answer::Remaining(_) => {
                refuse_all(&mut results, &configs, ErrorCode::UnknownServerError);
            }
        }
    }
    if !validate_only && !created.is_empty() && !is_led(node, &created, request.timeout_ms).await {
        time_out(&mut results);
    }
    results.into_values().collect()
}

fn refuse_all(
    results: &mut BTreeMap<Str, CreatableTopicResult>,
    topics: &BTreeMap<String, ConfigValues>,
    code: ErrorCode,
) {
    for name in topics.keys() {
        results.insert(
            Str::from(name),
            refused(Str::from(name), Refused::code(code)),
        );
    }
}

/// Waits until every partition has a leader in this broker's metadata.
async fn is_led(node: &Node, created: &[(String, usize)], timeout_ms: i32) -> bool {
    let led = node.metadata.wait_until(|cluster| {
        created.iter().all(|(name, count)| {
            cluster.topics.get(name.as_str()).is_some_and(|topic| {
                topic.partitions.len() >= *count
                    && topic
                        .partitions
                        .values()
                        .all(|partition| partition.leader.0 >= 0)
            })
        })
    });
    timeout(patience(timeout_ms), led).await.is_ok()
}

/// The topics exist, but nobody can use them yet.
fn time_out(results: &mut BTreeMap<Str, CreatableTopicResult>) {
    for result in results.values_mut().filter(|result| result.error_code == 0) {
        let name = result.name.clone();
        *result = refused(name, Refused::code(ErrorCode::RequestTimedOut));
    }
}

fn new_topic(topic: &CreatableTopic) -> Result<NewTopic, Refused> {
    let name = topic.name.as_str();
    let configs = topic
        .configs
        .iter()
        .map(|config| (config.name.as_str(), config.value.as_deref()));
    if let Some((key, _)) = configs.clone().find(|(_, value)| value.is_none()) {
        let message = format!("{key} has no value");
        return Err(Refused::new(ErrorCode::InvalidConfig, message));
    }
    let config = barnabas_config::topic::validate(name, configs)
        .map_err(|problems| Refused::new(ErrorCode::InvalidConfig, problems.to_string()))?;
    let placement = placement(topic)?;
    Ok(NewTopic {
        name: name.to_owned(),
        placement,
        config: config.into_iter().collect(),
    })
}

fn placement(topic: &CreatableTopic) -> Result<Placement, Refused> {
    if topic.assignments.is_empty() {
        let partitions = (topic.num_partitions != -1).then_some(topic.num_partitions);
        let factor = (topic.replication_factor != -1).then_some(topic.replication_factor.into());
        return Ok(Placement::Counts {
            partitions,
            replication_factor: factor,
        });
    }
    if topic.num_partitions != -1 || topic.replication_factor != -1 {
        let message = "an assignment and counts cannot both be given";
        return Err(Refused::new(ErrorCode::InvalidRequest, message));
    }
    let lists: BTreeMap<PartitionId, Vec<BrokerId>> = topic
        .assignments
        .iter()
        .map(|one| {
            let brokers = one.broker_ids.iter().copied().map(BrokerId).collect();
            (PartitionId(one.partition_index), brokers)
        })
        .collect();
    if lists.len() < topic.assignments.len() {
        let message = "a partition is assigned more than once";
        return Err(Refused::new(ErrorCode::InvalidReplicaAssignment, message));
    }
    Ok(Placement::Manual(lists))
}

fn described(
    node: &Node,
    name: &str,
    assignment: &TopicAssignment,
    config: Option<&ConfigValues>,
) -> CreatableTopicResult {
    let overrides = config
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.as_str(), value.as_str()));
    let configs = describe::topic(&node.effective, name, overrides)
        .into_iter()
        .map(|one| CreatableTopicConfigs {
            name: one.key.into(),
            value: one.value.map(Str::from),
            read_only: one.is_read_only,
            config_source: config_source(&one.source),
            is_sensitive: one.is_sensitive,
        })
        .collect();
    let factor = assignment.partitions.values().next().map_or(0, Vec::len);
    CreatableTopicResult {
        name: name.into(),
        num_partitions: i32::try_from(assignment.partitions.len()).unwrap_or(i32::MAX),
        replication_factor: i16::try_from(factor).unwrap_or(i16::MAX),
        configs: Some(configs),
        ..CreatableTopicResult::default()
    }
}

fn refused(name: Str, refused: Refused) -> CreatableTopicResult {
    CreatableTopicResult {
        name,
        error_code: refused.code.code(),
        error_message: refused.message.map(Str::from),
        configs: Some(vec![]),
        ..CreatableTopicResult::default()
    }
}
