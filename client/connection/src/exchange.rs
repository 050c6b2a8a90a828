//! What callers, writer and reader of one connection share: requests to write and answers due.

use std::collections::VecDeque;
use std::time::Duration;

use barnabas_wire::{EncodeError, Piece, Pieces};
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{Notify, OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;

use crate::error::{Disconnect, RequestError};

/// What became of a request: its response frame, or why there is none.
pub(crate) type Outcome = Result<Bytes, RequestError>;

/// One connection's queues. Nothing in here waits.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    queues: Mutex<Queues>,
    /// Wakes the writer: something to write, or the end.
    pub(crate) writable: Notify,
    /// Wakes the reader: the end.
    pub(crate) ended: Notify,
}

#[derive(Debug, Default)]
struct Queues {
    /// Pieces of frames that the writer has not taken yet, in order.
    outbox: Vec<Bytes>,
    /// Invariant: ascending by `frame`; the front one's answer comes next.
    due: VecDeque<Due>,
    /// Requests that are done when they are written, ascending by `frame`.
    one_way: VecDeque<Due>,
    /// Frames that were queued since the start.
    frames_queued: u64,
    /// Frames that the writer has begun to hand to the kernel.
    frames_begun: u64,
    next_correlation_id: i32,
    end: Option<Disconnect>,
    is_closing: bool,
}

impl Queues {
    /// Every request that waits for something.
    fn waiting(&self) -> impl Iterator<Item = &Due> {
        self.due.iter().chain(&self.one_way)
    }

    fn first_deadline(&self) -> Option<Instant> {
        self.waiting().map(|due| due.deadline).min()
    }
}

/// A request that is queued or in flight.
#[derive(Debug)]
struct Due {
    /// Number of its frame, counted from 0.
    frame: u64,
    correlation_id: i32,
    deadline: Instant,
    timeout: Duration,
    reply: oneshot::Sender<Outcome>,
    _permit: OwnedSemaphorePermit,
}

impl Due {
    fn fail(self, frames_begun: u64, end: &Disconnect) {
        let error = if self.frame < frames_begun {
            RequestError::OutcomeUnknown(end.clone())
        } else {
            RequestError::NotSent(end.clone())
        };
        // Nobody waits any more if this fails.
        drop(self.reply.send(Err(error)));
    }
}

/// What the writer does next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Write what it took.
    Write,
    /// Wait, at most until the oldest request is overdue.
    Wait(Option<Instant>),
    /// Everything is written and no more will come.
    Finish,
    /// The connection has ended.
    Stop,
}

impl Exchange {
    /// Queues the frame that `encode` makes for a new correlation id. The order of calls is the
    /// order on the wire.
    pub(crate) fn submit(
        &self,
        is_answered: bool,
        timeout: Duration,
        permit: OwnedSemaphorePermit,
        encode: impl FnOnce(i32) -> Result<Pieces, EncodeError>,
    ) -> Result<oneshot::Receiver<Outcome>, RequestError> {
        let mut queues = self.queues.lock();
        if let Some(end) = &queues.end {
            return Err(RequestError::NotSent(end.clone()));
        }
        if queues.is_closing {
            return Err(RequestError::NotSent(Disconnect::Closed));
        }
        let correlation_id = queues.next_correlation_id;
        let pieces = encode(correlation_id)?;
        // Correlation ids are never negative; after the largest comes 0.
        queues.next_correlation_id = correlation_id.wrapping_add(1) & i32::MAX;
        let writer_sleeps = queues.outbox.is_empty();
        // All of the frame or nothing: half of one would spoil what follows.
        let pieces = pieces.into_iter().map(|piece| match piece {
            Piece::Bytes(bytes) => Ok(bytes),
            Piece::File(_) => Err(EncodeError::FileInMemory),
        });
        let pieces = pieces.collect::<Result<Vec<Bytes>, EncodeError>>()?;
        queues.outbox.extend(pieces);
        let (reply, outcome) = oneshot::channel();
        let frame = queues.frames_queued;
        let deadline = Instant::now() + timeout;
        let due = Due {
            frame,
            correlation_id,
            deadline,
            timeout,
            reply,
            _permit: permit,
        };
        queues.frames_queued += 1;
        if is_answered {
            queues.due.push_back(due);
        } else {
            queues.one_way.push_back(due);
        }
        drop(queues);
        if writer_sleeps {
            self.writable.notify_one();
        }
        Ok(outcome)
    }

