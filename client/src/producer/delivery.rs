//! What becomes of a record: known batch by batch, asked for record by record.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use barnabas_wire::id::TopicName;
use parking_lot::Mutex;

use crate::error::{Error, Result};

/// A record that was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acked {
    /// The topic.
    pub topic: TopicName,
    /// The partition.
    pub partition: i32,
    /// The record's offset; -1 with `acks=0`, and where a batch turned out to be stored already
    /// and the broker no longer knows where.
    pub offset: i64,
    /// The record's timestamp as stored, ms since the Unix epoch.
    pub timestamp_ms: i64,
}

/// Resolves when the record is delivered or has failed. Dropping it changes nothing: the record is
/// sent all the same.
#[derive(Debug)]
#[must_use = "only the delivery tells whether the record arrived"]
pub struct Delivery {
    completion: Arc<Completion>,
    index: i32,
    timestamp_ms: i64,
    waker_slot: Option<usize>,
}

/// One batch's outcome, shared by the deliveries of its records.
#[derive(Debug)]
pub(super) struct Completion {
    topic: TopicName,
    partition: i32,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    Waiting(Vec<Waker>),
    Acked {
        base_offset: i64,
        append_time_ms: Option<i64>,
    },
    Failed(Error),
}

impl Completion {
    pub(super) fn new(topic: TopicName, partition: i32) -> Arc<Self> {
        Arc::new(Self {
            topic,
            partition,
            state: Mutex::new(State::Waiting(Vec::new())),
        })
    }

    /// The delivery of the record at `index` of the batch.
    pub(super) fn delivery(self: &Arc<Self>, index: i32, timestamp_ms: i64) -> Delivery {
        Delivery {
            completion: Arc::clone(self),
            index,
            timestamp_ms,
            waker_slot: None,
        }
    }

    /// The batch is stored from `base_offset` on; -1 if that is not known.
    pub(super) fn acked(&self, base_offset: i64, append_time_ms: Option<i64>) {
        self.finish(State::Acked {
            base_offset,
            append_time_ms,
        });
    }

    pub(super) fn failed(&self, error: Error) {
        self.finish(State::Failed(error));
    }

    /// The first outcome counts.
    fn finish(&self, outcome: State) {
        let mut state = self.state.lock();
        if let State::Waiting(wakers) = &mut *state {
            let wakers = std::mem::take(wakers);
            *state = outcome;
            drop(state);
            wakers.into_iter().for_each(Waker::wake);
        }
    }

    /// Waits for the outcome, whatever it is.
    pub(super) async fn wait(self: Arc<Self>) {
        // Whether it failed is told to whoever holds the record's own delivery.
        drop(self.delivery(0, 0).await);
    }
}

impl Future for Delivery {
    type Output = Result<Acked>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        match &mut *this.completion.state.lock() {
            State::Waiting(wakers) => {
                let slot = this.waker_slot.and_then(|slot| wakers.get_mut(slot));
                if let Some(waker) = slot {
                    waker.clone_from(cx.waker());
                } else {
                    this.waker_slot = Some(wakers.len());
                    wakers.push(cx.waker().clone());
                }
                Poll::Pending
            }
            State::Acked {
                base_offset,
                append_time_ms,
            } => Poll::Ready(Ok(Acked {
                topic: this.completion.topic.clone(),
                partition: this.completion.partition,
                offset: if *base_offset < 0 {
                    -1
                } else {
                    *base_offset + i64::from(this.index)
                },
                timestamp_ms: append_time_ms.unwrap_or(this.timestamp_ms),
            })),
            State::Failed(error) => Poll::Ready(Err(error.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_record_of_a_batch_learns_its_own_offset() {
        let completion = Completion::new("t".into(), 3);
        let (first, last) = (completion.delivery(0, 10), completion.delivery(7, 11));
        let waiting = tokio::spawn(last);
        tokio::task::yield_now().await;
        completion.acked(100, None);
        completion.failed(Error::Closed);
        let acked = |offset, timestamp_ms| Acked {
            topic: "t".into(),
            partition: 3,
            offset,
            timestamp_ms,
        };
        assert_eq!(first.await.unwrap(), acked(100, 10));
        assert_eq!(waiting.await.unwrap().unwrap(), acked(107, 11));
    }

    #[tokio::test]
    async fn the_brokers_time_replaces_the_records_own() {
        let completion = Completion::new("t".into(), 0);
        completion.acked(-1, Some(5));
        let acked = completion.delivery(2, 10).await.unwrap();
        assert_eq!((acked.offset, acked.timestamp_ms), (-1, 5));
    }
}
