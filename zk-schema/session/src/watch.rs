//! The watches of a session: one task each, which adds its watch again after every reconnection.

use std::time::Duration;

use barnabas_zk_schema::ZkPath;

use crate::engine::{Engine, EngineError, EngineState, WatchNews, Watcher};
use crate::link::Tenure;
use crate::mailbox::Mailbox;

/// Watches of one session, at most. A watch covers everything below its path, so a broker needs half
/// a dozen.
pub const WATCHES_MAX: usize = 64;

/// Paths of one session's watches together, bytes, at most, each with the chroot in front: beyond
/// 128 KiB the library fails to restore them on a reconnection and needs a new connection's worth of
/// session timeouts to recover.
pub const WATCHED_PATHS_SIZE_BYTES_MAX: usize = 64 * 1024;

/// Pause before a watch that was refused is tried again.
const REFUSED_PAUSE: Duration = Duration::from_secs(1);

/// Pause before a watch is tried again whose connection was lost meanwhile.
const LOST_PAUSE: Duration = Duration::from_millis(10);

/// Keeps `path` watched until the session is over.
pub(crate) async fn keep<E: Engine>(tenure: Tenure<E>, mailbox: Mailbox, path: ZkPath) {
    let mut current: Option<E::Watcher> = None;
    while let Some(engine) = tenure.engine().await {
        let added = engine.watch(path.clone());
        drop(engine);
        match added.await {
            Ok(watcher) => {
                // The old one goes only now: without any, the library would remove the watch.
                let watcher = current.insert(watcher);
                mailbox.resync(&path);
                follow(watcher, &mailbox).await;
            }
            // The connection went, and the link is about to say so; the next one is waited for.
            Err(error @ (EngineError::Lost(_) | EngineError::Expired | EngineError::Closed(_))) => {
                tracing::debug!(%path, %error, "watch not added");
                tokio::time::sleep(LOST_PAUSE).await;
            }
            Err(
                error @ (EngineError::Refused(_)
                | EngineError::Unimplemented
                | EngineError::Unreadable),
            ) => {
                tracing::warn!(%path, %error, "ZooKeeper refuses to watch, trying again");
                tokio::time::sleep(REFUSED_PAUSE).await;
            }
        }
    }
}

/// Tells what happens until the connection was lost and is there again, or the engine has stopped.
async fn follow<W: Watcher>(watcher: &mut W, mailbox: &Mailbox) {
    loop {
        match watcher.next().await {
            WatchNews::Dirty(path) => mailbox.dirty(path),
            WatchNews::State(EngineState::Disconnected) => {}
            WatchNews::State(EngineState::Connected | EngineState::Over) => return,
        }
    }
}
