//! `LeaderAndIsr`: the controller tells this broker what to lead and what to follow.

use std::collections::BTreeMap;

use barnabas_controller::request::PartitionLeadership;
use barnabas_replica::{Decision, DecisionRefusal};
use barnabas_wire::ErrorCode;
use barnabas_wire::id::{BrokerEpoch, BrokerId, ControllerEpoch, TopicPartition};
use barnabas_wire::message::leader_and_isr::{LeaderAndIsrPartitionError, LeaderAndIsrTopicError};
use barnabas_wire::message::{LeaderAndIsrRequest, LeaderAndIsrResponse};
use tracing::{debug, warn};

use super::{Context, Outcome, refusal_code, store_code};
use crate::control_message::read_leader_and_isr;
use crate::partition::PartitionRefusal;

/// From this version on answers are grouped by topic.
const GROUPED_SINCE: i16 = 5;

pub(super) fn handle(
    context: &Context<'_>,
    request: LeaderAndIsrRequest,
) -> Outcome<LeaderAndIsrResponse> {
    let node = context.node.clone();
    let api_version = context.api_version();
    Outcome::spawn(async move {
        let turn = node.partitions.control_turn(
            ControllerEpoch(request.controller_epoch),
            BrokerEpoch(request.broker_epoch),
            node.registration.broker_epoch(),
        );
        let turn = match turn.await {
            Ok(turn) => turn,
            Err(refusal) => {
                warn!(controller = request.controller_id, %refusal, "ignored LeaderAndIsr");
                return LeaderAndIsrResponse {
                    error_code: refusal_code(&refusal).code(),
                    ..LeaderAndIsrResponse::default()
                };
            }
        };
        let decisions = read_leader_and_isr(&request).partitions;
        let decisions = decisions
            .into_iter()
            .map(|(name, it)| (name, decision(it)))
            .collect();
        answer(&turn.lead_or_follow(decisions).await, &request, api_version)
    })
}

fn decision(leadership: PartitionLeadership) -> Decision {
    Decision {
        controller_epoch: leadership.controller_epoch,
        leader: leadership.leader.unwrap_or(BrokerId::NONE),
        leader_epoch: leadership.leader_epoch,
        isr: leadership.isr,
        zk_version: leadership.zk_version,
        replicas: leadership.replicas,
        is_new: leadership.is_new,
    }
}

fn answer(
    results: &BTreeMap<TopicPartition, Result<(), PartitionRefusal>>,
    request: &LeaderAndIsrRequest,
    api_version: i16,
) -> LeaderAndIsrResponse {
    let mut errors = Vec::new();
    for (name, result) in results {
        match result {
            Ok(()) => {}
            // A controller that takes over tells everyone everything again.
            Err(PartitionRefusal::Decision(refusal @ DecisionRefusal::StaleLeaderEpoch { .. })) => {
                debug!(partition = %name, %refusal, "a decision is known already");
            }
            Err(refusal) => {
                warn!(partition = %name, %refusal, "did not do as the controller said");
            }
        }
        errors.push((
            name,
            result
                .as_ref()
                .map_or_else(code, |()| ErrorCode::None)
                .code(),
        ));
    }
    if api_version < GROUPED_SINCE {
        let error = |(name, error_code): (&TopicPartition, i16)| LeaderAndIsrPartitionError {
            topic_name: name.topic.as_str().into(),
            partition_index: name.partition.0,
            error_code,
        };
        return LeaderAndIsrResponse {
            partition_errors: errors.into_iter().map(error).collect(),
            ..LeaderAndIsrResponse::default()
        };
    }
    let topic = |topic: &barnabas_wire::message::leader_and_isr::LeaderAndIsrTopicState| {
        let of_topic = errors
            .iter()
            .filter(|(name, _)| name.topic.as_str() == &*topic.topic_name);
        LeaderAndIsrTopicError {
            topic_id: topic.topic_id,
            partition_errors: of_topic
                .map(|(name, error_code)| LeaderAndIsrPartitionError {
                    partition_index: name.partition.0,
                    error_code: *error_code,
                    ..LeaderAndIsrPartitionError::default()
                })
                .collect(),
        }
    };
    LeaderAndIsrResponse {
        topics: request.topic_states.iter().map(topic).collect(),
        ..LeaderAndIsrResponse::default()
    }
}

fn code(refusal: &PartitionRefusal) -> ErrorCode {
    match refusal {
        PartitionRefusal::Decision(DecisionRefusal::StaleLeaderEpoch { .. }) => {
            ErrorCode::StaleControllerEpoch
        }
        PartitionRefusal::Decision(DecisionRefusal::NotAssigned { .. }) => {
            ErrorCode::UnknownTopicOrPartition
        }
        PartitionRefusal::Decision(DecisionRefusal::Offline) => ErrorCode::KafkaStorageError,
        PartitionRefusal::Store(error) => store_code(error),
        // The controller takes any other code for "later": it tells again at its next decision.
        PartitionRefusal::Facts(_) | PartitionRefusal::Stopping => ErrorCode::NetworkException,
    }
}
