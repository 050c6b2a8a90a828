//! Fetch: records for consumers and followers.
//!
//! What is there is answered at once; if it is less than the reader wants, a task of the request waits
//! for more. Records are parts of segment files, spliced into the answer. Source: kafka 2.8
//! `KafkaApis.handleFetchRequest`, `ReplicaManager.fetchMessages`; KIP-74, KIP-227, KIP-320.

mod answer;
mod plan;
mod read;
mod wait;

use barnabas_wire::ErrorCode;
use barnabas_wire::message::fetch::{FetchableTopicResponse, PartitionData, Records};
use barnabas_wire::message::{FetchRequest, FetchResponse};
use bytes::Bytes;

use super::{Context, Outcome, patience};
use crate::clock::wall_ms;
use crate::fetch_session::SessionRefusal;
use plan::Plan;
use read::Reading;

pub(super) use read::code as read_code;

/// Older versions want message sets of magic 0 and 1, which no log holds.
const SERVED_SINCE: i16 = 4;

pub(super) fn handle(context: &Context<'_>, request: FetchRequest) -> Outcome<FetchResponse> {
    if context.api_version() < SERVED_SINCE {
        return unsupported(&request).into();
    }
    let wait = patience(request.max_wait_ms);
    let plan = match Plan::new(context, &request, wall_ms()) {
        Ok(plan) => plan,
        Err(refusal) => return refused(refusal).into(),
    };
    let reading = Reading::new(context.node, plan);
    if reading.may_wait_for_the_disk() {
        return Outcome::spawn(wait::read_and_wait(reading, wait));
    }
    let found = reading.read();
    if wait.is_zero() || reading.is_enough(&found) {
        return Outcome::Done(reading.answer(found));
    }
    Outcome::spawn(wait::until_enough(reading, wait))
}

/// The whole request is refused.
fn refused(refusal: SessionRefusal) -> FetchResponse {
    let code = match refusal {
        SessionRefusal::NotFound { .. } => ErrorCode::FetchSessionIdNotFound,
        SessionRefusal::WrongEpoch { .. } => ErrorCode::InvalidFetchSessionEpoch,
    };
    FetchResponse {
        error_code: code.code(),
        ..FetchResponse::default()
    }
}

/// Versions before 4 have no error for the whole answer: each partition says it.
fn unsupported(request: &FetchRequest) -> FetchResponse {
    let responses = request.topics.iter().map(|topic| FetchableTopicResponse {
        topic: topic.topic.clone(),
        partitions: topic
            .partitions
            .iter()
            .map(|partition| PartitionData {
                partition_index: partition.partition,
                error_code: ErrorCode::UnsupportedVersion.code(),
                high_watermark: -1,
                records: Records::Bytes(Bytes::new()),
                ..PartitionData::default()
            })
            .collect(),
        ..FetchableTopicResponse::default()
    });
    FetchResponse {
        responses: responses.collect(),
        ..FetchResponse::default()
    }
}
