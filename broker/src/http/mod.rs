//! The small web server: `/metrics`, `/healthz`, `/readyz`, and nothing else.
//!
//! One GET per connection, no keep-alive, everything bounded: [`CONNECTIONS_MAX`] connections,
//! [`HEAD_MAX_BYTES`] of request, [`REQUEST_TIMEOUT`] for all of it. A peer that does not keep to
//! that is cut off; the broker's other work never waits for this one.

mod request;

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, lookup_host};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tracing::debug;

use self::request::{Parsed, Path};
use crate::health::Health;
use crate::metrics::Metrics;

/// Connections served at once; one more is closed as it comes.
pub const CONNECTIONS_MAX: usize = 16;
/// Bytes of a request's head; a longer one is answered with 431.
pub const HEAD_MAX_BYTES: usize = 8192;
/// Time for reading the request and writing the answer together.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause after accepting has failed, for want of file descriptors usually.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why the web server cannot listen.
#[derive(Debug, thiserror::Error)]
#[error(
    "metrics.listeners: cannot listen on {host}:{port}: {source}; choose another address, or \
         set it to [] for none"
)]
pub struct BindError {
    host: String,
    port: u16,
    source: io::Error,
}

/// A bound web server.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    metrics: Arc<Metrics>,
    health: Arc<Health>,
    connections: Semaphore,
}

impl Server {
    /// Listens on `host:port`; an empty host is every address, port 0 any free one.
    ///
    /// # Errors
    /// [`BindError`] with what the system says.
    pub async fn bind(
        host: &str,
        port: u16,
        metrics: Arc<Metrics>,
        health: Arc<Health>,
    ) -> Result<Self, BindError> {
        let bound = match host {
            "" => Self::bind_every_address(port).await,
            host => Self::bind_name(host, port).await,
        };
        let listener = bound.map_err(|source| BindError {
            host: host.to_owned(),
            port,
            source,
        })?;
        let connections = Semaphore::new(CONNECTIONS_MAX);
        Ok(Self {
            listener,
            state: Arc::new(State {
                metrics,
                health,
                connections,
            }),
        })
    }

    /// IPv6 and IPv4 together, or IPv4 alone where the system has no IPv6.
    async fn bind_every_address(port: u16) -> io::Result<TcpListener> {
        match TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).await {
            Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
                TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await
            }
            bound => bound,
        }
    }

    async fn bind_name(host: &str, port: u16) -> io::Result<TcpListener> {
        let addresses: Vec<SocketAddr> = lookup_host((host, port)).await?.collect();
        TcpListener::bind(addresses.as_slice()).await
    }

    /// Where it listens.
    ///
    /// # Errors
    /// What the system says.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` is there; connections in work go on for at most [`REQUEST_TIMEOUT`].
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => return,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => self.serve(stream, peer),
                    Err(error) => {
                        debug!(%error, "web server cannot accept");
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
    }

    fn serve(&self, mut stream: TcpStream, peer: SocketAddr) {
        let state = Arc::clone(&self.state);
        tokio::spawn(async move {
            let Ok(_permit) = state.connections.try_acquire() else {
                debug!(%peer, "web connection closed: too many");
                return;
            };
            match timeout(REQUEST_TIMEOUT, converse(&mut stream, &state)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => debug!(%peer, %error, "web connection broke"),
                Err(_) => debug!(%peer, "web connection closed: too slow"),
            }
        });
    }
}

/// Reads one request, writes its answer and says goodbye.
async fn converse(stream: &mut TcpStream, state: &State) -> io::Result<()> {
    let mut head = Vec::with_capacity(512);
    let parsed = loop {
        let parsed = request::parse(&head);
        if parsed != Parsed::More {
            break parsed;
        }
        let room = HEAD_MAX_BYTES.saturating_sub(head.len());
        if room == 0 {
            break Parsed::TooLong;
        }
        let mut bounded = (&mut *stream).take(u64::try_from(room).unwrap_or(u64::MAX));
        if bounded.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    };
    let answer = answer(&parsed, state);
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    // Until the peer has closed too, else unread input resets the connection and eats the answer.
    let mut rest = [0; 256];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

const TEXT: &str = "text/plain; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

fn answer(parsed: &Parsed, state: &State) -> String {
    match parsed {
        Parsed::Get(Path::Metrics, is_open_metrics) => {
            let kind = if *is_open_metrics {
                OPEN_METRICS
            } else {
                PROMETHEUS
            };
            match state.metrics.encode() {
                Ok(text) => page("200 OK", kind, &text),
                Err(error) => page("500 Internal Server Error", TEXT, &format!("{error}\n")),
            }
        }
        Parsed::Get(Path::Health, _) => page("200 OK", TEXT, "alive\n"),
        Parsed::Get(Path::Ready, _) => {
            let obstacles = state.health.obstacles();
            if obstacles.is_empty() {
                page("200 OK", TEXT, "ready\n")
            } else {
                let text = format!("not ready: {}\n", obstacles.join("; "));
                page("503 Service Unavailable", TEXT, &text)
            }
        }
        Parsed::Get(Path::Other, _) => page(
            "404 Not Found",
            TEXT,
            "there are /metrics, /healthz and /readyz\n",
        ),
        Parsed::NotGet => page("405 Method Not Allowed\r\nAllow: GET", TEXT, "only GET\n"),
        Parsed::TooLong => page(
            "431 Request Header Fields Too Large",
            TEXT,
            "the request is too long\n",
        ),
        Parsed::Garbage | Parsed::More => page("400 Bad Request", TEXT, "not an HTTP request\n"),
    }
}

fn page(status: &str, kind: &str, text: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\
         \r\n{text}",
        text.len()
    )
}

#[cfg(test)]
mod tests;
