//! The metrics registry: every number this broker tells the world, under the names that dashboards
//! for Kafka expect (what `jmx_exporter` makes of Kafka's `MBeans`), and ours with `barnabas_`.
//!
//! Code that counts holds a handle, which is an atomic behind a pointer: counting takes no lock and
//! looks nothing up. The registry is only walked when somebody asks for `/metrics`.

mod controller;
mod partition;
mod replica;
mod request;
mod topic;

use std::fmt;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::network::NetworkMetrics;

pub use controller::ControllerMetrics;
pub use partition::{
    LedSample, PARTITION_SERIES_MAX, PartitionMetrics, PartitionSample, PartitionSource,
};
pub use replica::ReplicaMetrics;
pub use request::{RequestCounters, RequestMetrics};
pub use topic::{TOPIC_SERIES_MAX, TopicCounters, TopicMetrics};

/// Every metric of the broker. One per process; what counts holds clones of its parts.
#[derive(Debug)]
pub struct Metrics {
    /// Connections and bytes.
    pub network: NetworkMetrics,
    /// Requests by API.
    pub requests: RequestMetrics,
    /// Records and bytes by topic.
    pub topics: TopicMetrics,
    /// Replicas of this broker.
    pub replicas: ReplicaMetrics,
    /// The controller, where this broker is it.
    pub controller: ControllerMetrics,
    /// Offsets and sizes of each partition here.
    pub partitions: PartitionMetrics,
    registry: Registry,
}

impl Metrics {
    /// Makes every metric and registers it, all at zero.
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::default();
        let version = [("version".into(), env!("CARGO_PKG_VERSION").into())];
        registry
            .sub_registry_with_labels(version.into_iter())
            .register(
                "barnabas_build",
                "The version of this broker, as a label",
                ConstGauge::new(1_i64),
            );
        Self {
            network: register_network(&mut registry),
            requests: RequestMetrics::register(&mut registry),
            topics: TopicMetrics::register(&mut registry),
            replicas: ReplicaMetrics::register(&mut registry),
            controller: ControllerMetrics::register(&mut registry),
            partitions: PartitionMetrics::register(&mut registry),
            registry,
        }
    }

    /// Everything as `OpenMetrics` text, which Prometheus's older format also reads.
    ///
    /// # Errors
    /// A partition source that fails to write its samples; nothing else can fail.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        // An empty label set is written as `{}`, which is allowed and looked for by nobody.
        Ok(text.replace("{} ", " "))
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// Names the counters of the network layer.
fn register_network(registry: &mut Registry) -> NetworkMetrics {
    let network = NetworkMetrics::default();
    let mut add =
        |name: &str, help: &str, counter: &prometheus_client::metrics::counter::Counter| {
            registry.register(format!("barnabas_network_{name}"), help, counter.clone());
        };
    add(
        "connections_accepted",
        "Connections accepted",
        &network.connections_accepted,
    );
    add(
        "connections_refused",
        "Connections closed because there were too many",
        &network.connections_refused,
    );
    add(
        "connections_expired",
        "Connections closed because nothing moved for too long",
        &network.connections_expired,
    );
    add(
        "protocol_errors",
        "Connections closed because the peer broke the protocol",
        &network.protocol_errors,
    );
    add(
        "received_bytes",
        "Bytes of requests read",
        &network.bytes_received,
    );
    add(
        "sent_bytes",
        "Bytes of answers written",
        &network.bytes_sent,
    );
    registry.register(
        "barnabas_network_connections_open",
        "Connections open now",
        network.connections_open.clone(),
    );
    network
}

#[cfg(test)]
mod tests;
