//! Changes of in-sync replicas led from here: Kafka's `ReplicaManager`.
//!
//! What its gauges count is counted when somebody asks, in [`super::PartitionMetrics`].

use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;

/// Counters of in-sync replicas.
#[derive(Clone, Debug, Default)]
pub struct ReplicaMetrics {
    /// Times a replica left the in-sync replicas.
    pub isr_shrinks: Counter,
    /// Times a replica came back to them.
    pub isr_expands: Counter,
}

impl ReplicaMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let replicas = Self::default();
        registry.register(
            "kafka_server_replicamanager_isrshrinks",
            "Times a replica left the in-sync replicas",
            replicas.isr_shrinks.clone(),
        );
        registry.register(
            "kafka_server_replicamanager_isrexpands",
            "Times a replica came back to the in-sync replicas",
            replicas.isr_expands.clone(),
        );
        replicas
    }
}
