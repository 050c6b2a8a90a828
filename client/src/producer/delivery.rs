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
    /// The batch was too large and went on as two: `left` has the records before `at`.
    Split {
        at: i32,
        left: Arc<Completion>,
        right: Arc<Completion>,
    },
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

    /// The records from `at` on go their own way. Returns the outcomes of both parts.
    pub(super) fn split(&self, at: i32) -> [Arc<Self>; 2] {
        let parts = [0, 1].map(|_part| Self::new(self.topic.clone(), self.partition));
        let [left, right] = parts.clone();
        self.finish(State::Split { at, left, right });
        parts
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

    /// Waits for the outcome of every record, whatever it is.
    pub(super) async fn wait(self: Arc<Self>) {
        let mut open = vec![self];
        while let Some(completion) = open.pop() {
            let mut slot = None;
            let parts = std::future::poll_fn(|cx| {
                let mut state = completion.state.lock();
                match &mut *state {
                    State::Waiting(wakers) => {
                        register(wakers, &mut slot, cx.waker());
                        Poll::Pending
                    }
                    State::Split { left, right, .. } => {
                        Poll::Ready(vec![Arc::clone(left), Arc::clone(right)])
                    }
                    State::Acked { .. } | State::Failed(_) => Poll::Ready(Vec::new()),
                }
            });
            open.extend(parts.await);
        }
    }
}

/// Puts the waker in the slot that is its own, so that polling often does not make a long list.
fn register(wakers: &mut Vec<Waker>, slot: &mut Option<usize>, waker: &Waker) {
    if let Some(own) = slot.and_then(|slot| wakers.get_mut(slot)) {
        own.clone_from(waker);
    } else {
        *slot = Some(wakers.len());
        wakers.push(waker.clone());
    }
}

impl Future for Delivery {
    type Output = Result<Acked>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            let completion = Arc::clone(&this.completion);
            match &mut *completion.state.lock() {
                State::Waiting(wakers) => {
                    register(wakers, &mut this.waker_slot, cx.waker());
                    return Poll::Pending;
                }
                State::Acked {
                    base_offset,
                    append_time_ms,
                } => {
                    let is_known = *base_offset >= 0;
                    return Poll::Ready(Ok(Acked {
                        topic: completion.topic.clone(),
                        partition: completion.partition,
                        offset: if is_known {
                            *base_offset + i64::from(this.index)
                        } else {
                            -1
                        },
                        timestamp_ms: append_time_ms.unwrap_or(this.timestamp_ms),
                    }));
                }
                State::Failed(error) => return Poll::Ready(Err(error.clone())),
                State::Split { at, left, right } => {
                    let is_left = this.index < *at;
                    this.completion = Arc::clone(if is_left { left } else { right });
                    this.index -= if is_left { 0 } else { *at };
                    this.waker_slot = None;
                }
            }
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
    async fn a_batch_that_went_on_as_two_tells_each_record_its_own_offset() {
        let completion = Completion::new("t".into(), 0);
        let flushed = tokio::spawn(Arc::clone(&completion).wait());
        let waiting = tokio::spawn(completion.delivery(3, 0));
        tokio::task::yield_now().await;
        let [left, right] = completion.split(2);
        left.acked(10, None);
        tokio::task::yield_now().await;
        assert!(!flushed.is_finished() && !waiting.is_finished());
        right.acked(12, None);
        assert_eq!(waiting.await.unwrap().unwrap().offset, 13);
        assert_eq!(completion.delivery(1, 0).await.unwrap().offset, 11);
        flushed.await.unwrap();
    }

    #[tokio::test]
    async fn the_brokers_time_replaces_the_records_own() {
        let completion = Completion::new("t".into(), 0);
        completion.acked(-1, Some(5));
        let acked = completion.delivery(2, 10).await.unwrap();
        assert_eq!((acked.offset, acked.timestamp_ms), (-1, 5));
    }
}
