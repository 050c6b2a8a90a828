//! The limits of one connection.

use std::time::Duration;

/// How many requests of one connection may be begun and not yet answered. The next is read from the
/// socket only when one of them is answered. Kafka allows one; five is the most an idempotent producer
/// sends.
pub const REQUESTS_IN_FLIGHT_MAX: usize = 64;

/// What one connection may cost.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Largest frame in bytes, without its four bytes of length (`socket.request.max.bytes`).
    pub frame_size_max: usize,
    /// A connection on which nothing happened for so long is closed (`connections.max.idle.ms`).
    pub idle_max: Duration,
    /// A frame that was begun and of which nothing more came for so long closes the connection; so does
    /// one that takes longer than this and comes at less than 1 KiB a second.
    pub frame_stall_max: Duration,
    /// A peer that takes nothing of its answers for so long is closed.
    pub write_stall_max: Duration,
    /// Buffers of a connection that was idle for so long are given back to the allocator.
    pub buffer_keep: Duration,
}

impl Limits {
    /// Kafka's defaults for what has a setting: 100 MiB frames, ten minutes of idleness.
    #[must_use]
    pub const fn kafka_defaults() -> Self {
        Self {
            frame_size_max: 100 * 1024 * 1024,
            idle_max: Duration::from_secs(600),
            frame_stall_max: Duration::from_secs(30),
            write_stall_max: Duration::from_secs(30),
            buffer_keep: Duration::from_secs(2),
        }
    }
}
