//! `StopReplica`: the controller tells this broker which replicas to stop, and which logs to delete.

use std::collections::{BTreeMap, BTreeSet};

use barnabas_replica::{StopEpoch, StopRefusal};
use barnabas_wire::ErrorCode;
use barnabas_wire::id::{BrokerEpoch, ControllerEpoch};
use barnabas_wire::message::stop_replica::StopReplicaPartitionError;
use barnabas_wire::message::{StopReplicaRequest, StopReplicaResponse};
use tracing::warn;

use super::{Context, Outcome, refusal_code, store_code};
use crate::control_message::read_stop_replica;
use crate::node::Node;
use crate::partition::StopOutcome;

pub(super) fn handle(
    context: &Context<'_>,
    request: StopReplicaRequest,
) -> Outcome<StopReplicaResponse> {
    let node = context.node.clone();
    Outcome::spawn(async move {
        let turn = node.partitions.control_turn(
            ControllerEpoch(request.controller_epoch),
            BrokerEpoch(request.broker_epoch),
            node.registration.broker_epoch(),
        );
        let turn = match turn.await {
            Ok(turn) => turn,
            Err(refusal) => {
                warn!(controller = request.controller_id, %refusal, "ignored StopReplica");
                return StopReplicaResponse {
                    error_code: refusal_code(&refusal).code(),
                    ..StopReplicaResponse::default()
                };
            }
        };
        let stops = read_stop_replica(&request).partitions;
        let stops = stops.into_iter().map(|(name, stop)| {
            (
                name,
                (StopEpoch::from_wire(stop.leader_epoch.0), stop.delete),
            )
        });
        let stops: BTreeMap<_, _> = stops.collect();
        let deletes = stops.values().any(|(_, deletes)| *deletes);
        let results = turn.stop(stops).await;
        if deletes {
            forget_topics(&node);
        }
        let errors = results.into_iter().map(|(name, result)| {
            if let Err(outcome) = &result {
                warn!(partition = %name, %outcome, "could not stop as the controller said");
            }
            StopReplicaPartitionError {
                topic_name: name.topic.as_str().into(),
                partition_index: name.partition.0,
                error_code: result
                    .as_ref()
                    .map_or_else(code, |()| ErrorCode::None)
                    .code(),
            }
        });
        StopReplicaResponse {
            partition_errors: errors.collect(),
            ..StopReplicaResponse::default()
        }
    })
}

/// Takes the series of topics away of which nothing is left here.
fn forget_topics(node: &Node) {
    let partitions = node.partitions.partitions();
    let topics: BTreeSet<&str> = partitions
        .iter()
        .map(|partition| partition.name().topic.as_str())
        .collect();
    node.metrics
        .topics
        .forget_all_but(|topic| topics.contains(topic));
}

fn code(outcome: &StopOutcome) -> ErrorCode {
    match outcome {
        StopOutcome::Refused(StopRefusal::Fenced { .. }) => ErrorCode::FencedLeaderEpoch,
        StopOutcome::Refused(StopRefusal::Offline) => ErrorCode::KafkaStorageError,
        StopOutcome::Store(error) => store_code(error),
        StopOutcome::Stopping => ErrorCode::NetworkException,
    }
}
