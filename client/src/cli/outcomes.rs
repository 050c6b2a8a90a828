//! What becomes of the records of one run, in the order in which they were sent.

use std::collections::VecDeque;
use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use barnabas_client::{Delivery, Error};

/// Deliveries that are still open, and the count of those that are not. As many can be open as
/// records find room in `buffer.memory`.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    open: VecDeque<Delivery>,
    /// Records that were delivered.
    pub(crate) acked: u64,
    /// Records that were not.
    pub(crate) failed: u64,
    /// The first record that was not, counted from 1, and why.
    pub(crate) first_failure: Option<(u64, Error)>,
}

impl Outcomes {
    /// Takes note of one record more.
    pub(crate) fn sent(&mut self, delivery: Delivery) {
        self.open.push_back(delivery);
    }

    /// Looks at the oldest ones, as far as they are known.
    pub(crate) fn look(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        while let Some(oldest) = self.open.front_mut() {
            let Poll::Ready(outcome) = Pin::new(oldest).poll(&mut context) else {
                return;
            };
            self.open.pop_front();
            self.settle(outcome.map(drop));
        }
    }

    /// Waits for the oldest one; none is left when this returns false. Cancel safe.
    pub(crate) async fn wait(&mut self) -> bool {
        let Some(oldest) = self.open.front_mut() else {
            return false;
        };
        let outcome = oldest.await.map(drop);
        self.open.pop_front();
        self.settle(outcome);
        true
    }

    /// How many records there are, whatever became of them.
    pub(crate) fn count(&self) -> u64 {
        self.acked + self.failed + u64::try_from(self.open.len()).unwrap_or(0)
    }

    /// How many are open.
    pub(crate) fn open_count(&self) -> usize {
        self.open.len()
    }

    fn settle(&mut self, outcome: Result<(), Error>) {
        match outcome {
            Ok(()) => self.acked += 1,
            Err(error) => {
                self.failed += 1;
                let number = self.acked + self.failed;
                self.first_failure.get_or_insert((number, error));
            }
        }
    }
}
