//! Keeps the snapshot of the cluster: asks when someone needs it, and when it is old.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use barnabas_connection::Connection;
use barnabas_wire::id::{BrokerId, TopicName};
use barnabas_wire::message::metadata::MetadataRequestTopic;
use barnabas_wire::message::{MetadataRequest, MetadataResponse};
use barnabas_wire::{ErrorCode, Str};
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout_at};

use crate::cluster::{Broker, Cluster, Topic};
use crate::config::ConnectionSettings;
use crate::error::{Error, Result};
use crate::pool::Pool;

/// Shared by everything that is made from one client.
#[derive(Debug)]
pub(crate) struct Metadata {
    pub(crate) settings: ConnectionSettings,
    pub(crate) pool: Pool,
    snapshot: watch::Sender<Arc<Cluster>>,
    /// Topics that someone uses, and whether asking may create them.
    wanted: Mutex<BTreeMap<TopicName, bool>>,
    /// Held while asking, so that many who need the same news ask once.
    asking: tokio::sync::Mutex<()>,
    asked: Notify,
    last_failure: Mutex<Option<Error>>,
}

impl Metadata {
    pub(crate) fn new(settings: ConnectionSettings) -> Arc<Self> {
        let pool = Pool::new(settings.options.clone(), settings.retry_backoff);
        Arc::new(Self {
            settings,
            pool,
            snapshot: watch::Sender::new(Arc::default()),
            wanted: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
            asked: Notify::new(),
            last_failure: Mutex::default(),
        })
    }

    /// The latest snapshot.
    pub(crate) fn cluster(&self) -> Arc<Cluster> {
        Arc::clone(&self.snapshot.borrow())
    }

    /// Tells of every new snapshot.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Arc<Cluster>> {
        self.snapshot.subscribe()
    }

    /// Asks soon, in the background. Many calls become one question.
    pub(crate) fn refresh_soon(&self) {
        self.asked.notify_one();
    }

    /// Keeps the topic in every snapshot from now on.
    pub(crate) fn want(&self, topic: &TopicName, may_create: bool) {
        *self
            .wanted
            .lock()
            .entry(topic.clone())
            .or_insert(may_create) |= may_create;
    }

    /// Waits until the topic can be used, at most for `patience`. Asks again and again meanwhile.
    ///
    /// # Errors
    /// The topic's error if it cannot be used at all; otherwise a timeout with the last obstacle.
    pub(crate) async fn topic(
        &self,
        topic: &TopicName,
        may_create: bool,
        patience: Duration,
    ) -> Result<Arc<Cluster>> {
        self.want(topic, may_create);
        let deadline = Instant::now() + patience;
        let mut backoff = self.settings.retry_backoff;
        let mut last = None;
        let mut absences = 0;
        loop {
            let cluster = self.cluster();
            let subject = || format!("topic {topic}");
            match cluster.topics.get(topic) {
                Some(Topic {
                    error: None,
                    partitions,
                    ..
                }) if !partitions.is_empty() => {
                    return Ok(cluster);
                }
                Some(Topic {
                    error: Some(code), ..
                }) => {
                    let error = Error::kafka(*code, subject(), None::<String>);
                    let is_absent = *code == ErrorCode::UnknownTopicOrPartition && !may_create;
                    absences += i32::from(is_absent);
                    if absences >= ABSENCES_MAX || !code.is_retriable() {
                        return Err(error);
                    }
                    last = Some(error);
                }
                Some(_) | None => {}
            }
            let refreshed = timeout_at(deadline, self.refresh()).await;
            match refreshed {
                Ok(Ok(_)) => {}
                Ok(Err(error)) if !error.is_retriable() => return Err(error),
                Ok(Err(error)) => last = Some(error),
                Err(_elapsed) => {
                    let what = "waiting for a topic";
                    let last = last
                        .or_else(|| self.last_failure.lock().clone())
                        .map(Box::new);
                    return Err(Error::Timeout {
                        what,
                        after: patience,
                        last,
                    });
                }
            }
            if self.has_usable(topic) {
                continue;
            }
            tokio::time::sleep_until((Instant::now() + backoff).min(deadline)).await;
            backoff = (backoff * 2).min(self.settings.retry_backoff_max);
        }
    }

    fn has_usable(&self, topic: &TopicName) -> bool {
        let cluster = self.snapshot.borrow();
        cluster
            .topics
            .get(topic)
            .is_some_and(|topic| topic.error.is_none())
    }

    /// Asks now and returns the new snapshot. Whoever calls while a question is under way gets
    /// the answer to that one.
    ///
    /// # Errors
    /// [`Error::Unreachable`] if no broker answers.
    pub(crate) async fn refresh(&self) -> Result<Arc<Cluster>> {
        let before = self.cluster().generation;
        let _one_at_a_time = self.asking.lock().await;
        let now = self.cluster();
        if now.generation > before {
            return Ok(now);
        }
        let answers = self.ask_wanted().await;
        *self.last_failure.lock() = answers.as_ref().err().cloned();
        let mut cluster = Cluster::clone(&now);
        for answer in &answers? {
            cluster.update(answer);
        }
        let cluster = Arc::new(cluster);
        self.snapshot.send_replace(Arc::clone(&cluster));
        Ok(cluster)
    }

    /// One question for the topics that asking must not create, one for the others.
    async fn ask_wanted(&self) -> Result<Vec<MetadataResponse>> {
        let known = self.cluster();
        let (mut keep, mut create) = (Vec::new(), Vec::new());
        for (topic, may_create) in &*self.wanted.lock() {
            let exists = known
                .topics
                .get(topic)
                .is_some_and(|topic| topic.error.is_none());
            if *may_create && !exists {
                &mut create
            } else {
                &mut keep
            }
            .push(topic.clone());
        }
        let connection = self.any_connection().await?;
        let mut answers = vec![ask(&connection, Some(&keep), Also::Nothing).await?];
        if !create.is_empty() {
            answers.push(ask(&connection, Some(&create), Also::Create).await?);
        }
        Ok(answers)
    }

    /// Asks about every topic there is; the snapshot does not change.
    pub(crate) async fn ask_all(&self) -> Result<MetadataResponse> {
        let connection = self.any_connection().await?;
        ask(&connection, None, Also::DeletionMarks).await
    }

    /// Asks about these topics only; the snapshot does not change.
    pub(crate) async fn ask_about(&self, topics: &[TopicName]) -> Result<MetadataResponse> {
        let connection = self.any_connection().await?;
        ask(&connection, Some(topics), Also::DeletionMarks).await
    }

    /// A connection to any broker: one that is open, a live one, one of the first servers.
    pub(crate) async fn any_connection(&self) -> Result<Connection> {
        let cluster = self.cluster();
        let open = cluster
            .brokers
            .keys()
            .find_map(|&id| self.pool.open_connection(id));
        if let Some(open) = open {
            return Ok(open);
        }
        let bootstrap = self.settings.bootstrap.iter();
        // Servers have no id yet: negative ones that no broker has.
        let first = (2..).zip(bootstrap).map(|(number, (host, port))| Broker {
            id: BrokerId(-number),
            host: host.clone(),
            port: *port,
            rack: None,
        });
        let candidates: Vec<Broker> = cluster.brokers.values().cloned().chain(first).collect();
        let mut tried = Vec::new();
        let mut seen = BTreeSet::new();
        for broker in candidates {
            if let Some(open) = self.pool.open_connection(broker.id) {
                return Ok(open);
            }
            if !seen.insert((broker.host.clone(), broker.port)) {
                continue;
            }
            match self.pool.connect(&broker).await {
                Ok(connection) => return Ok(connection),
                Err(error) => tried.push(describe(&broker, &error)),
            }
        }
        Err(Error::Unreachable { tried })
    }
}

