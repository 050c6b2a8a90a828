//! `DeleteTopics`: marked by the active controller, answered when the topics have left the metadata here.
//!
//! Source: kafka 2.8 server/KafkaApis.scala (`handleDeleteTopicsRequest`).

use std::collections::BTreeMap;
use std::sync::Arc;

use barnabas_controller::call::{Answer, Call, TopicError};
use barnabas_wire::id::TopicName;
use barnabas_wire::message::delete_topics::DeletableTopicResult;
use barnabas_wire::message::{DeleteTopicsRequest, DeleteTopicsResponse};
use barnabas_wire::{ErrorCode, Str};
use tokio::time::timeout;

use super::topic_error::{Refused, call_code};
use super::{Context, Outcome, patience};
use crate::node::Node;

pub(super) fn handle(
    context: &Context<'_>,
    request: DeleteTopicsRequest,
) -> Outcome<DeleteTopicsResponse> {
    let api_version = context.api_version();
    let mut results = BTreeMap::new();
    let mut unnamed = Vec::new();
    for topic in &request.topics {
        match &topic.name {
            Some(name) if topic.topic_id.is_zero() => drop(results.insert(name.clone(), None)),
            // Topics have no ids at our protocol between brokers.
            Some(_) | None => unnamed.push(DeletableTopicResult {
                topic_id: topic.topic_id,
                error_code: ErrorCode::UnknownTopicId.code(),
                ..DeletableTopicResult::default()
            }),
        }
    }
    results.extend(request.topic_names.iter().map(|name| (name.clone(), None)));
    if !context.node.controller.is_active() {
        for result in results.values_mut() {
            *result = Some(Refused::code(ErrorCode::NotController));
        }
        return answer(results, unnamed).into();
    }
    let node = Arc::clone(context.node);
    let timeout_ms = request.timeout_ms;
    Outcome::spawn(async move {
        delete(&node, &mut results, timeout_ms, api_version).await;
        answer(results, unnamed)
    })
}

/// What became of each topic; None while nothing is wrong with it.
type Results = BTreeMap<Str, Option<Refused>>;

fn answer(results: Results, mut unnamed: Vec<DeletableTopicResult>) -> DeleteTopicsResponse {
    unnamed.extend(results.into_iter().map(|(name, refused)| {
        let refused = refused.unwrap_or(Refused::code(ErrorCode::None));
        DeletableTopicResult {
            name: Some(name),
            error_code: refused.code.code(),
            error_message: refused.message.map(Str::from),
            ..DeletableTopicResult::default()
        }
    }));
    DeleteTopicsResponse {
        responses: unnamed,
        ..DeleteTopicsResponse::default()
    }
}

async fn delete(node: &Node, results: &mut Results, timeout_ms: i32, api_version: i16) {
    let names: Vec<TopicName> = results.keys().map(TopicName::from).collect();
    let marked = match node.controller.call(Call::DeleteTopics(names)).await {
        Answer::Marked(marked) => marked,
        Answer::Refused(error) => {
            for result in results.values_mut() {
                *result = Some(Refused::code(call_code(&error)));
            }
            return;
        }
        Answer::Placed(_) | Answer::Remaining(_) => return,
    };
    let mut going = Vec::new();
    for (name, result) in marked {
        match result {
            Ok(()) => going.push(name),
            Err(error) => drop(results.insert((&name).into(), Some(refused(&error, api_version)))),
        }
    }
    let gone = node
        .metadata
        .wait_until(|cluster| going.iter().all(|name| !cluster.topics.contains_key(name)));
    if timeout(patience(timeout_ms), gone).await.is_err() {
        let cluster = node.metadata.snapshot();
        for name in going
            .iter()
            .filter(|name| cluster.topics.contains_key(*name))
        {
            results.insert(name.into(), Some(Refused::code(ErrorCode::RequestTimedOut)));
        }
    }
}

fn refused(error: &TopicError, api_version: i16) -> Refused {
    let mut refused = Refused::from(error);
    // The code came with version 3.
    if refused.code == ErrorCode::TopicDeletionDisabled && api_version < 3 {
        refused.code = ErrorCode::InvalidRequest;
    }
    refused
}
