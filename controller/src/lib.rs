//! The controller as a pure state machine: no tokio, no sockets, no clock.
#![forbid(unsafe_code)]
