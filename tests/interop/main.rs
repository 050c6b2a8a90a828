//! Foreign clients, unchanged, against our brokers.
#![forbid(unsafe_code)]

mod kcat;
mod python;
