//! Which cluster this is and which broker this is: what has to be known before anything else.

use std::time::Duration;

use barnabas_wire::id::BrokerId;
use barnabas_zk_schema::broker::{BrokerIdZnode, BrokerIdsZnode, BrokerSeqIdZnode, Endpoint};
use barnabas_zk_schema::cluster::ClusterIdZnode;
use barnabas_zk_schema::{
    DecodeError, Expected, Outcome, PERSISTENT_PATHS, ZkError, ZkOp, ZkPath, ZkRead, ZkReply,
    ZkWrite, Znode,
};
use barnabas_zk_session::{Established, Session};
use tokio::time::sleep;

use crate::chance;

/// How often a lost connection is forgiven while a broker starts.
const TRIES_MAX: usize = 10;

/// Rest between two of them.
const REST: Duration = Duration::from_millis(200);

/// ZooKeeper did not give what a broker needs to start.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// It gave no answer, again and again.
    #[error("ZooKeeper did not answer while {doing}")]
    NoAnswer {
        /// What was tried.
        doing: &'static str,
    },
    /// It refused.
    #[error("ZooKeeper refused {doing}: {error}")]
    Refused {
        /// What was tried.
        doing: &'static str,
        /// Why.
        error: ZkError,
    },
    /// A znode cannot be understood.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The log directories belong to a cluster, and ZooKeeper holds none.
    #[error(
        "the ZooKeeper that zookeeper.connect names holds no cluster, but the log directories \
         belong to cluster `{known}`. Correct zookeeper.connect (host, port and chroot) if it names \
         the wrong one; if ZooKeeper has lost its data, restore that first; to begin anew, empty \
         the log directories"
    )]
    NoCluster {
        /// The id in the directories.
        known: String,
    },
    /// Another broker is reached where this one would be.
    #[error(
        "broker {other} is registered at {endpoint} already: give this broker another port in \
         listeners (and advertised.listeners)"
    )]
    EndpointTaken {
        /// The other broker.
        other: BrokerId,
        /// The place.
        endpoint: Endpoint,
    },
}

/// A session while a broker starts: lost connections are forgiven a few times.
#[derive(Debug)]
pub(crate) struct Starting<'a>(pub(crate) &'a Session);

impl Starting<'_> {
    async fn established(&self) -> Established {
        loop {
            if let Some(established) = self.0.current() {
                return established;
            }
            sleep(REST).await;
        }
    }

    /// Sends one operation whose repetition does no harm.
    async fn send(&self, doing: &'static str, op: &ZkOp) -> Result<Outcome, IdentityError> {
        for _ in 0..TRIES_MAX {
            let generation = self.established().await.generation;
            match self.0.execute_one(generation, op.clone()).await {
                Outcome::Unknown | Outcome::Failed(ZkError::StaleSession) => sleep(REST).await,
                outcome @ (Outcome::Done(_) | Outcome::Failed(_)) => return Ok(outcome),
            }
        }
        Err(IdentityError::NoAnswer { doing })
    }

    /// Makes the persistent znodes that every cluster has.
    pub(crate) async fn make_paths(&self) -> Result<(), IdentityError> {
        const DOING: &str = "making the cluster's znodes";
        for _ in 0..TRIES_MAX {
            let generation = self.established().await.generation;
            let paths = PERSISTENT_PATHS.iter().map(|path| ZkPath::from(*path));
            match self.0.ensure_paths(generation, paths).await {
                Ok(()) => return Ok(()),
                Err(Outcome::Failed(error)) if error != ZkError::StaleSession => {
                    return Err(IdentityError::Refused {
                        doing: DOING,
                        error,
                    });
                }
                Err(_) => sleep(REST).await,
            }
        }
        Err(IdentityError::NoAnswer { doing: DOING })
    }

    /// Reads the cluster's id; the first broker of a cluster makes it. `known` is the cluster that this
    /// broker's data belongs to: then it is never made, for the cluster is elsewhere or lost.
    pub(crate) async fn cluster_id(&self, known: Option<String>) -> Result<String, IdentityError> {
        const DOING: &str = "reading /cluster/id";
        let path = ClusterIdZnode.path();
        let read = ZkOp::Read(ZkRead::Data(path.clone()));
        let create = ZkOp::Write(ClusterIdZnode.create(&chance::uuid()));
        loop {
            match self.send(DOING, &read).await?.into_data() {
                Ok((data, _)) => return Ok(ClusterIdZnode::decode(&data)?),
                Err(outcome) if outcome.is_no_node() => {}
                Err(outcome) => return Err(refused(DOING, outcome)),
            }
            if let Some(known) = known {
                return Err(IdentityError::NoCluster { known });
            }
            if let Some(parent) = path.parent() {
                let generation = self.established().await.generation;
                // What keeps it from being made also keeps its child from being made.
                drop(self.0.ensure_paths(generation, [parent]).await);
            }
            match self.send(DOING, &create).await? {
                Outcome::Done(_) | Outcome::Failed(ZkError::NodeExists | ZkError::NoNode) => {}
                outcome @ (Outcome::Failed(_) | Outcome::Unknown) => {
                    return Err(refused(DOING, outcome));
                }
            }
        }
    }

    /// Draws a broker id above `reserved_id_max`: one more than the last one drawn.
    pub(crate) async fn draw_broker_id(
        &self,
        reserved_id_max: i32,
    ) -> Result<BrokerId, IdentityError> {
        const DOING: &str = "drawing a broker id";
        let path = BrokerSeqIdZnode.path();
        let draw = ZkOp::Write(ZkWrite::Set {
            path,
            data: vec![],
            expected: Expected::Any,
        });
        match self.send(DOING, &draw).await? {
            Outcome::Done(ZkReply::Set(stat)) => {
                Ok(BrokerId(reserved_id_max.saturating_add(stat.version.0)))
            }
            outcome @ (Outcome::Done(_) | Outcome::Failed(_) | Outcome::Unknown) => {
                Err(refused(DOING, outcome))
            }
        }
    }

    /// Refuses endpoints at which another live broker is registered: clients would reach the wrong one.
    pub(crate) async fn check_endpoints(
        &self,
        broker: BrokerId,
        endpoints: &[Endpoint],
    ) -> Result<(), IdentityError> {
        const DOING: &str = "looking at the brokers that are registered";
        let children = ZkOp::Read(ZkRead::Children(BrokerIdsZnode.path()));
        let Ok(names) = self.send(DOING, &children).await?.into_children() else {
            return Ok(());
        };
        for other in names
            .iter()
            .filter_map(|name| name.parse().ok())
            .map(BrokerId)
        {
            if other == broker {
                continue;
            }
            let read = ZkOp::Read(ZkRead::Data(BrokerIdZnode(other).path()));
            // It may have gone meanwhile, or be of a kind that is not understood.
            let Ok((data, _)) = self.send(DOING, &read).await?.into_data() else {
                continue;
            };
            let Ok(registration) = BrokerIdZnode::decode(&data) else {
                continue;
            };
            let place = |endpoint: &Endpoint| (endpoint.host.clone(), endpoint.port);
            let taken = registration
                .endpoints
                .into_iter()
                .find(|theirs| endpoints.iter().any(|ours| place(ours) == place(theirs)));
            if let Some(endpoint) = taken {
                return Err(IdentityError::EndpointTaken { other, endpoint });
            }
        }
        Ok(())
    }
}

fn refused(doing: &'static str, outcome: Outcome) -> IdentityError {
    match outcome {
        Outcome::Failed(error) => IdentityError::Refused { doing, error },
        Outcome::Done(_) | Outcome::Unknown => IdentityError::NoAnswer { doing },
    }
}
