//! Drivers: they wait, carry out what the pure machines decide, and decide nothing.

pub(crate) mod config_change;
pub mod controller;
mod controller_channel;
pub(crate) mod housekeeping;
pub(crate) mod session;
