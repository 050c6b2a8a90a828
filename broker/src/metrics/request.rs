//! Requests by API and version, and how long they took.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ApiVersion {
    request: &'static str,
    version: i32,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Api {
    request: &'static str,
}

/// Upper ends of the classes of durations, in seconds: from a warm append to a long poll.
const CLASSES: [f64; 12] = [
    0.000_1, 0.000_25, 0.001, 0.002_5, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0,
];

#[derive(Clone, Debug)]
struct NewHistogram;

impl MetricConstructor<Histogram> for NewHistogram {
    fn new_metric(&self) -> Histogram {
        Histogram::new(CLASSES)
    }
}

/// Requests that were answered.
#[derive(Clone, Debug)]
pub struct RequestMetrics {
    count: Family<ApiVersion, Counter>,
    duration: Family<Api, Histogram, NewHistogram>,
}

/// The counters of one version of one API.
#[derive(Clone, Debug)]
pub struct RequestCounters {
    count: Counter,
    duration: Histogram,
}

impl RequestMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let requests = Self {
            count: Family::default(),
            duration: Family::new_with_constructor(NewHistogram),
        };
        registry.register(
            "kafka_network_requestmetrics_requests",
            "Requests answered",
            requests.count.clone(),
        );
        registry.register(
            "barnabas_request_duration_seconds",
            "Time from a whole request to its answer, waiting for others included",
            requests.duration.clone(),
        );
        requests
    }

    /// The counters of `version` of the API called `request` (Kafka's name: "Produce"), made at
    /// their first use. Looks names up: keep the result where it is needed often.
    #[must_use]
    pub fn of(&self, request: &'static str, version: i16) -> RequestCounters {
        let label = ApiVersion {
            request,
            version: version.into(),
        };
        RequestCounters {
            count: self.count.get_or_create_owned(&label),
            duration: self.duration.get_or_create_owned(&Api { request }),
        }
    }
}

impl RequestCounters {
    /// Counts one request that took `seconds`.
    pub fn answered(&self, seconds: f64) {
        self.count.inc();
        self.duration.observe(seconds);
    }
}
