//! A listening socket and the connections that came in through it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tracing::{debug, warn};

use super::admission::{Admission, Admitted};
use super::answer::{Peer, Service};
use super::budget::Budget;
use super::connection::{Connection, Shared, stopped};
use super::limits::Limits;
use super::metrics::NetworkMetrics;

/// Connections that may wait in the kernel for being accepted.
const BACKLOG: i32 = 1024;

/// Rest after a failed accept (out of file descriptors, say), so that it is not tried in a hot loop.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// Time between two lines of the log about accepts that fail.
const TELL_AGAIN: Duration = Duration::from_secs(10);

/// A peer that vanished without a word is found out after this much silence.
const KEEPALIVE_TIME: Duration = Duration::from_secs(120);

/// Where a listener listens, and how.
#[derive(Clone, Debug)]
pub struct ListenerSettings {
    /// Its name, as in `listeners`.
    pub name: String,
    /// Host to bind; empty means every address of the machine.
    pub host: String,
    /// Port to bind; 0 takes a free one.
    pub port: u16,
    /// `socket.send.buffer.bytes`; None leaves it to the system.
    pub send_buffer_bytes: Option<usize>,
    /// `socket.receive.buffer.bytes`; None leaves it to the system.
    pub receive_buffer_bytes: Option<usize>,
    /// Whether this listener may pass `max.connections`, because brokers talk through it.
    pub is_between_brokers: bool,
}

/// A listener cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The host has no address.
    #[error("listener {listener}: the host {host:?} cannot be resolved")]
    Resolve {
        /// Name of the listener.
        listener: String,
        /// Its host.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// The address cannot be bound.
    #[error("listener {listener}: {address} cannot be bound; is another program listening there?")]
    Bind {
        /// Name of the listener.
        listener: String,
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// What every listener of a broker shares.
#[derive(Clone, Debug)]
pub struct Gate {
    /// Limits of each connection.
    pub limits: Limits,
    /// Limits on the number of connections.
    pub admission: Arc<Admission>,
    /// Limit on the bytes of requests in memory.
    pub budget: Arc<Budget>,
    /// What is counted.
    pub metrics: NetworkMetrics,
}

/// A bound socket. Peers can connect from now on, but are served only by [`Listener::serve`].
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    name: Arc<str>,
    settings: ListenerSettings,
}

impl Listener {
    /// Binds the listener's socket.
    ///
    /// # Errors
    /// [`BindError`] when the host has no address or the address cannot be bound.
    pub async fn bind(settings: ListenerSettings) -> Result<Self, BindError> {
        let mut last = None;
        for address in addresses(&settings).await? {
            match bind(&settings, address) {
                Ok(socket) => {
                    return Ok(Self {
                        socket,
                        name: settings.name.as_str().into(),
                        settings,
                    });
                }
                Err(source) => {
                    let listener = settings.name.clone();
                    last = Some(BindError::Bind {
                        listener,
                        address,
                        source,
                    });
                }
            }
        }
        Err(last.unwrap_or_else(|| BindError::Resolve {
            listener: settings.name.clone(),
            host: settings.host.clone(),
            source: io::ErrorKind::NotFound.into(),
        }))
    }

    /// The address it is bound to, with the real port.
    ///
    /// # Errors
    /// What the system says when it does not know.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Accepts and serves connections until `stopping` turns true, then lets each connection finish the
    /// requests it has begun.
    pub async fn serve<S: Service>(
        self,
        gate: Gate,
        service: Arc<S>,
        stopping: watch::Receiver<bool>,
    ) {
        let mut until = stopping.clone();
        let Gate {
            limits,
            admission,
            budget,
            metrics,
        } = gate;
        let shared = Arc::new(Shared {
            service,
            limits,
            budget,
            metrics,
        });
        let mut connections = JoinSet::new();
        let mut told = None;
        loop {
            let accepted = async {
                if !self.settings.is_between_brokers {
                    admission.room().await;
                }
                self.socket.accept().await
            };
            tokio::select! {
                biased;
                () = stopped(&mut until) => break,
                Some(_ended) = connections.join_next() => {}
                accepted = accepted => match accepted {
                    Ok((stream, address)) => {
                        let Some(admitted) = self.admit(&admission, &shared.metrics, address) else {
                            continue;
                        };
                        let stopping = stopping.clone();
                        let connection = self.connection(stream, address, &shared, stopping);
                        connections.spawn(run(connection, admitted));
                    }
                    Err(error) => {
                        if told.is_none_or(|told: Instant| told.elapsed() >= TELL_AGAIN) {
                            warn!(listener = %self.name, %error, "could not accept a connection");
                            told = Some(Instant::now());
                        }
                        sleep(ACCEPT_REST).await;
                    }
                },
            }
        }
        while connections.join_next().await.is_some() {}
    }

    fn admit(
        &self,
        admission: &Arc<Admission>,
        metrics: &NetworkMetrics,
        address: SocketAddr,
    ) -> Option<Admitted> {
        match admission.admit(address.ip()) {
            Ok(admitted) => {
                metrics.connections_accepted.inc();
                Some(admitted)
            }
            Err(error) => {
                debug!(listener = %self.name, %error, "refused a connection");
                metrics.connections_refused.inc();
                None
            }
        }
    }

    fn connection<S: Service>(
        &self,
        stream: TcpStream,
        address: SocketAddr,
        shared: &Arc<Shared<S>>,
        stopping: watch::Receiver<bool>,
    ) -> Connection<S> {
        if let Err(error) = self.tune(&stream) {
            debug!(peer = %address, %error, "could not set an option of a socket");
        }
        let peer = Peer {
            address,
            listener: Arc::clone(&self.name),
        };
        Connection::new(stream, peer, Arc::clone(shared), stopping)
    }

    fn tune(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        SockRef::from(stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE_TIME))
    }
}

async fn run<S: Service>(connection: Connection<S>, admitted: Admitted) {
    connection.run().await;
    drop(admitted);
}

async fn addresses(settings: &ListenerSettings) -> Result<Vec<SocketAddr>, BindError> {
    if settings.host.is_empty() {
        // Both families where the machine has IPv6, else IPv4 alone.
        return Ok(vec![
            (std::net::Ipv6Addr::UNSPECIFIED, settings.port).into(),
            (std::net::Ipv4Addr::UNSPECIFIED, settings.port).into(),
        ]);
    }
    let host = settings.host.trim_start_matches('[').trim_end_matches(']');
    match tokio::net::lookup_host((host, settings.port)).await {
        Ok(found) => Ok(found.collect()),
        Err(source) => Err(BindError::Resolve {
            listener: settings.name.clone(),
            host: settings.host.clone(),
            source,
        }),
    }
}

fn bind(settings: &ListenerSettings, address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        socket.set_only_v6(false)?;
    }
    // Before listening: accepted sockets inherit the sizes, and the window scale is fixed by then.
    if let Some(bytes) = settings.send_buffer_bytes {
        socket.set_send_buffer_size(bytes)?;
    }
    if let Some(bytes) = settings.receive_buffer_bytes {
        socket.set_recv_buffer_size(bytes)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}
