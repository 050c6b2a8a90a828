//! Who waits for a partition to change: produces whose records are not everywhere yet, fetches that
//! found too little.
//!
//! One who waits registers with all its partitions, then looks whether it still has to wait, and only
//! then sleeps: a change in between wakes it. It is woken after the partition's lock is gone, and looks
//! again on its own task. Bounded by the requests in flight on all connections.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::Partition;

/// Those who wait for one partition.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    entries: Mutex<BTreeMap<u64, Arc<Notify>>>,
    /// Size of `entries`, so that a change nobody waits for takes no lock. Written under the lock.
    count: AtomicUsize,
}

impl Waiters {
    /// Wakes all of them. Not to be called under the partition's lock.
    pub(crate) fn wake(&self) {
        // Sequentially consistent with `insert`: whoever registers before it looks is seen here, or
        // sees the change that this call announces.
        if self.count.load(Ordering::SeqCst) == 0 {
            return;
        }
        for waiter in self.entries.lock().values() {
            waiter.notify_one();
        }
    }

    fn insert(&self, id: u64, waiter: Arc<Notify>) {
        let mut entries = self.entries.lock();
        entries.insert(id, waiter);
        self.count.store(entries.len(), Ordering::SeqCst);
    }

    fn remove(&self, id: u64) {
        let mut entries = self.entries.lock();
        entries.remove(&id);
        self.count.store(entries.len(), Ordering::SeqCst);
    }
}

/// One who waits for some partitions; dropping it ends that.
#[derive(Debug)]
pub struct Waiting {
    id: u64,
    partitions: Vec<Arc<Partition>>,
    notify: Arc<Notify>,
}

impl Waiting {
    /// Registers with all of `partitions`. Whatever changes from now on makes
    /// [`Waiting::changed`] return.
    #[must_use]
    pub fn register(partitions: Vec<Arc<Partition>>) -> Self {
        static NEXT_ID: AtomicU64 = AtomicU64::new(0);
        let waiting = Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            partitions,
            notify: Arc::new(Notify::new()),
        };
        for partition in &waiting.partitions {
            partition
                .waiters()
                .insert(waiting.id, Arc::clone(&waiting.notify));
        }
        waiting
    }

    /// Returns when one of the partitions has changed since the last call, or since registration.
    pub async fn changed(&self) {
        self.notify.notified().await;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        for partition in &self.partitions {
            partition.waiters().remove(self.id);
        }
    }
}
