//! The handle of a session.

use std::sync::Arc;

use barnabas_zk_schema::{CreateMode, Outcome, ZkError, ZkOp, ZkPath, ZkReply, ZkWrite};
use tokio::sync::{mpsc, oneshot, watch};

use crate::actor;
use crate::command::{Batch, COMMANDS_MAX, Command};
use crate::connect_string::ConnectString;
use crate::engine::ZooKeeperClient;
use crate::event::{Established, SessionGeneration};
use crate::lease::Lease;
use crate::mailbox::{Mailbox, SessionEvents};
use crate::settings::{Settings, StartError};

/// A ZooKeeper session, replaced by a new one whenever it has expired. Clones are the same session;
/// when the last is dropped it is closed.
///
/// Everything that is sent carries the [`SessionGeneration`] it is meant for: that of the last
/// [`SessionEvent::Established`](crate::SessionEvent). For an earlier one the outcome is
/// [`ZkError::StaleSession`] and nothing is sent.
#[derive(Clone, Debug)]
pub struct Session {
    commands: mpsc::Sender<Command>,
    mailbox: Mailbox,
    lease: Lease,
    lease_path: Arc<watch::Sender<Option<ZkPath>>>,
}

impl Session {
    /// Reaches a server, checks that it is new enough, creates the chroot if it is missing and
    /// establishes the first session, which is [`Self::current`] when this returns; its
    /// [`SessionEvent::Established`](crate::SessionEvent) is the first event. From then on the session mends itself for as long as it takes.
    ///
    /// # Errors
    /// [`StartError`]; after one nothing is left running.
    pub async fn start(settings: Settings) -> Result<(Self, SessionEvents), StartError> {
        let connect_string = ConnectString::parse(&settings.connect_string)?;
        let (commands, inbox) = mpsc::channel(COMMANDS_MAX);
        let (lease_path, lease_path_reader) = watch::channel(None);
        let (started, start) = oneshot::channel();
        let mailbox = Mailbox::default();
        let lease = Lease::new();
        let parts = actor::Parts {
            settings,
            connect_string,
            inbox,
            mailbox: mailbox.clone(),
            lease: lease.clone(),
            lease_path: lease_path_reader,
            started,
        };
        actor::spawn::<ZooKeeperClient>(parts)?;
        start.await.unwrap_or(Err(StartError::Ended))?;
        let events = mailbox.reader();
        let session = Self {
            commands,
            mailbox,
            lease,
            lease_path: Arc::new(lease_path),
        };
        Ok((session, events))
    }

    /// The session that is there now, with or without a connection; `None` between two.
    #[must_use]
    pub fn current(&self) -> Option<Established> {
        self.mailbox.session()
    }

    /// Sends these operations in this order and returns their outcomes in the same order.
    ///
    /// They are pipelined: an operation is sent without waiting for the reply to the one before, and
    /// a server executes those of one session in the order in which they were sent. Neighbouring
    /// reads of data go together, up to [`MULTI_READ_PATHS_MAX`](crate::MULTI_READ_PATHS_MAX) in a
    /// request. While there is no connection they wait, as long as the request timeout; then the
    /// outcome is [`Outcome::Unknown`] for the first of them and all that follow, none of which was
    /// or will be sent. After [`Outcome::Unknown`] for want of a reply, reading through this session
    /// sees what was done by a server that had the operation.
    pub async fn execute(&self, generation: SessionGeneration, ops: Vec<ZkOp>) -> Vec<Outcome> {
        self.batch(generation, ops, false).await
    }

    /// The same for operations of which none depends on another's success or place: neighbouring
    /// multis that begin with the same check are packed, up to
    /// [`PACK_WRITES_MAX`](crate::PACK_WRITES_MAX) changes in a request. A pack that fails is taken
    /// apart and its multis are sent one by one, so the outcomes are those of the single multis; only
    /// their order among each other is given up. Ten times the writes a second.
    pub async fn execute_packed(
        &self,
        generation: SessionGeneration,
        ops: Vec<ZkOp>,
    ) -> Vec<Outcome> {
        self.batch(generation, ops, true).await
    }

