//! The threads that may wait for a disk.
//!
//! Reactor threads never do: what may fault, block or sync is handed over here. Jobs run in the order
//! of their arrival on whichever thread is free.
//!
//! The queue has no limit of its own. What is in it is limited by who hands jobs over: per partition
//! one queue of appends and transitions, one flush, one request for room; per request in flight one
//! read.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// A fixed number of threads and the jobs that wait for them.
pub struct LogPool {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    is_stopping: bool,
}

impl LogPool {
    /// Starts the threads.
    ///
    /// # Errors
    /// What the system says if it refuses a thread.
    pub fn start(thread_count: NonZeroUsize) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            changed: Condvar::new(),
        });
        let threads = (0..thread_count.get())
            .map(|index| {
                let shared = Arc::clone(&shared);
                thread::Builder::new()
                    .name(format!("log-{index}"))
                    .spawn(move || shared.work())
            })
            .collect::<io::Result<_>>()?;
        Ok(Self {
            shared,
            threads: Mutex::new(threads),
        })
    }

    /// Hands a job over. After [`LogPool::stop`] it runs on the caller's thread.
    pub fn submit(&self, job: impl FnOnce() + Send + 'static) {
        let mut queue = self.shared.queue.lock();
        if queue.is_stopping {
            drop(queue);
            job();
        } else {
            queue.jobs.push_back(Box::new(job));
            drop(queue);
            self.shared.changed.notify_one();
        }
    }

    /// Hands a job over and waits for what it comes to, without blocking the thread. `None` if the job
    /// panicked.
    pub async fn run<R: Send + 'static>(
        &self,
        job: impl FnOnce() -> R + Send + 'static,
    ) -> Option<R> {
        let (done, result) = oneshot::channel();
        self.submit(move || {
            // Whoever waited may have gone.
            drop(done.send(job()));
        });
        result.await.ok()
    }

    /// Runs what is queued, and ends the threads. Blocks; to be called from outside of the pool.
    pub fn stop(&self) {
        self.shared.queue.lock().is_stopping = true;
        self.shared.changed.notify_all();
        for thread in self.threads.lock().drain(..) {
            if thread.join().is_err() {
                tracing::error!("a log thread panicked");
            }
        }
    }
}

impl Drop for LogPool {
    fn drop(&mut self) {
        // The threads end by themselves: nobody can hand over jobs any more.
        self.shared.queue.lock().is_stopping = true;
        self.shared.changed.notify_all();
    }
}

impl fmt::Debug for LogPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.shared.queue.lock().jobs.len();
        f.debug_struct("LogPool")
            .field("waiting", &waiting)
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn work(&self) {
        while let Some(job) = self.next() {
            job();
        }
    }

    /// The next job; `None` when the pool stops and nothing is left.
    fn next(&self) -> Option<Job> {
        let mut queue = self.queue.lock();
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                return Some(job);
            }
            if queue.is_stopping {
                return None;
            }
            self.changed.wait(&mut queue);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn every_job_runs_once_and_stopping_waits_for_all() {
        let pool = LogPool::start(NonZeroUsize::new(3).unwrap()).unwrap();
        let count = Arc::new(AtomicUsize::new(0));
        for _ in 0..1_000 {
            let count = Arc::clone(&count);
            pool.submit(move || {
                count.fetch_add(1, Ordering::Relaxed);
            });
        }
        assert_eq!(pool.run(|| 7).await, Some(7));
        pool.stop();
        assert_eq!(count.load(Ordering::Relaxed), 1_000);
        pool.submit({
            let count = Arc::clone(&count);
            move || {
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        assert_eq!(
            count.load(Ordering::Relaxed),
            1_001,
            "after the end the caller does the work"
        );
    }
}
