//! The partition log on real files: what it promises to those who write, read and open it again.
#![expect(clippy::indexing_slicing, reason = "a failing test may panic")]
#![expect(clippy::panic, reason = "a failing test may panic")]
#![expect(clippy::unwrap_used, reason = "a failing set-up is a failing test")]

mod append_and_read;
mod concurrency;
mod failing_disk;
mod model;
mod power_cut;
mod recovery;
mod rolling;
mod room;
mod sigbus;
mod support;
mod timestamp;
mod truncation;
