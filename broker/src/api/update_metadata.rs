//! `UpdateMetadata`: the controller tells this broker what clients are to be told.

use barnabas_wire::ErrorCode;
use barnabas_wire::id::{BrokerEpoch, BrokerId, ControllerEpoch};
use barnabas_wire::message::{UpdateMetadataRequest, UpdateMetadataResponse};

use super::{Context, Outcome, refusal_code};
use crate::control_message::read_update_metadata;

pub(super) fn handle(
    context: &Context<'_>,
    request: UpdateMetadataRequest,
) -> Outcome<UpdateMetadataResponse> {
    let node = context.node.clone();
    Outcome::spawn(async move {
        let turn = node.partitions.control_turn(
            ControllerEpoch(request.controller_epoch),
            BrokerEpoch(request.broker_epoch),
            node.registration.broker_epoch(),
        );
        let error = match turn.await {
            Ok(_turn) => {
                let update = read_update_metadata(&request);
                let broker_epoch = BrokerEpoch(request.broker_epoch);
                node.metadata
                    .update(BrokerId(request.controller_id), broker_epoch, update);
                ErrorCode::None
            }
            Err(refusal) => refusal_code(&refusal),
        };
        UpdateMetadataResponse {
            error_code: error.code(),
        }
    })
}
