//! Settings of a connection.

use std::net::IpAddr;
use std::time::Duration;

use barnabas_wire::Str;

/// Settings of one connection.
#[derive(Clone, Debug)]
pub struct Options {
    /// How the client names itself in every request: `client.id`.
    pub client_id: Str,
    /// Longest time for resolving the name, connecting and agreeing on versions.
    pub connect_timeout: Duration,
    /// Longest time until a request is answered, from when it was queued: `request.timeout.ms`.
    /// A request that takes longer ends the connection, since answers come in order.
    pub request_timeout: Duration,
    /// Largest response frame that is accepted, in bytes. A larger one ends the connection.
    pub response_max_bytes: usize,
    /// Most requests that may wait for an answer, the queued ones included.
    pub in_flight_max: usize,
    /// Address to connect from; the system chooses if there is none.
    pub source_address: Option<IpAddr>,
    /// `SO_SNDBUF`, in bytes; the system's default if there is none: `send.buffer.bytes`.
    pub send_buffer_bytes: Option<u32>,
    /// `SO_RCVBUF`, in bytes; the system's default if there is none: `receive.buffer.bytes`.
    pub receive_buffer_bytes: Option<u32>,
    /// Whether to ask for the broker's versions first. Brokers among themselves use versions that
    /// are fixed by the inter-broker protocol and need not ask.
    pub ask_versions: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            client_id: Str::from_static("barnabas"),
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            response_max_bytes: 100 * 1024 * 1024,
            in_flight_max: 64,
            source_address: None,
            send_buffer_bytes: None,
            receive_buffer_bytes: None,
            ask_versions: true,
        }
    }
}
