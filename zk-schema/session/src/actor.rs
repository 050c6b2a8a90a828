//! The session's thread: its runtime, its tasks, and what callers ask of them.

use std::collections::BTreeMap;
use std::time::Duration;

use barnabas_zk_schema::{Outcome, ZkError, ZkPath};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{AbortHandle, JoinSet, LocalSet};

use crate::batch::{self, Limits};
use crate::command::{Batch, Command};
use crate::connect_string::ConnectString;
use crate::engine::{Engine, EngineState, States};
use crate::event::SessionGeneration;
use crate::keeper::Keeper;
use crate::lease::Lease;
use crate::link::Tenure;
use crate::mailbox::Mailbox;
use crate::renewal::Renewal;
use crate::settings::{Settings, StartError};
use crate::watch::{self as watching, WATCHED_PATHS_SIZE_BYTES_MAX, WATCHES_MAX};

/// What the thread is made of.
pub(crate) struct Parts {
    pub(crate) settings: Settings,
    pub(crate) connect_string: ConnectString,
    pub(crate) inbox: mpsc::Receiver<Command>,
    pub(crate) mailbox: Mailbox,
    pub(crate) lease: Lease,
    pub(crate) lease_path: watch::Receiver<Option<ZkPath>>,
    pub(crate) started: oneshot::Sender<Result<(), StartError>>,
}

/// Starts the thread. It ends when the session is closed or did not start.
pub(crate) fn spawn<E: Engine>(parts: Parts) -> Result<(), StartError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(StartError::Thread)?;
    let thread = std::thread::Builder::new().name("zk-session".into());
    let spawned = thread.spawn(move || {
        LocalSet::new().block_on(&runtime, run::<E>(parts));
        // The library's own task may be waiting for a server; nobody waits for it.
        runtime.shutdown_background();
    });
    spawned.map(drop).map_err(StartError::Thread)
}

async fn run<E: Engine>(parts: Parts) {
    let Parts {
        settings,
        connect_string,
        inbox,
        mailbox,
        lease,
        lease_path,
        mut started,
    } = parts;
    let chroot_size_bytes = connect_string
        .chroot()
        .map_or(0, |path| path.as_str().len());
    let limits = Limits::new(settings.request_timeout(), chroot_size_bytes);
    let close_timeout = settings.request_timeout();
    let (tenure, tenure_reader) = watch::channel(None);
    let keeper = Keeper::<E> {
        settings,
        connect_string,
        mailbox: mailbox.clone(),
        lease: lease.clone(),
        tenure,
    };
    let engine = tokio::select! {
        engine = keeper.start() => engine,
        () = started.closed() => return,
    };
    let engine = match engine {
        Ok(engine) => engine,
        Err(error) => {
            drop(started.send(Err(error)));
            return;
        }
    };
    let mut desk = Desk {
        tenure: tenure_reader.clone(),
        mailbox: mailbox.clone(),
        limits,
        chroot_size_bytes,
        close_timeout,
        tasks: JoinSet::new(),
        watches: BTreeMap::new(),
    };
    let renewal = Renewal {
        tenure: tenure_reader.clone(),
        mailbox: mailbox.clone(),
        lease: lease.clone(),
        lease_path,
    };
    let (done, states) = tokio::select! {
        () = keeper.keep(engine, started) => (None, None),
        () = renewal.run() => (None, None),
        end = desk.serve(inbox) => end,
    };
    // From here on nothing uses the connection: dropping its last user makes the library close the
    // session.
    desk.tasks.shutdown().await;
    drop((desk, keeper, tenure_reader));
    if let Some(states) = states {
        close::<E>(states, close_timeout).await;
    }
    lease.end();
    mailbox.closed();
    if let Some(done) = done {
        // The caller may have given up waiting.
        done.send(()).ok();
    }
}

