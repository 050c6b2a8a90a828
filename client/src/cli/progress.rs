//! How far long work has come: a bar, on a terminal only.

use std::io::{self, IsTerminal as _};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::caller::Caller;

/// Redraws a second, at most.
const REDRAWS_A_SECOND: u8 = 5;

const BYTES: &str = "[{bar:30}] {bytes}/{total_bytes}  {bytes_per_sec}  eta {eta}";
const RECORDS: &str = "[{bar:30}] {human_pos}/{human_len}  {per_sec} records  eta {eta}";

/// A bar, or nothing where nobody looks.
#[derive(Clone, Debug)]
pub(crate) struct Progress(Option<ProgressBar>);

impl Progress {
    /// Of a file of this size.
    pub(crate) fn of_bytes(caller: &Caller, size: Option<u64>) -> Self {
        Self::new(caller, size, BYTES)
    }

    /// Of this many records.
    pub(crate) fn of_records(caller: &Caller, count: u64) -> Self {
        Self::new(caller, Some(count), RECORDS)
    }

    fn new(caller: &Caller, length: Option<u64>, template: &str) -> Self {
        let is_seen = io::stderr().is_terminal() && !caller.is_quiet();
        let (Some(length), true, Ok(style)) =
            (length, is_seen, ProgressStyle::with_template(template))
        else {
            return Self(None);
        };
        let target = ProgressDrawTarget::stderr_with_hz(REDRAWS_A_SECOND);
        let bar = ProgressBar::with_draw_target(Some(length), target);
        Self(Some(bar.with_style(style.progress_chars("=> "))))
    }

    /// So much more is done.
    pub(crate) fn advance(&self, count: usize) {
        if let Self(Some(bar)) = self {
            bar.inc(u64::try_from(count).unwrap_or(0));
        }
    }

    /// Takes the bar away.
    pub(crate) fn end(&self) {
        if let Self(Some(bar)) = self {
            bar.finish_and_clear();
        }
    }
}
