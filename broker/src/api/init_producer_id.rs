//! `InitProducerId`: an id for an idempotent producer. Source: KIP-98, KIP-360; kafka 2.8
//! coordinator/transaction/TransactionCoordinator.scala (`handleInitProducerId`).

use std::sync::Arc;

use barnabas_wire::ErrorCode;
use barnabas_wire::id::ProducerId;
use barnabas_wire::message::{InitProducerIdRequest, InitProducerIdResponse};
use tracing::{debug, warn};

use super::{Context, Outcome};
use crate::node::Node;

const NO_ID: i64 = -1;
const NO_EPOCH: i16 = -1;

pub(super) fn handle(
    context: &Context<'_>,
    request: InitProducerIdRequest,
) -> Outcome<InitProducerIdResponse> {
    let is_half_given = (request.producer_id == NO_ID) != (request.producer_epoch == NO_EPOCH);
    match request.transactional_id.as_deref() {
        _ if is_half_given => return refused(ErrorCode::InvalidRequest).into(),
        Some("") => return refused(ErrorCode::InvalidRequest).into(),
        // There is no coordinator of transactions, and clients that look for one learn that.
        Some(_) => return refused(ErrorCode::UnsupportedVersion).into(),
        // Without transactions an id that was there before has no claim to go on.
        None => {}
    }
    let node = Arc::clone(context.node);
    if let Some(id) = node.producer_ids.try_next() {
        if node.producer_ids.is_low() {
            tokio::spawn(refill(node));
        }
        return given(id).into();
    }
    Outcome::spawn(async move { draw(&node).await })
}

/// Ids that are left are given out meanwhile; if none is left by then, that is told where one is missing.
async fn refill(node: Arc<Node>) {
    if let Err(error) = node.producer_ids.fill(&node.session, node.broker).await {
        debug!(%error, "could not take another block of producer ids yet");
    }
}

async fn draw(node: &Node) -> InitProducerIdResponse {
    match node.producer_ids.next(&node.session, node.broker).await {
        Ok(id) => given(id),
        Err(error) => {
            warn!(%error, "a producer goes without an id and will ask again");
            refused(ErrorCode::CoordinatorLoadInProgress)
        }
    }
}

fn given(id: ProducerId) -> InitProducerIdResponse {
    InitProducerIdResponse {
        producer_id: id.0,
        producer_epoch: 0,
        ..InitProducerIdResponse::default()
    }
}

fn refused(error: ErrorCode) -> InitProducerIdResponse {
    InitProducerIdResponse {
        error_code: error.code(),
        producer_epoch: NO_EPOCH,
        ..InitProducerIdResponse::default()
    }
}