    /// Moves everything that is queued into `pieces`, which is empty, and says what to do.
    pub(crate) fn take(&self, pieces: &mut Vec<Bytes>) -> Turn {
        let mut queues = self.queues.lock();
        if queues.end.is_some() {
            return Turn::Stop;
        }
        if !queues.outbox.is_empty() {
            std::mem::swap(&mut queues.outbox, pieces);
            queues.frames_begun = queues.frames_queued;
            return Turn::Write;
        }
        if queues.is_closing && queues.due.is_empty() {
            return Turn::Finish;
        }
        Turn::Wait(queues.first_deadline())
    }

    /// Everything taken so far is with the kernel: requests without an answer are done.
    pub(crate) fn written(&self) {
        let mut queues = self.queues.lock();
        while queues
            .one_way
            .front()
            .is_some_and(|due| due.frame < queues.frames_begun)
        {
            if let Some(due) = queues.one_way.pop_front() {
                drop(due.reply.send(Ok(Bytes::new())));
            }
        }
    }

    /// When the first request is overdue.
    pub(crate) fn first_deadline(&self) -> Option<Instant> {
        self.queues.lock().first_deadline()
    }

    /// The timeout of a request that is overdue, if one is.
    pub(crate) fn overdue(&self, now: Instant) -> Option<Duration> {
        let queues = self.queues.lock();
        queues
            .waiting()
            .find(|due| due.deadline <= now)
            .map(|due| due.timeout)
    }

    /// Hands a response frame to the request whose turn it is.
    pub(crate) fn answer(&self, frame: Bytes) -> Result<(), Disconnect> {
        let Some(found) = frame.first_chunk().map(|id| i32::from_be_bytes(*id)) else {
            return Err(Disconnect::BadFrame {
                reason: "it has no correlation id".into(),
            });
        };
        let mut queues = self.queues.lock();
        let expected = queues.due.front().map(|due| due.correlation_id);
        if let Some(expected) = expected.filter(|&expected| expected != found) {
            return Err(Disconnect::OutOfOrder { expected, found });
        }
        let due = queues.due.pop_front().ok_or(Disconnect::Unasked)?;
        let is_last = queues.is_closing && queues.due.is_empty();
        drop(queues);
        drop(due.reply.send(Ok(frame)));
        if is_last {
            self.writable.notify_one();
        }
        Ok(())
    }

    /// Takes no more requests; the writer finishes when all are answered.
    pub(crate) fn close(&self) {
        self.queues.lock().is_closing = true;
        self.writable.notify_one();
    }

    /// Ends the connection: every request that waits gets its error. The first cause counts.
    pub(crate) fn end(&self, cause: Disconnect) {
        let mut queues = self.queues.lock();
        let end = queues.end.get_or_insert(cause).clone();
        let frames_begun = queues.frames_begun;
        let failed: Vec<Due> = {
            let Queues { due, one_way, .. } = &mut *queues;
            due.drain(..).chain(one_way.drain(..)).collect()
        };
        queues.outbox = Vec::new();
        drop(queues);
        for due in failed {
            due.fail(frames_begun, &end);
        }
        self.writable.notify_one();
        self.ended.notify_one();
    }

    /// Why the connection ended, if it has.
    pub(crate) fn cause_of_end(&self) -> Option<Disconnect> {
        self.queues.lock().end.clone()
    }

    /// True while requests are taken.
    pub(crate) fn is_open(&self) -> bool {
        let queues = self.queues.lock();
        queues.end.is_none() && !queues.is_closing
    }
}
