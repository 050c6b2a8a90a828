//! UpdateMetadata: the controller tells this broker what clients are to be told.

use barnabas_wire::ErrorCode;
use barnabas_wire::id::BrokerId;
use barnabas_wire::message::{UpdateMetadataRequest, UpdateMetadataResponse};

use super::{Context, Outcome, refusal_code};
use crate::control_message::read_update_metadata;

pub(super) fn handle(
    context: &Context<'_>,
    request: UpdateMetadataRequest,
) -> Outcome<UpdateMetadataResponse> {
    let node = context.node;
    let mut fence = node.control_fence.lock();
    let passed = node.pass_fence(&mut fence, request.controller_epoch, request.broker_epoch);
    let error = match passed {
        Ok(()) => {
            let update = read_update_metadata(&request);
            node.metadata
                .update(BrokerId(request.controller_id), update);
            ErrorCode::None
        }
        Err(refusal) => refusal_code(&refusal),
    };
    UpdateMetadataResponse {
        error_code: error.code(),
    }
    .into()
}
