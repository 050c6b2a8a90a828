//! The APIs: one file for each, from a decoded request to its answer. The only place where errors become
//! codes of the wire.
//!
//! [`Dispatcher`] finds the handler. A handler is a function
//!
//! ```text
//! fn handle(context: &Context<'_>, request: FooRequest) -> Outcome<FooResponse>
//! ```
//!
//! and runs on the thread that reads the connection, in the order of the requests; see [`Outcome`] for
//! what may not be done there.

#![expect(
    clippy::needless_pass_by_value,
    reason = "every handler takes its request by value, whether it keeps parts of it or not"
)]

mod api_versions;
mod controlled_shutdown;
mod counters;
mod create_partitions;
mod create_topics;
mod delete_topics;
mod describe_cluster;
mod describe_configs;
mod fetch;
mod find_coordinator;
mod init_producer_id;
mod leader_and_isr;
mod list_offsets;
mod metadata;
mod offset_for_leader_epoch;
mod outcome;
mod produce;
mod stop_replica;
mod topic_error;
mod update_metadata;

use std::sync::Arc;

use barnabas_wire::api::ApiKey;
use barnabas_wire::frame::encode_response;
use barnabas_wire::header::RequestHeader;
use barnabas_wire::{DecodeError, EncodeError, ErrorCode, Pieces, Request, Source};
use bytes::Bytes;
use tracing::{debug, error};

pub use outcome::{Outcome, Pending, Promise, later};
pub(crate) use topic_error::topic_code;

use counters::ApiCounters;

use crate::network::{Begun, Peer, Service};
use crate::node::Node;

/// What a handler knows besides its request.
#[derive(Debug)]
pub struct Context<'a> {
    /// The broker.
    pub node: &'a Arc<Node>,
    /// Who asks.
    pub peer: &'a Peer,
    /// The request's header.
    pub header: &'a RequestHeader,
    counters: &'a ApiCounters,
}

impl Context<'_> {
    /// The version that the request is in, and that its answer will be in.
    #[must_use]
    pub fn api_version(&self) -> i16 {
        self.header.api_version
    }
}

/// Finds the handler of each request.
#[derive(Debug)]
pub struct Dispatcher {
    node: Arc<Node>,
    counters: ApiCounters,
}

impl Dispatcher {
    /// Serves requests to this broker.
    #[must_use]
    pub fn new(node: Arc<Node>) -> Self {
        let counters = ApiCounters::new(node.metrics.requests.clone());
        Self { node, counters }
    }

    fn dispatch(&self, peer: &Peer, frame: &Bytes) -> Result<Begun, DecodeError> {
        let mut source = Source::new(frame);
        let header = RequestHeader::decode(&mut source)?;
        let RequestHeader {
            api,
            api_version,
            correlation_id,
            ..
        } = header;
        if !api.row().served.contains(api_version) {
            if api == ApiKey::ApiVersions {
                let answer = api_versions::unsupported();
                return Ok(answered(encode_response(correlation_id, 0, &answer), api));
            }
            return Err(DecodeError::UnsupportedVersion { api, api_version });
        }
        let context = Context {
            node: &self.node,
            peer,
            header: &header,
            counters: &self.counters,
        };
        match api {
            ApiKey::ApiVersions => serve(&context, source, api_versions::handle),
            ApiKey::Metadata => serve(&context, source, metadata::handle),
            ApiKey::UpdateMetadata => serve(&context, source, update_metadata::handle),
            ApiKey::CreateTopics => serve(&context, source, create_topics::handle),
            ApiKey::DeleteTopics => serve(&context, source, delete_topics::handle),
            ApiKey::CreatePartitions => serve(&context, source, create_partitions::handle),
            ApiKey::DescribeConfigs => serve(&context, source, describe_configs::handle),
            ApiKey::DescribeCluster => serve(&context, source, describe_cluster::handle),
            ApiKey::ControlledShutdown => serve(&context, source, controlled_shutdown::handle),
            ApiKey::FindCoordinator => serve(&context, source, find_coordinator::handle),
            ApiKey::InitProducerId => serve(&context, source, init_producer_id::handle),
            ApiKey::LeaderAndIsr => serve(&context, source, leader_and_isr::handle),
            ApiKey::StopReplica => serve(&context, source, stop_replica::handle),
            ApiKey::Produce => serve(&context, source, produce::handle),
            ApiKey::Fetch => serve(&context, source, fetch::handle),
            ApiKey::ListOffsets => serve(&context, source, list_offsets::handle),
            ApiKey::OffsetForLeaderEpoch => {
                serve(&context, source, offset_for_leader_epoch::handle)
            }
        }
    }
}

