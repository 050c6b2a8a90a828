//! Connections to the brokers of a cluster, one each, opened when they are first needed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use barnabas_connection::{Connection, Options};
use barnabas_wire::id::BrokerId;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::cluster::Broker;
use crate::error::{Error, Result};

/// One user's connections: consumers wait long for an answer, so producers do not share theirs.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    options: Options,
    /// Time to wait after a failure before the same broker is tried again.
    backoff: Duration,
    slots: Mutex<BTreeMap<BrokerId, Arc<Slot>>>,
}

#[derive(Debug, Default)]
struct Slot {
    /// Held while connecting, so that a broker is dialled once at a time.
    dialling: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    connection: Option<Connection>,
    not_before: Option<Instant>,
}

impl Pool {
    pub(crate) fn new(options: Options, backoff: Duration) -> Self {
        Self {
            shared: Arc::new(Shared {
                options,
                backoff,
                slots: Mutex::default(),
            }),
        }
    }

    /// The open connection to a broker, if there is one.
    pub(crate) fn open_connection(&self, id: BrokerId) -> Option<Connection> {
        let slot = self.shared.slots.lock().get(&id).cloned()?;
        let state = slot.state.lock();
        state.connection.clone().filter(Connection::is_open)
    }

    /// The connection to a broker; opens it if there is none. Waits a little after a failure.
    pub(crate) async fn connect(&self, broker: &Broker) -> Result<Connection> {
        let slot = Arc::clone(self.shared.slots.lock().entry(broker.id).or_default());
        let _one_at_a_time = slot.dialling.lock().await;
        let not_before = {
            let state = slot.state.lock();
            if let Some(open) = state.connection.as_ref().filter(|open| open.is_open()) {
                return Ok(open.clone());
            }
            state.not_before
        };
        if let Some(not_before) = not_before {
            tokio::time::sleep_until(not_before).await;
        }
        let opened = Connection::open(&broker.host, broker.port, self.shared.options.clone()).await;
        let mut state = slot.state.lock();
        match opened {
            Ok(connection) => {
                // A connection that ends at once is not dialled again at once either.
                state.not_before = Some(Instant::now() + self.shared.backoff);
                state.connection = Some(connection.clone());
                Ok(connection)
            }
            Err(source) => {
                state.not_before = Some(Instant::now() + self.shared.backoff);
                state.connection = None;
                let source = Arc::new(source);
                Err(Error::BrokerUnreachable {
                    broker_id: broker.id.0,
                    source,
                })
            }
        }
    }

    /// Closes every connection once its answers are in, within the time given.
    pub(crate) async fn close(&self, timeout: Duration) {
        let slots = std::mem::take(&mut *self.shared.slots.lock());
        let all = async {
            for slot in slots.into_values() {
                let connection = slot.state.lock().connection.take();
                if let Some(connection) = connection {
                    connection.close().await;
                }
            }
        };
        drop(tokio::time::timeout(timeout, all).await);
    }
}
