//! The life of a broker: the order in which its parts start and stop.
//!
//! Log directories are locked first and their logs loaded before the broker is registered, so that a
//! broker never shows up with logs it has not recovered. Listeners are bound before the registration,
//! which names their ports, and serve after it. Source: kafka 2.8 server/KafkaServer.scala.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use barnabas_config::broker::{AssignmentPolicy as Policy, ZooKeeper};
use barnabas_config::{BrokerSettings, Loaded};
use barnabas_connection::Options;
use barnabas_controller::{AssignmentPolicy, Settings as ControllerSettings};
use barnabas_wire::id::{BrokerEpoch, BrokerId};
use barnabas_zk_schema::broker::{BrokerRegistration, Endpoint};
use barnabas_zk_session::{
    Session, SessionEvents, Settings as SessionSettings, StartError as SessionStartError,
};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;
use tracing::{info, warn};

use crate::advertised;
use crate::api::Dispatcher;
use crate::auto_create::UnderWay;
use crate::clock;
use crate::controlled_shutdown;
use crate::data_plane::{DataPlane, DataPlaneError};
use crate::deletion_marks::DeletionMarks;
use crate::driver::config_change::ConfigChanges;
use crate::driver::controller::{ControllerHandle, ControllerParts};
use crate::driver::session::{self, SessionParts};
use crate::fetch_session::FetchSessions;
use crate::identity::{IdentityError, Starting};
use crate::metadata_cache::MetadataCache;
use crate::metrics::Metrics;
use crate::network::{Admission, BindError, Budget, Gate, Limits, Listener, ListenerSettings};
use crate::node::Node;
use crate::peer::Asker;
use crate::producer_ids::ProducerIds;
use crate::registration::{Registrar, Registration, RegistrationError};
use crate::session_file;

/// How long a stopping broker waits for requests that it has begun.
const DRAIN_MAX: Duration = Duration::from_secs(5);

/// How long a stopping broker waits for ZooKeeper to end its session.
const CLOSE_MAX: Duration = Duration::from_secs(5);

/// How many changes of configuration may wait to be looked at: one look sees them all.
const CONFIG_CHANGES_MAX: usize = 1;