impl Service for Dispatcher {
    fn begin(&self, peer: &Peer, frame: Bytes) -> Begun {
        match self.dispatch(peer, &frame) {
            Ok(begun) => begun,
            Err(error) => {
                debug!(peer = %peer.address, %error, "a request cannot be understood");
                Begun::Refused
            }
        }
    }
}

fn serve<Q, H>(
    context: &Context<'_>,
    mut source: Source<'_>,
    handle: H,
) -> Result<Begun, DecodeError>
where
    Q: Request,
    Q::Response: Send + 'static,
    H: FnOnce(&Context<'_>, Q) -> Outcome<Q::Response>,
{
    let RequestHeader {
        api,
        api_version,
        correlation_id,
        ..
    } = *context.header;
    let request = Q::decode(&mut source, api_version)?;
    let stopwatch = context.counters.begin(api, api_version);
    Ok(match handle(context, request) {
        Outcome::Done(answer) => {
            stopwatch.answered();
            answered(encode_response(correlation_id, api_version, &answer), api)
        }
        Outcome::Later(pending) => Begun::Waiting(Box::pin(async move {
            let answer = pending.answer().await?;
            stopwatch.answered();
            encoded(encode_response(correlation_id, api_version, &answer), api)
        })),
        Outcome::Silent => {
            stopwatch.answered();
            Begun::Silent
        }
        Outcome::Disconnect => Begun::Refused,
    })
}

fn answered(answer: Result<Pieces, EncodeError>, api: ApiKey) -> Begun {
    encoded(answer, api).map_or(Begun::Refused, Begun::Answered)
}

/// An answer that cannot be encoded is our mistake; the peer learns of it by a closed connection.
fn encoded(answer: Result<Pieces, EncodeError>, api: ApiKey) -> Option<Pieces> {
    answer
        .inspect_err(|error| error!(%api, %error, "an answer cannot be encoded"))
        .ok()
}

/// Time a request may wait for its effect, from the milliseconds in it.
fn patience(timeout_ms: i32) -> std::time::Duration {
    std::time::Duration::from_millis(u64::try_from(timeout_ms).unwrap_or(0))
}

/// The code for a refusal of a controller's request.
fn refusal_code(refusal: &barnabas_replica::ControlRefusal) -> ErrorCode {
    use barnabas_replica::ControlRefusal;
    match refusal {
        ControlRefusal::StaleBrokerEpoch { .. } => ErrorCode::StaleBrokerEpoch,
        ControlRefusal::StaleControllerEpoch { .. } => ErrorCode::StaleControllerEpoch,
    }
}

/// Kafka's numbers of where a value came from. Source: kafka 2.8 `DescribeConfigsResponse.ConfigSource`.
fn config_source(source: &barnabas_config::Source) -> i8 {
    use barnabas_config::Source;
    match source {
        Source::Topic { .. } => 1,
        Source::Broker { .. } => 2,
        Source::ClusterDefault => 3,
        Source::File { .. } | Source::Environment { .. } | Source::Override => 4,
        Source::Default => 5,
    }
}

/// The code for a log that is not to be had.
fn store_code(error: &crate::log_store::StoreError) -> ErrorCode {
    use crate::log_store::StoreError;
    match error {
        StoreError::Offline { .. } | StoreError::Damaged(_) | StoreError::Create { .. } => {
            ErrorCode::KafkaStorageError
        }
    }
}