/// Waits until the server has confirmed the end of the session.
async fn close<E: Engine>(mut states: E::States, timeout: Duration) {
    let closed = async { while states.next().await != EngineState::Over {} };
    if tokio::time::timeout(timeout, closed).await.is_err() {
        tracing::warn!("ZooKeeper did not confirm the end of the session; it will expire there");
    }
}

/// Answers callers.
struct Desk<E: Engine> {
    tenure: watch::Receiver<Option<Tenure<E>>>,
    mailbox: Mailbox,
    limits: Limits,
    chroot_size_bytes: usize,
    close_timeout: Duration,
    tasks: JoinSet<()>,
    /// The tasks that keep watches, of the session of one generation.
    watches: BTreeMap<(SessionGeneration, ZkPath), AbortHandle>,
}

impl<E: Engine> Desk<E> {
    /// Takes commands until the session is to be closed. Returns who wants to hear of that, and the
    /// state of the connection that has to close, as soon as there is one.
    async fn serve(
        &mut self,
        mut inbox: mpsc::Receiver<Command>,
    ) -> (Option<oneshot::Sender<()>>, Option<E::States>) {
        let done = loop {
            tokio::select! {
                command = inbox.recv() => match command {
                    Some(Command::Batch(batch)) => self.begin(batch),
                    Some(Command::Watch { generation, path }) => self.watch(generation, path),
                    Some(Command::Unwatch { generation, path }) => self.unwatch(generation, path),
                    Some(Command::Close(done)) => break Some(done),
                    None => break None,
                },
                // Ended tasks are taken out as they end.
                Some(_ended) = self.tasks.join_next() => {}
            }
        };
        let tenure = self.tenure.borrow().clone();
        let Some(tenure) = tenure else {
            return (done, None);
        };
        let engine = tokio::time::timeout(self.close_timeout, tenure.engine()).await;
        (done, engine.ok().flatten().map(|engine| engine.states()))
    }

    /// The session of this generation, if it is the one that is there.
    fn tenure(&self, generation: SessionGeneration) -> Option<Tenure<E>> {
        let current = self.mailbox.session()?.generation;
        let tenure = self.tenure.borrow();
        tenure
            .as_ref()
            .filter(|tenure| current == generation && tenure.session.generation == generation)
            .cloned()
    }

    fn begin(&mut self, batch: Batch) {
        if let Some(tenure) = self.tenure(batch.generation) {
            self.tasks
                .spawn_local(batch::run(tenure, self.limits.clone(), batch));
        } else {
            let outcomes = vec![Outcome::Failed(ZkError::StaleSession); batch.ops.len()];
            drop(batch.reply.send(outcomes));
        }
    }

    fn watch(&mut self, generation: SessionGeneration, path: ZkPath) {
        let Some(tenure) = self.tenure(generation) else {
            return;
        };
        self.watches.retain(|(of, _), _| *of == generation);
        if self.watches.contains_key(&(generation, path.clone())) {
            return;
        }
        if !self.has_room_for(&path) {
            tracing::error!(%path, "not watched: too many or too long watched paths");
            return;
        }
        let keeping = watching::keep(tenure, self.mailbox.clone(), path.clone());
        let task = self.tasks.spawn_local(keeping);
        self.watches.insert((generation, path), task);
    }

    fn has_room_for(&self, path: &ZkPath) -> bool {
        let paths = self.watches.keys().map(|(_, path)| path).chain([path]);
        let size_bytes = |path: &ZkPath| path.as_str().len().saturating_add(self.chroot_size_bytes);
        self.watches.len() < WATCHES_MAX
            && paths.map(size_bytes).sum::<usize>() <= WATCHED_PATHS_SIZE_BYTES_MAX
    }

    fn unwatch(&mut self, generation: SessionGeneration, path: ZkPath) {
        let key = (generation, path);
        if let Some(task) = self.watches.remove(&key) {
            // Dropping the watcher removes the watch from the server.
            task.abort();
            self.mailbox.unwatched(&key.1);
        }
    }
}
