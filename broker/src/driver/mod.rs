//! Drivers: they wait, carry out what the pure machines decide, and decide nothing.

pub mod controller;
mod controller_channel;
pub(crate) mod session;
