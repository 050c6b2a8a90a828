//! The life of the partitions: directories, threads and upkeep, in the order in which they start and
//! stop.

use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use barnabas_config::BrokerSettings;
use barnabas_log::files::{DiskFiles, Files};
use barnabas_wire::id::{BrokerId, TopicName};
use barnabas_zk_session::Session;
use tokio::task::AbortHandle;
use tracing::{info, warn};

use crate::driver::housekeeping::{self, Intervals};
use crate::log_pool::LogPool;
use crate::log_store::{LoadError, LogStore, StoreOpenError};
use crate::node::Node;
use crate::partition::{PartitionRegistry, RegistrySettings, TopicRules};
use crate::topic_facts::ZooKeeperTopicFacts;

/// Why the partitions cannot be had. Each says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum DataPlaneError {
    /// The log directories cannot be used.
    #[error(transparent)]
    Store(#[from] StoreOpenError),
    /// What lies in them cannot be used.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The system refuses threads.
    #[error("the log threads (num.io.threads) cannot be started: {0}")]
    Threads(#[from] io::Error),
    /// Loading ended without a result; a defect.
    #[error("loading the logs ended without a result")]
    LoadingEnded,
}

/// Locked log directories, and the threads that work on them.
#[derive(Debug)]
pub struct DataPlane {
    store: Arc<LogStore>,
    pool: Arc<LogPool>,
    upkeep: Option<AbortHandle>,
    thread_count: NonZeroUsize,
}

impl DataPlane {
    /// Locks the log directories and starts the threads.
    ///
    /// # Errors
    /// [`DataPlaneError`].
    pub fn open(settings: &BrokerSettings) -> Result<Self, DataPlaneError> {
        let files: Arc<dyn Files> = Arc::new(DiskFiles);
        let store = LogStore::open(&files, &settings.log.directories)?;
        let thread_count = at_least_one(settings.network.io_threads);
        let pool = LogPool::start(thread_count)?;
        Ok(Self {
            store: Arc::new(store),
            pool: Arc::new(pool),
            upkeep: None,
            thread_count,
        })
    }

    /// The cluster that the directories belong to, if one of them says.
    ///
    /// # Errors
    /// [`DataPlaneError::Store`].
    pub fn cluster_id(&self) -> Result<Option<String>, DataPlaneError> {
        Ok(self.store.cluster_id()?)
    }

    /// The broker id that the directories carry, if any does.
    ///
    /// # Errors
    /// [`DataPlaneError::Store`] if they belong to another broker or cluster.
    pub fn check_owner(
        &self,
        configured: Option<BrokerId>,
        cluster_id: &str,
    ) -> Result<Option<BrokerId>, DataPlaneError> {
        Ok(self.store.check_owner(configured, cluster_id)?)
    }

    /// Writes broker and cluster into the directories that do not say so yet: once the broker is
    /// registered, so that an id that was drawn for nothing leaves no trace.
    ///
    /// # Errors
    /// [`DataPlaneError::Store`].
    pub fn claim(&self, broker_id: BrokerId, cluster_id: &str) -> Result<(), DataPlaneError> {
        Ok(self.store.claim(broker_id, cluster_id)?)
    }

    /// The first log directory that works: small files of the broker itself go there.
    #[must_use]
    pub fn home(&self) -> Option<PathBuf> {
        self.store.paths().next().map(Path::to_owned)
    }

    /// Opens and recovers all logs, and returns the registry of the partitions.
    ///
    /// # Errors
    /// [`DataPlaneError::Load`].
    pub async fn load(
        &self,
        settings: &BrokerSettings,
        broker_id: BrokerId,
        session: &Session,
    ) -> Result<PartitionRegistry, DataPlaneError> {
        let began = Instant::now();
        let store = Arc::clone(&self.store);
        let thread_count = at_least_one(settings.log.recovery_threads_per_directory);
        // Overrides follow when the controller gives the partitions to this broker.
        let defaults = TopicRules::new(settings.topic_defaults.clone()).log_settings(0.0);
        let loading = tokio::task::spawn_blocking(move || {
            store.load(thread_count, &|_topic: &TopicName| defaults.clone())
        });
        let report = loading
            .await
            .map_err(|_panicked| DataPlaneError::LoadingEnded)??;
        let elapsed_ms = began.elapsed().as_millis();
        info!(
            log_count = report.log_count,
            damaged_count = report.damaged_count,
            scanned_bytes = report.recovery.scanned_bytes,
            torn_bytes = report.recovery.torn_bytes,
            elapsed_ms,
            "loaded the logs"
        );
        let facts = ZooKeeperTopicFacts::new(session.clone(), settings.topic_defaults.clone());
        let registry_settings = RegistrySettings {
            broker_id,
            topic_defaults: settings.topic_defaults.clone(),
        };
        Ok(PartitionRegistry::new(
            registry_settings,
            Arc::clone(&self.store),
            Arc::clone(&self.pool),
            Arc::new(facts),
        ))
    }

    /// Begins the upkeep: flushes, checkpoints, deletions.
    pub fn start_upkeep(&mut self, node: &Arc<Node>) {
        let log = &node.settings.log;
        let intervals = Intervals {
            flush_check: Duration::from_millis(log.flush_check_interval_ms),
            recovery_checkpoint: Duration::from_millis(log.recovery_checkpoint_interval_ms),
            start_offset_checkpoint: Duration::from_millis(log.start_offset_checkpoint_interval_ms),
            high_watermark_checkpoint: Duration::from_millis(
                log.high_watermark_checkpoint_interval_ms,
            ),
        };
        let upkeep = tokio::spawn(housekeeping::run(Arc::clone(node), intervals));
        self.upkeep = Some(upkeep.abort_handle());
    }

    /// Closes all logs and says so in the directories. To be called when no request is under way.
    pub async fn close(self) {
        if let Some(upkeep) = &self.upkeep {
            upkeep.abort();
        }
        let (store, pool, thread_count) = (self.store, self.pool, self.thread_count);
        let closed = tokio::task::spawn_blocking(move || {
            pool.stop();
            store.close(thread_count);
        });
        if closed.await.is_err() {
            warn!("closing the logs failed; the next start will recover");
        }
    }
}

fn at_least_one(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN)
}
