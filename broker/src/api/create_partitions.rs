//! `CreatePartitions`: done by the active controller, answered when its effect can be seen here.
//!
//! Source: KIP-195; kafka 2.8 server/KafkaApis.scala (`handleCreatePartitionsRequest`).

use std::collections::BTreeMap;
use std::sync::Arc;

use barnabas_controller::call::{Answer, Call, MorePartitions, TopicError};
use barnabas_wire::id::BrokerId;
use barnabas_wire::message::create_partitions::{
    CreatePartitionsTopic, CreatePartitionsTopicResult,
};
use barnabas_wire::message::{CreatePartitionsRequest, CreatePartitionsResponse};
use barnabas_wire::{ErrorCode, Str};
use tokio::time::timeout;

use super::topic_error::{Refused, call_code};
use super::{Context, Outcome, patience};
use crate::node::Node;

/// What became of each topic; None where nothing is wrong.
type Results = BTreeMap<Str, Option<Refused>>;

pub(super) fn handle(
    context: &Context<'_>,
    request: CreatePartitionsRequest,
) -> Outcome<CreatePartitionsResponse> {
    if !context.node.controller.is_active() {
        let not_controller = || Some(Refused::code(ErrorCode::NotController));
        let results = request
            .topics
            .into_iter()
            .map(|topic| (topic.name, not_controller()));
        return answer(results.collect()).into();
    }
    let node = Arc::clone(context.node);
    Outcome::spawn(async move { answer(create(&node, request).await) })
}

fn answer(results: Results) -> CreatePartitionsResponse {
    let result = |(name, refused): (Str, Option<Refused>)| {
        let refused = refused.unwrap_or(Refused::code(ErrorCode::None));
        CreatePartitionsTopicResult {
            name,
            error_code: refused.code.code(),
            error_message: refused.message.map(Str::from),
        }
    };
    CreatePartitionsResponse {
        results: results.into_iter().map(result).collect(),
        ..CreatePartitionsResponse::default()
    }
}

async fn create(node: &Node, request: CreatePartitionsRequest) -> Results {
    let mut results = Results::new();
    let mut topics: Vec<MorePartitions> = Vec::new();
    for topic in request.topics {
        let name = topic.name.clone();
        let repeated = results.contains_key(&name);
        let refused = repeated.then(|| {
            Refused::new(
                ErrorCode::InvalidRequest,
                "the topic is named more than once",
            )
        });
        if repeated {
            topics.retain(|other| other.topic.as_str() != name.as_str());
        } else {
            topics.push(more_partitions(topic));
        }
        results.insert(name, refused);
    }
    let validate_only = request.validate_only;
    let mut grown = Vec::new();
    match node
        .controller
        .call(Call::CreatePartitions {
            topics,
            validate_only,
        })
        .await
    {
        Answer::Placed(placed) => {
            for (name, result) in placed {
                match result {
                    Ok(assignment) => grown.push((name, assignment.partitions.len())),
                    Err(error) => drop(results.insert(name.into(), Some(refused(&error)))),
                }
            }
        }
        Answer::Refused(error) => {
            for result in results.values_mut().filter(|result| result.is_none()) {
                *result = Some(Refused::code(call_code(&error)));
            }
        }
        Answer::Marked(_) | Answer::Remaining(_) => {}
    }
    if !validate_only && !is_seen(node, &grown, request.timeout_ms).await {
        for (name, _) in grown {
            results.insert(name.into(), Some(Refused::code(ErrorCode::RequestTimedOut)));
        }
    }
    results
}

fn more_partitions(topic: CreatePartitionsTopic) -> MorePartitions {
    let lists = topic.assignments.map(|assignments| {
        let brokers = |ids: Vec<i32>| ids.into_iter().map(BrokerId).collect();
        assignments
            .into_iter()
            .map(|assignment| brokers(assignment.broker_ids))
            .collect()
    });
    MorePartitions {
        topic: (&topic.name).into(),
        total: topic.count,
        replicas: lists,
    }
}

fn refused(error: &TopicError) -> Refused {
    let mut refused = Refused::from(error);
    // For a topic that exists until it is gone, "exists already" would be no answer.
    if matches!(error, TopicError::MarkedForDeletion(_)) {
        refused.code = ErrorCode::InvalidTopicException;
    }
    refused
}

async fn is_seen(node: &Node, grown: &[(String, usize)], timeout_ms: i32) -> bool {
    let seen = node.metadata.wait_until(|cluster| {
        grown.iter().all(|(name, count)| {
            let topic = cluster.topics.get(name.as_str());
            topic.is_some_and(|topic| topic.partitions.len() >= *count)
        })
    });
    timeout(patience(timeout_ms), seen).await.is_ok()
}
