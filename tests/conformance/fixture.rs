//! A session behind a proxy, and another one that sees the truth.

use barnabas_tests::liveness::{eventually, within};
use barnabas_tests::proxy::Proxy;
use barnabas_tests::zookeeper::{Chroot, ZooKeeper};
use barnabas_zk_schema::{
    CreateMode, Expected, Outcome, SessionId, Stat, ZkError, ZkOp, ZkPath, ZkRead, ZkReply, ZkWrite,
};
use barnabas_zk_session::{
    Established, Session, SessionEvent, SessionEvents, SessionGeneration, Settings,
};

/// Session timeout of a test that lets its session expire, ms.
pub const SHORT_MS: u32 = 2_000;

/// Session timeout of a test whose session must survive, ms: longer than a busy machine stumbles.
pub const LONG_MS: u32 = 20_000;

/// Settings for a connect string, with short patience for single requests.
pub fn settings(connect_string: &str, session_timeout_ms: u32) -> Settings {
    Settings {
        session_timeout_ms,
        connection_timeout_ms: 30_000,
        request_timeout_ms: 10_000,
        ..Settings::new(connect_string)
    }
}

/// A session and its news.
#[derive(Debug)]
pub struct Party {
    pub session: Session,
    pub events: SessionEvents,
    /// Removed with the party where nobody else holds it.
    _chroot: Option<Chroot>,
}

impl Party {
    pub async fn start(connect_string: &str, session_timeout_ms: u32) -> Self {
        Self::with(settings(connect_string, session_timeout_ms)).await
    }

    /// On the shared server, below a path of its own.
    pub async fn alone(name: &str) -> Self {
        let chroot = ZooKeeper::shared().chroot(name);
        let party = Self::start(chroot.connect_string(), LONG_MS).await;
        Self {
            _chroot: Some(chroot),
            ..party
        }
    }

    pub async fn with(settings: Settings) -> Self {
        let (session, events) = Session::start(settings).await.unwrap();
        assert!(session.current().is_some());
        let mut party = Self {
            session,
            events,
            _chroot: None,
        };
        let first = party.next().await;
        assert!(matches!(first, SessionEvent::Established(_)), "{first:?}");
        party
    }

    pub fn current(&self) -> Established {
        self.session.current().expect("a session is there")
    }

    pub fn generation(&self) -> SessionGeneration {
        self.current().generation
    }

    pub fn id(&self) -> SessionId {
        self.current().session
    }

    pub async fn next(&mut self) -> SessionEvent {
        let event = within("news of the session", self.events.next()).await;
        event.expect("the session is not closed")
    }

    /// Reads news until one is `wanted`, and returns what came before it.
    pub async fn until(&mut self, wanted: impl Fn(&SessionEvent) -> bool) -> Vec<SessionEvent> {
        let mut before = Vec::new();
        loop {
            let event = self.next().await;
            if wanted(&event) {
                return before;
            }
            before.push(event);
        }
    }

    /// Reads news until `path` is told, as dirty or as to be read again.
    pub async fn until_told(&mut self, path: &str) {
        let path = ZkPath::from(path);
        self.until(|event| match event {
            SessionEvent::Dirty(paths) => paths.contains(&path),
            SessionEvent::Resync(paths) => paths.iter().any(|above| path.is_at_or_below(above)),
            _ => false,
        })
        .await;
    }

    pub async fn run(&self, op: ZkOp) -> Outcome {
        within(
            "an outcome",
            self.session.execute_one(self.generation(), op),
        )
        .await
    }

    pub async fn run_all(&self, ops: Vec<ZkOp>) -> Vec<Outcome> {
        within("outcomes", self.session.execute(self.generation(), ops)).await
    }

    pub async fn data(&self, path: &str) -> Result<(String, Stat), Outcome> {
        let (data, stat) = self.run(read(path)).await.into_data()?;
        Ok((String::from_utf8(data).unwrap(), stat))
    }

    /// Writes, with as many attempts as a network takes that is being mended.
    pub async fn put(&self, path: &str, data: &str) {
        eventually("a write succeeds", async || {
            match self.run(set(path, data, Expected::Any)).await {
                Outcome::Done(_) => Ok(()),
                Outcome::Failed(ZkError::NoNode) => {
                    Err(self.run(create(path, data, CreateMode::Persistent)).await)
                }
                other => Err(other),
            }
        })
        .await;
    }

    /// Creates an ephemeral znode of this session.
    pub async fn put_ephemeral(&self, path: &str) {
        let created = self.run(create(path, "", CreateMode::Ephemeral)).await;
        assert!(
            matches!(created, Outcome::Done(ZkReply::Created { .. })),
            "{created:?}"
        );
    }

    /// Waits until the znode is gone.
    pub async fn until_gone(&self, path: &str) {
        eventually("the znode goes", async || {
            match self.run(read(path)).await {
                Outcome::Failed(ZkError::NoNode) => Ok(()),
                other => Err(other),
            }
        })
        .await;
    }

    /// The session that owns the znode.
    pub async fn owner(&self, path: &str) -> Option<SessionId> {
        self.data(path)
            .await
            .expect("the znode is there")
            .1
            .ephemeral_owner
    }

    /// Watches and waits until the watch is in place.
    pub async fn watch(&mut self, path: &str) {
        self.session.watch(self.generation(), path.into()).await;
        let path = ZkPath::from(path);
        self.until(|event| matches!(event, SessionEvent::Resync(paths) if paths.contains(&path)))
            .await;
    }
}

/// A party behind a proxy and one that is not, below the same path of the same server.
#[derive(Debug)]
pub struct Pair {
    pub here: Party,
    pub proxy: Proxy,
    /// Sees what is so, whatever the network does to the other one.
    pub truth: Party,
    _chroot: Chroot,
}

impl Pair {
    /// On the shared server.
    pub async fn start(name: &str, session_timeout_ms: u32) -> Self {
        Self::on(ZooKeeper::shared(), name, session_timeout_ms).await
    }

    pub async fn on(server: &ZooKeeper, name: &str, session_timeout_ms: u32) -> Self {
        let proxy = Proxy::start(server.address());
        let chroot = server.chroot_through(proxy.address(), name);
        let here = Party::start(chroot.connect_string(), session_timeout_ms).await;
        let direct = format!("{}{}", server.address(), chroot.path());
        let truth = Party::start(&direct, LONG_MS).await;
        Self {
            here,
            proxy,
            truth,
            _chroot: chroot,
        }
    }
}

pub fn read(path: &str) -> ZkOp {
    ZkOp::Read(ZkRead::Data(path.into()))
}

pub fn create(path: &str, data: &str, mode: CreateMode) -> ZkOp {
    ZkOp::Write(creation(path, data, mode))
}

pub fn creation(path: &str, data: &str, mode: CreateMode) -> ZkWrite {
    ZkWrite::Create {
        path: path.into(),
        data: data.into(),
        mode,
    }
}

pub fn set(path: &str, data: &str, expected: Expected) -> ZkOp {
    ZkOp::Write(setting(path, data, expected))
}

pub fn setting(path: &str, data: &str, expected: Expected) -> ZkWrite {
    ZkWrite::Set {
        path: path.into(),
        data: data.into(),
        expected,
    }
}
