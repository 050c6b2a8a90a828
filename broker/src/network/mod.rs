//! Listeners and connections: frames in, answers out, in order and within limits.
//!
//! What a frame means is a [`Service`]'s business; nothing here knows an API. One task serves one
//! connection:
//!
//! ```text
//!  socket --> FrameReader --> Service::begin --> queue of answers --> Writer --> socket
//!             (size limits)   (in order)         (in order; at most   (writev, sendfile)
//!                                                 REQUESTS_IN_FLIGHT_MAX)
//! ```
//!
//! A request is begun as soon as it is whole, also while an earlier one of the same connection still
//! waits for its answer (acks=all, long poll); only the answers keep the order.

mod admission;
mod answer;
mod budget;
mod connection;
mod frame;
mod limits;
mod listener;
mod metrics;
mod writer;

pub use admission::{Admission, Admitted, TooManyFromOneAddress};
pub use answer::{Begun, Peer, Service};
pub use budget::{Budget, Share};
pub use limits::{Limits, REQUESTS_IN_FLIGHT_MAX};
pub use listener::{BindError, Gate, Listener, ListenerSettings};
pub use metrics::NetworkMetrics;

#[cfg(test)]
mod tests;
