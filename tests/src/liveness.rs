//! Waiting for something to become true, with a generous end: a test says that it happens, never
//! how fast.

use std::fmt::Debug;
use std::time::{Duration, Instant};

/// Time that anything on a working machine is given to happen. Passing it means that it never will.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Pause between two looks.
const POLL: Duration = Duration::from_millis(10);

/// Blocks until `look` returns a value, and returns it.
///
/// Panics with `what` after [`LIMIT`].
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + LIMIT;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < end, "{what}: not within {LIMIT:?}");
        std::thread::sleep(POLL);
    }
}

/// Blocks until `look` returns true. Panics with `what` after [`LIMIT`].
pub fn wait_until(what: &str, mut look: impl FnMut() -> bool) {
    wait_for(what, || look().then_some(()));
}

/// Awaits `future` and returns its value. Panics with `what` after [`LIMIT`].
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(LIMIT, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what}: not within {LIMIT:?}"),
    }
}

/// Awaits until `look` returns a value, looking again and again, and returns it.
///
/// Panics with `what` and the last error after [`LIMIT`].
pub async fn eventually<T, E: Debug>(what: &str, mut look: impl AsyncFnMut() -> Result<T, E>) -> T {
    let end = Instant::now() + LIMIT;
    loop {
        match look().await {
            Ok(seen) => return seen,
            Err(error) => assert!(
                Instant::now() < end,
                "{what}: not within {LIMIT:?}: {error:?}"
            ),
        }
        tokio::time::sleep(POLL).await;
    }
}
