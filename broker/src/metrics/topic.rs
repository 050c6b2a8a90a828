//! Records and bytes, by topic and in all: Kafka's `BrokerTopicMetrics`.

use std::fmt;
use std::sync::Arc;

use prometheus_client::encoding::{EncodeLabel, EncodeLabelSet, LabelSetEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// A topic, or all of them, which has no label.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct TopicLabel(Option<Arc<str>>);

impl EncodeLabelSet for TopicLabel {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), fmt::Error> {
        match &self.0 {
            Some(topic) => ("topic", topic.as_ref()).encode(encoder.encode_label()),
            None => Ok(()),
        }
    }
}

type Counters = Family<TopicLabel, Counter>;

/// The counters of every topic that was written or read since the start.
#[derive(Clone, Debug, Default)]
pub struct TopicMetrics {
    records_in: Counters,
    bytes_in: Counters,
    bytes_out: Counters,
    produce_requests: Counters,
    fetch_requests: Counters,
    failed_produce_requests: Counters,
    failed_fetch_requests: Counters,
}

/// The counters of one topic. Counting also counts into the sums over all topics.
#[derive(Clone, Debug)]
pub struct TopicCounters {
    own: One,
    all: One,
}

#[derive(Clone, Debug)]
struct One {
    records_in: Counter,
    bytes_in: Counter,
    bytes_out: Counter,
    produce_requests: Counter,
    fetch_requests: Counter,
    failed_produce_requests: Counter,
    failed_fetch_requests: Counter,
}

impl TopicMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let topics = Self::default();
        let mut add = |name: &str, help: &str, counters: &Counters| {
            let name = format!("kafka_server_brokertopicmetrics_{name}");
            registry.register(name, help, counters.clone());
        };
        add(
            "messagesin",
            "Records appended by producers",
            &topics.records_in,
        );
        add("bytesin", "Bytes appended by producers", &topics.bytes_in);
        add("bytesout", "Bytes read by consumers", &topics.bytes_out);
        add(
            "totalproducerequests",
            "Produces to a partition",
            &topics.produce_requests,
        );
        add(
            "totalfetchrequests",
            "Fetches from a partition",
            &topics.fetch_requests,
        );
        add(
            "failedproducerequests",
            "Produces to a partition that were answered with an error",
            &topics.failed_produce_requests,
        );
        add(
            "failedfetchrequests",
            "Fetches from a partition that were answered with an error",
            &topics.failed_fetch_requests,
        );
        topics.one(&TopicLabel(None));
        topics
    }

    /// The counters of `topic`, made at their first use. Looks names up: keep the result with the
    /// partition.
    #[must_use]
    pub fn of(&self, topic: &str) -> TopicCounters {
        TopicCounters {
            own: self.one(&TopicLabel(Some(topic.into()))),
            all: self.one(&TopicLabel(None)),
        }
    }

    /// Takes the series of a deleted topic away. What was counted stays in the sums.
    pub fn forget(&self, topic: &str) {
        let label = TopicLabel(Some(topic.into()));
        for family in [
            &self.records_in,
            &self.bytes_in,
            &self.bytes_out,
            &self.produce_requests,
            &self.fetch_requests,
            &self.failed_produce_requests,
            &self.failed_fetch_requests,
        ] {
            family.remove(&label);
        }
    }

    fn one(&self, label: &TopicLabel) -> One {
        One {
            records_in: self.records_in.get_or_create_owned(label),
            bytes_in: self.bytes_in.get_or_create_owned(label),
            bytes_out: self.bytes_out.get_or_create_owned(label),
            produce_requests: self.produce_requests.get_or_create_owned(label),
            fetch_requests: self.fetch_requests.get_or_create_owned(label),
            failed_produce_requests: self.failed_produce_requests.get_or_create_owned(label),
            failed_fetch_requests: self.failed_fetch_requests.get_or_create_owned(label),
        }
    }
}

impl TopicCounters {
    /// Counts one produce to a partition that was taken: its records and bytes.
    pub fn produced(&self, records: u64, bytes: u64) {
        for one in [&self.own, &self.all] {
            one.produce_requests.inc();
            one.records_in.inc_by(records);
            one.bytes_in.inc_by(bytes);
        }
    }

    /// Counts one produce to a partition that was answered with an error.
    pub fn produce_failed(&self) {
        for one in [&self.own, &self.all] {
            one.produce_requests.inc();
            one.failed_produce_requests.inc();
        }
    }

    /// Counts one fetch from a partition and the bytes it was answered with.
    pub fn fetched(&self, bytes: u64) {
        for one in [&self.own, &self.all] {
            one.fetch_requests.inc();
            one.bytes_out.inc_by(bytes);
        }
    }

    /// Counts one fetch from a partition that was answered with an error.
    pub fn fetch_failed(&self) {
        for one in [&self.own, &self.all] {
            one.fetch_requests.inc();
            one.failed_fetch_requests.inc();
        }
    }
}
