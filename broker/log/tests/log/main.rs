//! The partition log on real files: what it promises to those who write, read and open it again.
#![expect(clippy::unwrap_used, reason = "a failing set-up is a failing test")]

mod append_and_read;
mod support;
