//! The controller: Kafka's `KafkaController`. All zero on a broker that is not it, so that sums
//! over the brokers are right.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// What the active controller sees.
#[derive(Clone, Debug, Default)]
pub struct ControllerMetrics {
    /// 1 on the active controller.
    pub active_count: Gauge,
    /// Partitions without a leader.
    pub offline_partition_count: Gauge,
    /// Partitions led by another replica than the first.
    pub preferred_imbalance_count: Gauge,
    /// Topics of the cluster.
    pub topic_count: Gauge,
    /// Partitions of the cluster.
    pub partition_count: Gauge,
    /// Topics that wait for their deletion.
    pub topic_deletion_count: Gauge,
    /// Leaders elected outside the in-sync replicas.
    pub unclean_elections: Counter,
}

impl ControllerMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let controller = Self::default();
        let mut add = |name: &str, help: &str, gauge: &Gauge| {
            let name = format!("kafka_controller_kafkacontroller_{name}");
            registry.register(name, help, gauge.clone());
        };
        add(
            "activecontrollercount",
            "1 on the active controller",
            &controller.active_count,
        );
        add(
            "offlinepartitionscount",
            "Partitions without a leader",
            &controller.offline_partition_count,
        );
        add(
            "preferredreplicaimbalancecount",
            "Partitions led by another replica than the first",
            &controller.preferred_imbalance_count,
        );
        add(
            "globaltopiccount",
            "Topics of the cluster",
            &controller.topic_count,
        );
        add(
            "globalpartitioncount",
            "Partitions of the cluster",
            &controller.partition_count,
        );
        add(
            "topicstodeletecount",
            "Topics that wait for their deletion",
            &controller.topic_deletion_count,
        );
        registry.register(
            "kafka_controller_controllerstats_uncleanleaderelections",
            "Leaders elected outside the in-sync replicas",
            controller.unclean_elections.clone(),
        );
        controller
    }

    /// Sets every gauge to zero: this broker is no longer the controller.
    pub fn resigned(&self) {
        for gauge in [
            &self.active_count,
            &self.offline_partition_count,
            &self.preferred_imbalance_count,
            &self.topic_count,
            &self.partition_count,
            &self.topic_deletion_count,
        ] {
            gauge.set(0);
        }
    }
}
