//! Turns news of the ZooKeeper session into registrations and into events of the controller.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use barnabas_controller::Event;
use barnabas_wire::id::BrokerEpoch;
use barnabas_zk_schema::broker::BrokerIdZnode;
use barnabas_zk_schema::config_change::ConfigChangesZnode;
use barnabas_zk_schema::{ZkPath, Znode};
use barnabas_zk_session::{Established, SessionEvent, SessionEvents};
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;
use tracing::{error, info, warn};

use super::controller::ControllerHandle;
use crate::clock;
use crate::registration::{Registrar, Registration, RegistrationError};
use crate::session_file;

/// Rest before a registration that was refused is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// What the driver works with.
#[derive(Debug)]
pub(crate) struct SessionParts {
    pub(crate) events: SessionEvents,
    pub(crate) registrar: Registrar,
    pub(crate) registration: Arc<Registration>,
    pub(crate) controller: ControllerHandle,
    /// Where the id of the session is kept for the next life of this broker.
    pub(crate) session_file: Option<PathBuf>,
    /// Told whenever `/config/changes` may have changed.
    pub(crate) config_changes: mpsc::Sender<Established>,
    /// Told how the first registration went.
    pub(crate) first: oneshot::Sender<Result<BrokerEpoch, RegistrationError>>,
}

/// What the machine was told of the session.
#[derive(Debug, Default)]
struct Health {
    is_disconnected: bool,
    is_lease_over: bool,
    is_suspended: bool,
}

/// Runs until the session is closed.
pub(crate) async fn run(parts: SessionParts) {
    let SessionParts {
        mut events,
        registrar,
        registration,
        ..
    } = parts;
    let mut driver = Driver {
        registrar,
        registration,
        controller: parts.controller,
        session_file: parts.session_file,
        config_changes: parts.config_changes,
        first: Some(parts.first),
        current: None,
        health: Health::default(),
    };
    while let Some(event) = events.next().await {
        driver.take(event).await;
    }
}

struct Driver {
    registrar: Registrar,
    registration: Arc<Registration>,
    controller: ControllerHandle,
    session_file: Option<PathBuf>,
    config_changes: mpsc::Sender<Established>,
    first: Option<oneshot::Sender<Result<BrokerEpoch, RegistrationError>>>,
    current: Option<Established>,
    health: Health,
}

impl Driver {
    async fn take(&mut self, event: SessionEvent) {
        match event {
            SessionEvent::Established(established) => self.establish(established).await,
            SessionEvent::Disconnected => self.change(|health| health.is_disconnected = true),
            SessionEvent::Reconnected => self.change(|health| health.is_disconnected = false),
            SessionEvent::LeaseOver => self.change(|health| health.is_lease_over = true),
            SessionEvent::LeaseRenewed => self.change(|health| health.is_lease_over = false),
            SessionEvent::Expired(_) => {
                warn!("the ZooKeeper session has expired");
                self.current = None;
                self.controller.tell(Event::SessionExpired);
            }
            SessionEvent::Dirty(paths) => {
                self.look_for_config_changes(&paths);
                self.controller.tell(Event::ZnodesChanged(paths));
            }
            SessionEvent::Resync(paths) => {
                self.look_for_config_changes(&paths);
                self.controller.tell(Event::ZnodesUncertain(paths));
            }
        }
    }

    async fn establish(&mut self, established: Established) {
        self.health = Health::default();
        let broker = self.registrar.broker;
        loop {
            match self.registrar.register(established).await {
                Ok(broker_epoch) => return self.registered(established, broker_epoch).await,
                // The next session registers.
                Err(RegistrationError::SessionOver) => return,
                Err(refused) if self.first.is_some() => return self.report(Err(refused)),
                Err(refused) => {
                    error!(%broker, error = %refused, "not registered; serving on and trying again");
                    sleep(TRY_AGAIN).await;
                }
            }
        }
    }

    async fn registered(&mut self, established: Established, broker_epoch: BrokerEpoch) {
        let broker = self.registrar.broker;
        info!(%broker, %broker_epoch, session = %established.session, "registered");
        self.registration.set(broker_epoch);
        self.remember(established);
        let session = &self.registrar.session;
        session.renew_lease_with(BrokerIdZnode(broker).path());
        let changes = ConfigChangesZnode.path();
        session.watch(established.generation, changes).await;
        self.current = Some(established);
        self.controller.establish(established, clock::wall_ms());
        self.report(Ok(broker_epoch));
    }

    fn report(&mut self, result: Result<BrokerEpoch, RegistrationError>) {
        if let Some(first) = self.first.take() {
            // Whoever waited has given up if this fails.
            drop(first.send(result));
        }
    }

    /// Keeps the session's id, so that this broker knows a leftover of it for its own.
    fn remember(&mut self, established: Established) {
        self.registrar.previous = Some(established.session);
        let Some(path) = &self.session_file else {
            return;
        };
        if let Err(error) = session_file::write(path, established.session) {
            warn!(%error, "could not keep the session's id: a restart after a crash will have to wait");
        }
    }

    fn change(&mut self, change: impl FnOnce(&mut Health)) {
        change(&mut self.health);
        let is_suspended = self.health.is_disconnected || self.health.is_lease_over;
        if is_suspended == self.health.is_suspended {
            return;
        }
        self.health.is_suspended = is_suspended;
        let event = if is_suspended {
            warn!("ZooKeeper does not answer; serving on, the controller waits");
            Event::SessionSuspended
        } else {
            info!("ZooKeeper answers again");
            Event::SessionResumed
        };
        self.controller.tell(event);
    }

    fn look_for_config_changes(&self, paths: &[ZkPath]) {
        let changes = ConfigChangesZnode.path();
        if let Some(established) = self.current
            && paths.iter().any(|path| path.is_at_or_below(&changes))
        {
            // If one waits already, that look will see this change too.
            let _is_full = self.config_changes.try_send(established);
        }
    }
}
