//! One broker as the sender sees it: its connection and the requests in flight.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use barnabas_connection::{Connection, Pending, RequestError, Written};
use barnabas_wire::message::{ProduceRequest, ProduceResponse};

use super::Load;
use super::partition::PartitionState;
use super::request::produce_request;
use crate::cluster::Broker;
use crate::config::{Acks, ProducerSettings};
use crate::producer::shared::Shared;

/// First version of Produce that takes batches of magic 2.
const MAGIC_2_VERSION: i16 = 3;

#[derive(Debug, Default)]
pub(super) struct Node {
    connection: Option<Connection>,
    is_connecting: Arc<AtomicBool>,
    /// In the order of sending, which is that of the answers.
    pub(super) in_flight: VecDeque<InFlight>,
}

/// A request on its way, with its batches.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) answer: Answer,
    pub(super) load: Load,
}

/// What a request is waiting for.
#[derive(Debug)]
pub(super) enum Answer {
    /// The broker's answer.
    Response(Pending<ProduceResponse>),
    /// The socket: with `acks=0` there is no answer.
    Written(Written),
}

impl Answer {
    /// None where there is no answer to wait for.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<ProduceResponse>, RequestError>> {
        match self {
            Self::Response(pending) => Pin::new(pending).poll(cx).map(|answer| answer.map(Some)),
            Self::Written(written) => Pin::new(written).poll(cx).map(|done| done.map(|()| None)),
        }
    }
}

impl Node {
    /// Whether requests can go out. If not, connects in the background and wakes the sender then.
    pub(super) fn is_open(&mut self, broker: &Broker, shared: &Arc<Shared>) -> bool {
        if self.connection.as_ref().is_some_and(Connection::is_open) {
            return true;
        }
        // Answers that are due on the old connection come first.
        if !self.in_flight.is_empty() {
            return false;
        }
        self.connection = shared.pool.open_connection(broker.id);
        if self.connection.is_some() {
            return true;
        }
        if !self.is_connecting.swap(true, Ordering::AcqRel) {
            let (broker, shared) = (broker.clone(), Arc::clone(shared));
            let is_connecting = Arc::clone(&self.is_connecting);
            tokio::spawn(async move {
                if let Err(error) = shared.pool.connect(&broker).await {
                    tracing::debug!(broker_id = broker.id.0, %error, "could not connect");
                    shared.client.metadata().refresh_soon();
                }
                is_connecting.store(false, Ordering::Release);
                shared.wake.notify_one();
            });
        }
        false
    }

    /// Queues one request for all these batches.
    pub(super) fn submit(
        &self,
        settings: &ProducerSettings,
        partitions: &[PartitionState],
        load: &Load,
    ) -> Result<Answer, RequestError> {
        let no_version = RequestError::NoCommonVersion {
            api: barnabas_wire::ApiKey::Produce,
        };
        let Some(connection) = &self.connection else {
            return Err(RequestError::NotSent(
                barnabas_connection::Disconnect::Closed,
            ));
        };
        let version = connection.version_of::<ProduceRequest>()?;
        if version < MAGIC_2_VERSION {
            return Err(no_version);
        }
        let request = produce_request(settings, partitions, load);
        if settings.acks == Acks::None {
            return connection
                .submit_one_way(&request, version)
                .map(Answer::Written);
        }
        // The broker may take `request.timeout.ms` itself; the answer has to travel too.
        let timeout = settings.request_timeout + ANSWER_GRACE;
        connection
            .submit(&request, version, timeout)
            .map(Answer::Response)
    }
}

/// How much longer than the broker we wait.
const ANSWER_GRACE: std::time::Duration = std::time::Duration::from_secs(1);
