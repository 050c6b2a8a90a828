//! `ControlledShutdown`: a broker that is about to stop asks the controller to move its leaderships.

use barnabas_controller::call::{Answer, Call, CallError};
use barnabas_wire::ErrorCode;
use barnabas_wire::id::{BrokerEpoch, BrokerId, TopicPartition};
use barnabas_wire::message::controlled_shutdown::RemainingPartition;
use barnabas_wire::message::{ControlledShutdownRequest, ControlledShutdownResponse};

use super::{Context, Outcome, topic_error};
use crate::node::Node;

pub(super) fn handle(
    context: &Context<'_>,
    request: ControlledShutdownRequest,
) -> Outcome<ControlledShutdownResponse> {
    let node = std::sync::Arc::clone(context.node);
    Outcome::spawn(async move { shut_down(&node, &request).await })
}

async fn shut_down(node: &Node, request: &ControlledShutdownRequest) -> ControlledShutdownResponse {
    let call = Call::ControlledShutdown {
        broker: BrokerId(request.broker_id),
        broker_epoch: BrokerEpoch(request.broker_epoch),
    };
    let (error, remaining) = match node.controller.call(call).await {
        Answer::Remaining(partitions) => (ErrorCode::None, partitions),
        Answer::Refused(error) => (code(&error), vec![]),
        Answer::Placed(_) | Answer::Marked(_) => (ErrorCode::UnknownServerError, vec![]),
    };
    let remaining_partition = |partition: TopicPartition| RemainingPartition {
        topic_name: (&partition.topic).into(),
        partition_index: partition.partition.0,
    };
    ControlledShutdownResponse {
        error_code: error.code(),
        remaining_partitions: remaining.into_iter().map(remaining_partition).collect(),
    }
}

fn code(error: &CallError) -> ErrorCode {
    topic_error::call_code(error)
}
