//! One connection: reads frames, begins requests in order, writes answers in order.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use barnabas_wire::Pieces;
use bytes::Bytes;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until};
use tracing::debug;

use super::answer::{Begun, Peer, Service};
use super::budget::{Budget, Share};
use super::frame::{FrameError, FrameReader};
use super::limits::{Limits, REQUESTS_IN_FLIGHT_MAX};
use super::metrics::NetworkMetrics;
use super::writer::Writer;

/// Bytes a second at which a frame has to come at least, on average.
const FRAME_RATE_MIN: u64 = 1024;

/// What all connections of a listener share.
#[derive(Debug)]
pub(crate) struct Shared<S> {
    pub(crate) service: Arc<S>,
    pub(crate) limits: Limits,
    pub(crate) budget: Arc<Budget>,
    pub(crate) metrics: NetworkMetrics,
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ended {
    #[error("the peer closed the connection")]
    ByPeer,
    #[error("the broker stops")]
    Stopping,
    #[error("a request was answered by closing the connection")]
    Refused,
    #[error("nothing moved for longer than a limit allows")]
    Expired,
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error("reading or writing failed")]
    Io(#[from] io::Error),
}

enum Slot {
    Answered(Pieces),
    Waiting(Pin<Box<dyn Future<Output = Option<Pieces>> + Send>>, Share),
}

pub(crate) struct Connection<S> {
    stream: TcpStream,
    peer: Peer,
    shared: Arc<Shared<S>>,
    stopping: watch::Receiver<bool>,
    frames: FrameReader,
    /// The share of the frame at the front, once its length is known.
    share: Option<Share>,
    /// Size of the frame at the front while the budget has nothing left for it.
    starved: Option<usize>,
    answers: VecDeque<Slot>,
    writer: Writer,
    /// False once no more requests are begun: the answers that are due are the last.
    reading: bool,
    ending: Ended,
    moved: Instant,
    /// Since when the frame at the front has been incomplete.
    partial_since: Option<Instant>,
    tick: Pin<Box<Sleep>>,
}

impl<S: Service> Connection<S> {
    pub(crate) fn new(
        stream: TcpStream,
        peer: Peer,
        shared: Arc<Shared<S>>,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let now = Instant::now();
        let tick = Box::pin(sleep_until(now + shared.limits.buffer_keep));
        Self {
            frames: FrameReader::new(shared.limits.frame_size_max),
            writer: Writer::new(shared.limits.write_stall_max),
            stream,
            peer,
            shared,
            stopping,
            share: None,
            starved: None,
            answers: VecDeque::new(),
            reading: true,
            ending: Ended::Stopping,
            moved: now,
            partial_since: None,
            tick,
        }
    }

    /// Serves the connection until it ends.
    pub(crate) async fn run(mut self) -> Ended {
        self.shared.metrics.connections_open.inc();
        let ended = self.serve().await.unwrap_or_else(|ended| ended);
        let metrics = &self.shared.metrics;
        metrics.connections_open.dec();
        match &ended {
            Ended::Frame(_) | Ended::Refused => metrics.protocol_errors.inc(),
            Ended::Expired => metrics.connections_expired.inc(),
            Ended::ByPeer | Ended::Stopping | Ended::Io(_) => 0,
        };
        debug!(peer = %self.peer.address, listener = %self.peer.listener, why = %ended, "closed a connection");
        ended
    }

    async fn serve(&mut self) -> Result<Ended, Ended> {
        loop {
            if let Err(error) = self.begin_requests() {
                // What was asked before is still answered.
                self.stop(error.into());
            }
            self.take_answers();
            if !self.writer.is_empty() {
                let written = self.writer.write_all(&self.stream).await?;
                self.shared.metrics.bytes_sent.inc_by(written);
                self.moved = Instant::now();
            } else if !self.reading && self.answers.is_empty() {
                return Ok(std::mem::replace(&mut self.ending, Ended::Stopping));
            } else {
                self.wait().await?;
            }
        }
    }

    /// Begins every request that is whole, as far as the limits allow.
    fn begin_requests(&mut self) -> Result<(), FrameError> {
        while self.reading && self.answers.len() < REQUESTS_IN_FLIGHT_MAX {
            let Some(size) = self.frames.front_size()? else {
                return Ok(());
            };
            let share = self
                .share
                .take()
                .or_else(|| self.shared.budget.try_take(size));
            self.starved = share.is_none().then_some(size);
            let Some(share) = share else { return Ok(()) };
            let Some(frame) = self.frames.next()? else {
                self.share = Some(share);
                return Ok(());
            };
            self.partial_since = self.frames.is_partial().then_some(self.moved);
            self.begin(frame, share);
        }
        Ok(())
    }