/// Why a broker does not start. Each says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The log directories cannot be used, or belong to another broker or cluster.
    #[error(transparent)]
    DataPlane(#[from] DataPlaneError),
    /// ZooKeeper cannot be reached or cannot be used.
    #[error(transparent)]
    Session(#[from] SessionStartError),
    /// What has to be read from or made in ZooKeeper first could not be.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// A listener cannot listen.
    #[error("{error}: {}", source_of(.error))]
    Bind {
        /// Which, and why.
        error: BindError,
    },
    /// The system does not say where a socket is bound.
    #[error("the address of a listener cannot be read")]
    Address(#[source] io::Error),
    /// The broker could not be registered.
    #[error(transparent)]
    Registration(#[from] RegistrationError),
    /// The session's driver ended; a defect.
    #[error("the driver of the ZooKeeper session ended at its start")]
    DriverEnded,
}

fn source_of(error: &BindError) -> String {
    std::error::Error::source(error)
        .map(ToString::to_string)
        .unwrap_or_default()
}

/// A running broker. Dropping it without [`Broker::stop`] is like a crash.
#[derive(Debug)]
pub struct Broker {
    node: Arc<Node>,
    data_plane: DataPlane,
    stopping: watch::Sender<bool>,
    listeners: JoinSet<()>,
    session_driver: AbortHandle,
}

/// A session and who this broker is in it.
struct Membership {
    session: Session,
    events: SessionEvents,
    broker: BrokerId,
    cluster_id: String,
}

/// Bound sockets and what is told about them.
struct Sockets {
    listeners: Vec<Listener>,
    endpoints: Vec<Endpoint>,
}

impl Broker {
    /// Starts a broker; it serves when this returns.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running then.
    pub async fn start(loaded: Loaded, metrics: Arc<Metrics>) -> Result<Self, StartError> {
        let data_plane = DataPlane::open(&loaded.broker)?;
        let membership = join_cluster(&loaded.broker, &data_plane).await?;
        let session = membership.session.clone();
        let started = Self::start_as(loaded, data_plane, membership, metrics).await;
        if started.is_err() {
            session.close().await;
        }
        started
    }

    async fn start_as(
        loaded: Loaded,
        mut data_plane: DataPlane,
        membership: Membership,
        metrics: Arc<Metrics>,
    ) -> Result<Self, StartError> {
        let Loaded {
            broker: settings,
            effective,
            ..
        } = loaded;
        let Membership {
            session,
            events,
            broker,
            cluster_id,
        } = membership;
        let Sockets {
            listeners,
            endpoints,
        } = bind(&settings).await?;
        Starting(&session)
            .check_endpoints(broker, &endpoints)
            .await?;
        let partitions = data_plane.load(&settings, broker, &session).await?;
        let asker = asker(&settings, broker);
        let registration = Arc::new(Registration::default());
        let controller = ControllerHandle::start(ControllerParts {
            settings: controller_settings(&settings, broker),
            session: session.clone(),
            asker: asker.clone(),
            metrics: metrics.controller.clone(),
        });
        let node = Arc::new(Node {
            broker,
            cluster_id,
            effective,
            endpoints,
            metadata: MetadataCache::default(),
            registration,
            session,
            controller,
            asker,
            auto_creations: UnderWay::default(),
            deletion_marks: DeletionMarks::default(),
            producer_ids: ProducerIds::default(),
            metrics,
            partitions,
            fetch_sessions: FetchSessions::new(settings.network.fetch_sessions_max),
            settings,
        });
        let session_file = data_plane.home().map(|home| home.join(session_file::NAME));
        let (broker_epoch, session_driver) = register(&node, events, session_file).await?;
        data_plane.claim(broker, &node.cluster_id)?;
        data_plane.start_upkeep(&node);
        let (stopping, listeners) = serve(&node, listeners);
        tokio::spawn(take_producer_ids(Arc::clone(&node)));
        info!(%broker, %broker_epoch, cluster_id = node.cluster_id, "serving");
        Ok(Self {
            node,
            data_plane,
            stopping,
            listeners,
            session_driver,
        })
    }

    /// What the handlers of this broker share.
    #[must_use]
    pub const fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Stops in order: leaderships move, requests that were begun are answered, logs are closed, and the
    /// registration goes with the session.
    pub async fn stop(mut self) {
        controlled_shutdown::run(&self.node).await;
        self.stopping.send_replace(true);
        let drained = async { while self.listeners.join_next().await.is_some() {} };
        if timeout(DRAIN_MAX, drained).await.is_err() {
            warn!("some requests were not answered in time");
        }
        drop(self.listeners);
        self.data_plane.close().await;
        // The end of the session is ours, and nobody's news.
        self.session_driver.abort();
        self.node.controller.stop();
        if timeout(CLOSE_MAX, self.node.session.close()).await.is_err() {
            warn!("ZooKeeper does not answer: this broker stays registered until its session ends");
        }
        info!(broker = %self.node.broker, "stopped");
    }
}

/// Opens the session, and finds out which cluster and which broker this is.
async fn join_cluster(
    settings: &BrokerSettings,
    data_plane: &DataPlane,
) -> Result<Membership, StartError> {
    let ZooKeeper {
        connect,
        session_timeout_ms,
        connection_timeout_ms,
        ..
    } = &settings.zookeeper;
    let (session, events) = Session::start(SessionSettings {
        connect_string: connect.to_string(),
        session_timeout_ms: *session_timeout_ms,
        connection_timeout_ms: *connection_timeout_ms,
        request_timeout_ms: *session_timeout_ms,
    })
    .await?;
    match identify(settings, data_plane, &session).await {
        Ok((broker, cluster_id)) => Ok(Membership {
            session,
            events,
            broker,
            cluster_id,
        }),
        Err(error) => {
            session.close().await;
            Err(error)
        }
    }
}

async fn identify(
    settings: &BrokerSettings,
    data_plane: &DataPlane,
    session: &Session,
) -> Result<(BrokerId, String), StartError> {
    let starting = Starting(session);
    let cluster_id = starting.cluster_id(data_plane.cluster_id()?).await?;
    starting.make_paths().await?;
    let configured = settings.identity.broker_id.map(BrokerId);
    let stored = data_plane.check_owner(configured, &cluster_id)?;
    let broker = match configured.or(stored) {
        Some(broker) => broker,
        None => {
            starting
                .draw_broker_id(settings.identity.reserved_id_max)
                .await?
        }
    };
    Ok((broker, cluster_id))
}

async fn bind(settings: &BrokerSettings) -> Result<Sockets, StartError> {
    let network = &settings.network;
    let size = |bytes: Option<u32>| bytes.and_then(|bytes| usize::try_from(bytes).ok());
    let mut listeners = Vec::new();
    let mut bound = Vec::new();
    for endpoint in &settings.listeners.bound {
        let listener = Listener::bind(ListenerSettings {
            name: endpoint.name.clone(),
            host: endpoint.host.clone(),
            port: endpoint.port,
            send_buffer_bytes: size(network.send_buffer_bytes),
            receive_buffer_bytes: size(network.receive_buffer_bytes),
            is_between_brokers: settings.listeners.bound.len() > 1
                && endpoint.name == settings.listeners.inter_broker,
        })
        .await
        .map_err(|error| StartError::Bind { error })?;
        let address = listener.local_address().map_err(StartError::Address)?;
        info!(listener = endpoint.name, %address, "listening");
        bound.push((endpoint.name.clone(), address));
        listeners.push(listener);
    }
    let endpoints = advertised::endpoints(&settings.listeners, &bound);
    Ok(Sockets {
        listeners,
        endpoints,
    })
}

/// A first block of producer ids, beside the start rather than in its way.
async fn take_producer_ids(node: Arc<Node>) {
    if let Err(error) = node.producer_ids.fill(&node.session, node.broker).await {
        warn!(%error, "the first producer waits for its id");
    }
}

fn asker(settings: &BrokerSettings, broker: BrokerId) -> Asker {
    Asker::new(Options {
        client_id: format!("broker-{broker}").into(),
        connect_timeout: Duration::from_millis(settings.network.connect_timeout_ms),
        request_timeout: Duration::from_millis(settings.controller.request_timeout_ms.into()),
        source_address: settings.network.source_address,
        ..Options::default()
    })
}

fn controller_settings(settings: &BrokerSettings, broker: BrokerId) -> ControllerSettings {
    ControllerSettings {
        broker,
        inter_broker_listener: settings.listeners.inter_broker.clone(),
        delete_topic_enable: settings.topics.is_delete_enabled,
        unclean_leader_election_enable: settings.topic_defaults.is_unclean_election_enabled,
        num_partitions: settings.topics.partitions,
        default_replication_factor: settings.topics.replication_factor.into(),
        assignment_policy: match settings.assignment_policy {
            Policy::Modulo => AssignmentPolicy::Modulo,
            Policy::Rotated => AssignmentPolicy::Rotated,
            Policy::Kafka => AssignmentPolicy::Kafka,
            Policy::Rack => AssignmentPolicy::Rack,
        },
    }
}

async fn register(
    node: &Arc<Node>,
    events: SessionEvents,
    session_file: Option<PathBuf>,
) -> Result<(BrokerEpoch, AbortHandle), StartError> {
    let registrar = Registrar {
        session: node.session.clone(),
        broker: node.broker,
        payload: BrokerRegistration {
            endpoints: node.endpoints.clone(),
            rack: node.settings.identity.rack.clone(),
            jmx_port: -1,
            timestamp_ms: clock::wall_ms(),
        },
        previous: session_file.as_deref().and_then(session_file::read),
    };
    let (first, registered) = oneshot::channel();
    let (config_changes, looks) = mpsc::channel(CONFIG_CHANGES_MAX);
    tokio::spawn(config_changes_of(node).run(looks));
    let driver = tokio::spawn(session::run(SessionParts {
        events,
        registrar,
        registration: Arc::clone(&node.registration),
        controller: node.controller.clone(),
        session_file,
        config_changes,
        first,
    }));
    let broker_epoch = registered
        .await
        .map_err(|_ended| StartError::DriverEnded)??;
    Ok((broker_epoch, driver.abort_handle()))
}

/// Hands changed settings of topics to the partitions.
fn config_changes_of(node: &Arc<Node>) -> ConfigChanges {
    let partitions = Arc::downgrade(node);
    ConfigChanges {
        session: node.session.clone(),
        topic_defaults: node.settings.topic_defaults.clone(),
        sink: Box::new(move |topic, settings| {
            if let Some(node) = partitions.upgrade() {
                node.partitions.set_topic_settings(topic.as_str(), settings);
            }
        }),
        last: None,
    }
}

fn serve(node: &Arc<Node>, listeners: Vec<Listener>) -> (watch::Sender<bool>, JoinSet<()>) {
    let network = &node.settings.network;
    let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    let overrides = network.connections_per_address_overrides.iter();
    let gate = Gate {
        limits: Limits {
            frame_size_max: count(network.request_max_bytes),
            idle_max: Duration::from_millis(network.idle_max_ms),
            ..Limits::kafka_defaults()
        },
        admission: Admission::new(
            count(network.connections_max),
            count(network.connections_per_address_max),
            overrides
                .map(|(address, limit)| (*address, count(*limit)))
                .collect(),
        ),
        budget: Budget::new(
            network
                .queued_requests_max_bytes
                .map_or(-1, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX)),
        ),
        metrics: node.metrics.network.clone(),
    };
    let dispatcher = Arc::new(Dispatcher::new(Arc::clone(node)));
    let (stopping, until) = watch::channel(false);
    let mut serving = JoinSet::new();
    for listener in listeners {
        serving.spawn(listener.serve(gate.clone(), Arc::clone(&dispatcher), until.clone()));
    }
    (stopping, serving)
}
