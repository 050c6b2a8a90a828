//! How a handler answers: at once, later, or not at all.

use std::future::Future;

use tokio::sync::oneshot;

/// What a handler hands back for one request.
///
/// A handler runs on the thread that reads the connection. It must not block there: what may wait for a
/// disk, a peer or ZooKeeper goes through [`Outcome::blocking`], [`Outcome::spawn`] or [`later`].
#[derive(Debug)]
pub enum Outcome<R> {
    /// The answer.
    Done(R),
    /// The answer comes later, from wherever the [`Promise`] went. Requests behind this one on the same
    /// connection are begun meanwhile.
    Later(Pending<R>),
    /// Done, and the protocol has no answer (a produce with acks=0).
    Silent,
    /// Nothing can be said but by closing the connection (a failed produce with acks=0).
    Disconnect,
}

/// The handler's end of an answer that comes later.
#[derive(Debug)]
pub struct Promise<R>(oneshot::Sender<R>);

/// The connection's end of an answer that comes later.
#[derive(Debug)]
pub struct Pending<R>(oneshot::Receiver<R>);

/// An answer that comes later: keep the promise, return the other half as [`Outcome::Later`].
#[must_use]
pub fn later<R>() -> (Promise<R>, Pending<R>) {
    let (promise, pending) = oneshot::channel();
    (Promise(promise), Pending(pending))
}

impl<R> Promise<R> {
    /// Answers. Nothing happens if the connection has gone meanwhile. A promise that is dropped instead
    /// closes the connection: a peer is never left waiting.
    pub fn keep(self, answer: R) {
        // A peer that has gone needs no answer.
        drop(self.0.send(answer));
    }

    /// Whether the connection has gone, so that nobody needs the answer.
    #[must_use]
    pub fn is_forgotten(&self) -> bool {
        self.0.is_closed()
    }
}

impl<R> Pending<R> {
    /// The answer, or None if the promise was dropped.
    pub async fn answer(self) -> Option<R> {
        self.0.await.ok()
    }
}

impl<R: Send + 'static> Outcome<R> {
    /// Runs `work` as a task of its own, and answers with what it comes to.
    pub fn spawn(work: impl Future<Output = R> + Send + 'static) -> Self {
        let (promise, pending) = later();
        tokio::spawn(async move { promise.keep(work.await) });
        Self::Later(pending)
    }

    /// Runs `work` on a thread that may block, and answers with what it comes to.
    pub fn blocking(work: impl FnOnce() -> R + Send + 'static) -> Self {
        let (promise, pending) = later();
        tokio::task::spawn_blocking(move || promise.keep(work()));
        Self::Later(pending)
    }
}

impl<R> From<R> for Outcome<R> {
    fn from(answer: R) -> Self {
        Self::Done(answer)
    }
}
