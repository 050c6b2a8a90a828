//! The time of day. Everything that measures time uses the monotonic clock instead.

use std::time::{SystemTime, UNIX_EPOCH};

/// Ms since the Unix epoch; 0 on a clock before it.
pub(crate) fn wall_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
