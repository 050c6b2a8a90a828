//! The handle that callers hold.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use barnabas_wire::frame::encode_request;
use barnabas_wire::header::RequestHeader;
use barnabas_wire::{ApiKey, Message, Request, Str};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;

use crate::dial::dial;
use crate::error::{ConnectError, Disconnect, RequestError};
use crate::exchange::{Exchange, Outcome};
use crate::options::Options;
use crate::pending::{Pending, Written};
use crate::versions::{Answer, BrokerVersions};
use crate::{reader, versions, writer};

/// A connection to one broker. A clone is another handle on the same connection; when the last
/// one goes, the connection is closed at once.
#[derive(Clone, Debug)]
pub struct Connection {
    handle: Arc<Handle>,
}

#[derive(Debug)]
struct Handle {
    exchange: Arc<Exchange>,
    permits: Arc<Semaphore>,
    options: Options,
    versions: BrokerVersions,
    peer_address: SocketAddr,
    local_address: SocketAddr,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.exchange.end(Disconnect::Closed);
    }
}

impl Connection {
    /// Connects, and asks for the broker's versions unless the options say otherwise.
    ///
    /// # Errors
    /// Any [`ConnectError`]; all of it may take `connect_timeout`.
    pub async fn open(host: &str, port: u16, options: Options) -> Result<Self, ConnectError> {
        let after = options.connect_timeout;
        timeout(after, Self::open_at_leisure(host, port, options))
            .await
            .unwrap_or_else(|_elapsed| {
                Err(ConnectError::Timeout {
                    host: host.into(),
                    port,
                    after,
                })
            })
    }

    async fn open_at_leisure(
        host: &str,
        port: u16,
        options: Options,
    ) -> Result<Self, ConnectError> {
        let stream = dial(host, port, &options).await?;
        let lost = |source: std::io::Error| ConnectError::Handshake {
            host: host.into(),
            port,
            source: RequestError::NotSent(Disconnect::Io(Arc::new(source))),
        };
        let peer_address = stream.peer_addr().map_err(lost)?;
        let local_address = stream.local_addr().map_err(lost)?;
        let exchange = Arc::new(Exchange::default());
        let (read_half, write_half) = stream.into_split();
        tokio::spawn(writer::run(Arc::clone(&exchange), write_half));
        tokio::spawn(reader::run(
            Arc::clone(&exchange),
            read_half,
            options.response_max_bytes,
        ));
        let mut handle = Handle {
            exchange,
            permits: Arc::new(Semaphore::new(
                options.in_flight_max.min(Semaphore::MAX_PERMITS),
            )),
            options,
            versions: BrokerVersions::default(),
            peer_address,
            local_address,
        };
        if handle.options.ask_versions {
            handle.versions = handle.ask_versions(host, port).await?;
        }
        Ok(Self {
            handle: Arc::new(handle),
        })
    }

    /// The versions that the broker speaks; nothing if it was not asked.
    #[must_use]
    pub fn versions(&self) -> &BrokerVersions {
        &self.handle.versions
    }

    /// The highest version of an API that both sides speak.
    ///
    /// # Errors
    /// [`RequestError::NoCommonVersion`].
    pub fn version_of<R: Message>(&self) -> Result<i16, RequestError> {
        let ours = R::API.row().codec;
        let common = self.handle.versions.common(R::API, ours);
        common.ok_or(RequestError::NoCommonVersion { api: R::API })
    }

    /// The broker's address.
    #[must_use]
    pub fn peer_address(&self) -> SocketAddr {
        self.handle.peer_address
    }

    /// The address on this side.
    #[must_use]
    pub fn local_address(&self) -> SocketAddr {
        self.handle.local_address
    }

