//! `FindCoordinator`: no broker coordinates groups or transactions yet, and that is the answer.
//!
//! It is served all the same because librdkafka takes its absence for a broker too old for lz4 and
//! then sends lz4 batches uncompressed without a word.

use barnabas_wire::ErrorCode;
use barnabas_wire::message::{FindCoordinatorRequest, FindCoordinatorResponse};

use super::{Context, Outcome};

/// What a client is told, in words.
const MESSAGE: &str = "this broker does not coordinate groups or transactions; \
                       consume by assigned partitions";

pub(super) fn handle(
    _context: &Context<'_>,
    _request: FindCoordinatorRequest,
) -> Outcome<FindCoordinatorResponse> {
    FindCoordinatorResponse {
        error_code: ErrorCode::CoordinatorNotAvailable.code(),
        error_message: Some(MESSAGE.into()),
        node_id: -1,
        port: -1,
        ..FindCoordinatorResponse::default()
    }
    .into()
}
