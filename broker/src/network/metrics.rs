//! What the network layer counts. Handles are cheap clones; the registry keeps the names.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;

/// Counters of the network layer.
#[derive(Clone, Debug, Default)]
pub struct NetworkMetrics {
    /// Connections open now.
    pub connections_open: Gauge,
    /// Connections accepted since the start.
    pub connections_accepted: Counter,
    /// Connections closed at once because their address had too many.
    pub connections_refused: Counter,
    /// Connections closed because the peer broke the protocol: an impossible length, an unknown API, a
    /// frame that does not decode.
    pub protocol_errors: Counter,
    /// Connections closed because nothing moved for longer than a limit allows.
    pub connections_expired: Counter,
    /// Bytes of requests read, lengths included.
    pub bytes_received: Counter,
    /// Bytes of answers written, lengths included.
    pub bytes_sent: Counter,
}
