//! The client: where everything else is made from.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::admin::Admin;
use crate::cluster::Cluster;
use crate::config::{Config, ConnectionSettings, ConsumerSettings, ProducerSettings};
use crate::consumer::ConsumerBuilder;
use crate::error::{Error, Result};
use crate::metadata::{Metadata, keep_fresh};
use crate::producer::Producer;

/// The cluster as one program sees it: metadata, kept fresh in the background, and the settings
/// of whatever is made from it. A clone is the same client.
#[derive(Clone, Debug)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: Config,
    metadata: Arc<Metadata>,
    refresher: JoinHandle<()>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.refresher.abort();
    }
}

impl Client {
    /// Checks the settings and asks one of the `bootstrap.servers` for the cluster's brokers.
    /// Every server is tried once.
    ///
    /// # Errors
    /// [`Error::Config`]; [`Error::Unreachable`] with what each server said.
    pub async fn connect(config: Config) -> Result<Self> {
        let settings = ConnectionSettings::read(&config)?;
        let metadata = Metadata::new(settings);
        metadata.refresh().await?;
        let refresher = tokio::spawn(keep_fresh(Arc::clone(&metadata)));
        Ok(Self {
            inner: Arc::new(Inner {
                config,
                metadata,
                refresher,
            }),
        })
    }

    pub(crate) fn metadata(&self) -> &Arc<Metadata> {
        &self.inner.metadata
    }

    /// The cluster when it was last asked: brokers, and the topics that this client uses.
    #[must_use]
    pub fn cluster(&self) -> Arc<Cluster> {
        self.inner.metadata.cluster()
    }

    /// A producer with this client's settings, and a buffer and connections of its own.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub fn producer(&self) -> Result<Producer> {
        let settings = ProducerSettings::read(&self.inner.config)?;
        Ok(Producer::new(self.clone(), settings))
    }

    /// Begins a consumer with this client's settings, and connections of its own.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub fn consumer(&self) -> Result<ConsumerBuilder> {
        let settings = ConsumerSettings::read(&self.inner.config)?;
        Ok(ConsumerBuilder::new(self.clone(), settings))
    }

    /// What changes and describes the cluster.
    #[must_use]
    pub fn admin(&self) -> Admin {
        Admin::new(self.clone())
    }

    /// Closes the client's own connections within `timeout`. Producers and consumers are closed
    /// on their own.
    pub async fn close(self, timeout: Duration) {
        self.inner.metadata.pool.close(timeout).await;
    }

    /// How long a call may take in all: `default.api.timeout.ms`.
    pub(crate) fn api_timeout(&self) -> Duration {
        self.inner.metadata.settings.api_timeout
    }

    /// Attempts at one call, for as long as a call may take.
    pub(crate) fn attempts(&self, what: &'static str) -> Attempts<'_> {
        let after = self.api_timeout();
        let backoff = self.inner.metadata.settings.retry_backoff;
        let deadline = Instant::now() + after;
        Attempts {
            metadata: &self.inner.metadata,
            what,
            after,
            deadline,
            backoff,
            last: None,
        }
    }
}

/// Tries one call again and again: until it succeeds, fails for good, or its time is over.
#[derive(Debug)]
pub(crate) struct Attempts<'a> {
    metadata: &'a Metadata,
    what: &'static str,
    after: Duration,
    deadline: Instant,
    backoff: Duration,
    last: Option<Error>,
}

impl Attempts<'_> {
    /// One attempt. None if there should be another one; by then news of the cluster have been
    /// asked for.
    pub(crate) async fn run<T>(
        &mut self,
        attempt: impl Future<Output = Result<T>>,
    ) -> Option<Result<T>> {
        match timeout_at(self.deadline, attempt).await {
            Ok(Err(error)) if error.is_retriable() => self.last = Some(error),
            Ok(finished) => return Some(finished),
            Err(_elapsed) => return Some(Err(self.timeout())),
        }
        let next = Instant::now() + self.backoff;
        if next >= self.deadline {
            return Some(Err(self.timeout()));
        }
        sleep_until(next).await;
        self.backoff = (self.backoff * 2).min(self.metadata.settings.retry_backoff_max);
        // Its failure shows in the next attempt.
        drop(timeout_at(self.deadline, self.metadata.refresh()).await);
        None
    }

    fn timeout(&mut self) -> Error {
        Error::Timeout {
            what: self.what,
            after: self.after,
            last: self.last.take().map(Box::new),
        }
    }
}
