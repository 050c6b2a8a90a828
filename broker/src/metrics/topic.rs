//! Records and bytes, by topic and in all: Kafka's `BrokerTopicMetrics`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::RwLock;
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

/// Most topics that get series of their own. Records and bytes of one topic more count into the
/// sums only.
pub const TOPIC_SERIES_MAX: usize = 10_000;

/// The counters of every topic that was written or read since the start.
#[derive(Clone, Debug)]
pub struct TopicMetrics {
    families: Families,
    all: Arc<One>,
    topics: Arc<RwLock<BTreeMap<Arc<str>, TopicCounters>>>,
}

/// The counters of one topic. Counting also counts into the sums over all topics. A cheap clone.
#[derive(Clone, Debug)]
pub struct TopicCounters {
    /// `None` for a topic without series of its own.
    own: Option<Arc<One>>,
    all: Arc<One>,
}

#[derive(Clone, Debug, Default)]
struct Families {
    records_in: Counters,
    bytes_in: Counters,
    bytes_out: Counters,
    produce_requests: Counters,
    fetch_requests: Counters,
    failed_produce_requests: Counters,
    failed_fetch_requests: Counters,
}

#[derive(Debug)]
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
        let families = Families::default();
        let mut add = |name: &str, help: &str, counters: &Counters| {
            let name = format!("kafka_server_brokertopicmetrics_{name}");
            registry.register(name, help, counters.clone());
        };
        add(
            "messagesin",
            "Records appended by producers",
            &families.records_in,
        );
        add("bytesin", "Bytes appended by producers", &families.bytes_in);
        add("bytesout", "Bytes read by consumers", &families.bytes_out);
        add(
            "totalproducerequests",
            "Produces to a partition",
            &families.produce_requests,
        );
        add(
            "totalfetchrequests",
            "Fetches from a partition",
            &families.fetch_requests,
        );
        add(
            "failedproducerequests",
            "Produces to a partition that were answered with an error",
            &families.failed_produce_requests,
        );
        add(
            "failedfetchrequests",
            "Fetches from a partition that were answered with an error",
            &families.failed_fetch_requests,
        );
        let all = Arc::new(families.one(&TopicLabel(None)));
        Self {
            families,
            all,
            topics: Arc::default(),
        }
    }

    /// The counters of a topic that is here, made at their first use. Not for names that a client
    /// has made up: each costs memory until
    /// [`Self::forget_all_but`].
    #[must_use]
    pub fn of(&self, topic: &str) -> TopicCounters {
        if let Some(known) = self.topics.read().get(topic) {
            return known.clone();
        }
        let mut topics = self.topics.write();
        if topics.len() >= TOPIC_SERIES_MAX {
            return self.of_nothing_here();
        }
        let topic: Arc<str> = topic.into();
        let made = topics.entry(Arc::clone(&topic)).or_insert_with(|| {
            let own = self.families.one(&TopicLabel(Some(topic)));
            TopicCounters {
                own: Some(Arc::new(own)),
                all: Arc::clone(&self.all),
            }
        });
        made.clone()
    }

    /// Counters for a topic that is not here: they count into the sums only.
    #[must_use]
    pub fn of_nothing_here(&self) -> TopicCounters {
        TopicCounters {
            own: None,
            all: Arc::clone(&self.all),
        }
    }

    /// Takes the series of every topic away that is no longer here. What was counted stays in the
    /// sums.
    pub fn forget_all_but(&self, is_here: impl Fn(&str) -> bool) {
        // The lock is held to the end, so that nobody makes series anew while they go.
        let mut topics = self.topics.write();
        topics.retain(|topic, _| {
            let stays = is_here(topic);
            if !stays {
                self.families.remove(&TopicLabel(Some(Arc::clone(topic))));
            }
            stays
        });
    }
}

impl Families {
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

    fn remove(&self, label: &TopicLabel) {
        for family in [
            &self.records_in,
            &self.bytes_in,
            &self.bytes_out,
            &self.produce_requests,
            &self.fetch_requests,
            &self.failed_produce_requests,
            &self.failed_fetch_requests,
        ] {
            family.remove(label);
        }
    }
}

impl TopicCounters {
    /// Counts one produce to a partition that was taken: its records and bytes.
    pub fn produced(&self, records: u64, bytes: u64) {
        for one in self.both() {
            one.produce_requests.inc();
            one.records_in.inc_by(records);
            one.bytes_in.inc_by(bytes);
        }
    }

    /// Counts one produce to a partition that was answered with an error.
    pub fn produce_failed(&self) {
        for one in self.both() {
            one.produce_requests.inc();
            one.failed_produce_requests.inc();
        }
    }

    /// Counts one fetch from a partition and the bytes it was answered with.
    pub fn fetched(&self, bytes: u64) {
        for one in self.both() {
            one.fetch_requests.inc();
            one.bytes_out.inc_by(bytes);
        }
    }

    /// Counts one fetch from a partition that was answered with an error.
    pub fn fetch_failed(&self) {
        for one in self.both() {
            one.fetch_requests.inc();
            one.failed_fetch_requests.inc();
        }
    }

    fn both(&self) -> impl Iterator<Item = &One> {
        let own = self.own.as_deref().into_iter();
        own.chain(std::iter::once(self.all.as_ref()))
    }
}
