//! What every handler and driver of one running broker shares.

use std::sync::Arc;

use barnabas_config::{BrokerSettings, Effective};
use barnabas_wire::id::BrokerId;
use barnabas_zk_schema::broker::Endpoint;
use barnabas_zk_session::Session;

use crate::auto_create::UnderWay;
use crate::deletion_marks::DeletionMarks;
use crate::driver::controller::ControllerHandle;
use crate::fetch_session::FetchSessions;
use crate::metadata_cache::MetadataCache;
use crate::metrics::Metrics;
use crate::partition::PartitionRegistry;
use crate::peer::Asker;
use crate::producer_ids::ProducerIds;
use crate::registration::Registration;

/// One running broker.
#[derive(Debug)]
pub struct Node {
    /// Its id.
    pub broker: BrokerId,
    /// The cluster's id.
    pub cluster_id: String,
    /// Its settings.
    pub settings: BrokerSettings,
    /// The same with where each value came from, for `DescribeConfigs`.
    pub effective: Effective,
    /// Where clients and brokers reach it.
    pub endpoints: Vec<Endpoint>,
    /// What it knows of the cluster.
    pub metadata: MetadataCache,
    /// Its registration under `/brokers/ids`.
    pub registration: Arc<Registration>,
    /// Its session with ZooKeeper.
    pub session: Session,
    /// Its controller, active or standing by.
    pub controller: ControllerHandle,
    /// How it asks other brokers.
    pub asker: Asker,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Topics whose creation on first use is under way.
    pub auto_creations: UnderWay,
    /// Which topics are marked for deletion.
    pub deletion_marks: DeletionMarks,
    /// Ids for idempotent producers.
    pub producer_ids: ProducerIds,
    /// Its partitions.
    pub partitions: PartitionRegistry,
    /// What its readers read.
    pub fetch_sessions: FetchSessions,
}

impl Node {
    /// Where the active controller is reached on the listener between brokers, as far as this broker
    /// knows.
    #[must_use]
    pub fn controller_address(&self) -> Option<(String, u16)> {
        let controller = self.controller.holder()?;
        let cluster = self.metadata.snapshot();
        let endpoint = cluster.endpoint(controller, &self.settings.listeners.inter_broker)?;
        Some((endpoint.host.clone(), endpoint.port))
    }
}
