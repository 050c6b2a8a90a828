//! `/brokers/ids/N`: saying that this broker is there, and knowing as which incarnation.
//!
//! The czxid of the znode is the broker epoch (KIP-380). A znode that is there already is ours if our
//! session owns it, a leftover of ours if a session owns it that we know to be over, and another broker's
//! otherwise: that one is never touched (KAFKA-1971), only waited for, since a crashed broker's
//! znode goes with its session. Source: kafka 2.8 zk/KafkaZkClient.scala (`CheckedEphemeral`).

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use barnabas_wire::id::{BrokerEpoch, BrokerId};
use barnabas_zk_schema::broker::{BrokerIdZnode, BrokerRegistration};
use barnabas_zk_schema::controller::ControllerZnode;
use barnabas_zk_schema::{
    Expected, Outcome, SessionId, Stat, ZkError, ZkOp, ZkRead, ZkReply, ZkWrite, Znode,
};
use barnabas_zk_session::{Established, Session};
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

/// How often a foreign znode is looked at while it is waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Patience for a foreign znode beyond the session timeout: servers expire sessions in steps of a tick,
/// 2 s unless configured.
const PATIENCE_MARGIN: Duration = Duration::from_secs(3);

/// The epoch of this broker's registration.
#[derive(Debug)]
pub struct Registration(AtomicI64);

impl Default for Registration {
    fn default() -> Self {
        Self(AtomicI64::new(BrokerEpoch::NONE.0))
    }
}

impl Registration {
    /// The epoch of the last registration; [`BrokerEpoch::NONE`] before the first.
    #[must_use]
    pub fn broker_epoch(&self) -> BrokerEpoch {
        BrokerEpoch(self.0.load(Ordering::Acquire))
    }

    pub(crate) fn set(&self, broker_epoch: BrokerEpoch) {
        self.0.store(broker_epoch.0, Ordering::Release);
    }
}

/// This broker could not be registered.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// Another broker has this id.
    #[error(
        "broker.id={broker} is taken: the broker at {endpoints} holds /brokers/ids/{broker} and has \
         not let go of it for {} s. Stop that broker, or give this one another broker.id",
        waited.as_secs()
    )]
    Taken {
        /// The id.
        broker: BrokerId,
        /// Where the other one says it is.
        endpoints: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The session ended meanwhile; the next one registers.
    #[error("the ZooKeeper session ended before this broker was registered")]
    SessionOver,
    /// ZooKeeper refused.
    #[error("ZooKeeper refused the registration")]
    Refused(#[source] ZkError),
}

/// Who registers.
#[derive(Debug)]
pub(crate) struct Registrar {
    pub(crate) session: Session,
    pub(crate) broker: BrokerId,
    pub(crate) payload: BrokerRegistration,
    /// The session of this broker's earlier life, known to be over.
    pub(crate) previous: Option<SessionId>,
}

impl Registrar {
    /// Registers in this session and returns the broker epoch.
    pub(crate) async fn register(
        &self,
        established: Established,
    ) -> Result<BrokerEpoch, RegistrationError> {
        let znode = BrokerIdZnode(self.broker);
        let began = Instant::now();
        let timeout = Duration::from_millis(established.session_timeout_ms.into());
        let mut writes = znode.register(&self.payload);
        loop {
            let outcome = self.send(established, ZkOp::Multi(writes)).await;
            if let Some(stat) = registered(&outcome) {
                return Ok(self.done(established, &stat).await);
            }
            check(&outcome)?;
            writes = znode.register(&self.payload);
            // It exists, or the reply was lost: what is there tells.
            let read = ZkOp::Read(ZkRead::Data(znode.path()));
            let (data, stat) = match self.send(established, read).await.into_data() {
                Ok(found) => found,
                Err(other) => {
                    check(&other)?;
                    continue;
                }
            };
            if stat.ephemeral_owner == Some(established.session) {
                return Ok(self.done(established, &stat).await);
            }
            if stat.ephemeral_owner.is_some() && stat.ephemeral_owner == self.previous {
                info!(broker = %self.broker, "replacing the registration of an earlier session");
                let expected = Expected::Version(stat.version);
                writes.insert(
                    0,
                    ZkWrite::Delete {
                        path: znode.path(),
                        expected,
                    },
                );
                continue;
            }
            let waited = began.elapsed();
            if waited >= timeout + PATIENCE_MARGIN {
                let endpoints = endpoints(&data);
                return Err(RegistrationError::Taken {
                    broker: self.broker,
                    endpoints,
                    waited,
                });
            }
            if waited < LOOK_AGAIN {
                warn!(
                    broker = %self.broker,
                    endpoints = endpoints(&data),
                    "this broker's id is registered by another session; waiting for it to end"
                );
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    async fn send(&self, established: Established, op: ZkOp) -> Outcome {
        self.session.execute_one(established.generation, op).await
    }

    /// A `/controller` of our earlier life would keep the cluster without a controller until that
    /// session ends; nobody else can hold it, so it is removed.
    async fn done(&self, established: Established, stat: &Stat) -> BrokerEpoch {
        let broker_epoch = BrokerEpoch(stat.czxid.0);
        let Some(previous) = self.previous else {
            return broker_epoch;
        };
        let path = ControllerZnode.path();
        let read = ZkOp::Read(ZkRead::Exists(path.clone()));
        if let Outcome::Done(ZkReply::Exists(stat)) = self.send(established, read).await
            && stat.ephemeral_owner == Some(previous)
        {
            let expected = Expected::Version(stat.version);
            let delete = ZkOp::Write(ZkWrite::Delete { path, expected });
            let outcome = self.send(established, delete).await;
            info!(?outcome, "gave up the controllership of an earlier session");
        }
        broker_epoch
    }
}

/// The stat in the answer to a registration that was made.
fn registered(outcome: &Outcome) -> Option<Stat> {
    let Outcome::Done(ZkReply::Multi(replies)) = outcome else {
        return None;
    };
    match replies.last() {
        Some(ZkReply::Set(stat)) => Some(*stat),
        _ => None,
    }
}

/// Lets pass what reading and trying again can mend.
fn check(outcome: &Outcome) -> Result<(), RegistrationError> {
    let Outcome::Failed(error) = outcome else {
        return Ok(());
    };
    let inner = if let ZkError::InMulti { error, .. } = error {
        error
    } else {
        error
    };
    match inner {
        ZkError::NodeExists | ZkError::NoNode | ZkError::BadVersion => Ok(()),
        ZkError::StaleSession => Err(RegistrationError::SessionOver),
        ZkError::NotEmpty
        | ZkError::EphemeralParent
        | ZkError::NoAuth
        | ZkError::TooLarge { .. }
        | ZkError::InMulti { .. }
        | ZkError::Refused { .. } => Err(RegistrationError::Refused(error.clone())),
    }
}

fn endpoints(data: &[u8]) -> String {
    match BrokerIdZnode::decode(data) {
        Ok(registration) => {
            let endpoints: Vec<_> = registration
                .endpoints
                .iter()
                .map(ToString::to_string)
                .collect();
            endpoints.join(",")
        }
        Err(_) => "an unknown address".to_owned(),
    }
}
