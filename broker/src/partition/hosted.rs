//! One partition: what is behind its lock, and the jobs that run outside of it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use barnabas_log::directory::TopicIdentity;
use barnabas_log::partition_log::PartitionLog;
use barnabas_replica::{Acknowledgement, Advance, PendingAcknowledgement, Replica};
use barnabas_wire::id::TopicPartition;
use parking_lot::{Mutex, MutexGuard};

use super::flush::Flushing;
use super::topic_rules::TopicRules;
use super::waiters::Waiters;
use crate::log_pool::LogPool;

/// A partition that this broker hosts.
pub struct Partition {
    name: TopicPartition,
    state: Mutex<State>,
    rules: ArcSwap<TopicRules>,
    identity: Option<TopicIdentity>,
    waiters: Waiters,
    pool: Arc<LogPool>,
}

/// Work of one partition that may block. It gets the partition, and takes the lock where it must.
pub(super) type PartitionJob = Box<dyn FnOnce(&Arc<Partition>) + Send>;

/// What the lock protects. It is held for moments only: nobody waits for a disk or a peer under it.
pub(super) struct State {
    pub(super) replica: Replica,
    /// There once the first decision is in force.
    pub(super) log: Option<Arc<PartitionLog>>,
    pub(super) flushing: Flushing,
    jobs: VecDeque<PartitionJob>,
    /// Whether a log thread is running jobs of this partition.
    is_working: bool,
}

impl Partition {
    /// A partition of which nothing has been decided.
    pub(super) fn new(
        name: TopicPartition,
        replica: Replica,
        rules: Arc<TopicRules>,
        identity: Option<TopicIdentity>,
        pool: Arc<LogPool>,
    ) -> Self {
        Self {
            name,
            state: Mutex::new(State {
                replica,
                log: None,
                flushing: Flushing::default(),
                jobs: VecDeque::new(),
                is_working: false,
            }),
            rules: ArcSwap::new(rules),
            identity,
            waiters: Waiters::default(),
            pool,
        }
    }

    /// Its topic and number.
    #[must_use]
    pub fn name(&self) -> &TopicPartition {
        &self.name
    }

    /// Which topic of its name it belongs to, if that is known.
    #[must_use]
    pub fn identity(&self) -> Option<TopicIdentity> {
        self.identity
    }

    /// The topic's settings as of now.
    #[must_use]
    pub fn rules(&self) -> Arc<TopicRules> {
        self.rules.load_full()
    }

    /// How it stands with records whose producer waits.
    #[must_use]
    pub fn acknowledgement(&self, pending: &PendingAcknowledgement) -> Acknowledgement {
        self.lock().replica.acknowledgement(pending)
    }

    /// The replica machine as of now, for metrics and tests.
    #[must_use]
    pub fn replica(&self) -> Replica {
        self.lock().replica.clone()
    }

    /// The log, once there is one.
    #[must_use]
    pub fn log(&self) -> Option<Arc<PartitionLog>> {
        self.lock().log.clone()
    }

    /// Takes new settings. They hold for what comes after.
    pub fn set_rules(self: &Arc<Self>, rules: Arc<TopicRules>, jitter: f64) {
        let mut state = self.lock();
        let advance = state.replica.set_settings(rules.replica);
        let log_settings = rules.log_settings(jitter);
        self.rules.store(rules);
        self.publish(state, advance);
        // The log waits for its writer, which may wait for the disk.
        let job = move |partition: &Arc<Self>| {
            if let Some(log) = partition.log() {
                log.set_settings(log_settings);
            }
        };
        self.enqueue(self.lock(), Box::new(job));
    }

    /// The log directory has failed: tells those who wait. Final.
    pub fn go_offline(&self) {
        let mut state = self.lock();
        if !state.replica.is_offline() {
            let advance = state.replica.go_offline();
            tracing::error!(target: "state_change", partition = %self.name, "replica is offline");
            self.publish(state, advance);
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    pub(super) fn waiters(&self) -> &Waiters {
        &self.waiters
    }

    pub(super) fn pool(&self) -> &Arc<LogPool> {
        &self.pool
    }

    /// Tells the log where the high watermark is, lets go of the lock, and wakes who waits.
    pub(super) fn publish(&self, state: MutexGuard<'_, State>, advance: Advance) {
        if let (Some(offset), Some(log)) = (advance.high_watermark, &state.log) {
            log.set_high_watermark(offset);
        }
        drop(state);
        if advance.wakes_waiters {
            self.waiters.wake();
        }
    }

    /// Puts a job behind those of this partition, and sees to it that a log thread runs them.
    pub(super) fn enqueue(self: &Arc<Self>, mut state: MutexGuard<'_, State>, job: PartitionJob) {
        state.jobs.push_back(job);
        if !state.is_working {
            state.is_working = true;
            drop(state);
            let partition = Arc::clone(self);
            self.pool.submit(move || partition.work());
        }
    }

    fn work(self: &Arc<Self>) {
        loop {
            let mut state = self.lock();
            let Some(job) = state.jobs.pop_front() else {
                state.is_working = false;
                return;
            };
            drop(state);
            job(self);
        }
    }
}

impl State {
    /// Whether jobs are under way or waiting: then nothing may be appended but by them.
    pub(super) fn is_working(&self) -> bool {
        self.is_working
    }
}

impl fmt::Debug for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Partition")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