    fn begin(&mut self, frame: Bytes, share: Share) {
        match self.shared.service.begin(&self.peer, frame) {
            Begun::Answered(answer) => self.answers.push_back(Slot::Answered(answer)),
            Begun::Waiting(answer) => self.answers.push_back(Slot::Waiting(answer, share)),
            Begun::Silent => {}
            Begun::Refused => self.stop(Ended::Refused),
        }
    }

    fn stop(&mut self, why: Ended) {
        if self.reading {
            self.reading = false;
            self.ending = why;
        }
    }

    /// Moves the answers whose turn it is to the writer.
    fn take_answers(&mut self) {
        while let Some(Slot::Answered(_)) = self.answers.front() {
            if let Some(Slot::Answered(answer)) = self.answers.pop_front() {
                self.writer.push(answer);
            }
        }
    }

    /// Waits until something can be done.
    async fn wait(&mut self) -> Result<(), Ended> {
        let room = self.reading && self.answers.len() < REQUESTS_IN_FLIGHT_MAX;
        let answers = &mut self.answers;
        let starved = self.starved;
        tokio::select! {
            biased;
            answer = next_answer(answers), if !answers.is_empty() => {
                match answer {
                    Some(answer) => *front(answers)? = Slot::Answered(answer),
                    None => return Err(Ended::Refused),
                }
            }
            () = stopped(&mut self.stopping), if self.reading => self.stop(Ended::Stopping),
            share = self.shared.budget.take(starved.unwrap_or(0)), if room && starved.is_some() => {
                self.share = Some(share);
            }
            readable = self.stream.readable(), if room && starved.is_none() => {
                readable?;
                self.read()?;
            }
            () = &mut self.tick => self.look_at_the_clock()?,
        }
        Ok(())
    }

    fn read(&mut self) -> Result<(), Ended> {
        match self.stream.try_read_buf(self.frames.room()?) {
            Ok(0) => Err(Ended::ByPeer),
            Ok(size) => {
                self.shared.metrics.bytes_received.inc_by(size as u64);
                self.moved = Instant::now();
                self.partial_since.get_or_insert(self.moved);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the frame at the front stands still, or comes so slowly that it is meant to hold a
    /// connection and nothing else.
    fn is_stalled(&self, now: Instant) -> bool {
        let Some(since) = self.partial_since.filter(|_| self.frames.is_partial()) else {
            return false;
        };
        let stall_max = self.shared.limits.frame_stall_max;
        let slowest = Duration::from_secs(self.frames.received() as u64 / FRAME_RATE_MIN);
        now.saturating_duration_since(self.moved) >= stall_max
            || now.saturating_duration_since(since) >= stall_max + slowest
    }

    fn look_at_the_clock(&mut self) -> Result<(), Ended> {
        let limits = &self.shared.limits;
        let now = Instant::now();
        let still = now.saturating_duration_since(self.moved);
        if self.answers.is_empty() && self.is_stalled(now) {
            return Err(Ended::Expired);
        }
        if self.answers.is_empty() && still >= limits.idle_max {
            return Err(Ended::Expired);
        }
        if still >= limits.buffer_keep {
            self.frames.release();
            self.writer.release();
            self.answers.shrink_to_fit();
        }
        let next = [limits.buffer_keep, limits.frame_stall_max, limits.idle_max]
            .into_iter()
            .filter(|limit| *limit > still)
            .min()
            .unwrap_or(limits.buffer_keep);
        let wake = (self.moved + next).max(now + limits.buffer_keep.min(next));
        self.tick.as_mut().reset(wake);
        Ok(())
    }
}

/// Waits until the broker stops, or has gone.
pub(crate) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    drop(stopping.wait_for(|stopping| *stopping).await);
}

fn front(answers: &mut VecDeque<Slot>) -> Result<&mut Slot, Ended> {
    answers.front_mut().ok_or(Ended::Refused)
}

/// The answer whose turn it is. Cancel safe: a future that was polled stays in its slot.
async fn next_answer(answers: &mut VecDeque<Slot>) -> Option<Pieces> {
    match answers.front_mut() {
        Some(Slot::Waiting(answer, _share)) => poll_fn(|cx| answer.as_mut().poll(cx)).await,
        // Answered ones have been taken before anyone waits.
        Some(Slot::Answered(_)) | None => std::future::pending().await,
    }
}
