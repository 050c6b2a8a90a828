//! How many bytes of requests the broker holds at a time: `queued.max.request.bytes`.
//!
//! A frame's size is taken from the budget when its length is read and given back when its request has
//! been answered. As in Kafka the last frame may overshoot: it is let in while anything at all is
//! left, so that one frame larger than the budget cannot wait for ever. Source: KIP-72.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::Notify;

/// The bytes that requests may still take.
#[derive(Debug)]
pub struct Budget {
    /// None: no limit, and nothing is counted.
    left: Option<AtomicI64>,
    given_back: Notify,
}

/// A frame's share of the budget; given back when dropped.
#[derive(Debug)]
pub struct Share {
    budget: Arc<Budget>,
    bytes: i64,
}

impl Budget {
    /// A budget of `bytes`; 0 or less means no limit, as -1 does in Kafka.
    #[must_use]
    pub fn new(bytes: i64) -> Arc<Self> {
        let left = (bytes > 0).then(|| AtomicI64::new(bytes));
        Arc::new(Self {
            left,
            given_back: Notify::new(),
        })
    }

    /// Takes `bytes` at once, or None while nothing is left.
    #[must_use]
    pub fn try_take(self: &Arc<Self>, bytes: usize) -> Option<Share> {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        if let Some(left) = &self.left {
            left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| {
                (left > 0).then(|| left.saturating_sub(bytes))
            })
            .ok()?;
        }
        Some(Share {
            budget: Arc::clone(self),
            bytes,
        })
    }

    /// Takes `bytes`, waiting until something is left.
    pub async fn take(self: &Arc<Self>, bytes: usize) -> Share {
        loop {
            let given_back = self.given_back.notified();
            if let Some(share) = self.try_take(bytes) {
                return share;
            }
            given_back.await;
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        if let Some(left) = &self.budget.left {
            left.fetch_add(self.bytes, Ordering::AcqRel);
            self.budget.given_back.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_frame_may_overshoot_and_the_next_waits() {
        let budget = Budget::new(100);
        let large = budget.try_take(1_000).unwrap();
        assert!(budget.try_take(1).is_none());
        drop(large);
        assert!(budget.try_take(1).is_some());
    }

    #[test]
    fn without_a_limit_everything_is_let_in() {
        let budget = Budget::new(-1);
        let shares: Vec<_> = (0..10).map(|_| budget.try_take(usize::MAX)).collect();
        assert!(shares.iter().all(Option::is_some));
    }

    #[tokio::test(start_paused = true)]
    async fn a_waiting_frame_goes_on_when_a_request_is_answered() {
        let budget = Budget::new(10);
        let first = budget.take(10).await;
        let second = tokio::spawn({
            let budget = Arc::clone(&budget);
            async move { budget.take(5).await.bytes }
        });
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        assert!(!second.is_finished());
        drop(first);
        assert_eq!(second.await.unwrap(), 5);
    }
}
