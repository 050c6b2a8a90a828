//! A path of a shared ZooKeeper that belongs to one test.

use std::net::SocketAddr;
use std::time::Duration;

use zookeeper_async::{WatchedEvent, ZkError, ZooKeeper, ZooKeeperExt};

/// Session and patience for the removal.
const REMOVAL_TIMEOUT: Duration = Duration::from_secs(10);

/// The path, and how to get there. On a server that outlives the tests the path is removed when
/// this is dropped; on one that was started for them, it goes with the server.
#[derive(Debug)]
pub struct Chroot {
    connect_string: String,
    server: SocketAddr,
    path: String,
    removed: bool,
}

impl Chroot {
    pub(super) fn new(door: SocketAddr, server: SocketAddr, path: String, removed: bool) -> Self {
        Self {
            connect_string: format!("{door}{path}"),
            server,
            path,
            removed,
        }
    }

    /// `host:port/path`, as a `zookeeper.connect`.
    pub fn connect_string(&self) -> &str {
        &self.connect_string
    }

    /// The path on the server. It need not exist before its first user makes it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Connect string of the whole server, without the path.
    pub fn server(&self) -> String {
        self.server.to_string()
    }
}

impl Drop for Chroot {
    fn drop(&mut self) {
        if !self.removed {
            return;
        }
        let (server, path) = (self.server.to_string(), self.path.clone());
        // A thread of its own: the test may be inside a runtime.
        let removing = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime
                .block_on(remove(&server, &path))
                .map_err(std::io::Error::other)
        });
        match removing.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("{} stays on {}: {error}", self.path, self.server),
            Err(_) => eprintln!("{} stays on {}", self.path, self.server),
        }
    }
}

/// One connection, one after another: all that this client is good for.
async fn remove(server: &str, path: &str) -> Result<(), ZkError> {
    let removal = async {
        let client = ZooKeeper::connect(server, REMOVAL_TIMEOUT, |_: WatchedEvent| {}).await?;
        let done = client.delete_recursive(path).await;
        client.close().await?;
        match done {
            Err(ZkError::NoNode) => Ok(()),
            other => other,
        }
    };
    match tokio::time::timeout(REMOVAL_TIMEOUT, removal).await {
        Ok(done) => done,
        Err(_) => Err(ZkError::OperationTimeout),
    }
}
