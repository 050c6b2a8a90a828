//! The broker: network, request handlers, and the drivers of the pure machines.
#![forbid(unsafe_code)]

pub mod network;
