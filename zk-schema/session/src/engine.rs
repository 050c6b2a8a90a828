//! What the session needs of a ZooKeeper client library, and the one library that gives it.
//!
//! Library types end here. The trait is narrow so that another engine can take this one's place.

mod zookeeper_client;

use std::pin::Pin;
use std::time::Duration;

use barnabas_zk_schema::{SessionId, Stat, ZkError, ZkPath, ZkReply, ZkWrite};

pub(crate) use zookeeper_client::ZooKeeperClient;

/// Why an engine has no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum EngineError {
    /// The server refused; nothing was changed.
    #[error("{0}")]
    Refused(ZkError),
    /// The server does not know this kind of request.
    #[error("the server does not know this request")]
    Unimplemented,
    /// The server cannot read this kind of request.
    #[error("the server cannot read this request")]
    Unreadable,
    /// The reply did not come, or nobody listens: {0}.
    #[error("no answer: {0}")]
    Lost(String),
    /// The server says that the session has expired.
    #[error("the session has expired")]
    Expired,
    /// The engine has stopped for another reason.
    #[error("the connection is closed for good: {0}")]
    Closed(String),
}

/// State of an engine's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EngineState {
    Connected,
    Disconnected,
    /// For good: this engine does nothing any more, though the session may live on at the server.
    Over,
}

/// Data and stat of one path, or why not.
pub(crate) type Read = Result<(Vec<u8>, Stat), ZkError>;

/// The reply to a request that **has been sent** when this is returned.
pub(crate) type Reply<T> = Pin<Box<dyn Future<Output = Result<T, EngineError>>>>;

/// A client library's connection, which it restores by itself for a while.
pub(crate) trait Engine: Clone + 'static {
    /// What it takes to attach to the session again.
    type Attachment: Clone;
    /// Follows the state of the connection.
    type States: States;
    /// A recursive persistent watch.
    type Watcher: Watcher;

    /// Tries every server once: for a new session, or for the one to re-attach, where
    /// [`EngineError::Expired`] says that it is gone.
    async fn connect(
        servers: &str,
        session_timeout: Duration,
        attachment: Option<&Self::Attachment>,
    ) -> Result<Self, EngineError>;
    /// The same connection, with all paths below `chroot`.
    fn below(self, chroot: &ZkPath) -> Self;
    fn attachment(&self) -> Self::Attachment;
    fn session(&self) -> SessionId;
    /// What the server granted.
    fn session_timeout(&self) -> Duration;
    /// Follows the state from now on; does not keep the connection open.
    fn states(&self) -> Self::States;
    fn data(&self, path: ZkPath) -> Reply<ZkReply>;
    fn exists(&self, path: ZkPath) -> Reply<ZkReply>;
    fn children(&self, path: ZkPath) -> Reply<ZkReply>;
    /// One change by itself.
    fn write(&self, write: ZkWrite) -> Reply<ZkReply>;
    /// All changes or none.
    fn multi(&self, writes: Vec<ZkWrite>) -> Reply<ZkReply>;
    /// All of these paths.
    fn multi_read(&self, paths: Vec<ZkPath>) -> Reply<Vec<Read>>;
    /// Lets the server catch up with the leader before it executes the next request.
    fn sync(&self) -> Reply<()>;
    fn watch(&self, path: ZkPath) -> Reply<Self::Watcher>;
}

/// Follows the state of a connection.
pub(crate) trait States {
    fn now(&self) -> EngineState;
    /// Waits for the next state; several changes may come as the last of them.
    async fn next(&mut self) -> EngineState;
}

/// What a watch tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WatchNews {
    Dirty(ZkPath),
    /// Every edge is told, in its place among the paths.
    State(EngineState),
}

/// Events of a watch.
pub(crate) trait Watcher {
    /// Waits for the next event. Not to be called again after [`EngineState::Over`].
    async fn next(&mut self) -> WatchNews;
}
