//! A request on its way.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use barnabas_wire::header::ResponseHeader;
use barnabas_wire::{Message, Source};
use tokio::sync::oneshot;

use crate::error::{Disconnect, RequestError};
use crate::exchange::Outcome;

/// Resolves to the answer of a submitted request. Dropping it does not take the request back.
#[derive(Debug)]
#[must_use = "the answer says whether the request was carried out"]
pub struct Pending<R> {
    outcome: oneshot::Receiver<Outcome>,
    api_version: i16,
    response: PhantomData<fn() -> R>,
}

impl<R> Pending<R> {
    pub(crate) const fn new(outcome: oneshot::Receiver<Outcome>, api_version: i16) -> Self {
        Self {
            outcome,
            api_version,
            response: PhantomData,
        }
    }
}

impl<R: Message> Future for Pending<R> {
    type Output = Result<R, RequestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let frame = match ready!(poll_outcome(&mut self.outcome, cx)) {
            Ok(frame) => frame,
            Err(error) => return Poll::Ready(Err(error)),
        };
        let mut source = Source::new(&frame);
        let answer = ResponseHeader::decode(&mut source, R::API, self.api_version)
            .and_then(|_header| R::decode(&mut source, self.api_version));
        Poll::Ready(answer.map_err(|source| RequestError::Decode {
            api: R::API,
            source,
        }))
    }
}

/// Resolves when a request that has no answer is with the kernel. That says nothing about the
/// broker.
#[derive(Debug)]
#[must_use = "without waiting, nothing bounds what is queued"]
pub struct Written {
    outcome: oneshot::Receiver<Outcome>,
}

impl Written {
    pub(crate) const fn new(outcome: oneshot::Receiver<Outcome>) -> Self {
        Self { outcome }
    }
}

impl Future for Written {
    type Output = Result<(), RequestError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        poll_outcome(&mut self.outcome, cx).map(|outcome| outcome.map(|_nothing| ()))
    }
}

fn poll_outcome(outcome: &mut oneshot::Receiver<Outcome>, cx: &mut Context<'_>) -> Poll<Outcome> {
    // A sender that is gone means that the runtime took the tasks away; the request may be out.
    Pin::new(outcome)
        .poll(cx)
        .map(|received| received.unwrap_or(Err(RequestError::OutcomeUnknown(Disconnect::Closed))))
}