    /// Sends one operation; see [`Self::execute`].
    pub async fn execute_one(&self, generation: SessionGeneration, op: ZkOp) -> Outcome {
        let mut outcomes = self.batch(generation, vec![op], false).await;
        outcomes.pop().unwrap_or(Outcome::Unknown)
    }

    async fn batch(
        &self,
        generation: SessionGeneration,
        ops: Vec<ZkOp>,
        is_packed: bool,
    ) -> Vec<Outcome> {
        let count = ops.len();
        let (reply, outcomes) = oneshot::channel();
        let batch = Command::Batch(Batch {
            generation,
            ops,
            is_packed,
            reply,
        });
        if self.commands.send(batch).await.is_err() {
            return vec![Outcome::Failed(ZkError::StaleSession); count];
        }
        // Closed meanwhile: some of them may have been sent.
        outcomes
            .await
            .unwrap_or_else(|_closed| vec![Outcome::Unknown; count])
    }

    /// Creates the persistent znodes at these paths, and their ancestors, where they are missing.
    ///
    /// # Errors
    /// The first outcome that leaves a path missing or unknown.
    pub async fn ensure_paths(
        &self,
        generation: SessionGeneration,
        paths: impl IntoIterator<Item = ZkPath> + Send,
    ) -> Result<(), Outcome> {
        let mut ops = Vec::new();
        for path in paths {
            let mut line: Vec<ZkPath> = std::iter::successors(Some(path), ZkPath::parent).collect();
            line.reverse();
            ops.extend(line.into_iter().map(|path| {
                ZkOp::Write(ZkWrite::Create {
                    path,
                    data: Vec::new(),
                    mode: CreateMode::Persistent,
                })
            }));
        }
        let outcomes = self.execute(generation, ops).await;
        let is_there = |outcome: &Outcome| {
            matches!(
                outcome,
                Outcome::Done(ZkReply::Created { .. }) | Outcome::Failed(ZkError::NodeExists)
            )
        };
        outcomes
            .into_iter()
            .find(|outcome| !is_there(outcome))
            .map_or(Ok(()), Err)
    }

    /// Watches `path` and everything below it, whether or not it exists, until the session is over or
    /// [`Self::unwatch`] is called. [`SessionEvent::Resync`](crate::SessionEvent) says that the watch
    /// is in place, now and again after every reconnection: read then. Does nothing for a session
    /// that is over, or where the path is watched already. Beyond
    /// [`WATCHES_MAX`](crate::WATCHES_MAX) paths, or
    /// [`WATCHED_PATHS_SIZE_BYTES_MAX`](crate::WATCHED_PATHS_SIZE_BYTES_MAX) bytes of them, the path
    /// is not watched and an error logged: one watch is meant to cover a whole family of znodes.
    pub async fn watch(&self, generation: SessionGeneration, path: ZkPath) {
        // A closed session watches nothing, which is what its Expired event says.
        drop(
            self.commands
                .send(Command::Watch { generation, path })
                .await,
        );
    }

    /// Ends a watch. Some events of it may still be told.
    pub async fn unwatch(&self, generation: SessionGeneration, path: ZkPath) {
        drop(
            self.commands
                .send(Command::Unwatch { generation, path })
                .await,
        );
    }

    /// The lease of this session. It is held only after [`Self::renew_lease_with`] was called and a
    /// quorum has confirmed that the znode is there.
    #[must_use]
    pub const fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Says which znode the renewals of the lease check: `/brokers/ids/N`, once it is registered. It
    /// stays the same for later sessions, in which it holds once the znode is there again.
    pub fn renew_lease_with(&self, path: ZkPath) {
        self.lease_path.send_replace(Some(path));
    }

    /// Closes the session: its ephemeral znodes are deleted by the server at once. Returns when the
    /// server has said so or, where it cannot be reached, after the request timeout at most.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.commands.send(Command::Close(done)).await.is_ok() {
            // An error here means that the thread has ended, which is the same.
            drop(closed.await);
        }
    }
}
