//! A cluster in memory that speaks the protocol and fails on demand: what a real one does only by
//! accident, a test can have exactly when it wants it. It keeps Kafka's rules for sequence
//! numbers, so that a producer's second attempts are judged by them.

mod log;
mod serve;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use barnabas_client::{Client, Config};
use barnabas_wire::{ErrorCode, record::Batch};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(crate) use log::PartitionLog;

/// What happens to one Produce request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing: it is served.
    None,
    /// The connection is closed and nothing is stored.
    CloseBefore,
    /// It is stored, and the connection is closed instead of an answer.
    CloseAfter,
    /// It is refused with this code for every partition.
    Refuse(ErrorCode),
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) topics: BTreeMap<String, Vec<PartitionLog>>,
    /// Faults of the Produce requests to come; none means that they are served.
    pub(crate) faults: VecDeque<Fault>,
    pub(crate) ports: Vec<u16>,
    pub(crate) produces: usize,
    pub(crate) fetches: usize,
    pub(crate) metadata_requests: usize,
    pub(crate) next_producer_id: i64,
    pub(crate) auto_create: bool,
}

/// Brokers with ids from 0 on, all of one state.
#[derive(Debug)]
pub(crate) struct Cluster {
    state: Arc<Mutex<State>>,
    listeners: Vec<JoinHandle<()>>,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.listeners.iter().for_each(JoinHandle::abort);
    }
}

impl Cluster {
    /// A cluster of `brokers` with topics of so many partitions; partition i is led by broker
    /// i mod n.
    pub(crate) async fn start(brokers: usize, topics: &[(&str, usize)]) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let mut listeners = Vec::new();
        for id in 0..brokers {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            state
                .lock()
                .unwrap()
                .ports
                .push(listener.local_addr().unwrap().port());
            let state = Arc::clone(&state);
            listeners.push(tokio::spawn(serve::accept(listener, id, state)));
        }
        let cluster = Self { state, listeners };
        for (name, partitions) in topics {
            cluster.create(name, *partitions);
        }
        cluster
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn create(&self, name: &str, partitions: usize) {
        let mut state = self.state();
        let brokers = state.ports.len();
        let logs = (0..partitions)
            .map(|index| PartitionLog::new(index % brokers))
            .collect();
        state.topics.insert(name.into(), logs);
    }

    pub(crate) fn config(&self) -> Config {
        let port = self.state().ports[0];
        // Failures shall be seen soon; nothing here takes that long.
        Config::new(&format!("127.0.0.1:{port}"))
            .set("retry.backoff.ms", 5)
            .set("retry.backoff.max.ms", 20)
            .set("fetch.max.wait.ms", 20)
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.config()).await.unwrap()
    }

    pub(crate) fn fail_next(&self, faults: &[Fault]) {
        self.state().faults.extend(faults);
    }

    /// Every value of a partition in the order of the log.
    pub(crate) fn values(&self, topic: &str, partition: usize) -> Vec<String> {
        let state = self.state();
        let batches = &state.topics[topic][partition].batches;
        batches
            .iter()
            .flat_map(|bytes| {
                let batch = Batch::parse(bytes).unwrap();
                batch.verify_checksum().unwrap();
                let mut scratch = Vec::new();
                let records = batch.decompress(&mut scratch, 1 << 20).unwrap();
                let value = |value: Option<&[u8]>| {
                    String::from_utf8(value.unwrap_or(b"(null)").to_vec()).unwrap()
                };
                records
                    .map(|record| value(record.unwrap().value))
                    .collect::<Vec<String>>()
            })
            .collect()
    }
}
