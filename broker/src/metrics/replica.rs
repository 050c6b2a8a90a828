//! The replicas on this broker: Kafka's `ReplicaManager`.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Counts over the partitions of this broker.
#[derive(Clone, Debug, Default)]
pub struct ReplicaMetrics {
    /// Partitions with a replica here.
    pub partition_count: Gauge,
    /// Partitions led from here.
    pub leader_count: Gauge,
    /// Led partitions with fewer replicas in sync than assigned.
    pub under_replicated_count: Gauge,
    /// Led partitions with fewer replicas in sync than `min.insync.replicas`.
    pub under_min_isr_count: Gauge,
    /// Led partitions with exactly as many.
    pub at_min_isr_count: Gauge,
    /// Replicas whose log directory is offline.
    pub offline_count: Gauge,
    /// Led partitions that are being moved.
    pub reassigning_count: Gauge,
    /// Times a replica left the in-sync replicas.
    pub isr_shrinks: Counter,
    /// Times a replica came back to them.
    pub isr_expands: Counter,
}

impl ReplicaMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let replicas = Self::default();
        let mut add = |name: &str, help: &str, gauge: &Gauge| {
            registry.register(
                format!("kafka_server_replicamanager_{name}"),
                help,
                gauge.clone(),
            );
        };
        add(
            "partitioncount",
            "Partitions with a replica here",
            &replicas.partition_count,
        );
        add(
            "leadercount",
            "Partitions led from here",
            &replicas.leader_count,
        );
        add(
            "underreplicatedpartitions",
            "Led partitions with fewer replicas in sync than assigned",
            &replicas.under_replicated_count,
        );
        add(
            "underminisrpartitioncount",
            "Led partitions with fewer replicas in sync than min.insync.replicas",
            &replicas.under_min_isr_count,
        );
        add(
            "atminisrpartitioncount",
            "Led partitions with exactly min.insync.replicas in sync",
            &replicas.at_min_isr_count,
        );
        add(
            "offlinereplicacount",
            "Replicas whose log directory is offline",
            &replicas.offline_count,
        );
        add(
            "reassigningpartitions",
            "Led partitions that are being moved",
            &replicas.reassigning_count,
        );
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
