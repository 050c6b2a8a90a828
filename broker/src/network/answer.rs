//! What a connection asks of the broker, and what it gets back.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use barnabas_wire::Pieces;
use bytes::Bytes;

/// Who is at the other end of a connection, and where it came in.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The peer's address.
    pub address: SocketAddr,
    /// Name of the listener it connected to.
    pub listener: Arc<str>,
}

/// Turns a frame into an answer.
pub trait Service: Send + Sync + 'static {
    /// Begins the request in `frame` (without the frame's length). Called in the order of arrival, on
    /// the thread that reads the connection: it must not block.
    fn begin(&self, peer: &Peer, frame: Bytes) -> Begun;
}

/// The state of a request that was just begun.
pub enum Begun {
    /// Done; this is the answer, its four bytes of length included.
    Answered(Pieces),
    /// The answer comes later. Polled only when it is this request's turn to answer, so the work itself
    /// must go on elsewhere. `None` closes the connection.
    Waiting(Pin<Box<dyn Future<Output = Option<Pieces>> + Send>>),
    /// Done, and the protocol has no answer to it (a produce with acks=0).
    Silent,
    /// The peer broke the protocol, or has to be told of a failure by a closed connection. Earlier
    /// requests are still answered, then the connection closes.
    Refused,
}

impl std::fmt::Debug for Begun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Answered(_) => "Answered",
            Self::Waiting(_) => "Waiting",
            Self::Silent => "Silent",
            Self::Refused => "Refused",
        })
    }
}
