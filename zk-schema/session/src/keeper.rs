//! Keeps a session: connects, follows the connection, attaches again, and begins a new session when
//! the server says that the old one has expired.
//!
//! ```text
//!   fresh ──▶ connected ◀──▶ disconnected ──library gives up──▶ re-attaching ──expired──▶ fresh
//!                 ▲                                                   │
//!                 └────────────────── the same session ◀──────────────┘
//! ```

use std::time::Duration;

use barnabas_zk_schema::{CreateMode, ZkError, ZkPath, ZkWrite};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use crate::connect_string::ConnectString;
use crate::engine::{Engine, EngineError, EngineState, States};
use crate::event::{Established, SessionGeneration};
use crate::lease::Lease;
use crate::link::{Link, Tenure};
use crate::mailbox::Mailbox;
use crate::probe::{self, ProbeError};
use crate::settings::{Settings, StartError};

/// Pause after the first attempt to connect that failed; doubled up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(50);

/// Longest pause between two attempts to connect.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// What keeping a session takes.
#[derive(Debug)]
pub(crate) struct Keeper<E> {
    pub(crate) settings: Settings,
    pub(crate) connect_string: ConnectString,
    pub(crate) mailbox: Mailbox,
    pub(crate) lease: Lease,
    /// The session that is there now.
    pub(crate) tenure: watch::Sender<Option<Tenure<E>>>,
}

/// Growing pauses between attempts.
struct Pause(Duration);

impl Pause {
    const fn new() -> Self {
        Self(PAUSE_MIN)
    }

    async fn wait(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = self.0.saturating_mul(2).min(PAUSE_MAX);
    }
}

impl<E: Engine> Keeper<E> {
    /// Finds a server, probes it and makes the first connection, within the connection timeout.
    pub(crate) async fn start(&self) -> Result<E, StartError> {
        let end = Instant::now() + self.settings.connection_timeout();
        let mut pause = Pause::new();
        let mut last = EngineError::Lost("no attempt came to an end".into());
        loop {
            let attempt = async {
                probe::probe::<E>(
                    self.connect_string.servers(),
                    self.settings.session_timeout(),
                )
                .await?;
                self.connect().await.map_err(ProbeError::Lost)
            };
            match tokio::time::timeout_at(end, attempt).await {
                Ok(Ok(engine)) => return Ok(engine),
                Ok(Err(ProbeError::Unfit(error))) => return Err(error),
                // The chroot's parent is not ours to write, or the like: waiting mends nothing.
                Ok(Err(ProbeError::Lost(EngineError::Refused(error)))) => {
                    return Err(StartError::Chroot {
                        chroot: self
                            .connect_string
                            .chroot()
                            .map(ToString::to_string)
                            .unwrap_or_default(),
                        reason: error.to_string(),
                    });
                }
                Ok(Err(ProbeError::Lost(error))) => last = error,
                Err(_elapsed) => {}
            }
            if Instant::now() >= end {
                return Err(StartError::Unreachable {
                    servers: self.connect_string.servers().to_owned(),
                    timeout_ms: self.settings.connection_timeout_ms,
                    last: last.to_string(),
                });
            }
            pause.wait().await;
        }
    }

    /// Keeps one session after another; `engine` is the first one's connection. Says `started` as soon
    /// as the first session can be used. Never returns.
    pub(crate) async fn keep(
        &self,
        mut engine: E,
        started: oneshot::Sender<Result<(), StartError>>,
    ) {
        let mut started = Some(started);
        for generation in 1.. {
            let (tenure, link) = self.begin(SessionGeneration(generation), &engine);
            if let Some(started) = started.take() {
                // Whoever waited may have gone; then the inbox is closed, which ends the session.
                drop(started.send(Ok(())));
            }
            let session = tenure.session.session;
            tracing::info!(%generation, %session, "ZooKeeper session established");
            self.keep_one(&tenure, engine, &link).await;
            tracing::warn!(%generation, %session, "ZooKeeper session expired");
            engine = self.fresh().await;
        }
    }

