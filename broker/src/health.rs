//! Whether this broker serves: what `/readyz` says.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whoever knows what keeps the broker from serving.
pub trait Obstacles: fmt::Debug + Send + Sync + 'static {
    /// Each in words; empty when the broker serves. Asked for each request; must not wait.
    fn now(&self) -> Vec<&'static str>;
}

/// The broker's readiness: not ready before it has started, nor once it is stopping.
#[derive(Debug, Default)]
pub struct Health {
    running: OnceLock<Box<dyn Obstacles>>,
    is_stopping: AtomicBool,
}

impl Health {
    /// Notes that the broker has started, and whom to ask from now on. Only the first call counts.
    pub fn started(&self, obstacles: impl Obstacles) {
        self.running.get_or_init(|| Box::new(obstacles));
    }

    /// Notes that the broker is stopping, for good.
    pub fn stopping(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    /// What keeps this broker from being ready, in words; empty when it is.
    #[must_use]
    pub fn obstacles(&self) -> Vec<&'static str> {
        if self.is_stopping.load(Ordering::Relaxed) {
            return vec!["stopping"];
        }
        self.running
            .get()
            .map_or_else(|| vec!["starting"], |running| running.now())
    }
}