fn describe(broker: &Broker, error: &Error) -> String {
    let cause = if let Error::BrokerUnreachable { source, .. } = error {
        source.to_string()
    } else {
        error.to_string()
    };
    let server = format!("{}:{}", broker.host, broker.port);
    if cause.contains(&server) {
        cause
    } else {
        format!("{server}: {cause}")
    }
}

/// What a question brings about besides its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Also {
    /// Nothing.
    Nothing,
    /// Topics that do not exist may be created.
    Create,
    /// The broker tells which of the topics are marked for deletion, which costs it a question to
    /// ZooKeeper.
    DeletionMarks,
}

/// `topics` none asks about all of them.
async fn ask(
    connection: &Connection,
    topics: Option<&[TopicName]>,
    also: Also,
) -> Result<MetadataResponse> {
    let lost = |source| Error::Request {
        broker_id: -1,
        source,
    };
    let version = connection.version_of::<MetadataRequest>().map_err(lost)?;
    let wanted = |topics: &[TopicName]| {
        let topic = |name: &TopicName| MetadataRequestTopic {
            name: Some(Str::from(name)),
            ..MetadataRequestTopic::default()
        };
        topics.iter().map(topic).collect()
    };
    // Version 0 says "all" by an empty list, and has no way to say "none".
    let topics = if version == 0 {
        Some(topics.map_or_else(Vec::new, wanted))
    } else {
        topics.map(wanted)
    };
    let is_none = version > 0 && topics.as_ref().is_some_and(Vec::is_empty);
    let request = MetadataRequest {
        topics,
        // Before version 4 every question may create.
        allow_auto_topic_creation: also == Also::Create || version < 4,
        include_deletion_marks: also == Also::DeletionMarks && !is_none,
        ..MetadataRequest::default()
    };
    connection.call(&request).await.map_err(lost)
}

/// How often a topic must be missing before it does not exist: one that was just made takes a
/// moment to be known everywhere.
const ABSENCES_MAX: i32 = 4;

/// Asks when told to and when the snapshot is old, for ever. After a failure it asks again by
/// itself, less and less often.
pub(crate) async fn keep_fresh(metadata: Arc<Metadata>) {
    let settings = &metadata.settings;
    let mut backoff = settings.retry_backoff;
    loop {
        let asked = metadata.asked.notified();
        // Either way there is reason to ask.
        drop(tokio::time::timeout(settings.metadata_max_age, asked).await);
        while metadata.refresh().await.is_err() {
            tokio::time::sleep(backoff).await;
            backoff = (backoff * 2).min(settings.retry_backoff_max);
        }
        backoff = settings.retry_backoff;
        tokio::time::sleep(backoff).await;
    }
}
