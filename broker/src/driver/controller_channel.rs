//! The controller's channel to one broker: sends what it is given, one request at a time.

use barnabas_connection::Connection;
use barnabas_controller::request::{ControlBody, ControlReply, ControlRequest};
use barnabas_controller::{Event, RequestId};
use barnabas_wire::Request;
use barnabas_wire::id::BrokerId;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tracing::debug;

use super::controller::Input;
use crate::control_message::{
    read_leader_and_isr_reply, read_stop_replica_reply, read_update_metadata_reply,
    write_leader_and_isr, write_stop_replica, write_update_metadata,
};
use crate::peer::{Asker, PeerError};

/// Requests that may wait in a channel. The machine has one outstanding for each broker.
const QUEUE_MAX: usize = 4;

/// A broker that can be sent requests; closed when dropped.
#[derive(Debug)]
pub(super) struct ControllerChannel {
    requests: mpsc::Sender<(RequestId, ControlRequest)>,
    task: AbortHandle,
}

struct Sender {
    broker: BrokerId,
    host: String,
    port: u16,
    asker: Asker,
    events: mpsc::UnboundedSender<Input>,
    connection: Option<Connection>,
}

impl ControllerChannel {
    /// A channel to a broker; it connects at the first request.
    pub(super) fn open(
        broker: BrokerId,
        (host, port): (String, u16),
        asker: Asker,
        events: mpsc::UnboundedSender<Input>,
    ) -> Self {
        let (requests, queue) = mpsc::channel(QUEUE_MAX);
        let sender = Sender {
            broker,
            host,
            port,
            asker,
            events,
            connection: None,
        };
        let task = tokio::spawn(sender.run(queue)).abort_handle();
        Self { requests, task }
    }

    /// Hands a request over. Returns false if the channel takes no more, which fails the request.
    pub(super) fn send(&self, request: RequestId, message: ControlRequest) -> bool {
        self.requests.try_send((request, message)).is_ok()
    }
}

impl Drop for ControllerChannel {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Sender {
    async fn run(mut self, mut queue: mpsc::Receiver<(RequestId, ControlRequest)>) {
        let broker = self.broker;
        while let Some((request, message)) = queue.recv().await {
            let event = match self.ask(&message).await {
                Ok(reply) => Event::BrokerReplied {
                    broker,
                    request,
                    reply,
                },
                Err(error) => {
                    self.connection = None;
                    debug!(%broker, %error, "a request of the controller got no answer");
                    Event::RequestFailed { broker, request }
                }
            };
            if self.events.send(event.into()).is_err() {
                return;
            }
        }
    }

    async fn ask(&mut self, message: &ControlRequest) -> Result<ControlReply, PeerError> {
        match &message.body {
            ControlBody::LeaderAndIsr(body) => {
                let request = write_leader_and_isr(message, body);
                Ok(read_leader_and_isr_reply(&self.exchange(&request).await?))
            }
            ControlBody::UpdateMetadata(body) => {
                let request = write_update_metadata(message, body);
                Ok(read_update_metadata_reply(&self.exchange(&request).await?))
            }
            ControlBody::StopReplica(body) => {
                let request = write_stop_replica(message, body);
                Ok(read_stop_replica_reply(&self.exchange(&request).await?))
            }
        }
    }

    async fn exchange<Q: Request>(&mut self, request: &Q) -> Result<Q::Response, PeerError> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            empty @ None => {
                let connection = self.asker.connect(&self.host, self.port).await?;
                empty.insert(connection)
            }
        };
        // Every API of the controller has a pinned version; another one could not be understood.
        let api_version = Q::API.row().between_brokers.unwrap_or_default();
        Ok(connection
            .call_at(request, api_version, self.asker.patience())
            .await?)
    }
}