    /// False once the connection has ended or is being closed.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.handle.exchange.is_open()
    }

    /// Why the connection ended; none while it has not.
    #[must_use]
    pub fn cause_of_end(&self) -> Option<Disconnect> {
        self.handle.exchange.cause_of_end()
    }

    /// Sends a request at the highest common version and waits for its answer. Waits for its turn
    /// first if too many requests are in flight.
    ///
    /// Dropped before its turn has come, nothing is sent; after that the request is out.
    ///
    /// # Errors
    /// Any [`RequestError`] but [`RequestError::TooManyInFlight`].
    pub async fn call<R: Request>(&self, request: &R) -> Result<R::Response, RequestError> {
        let api_version = self.version_of::<R>()?;
        self.call_at(request, api_version, self.handle.options.request_timeout)
            .await
    }

    /// As [`Connection::call`], at a version and with a timeout of the caller's choice.
    ///
    /// # Errors
    /// As [`Connection::call`].
    pub async fn call_at<R: Request>(
        &self,
        request: &R,
        api_version: i16,
        timeout: Duration,
    ) -> Result<R::Response, RequestError> {
        let closed = || RequestError::NotSent(Disconnect::Closed);
        let permit = Arc::clone(&self.handle.permits).acquire_owned().await;
        let permit = permit.ok().ok_or_else(closed)?;
        self.handle
            .submit(request, api_version, timeout, permit)?
            .await
    }

    /// Queues a request and returns at once. Requests go out in the order of these calls.
    ///
    /// # Errors
    /// [`RequestError::TooManyInFlight`], [`RequestError::Encode`] and [`RequestError::NotSent`].
    pub fn submit<R: Request>(
        &self,
        request: &R,
        api_version: i16,
        timeout: Duration,
    ) -> Result<Pending<R::Response>, RequestError> {
        self.handle
            .submit(request, api_version, timeout, self.handle.try_permit()?)
    }

    /// Queues a request that the broker does not answer (Produce with acks=0).
    ///
    /// # Errors
    /// As [`Connection::submit`].
    pub fn submit_one_way<R: Request>(
        &self,
        request: &R,
        api_version: i16,
    ) -> Result<Written, RequestError> {
        let permit = self.handle.try_permit()?;
        let timeout = self.handle.options.request_timeout;
        self.handle
            .queue(request, api_version, timeout, permit, false)
            .map(Written::new)
    }

    /// Takes no more requests, waits for the answers that are due, and closes.
    pub async fn close(self) {
        self.handle.exchange.close();
        // The permits of all requests are back once the last one has its answer or its error.
        let all = u32::try_from(self.handle.options.in_flight_max).unwrap_or(u32::MAX);
        drop(self.handle.permits.acquire_many(all).await);
    }
}

impl Handle {
    fn try_permit(&self) -> Result<OwnedSemaphorePermit, RequestError> {
        let in_flight_max = self.options.in_flight_max;
        let permit = Arc::clone(&self.permits).try_acquire_owned();
        permit.ok().ok_or_else(|| {
            // Closing holds permits back; that is not the same as being busy.
            if self.exchange.is_open() {
                RequestError::TooManyInFlight { in_flight_max }
            } else {
                let cause = self.exchange.cause_of_end().unwrap_or(Disconnect::Closed);
                RequestError::NotSent(cause)
            }
        })
    }

    async fn ask_versions(&self, host: &str, port: u16) -> Result<BrokerVersions, ConnectError> {
        let (request, mut api_version) = versions::question();
        let failed = |source| ConnectError::Handshake {
            host: host.into(),
            port,
            source,
        };
        loop {
            let after = self.options.request_timeout;
            let permit = self.try_permit().map_err(failed)?;
            let queued = self
                .queue(&request, api_version, after, permit, true)
                .map_err(failed)?;
            // The sender goes only with the runtime.
            let closed = |_gone| Err(RequestError::OutcomeUnknown(Disconnect::Closed));
            let frame = queued.await.unwrap_or_else(closed).map_err(failed)?;
            let unreadable = |source| RequestError::Decode {
                api: ApiKey::ApiVersions,
                source,
            };
            let answer = versions::read_answer(&frame, api_version).map_err(unreadable);
            match answer.map_err(failed)? {
                Answer::Versions(versions) => return Ok(versions),
                Answer::AskAt(older_version) => api_version = older_version,
                Answer::Refused(code) => {
                    return Err(ConnectError::VersionsRefused {
                        host: host.into(),
                        port,
                        code,
                    });
                }
            }
        }
    }

    fn submit<R: Request>(
        &self,
        request: &R,
        api_version: i16,
        timeout: Duration,
        permit: OwnedSemaphorePermit,
    ) -> Result<Pending<R::Response>, RequestError> {
        let outcome = self.queue(request, api_version, timeout, permit, true)?;
        Ok(Pending::new(outcome, api_version))
    }

    fn queue<R: Request>(
        &self,
        request: &R,
        api_version: i16,
        timeout: Duration,
        permit: OwnedSemaphorePermit,
        is_answered: bool,
    ) -> Result<oneshot::Receiver<Outcome>, RequestError> {
        let client_id: Option<Str> = Some(self.options.client_id.clone());
        self.exchange
            .submit(is_answered, timeout, permit, |correlation_id| {
                let header = RequestHeader {
                    api: R::API,
                    api_version,
                    correlation_id,
                    client_id,
                };
                encode_request(&header, request)
            })
    }
}