    /// Lets everyone know of a new session.
    fn begin(
        &self,
        generation: SessionGeneration,
        engine: &E,
    ) -> (Tenure<E>, watch::Sender<Link<E>>) {
        let session = Established {
            generation,
            session: engine.session(),
            session_timeout_ms: engine
                .session_timeout()
                .as_millis()
                .try_into()
                .unwrap_or(u32::MAX),
        };
        let (link, link_reader) = watch::channel(Link::Up(engine.clone()));
        let tenure = Tenure::new(session, link_reader);
        self.tenure.send_replace(Some(tenure.clone()));
        self.mailbox.established(session);
        (tenure, link)
    }

    /// Keeps one session until it has expired.
    async fn keep_one(&self, tenure: &Tenure<E>, mut engine: E, link: &watch::Sender<Link<E>>) {
        loop {
            self.follow(engine.states(), &engine, link).await;
            link.send_replace(Link::Down);
            self.mailbox.connected(false);
            let attachment = engine.attachment();
            drop(engine);
            let Some(again) = self.attach(&attachment).await else {
                break;
            };
            tracing::info!(session = %tenure.session.session, "ZooKeeper session attached again");
            engine = again;
            // Unlike a reconnection, this one does not tell the server what was seen before.
            tenure.needs_sync();
        }
        link.send_replace(Link::Over);
        self.lease.end();
        self.mailbox.expired();
    }

    /// Follows the connection until the library gives it up.
    async fn follow(&self, mut states: E::States, engine: &E, link: &watch::Sender<Link<E>>) {
        // It may have changed before anybody looked.
        let mut state = states.now();
        loop {
            match state {
                EngineState::Connected => link.send_replace(Link::Up(engine.clone())),
                EngineState::Disconnected => link.send_replace(Link::Down),
                EngineState::Over => return,
            };
            self.mailbox.connected(state == EngineState::Connected);
            state = states.next().await;
        }
    }

    /// Attaches to the session again, for as long as no server says that it has expired: a standalone
    /// server that was down for long gives its sessions their whole timeout after its start.
    async fn attach(&self, attachment: &E::Attachment) -> Option<E> {
        let mut pause = Pause::new();
        loop {
            let servers = self.connect_string.servers();
            match E::connect(servers, self.settings.session_timeout(), Some(attachment)).await {
                Ok(engine) => return Some(self.below_chroot(engine)),
                Err(EngineError::Expired) => return None,
                Err(error) => tracing::debug!(%error, "not attached to the session yet"),
            }
            pause.wait().await;
        }
    }

    /// Begins a new session, for as long as it takes.
    async fn fresh(&self) -> E {
        let mut pause = Pause::new();
        loop {
            match self.connect().await {
                Ok(engine) => return engine,
                Err(error) => tracing::debug!(%error, "no new session yet"),
            }
            pause.wait().await;
        }
    }

    /// Begins a new session and makes sure of the chroot.
    async fn connect(&self) -> Result<E, EngineError> {
        let servers = self.connect_string.servers();
        let engine = E::connect(servers, self.settings.session_timeout(), None).await?;
        let chroot = self.connect_string.chroot().cloned();
        let mut line: Vec<ZkPath> = std::iter::successors(chroot, ZkPath::parent).collect();
        line.reverse();
        for path in line {
            let create = ZkWrite::Create {
                path,
                data: Vec::new(),
                mode: CreateMode::Persistent,
            };
            match tokio::time::timeout(self.settings.request_timeout(), engine.write(create)).await
            {
                Ok(Ok(_) | Err(EngineError::Refused(ZkError::NodeExists))) => {}
                Ok(Err(error)) => return Err(error),
                Err(_elapsed) => {
                    return Err(EngineError::Lost("the chroot was not created".into()));
                }
            }
        }
        Ok(self.below_chroot(engine))
    }

    fn below_chroot(&self, engine: E) -> E {
        match self.connect_string.chroot() {
            Some(chroot) => engine.below(chroot),
            None => engine,
        }
    }
}
