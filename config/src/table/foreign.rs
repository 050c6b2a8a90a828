//! What else Kafka knows: quotas, its metrics reporters, and the mode without ZooKeeper.

use crate::setting::Setting;

const NO_QUOTAS: &str = "this version does not limit rates yet";
const NO_REPORTERS: &str = "metrics are served by metrics.listeners";
const KRAFT: &str = "this is a file for Kafka without ZooKeeper (KRaft), which this broker does \
                     not speak; start from the shipped server.toml";

const fn kraft(key: &'static str) -> Setting {
    Setting::text(key).refused(&[""], KRAFT)
}

pub(super) const SETTINGS: &[Setting] = &[
    Setting::ignored("quota.producer.default", NO_QUOTAS),
    Setting::ignored("quota.consumer.default", NO_QUOTAS),
    Setting::ignored("quota.window.num", NO_QUOTAS),
    Setting::ignored("quota.window.size.seconds", NO_QUOTAS),
    Setting::ignored("replication.quota.window.num", NO_QUOTAS),
    Setting::ignored("replication.quota.window.size.seconds", NO_QUOTAS),
    Setting::ignored("alter.log.dirs.replication.quota.window.num", NO_QUOTAS),
    Setting::ignored(
        "alter.log.dirs.replication.quota.window.size.seconds",
        NO_QUOTAS,
    ),
    Setting::ignored("controller.quota.window.num", NO_QUOTAS),
    Setting::ignored("controller.quota.window.size.seconds", NO_QUOTAS),
    Setting::ignored("client.quota.callback.class", NO_QUOTAS),
    Setting::ignored("metric.reporters", NO_REPORTERS),
    Setting::ignored("metrics.num.samples", NO_REPORTERS),
    Setting::ignored("metrics.recording.level", NO_REPORTERS),
    Setting::ignored("metrics.sample.window.ms", NO_REPORTERS),
    Setting::ignored("kafka.metrics.reporters", NO_REPORTERS),
    Setting::ignored("kafka.metrics.polling.interval.secs", NO_REPORTERS),
    Setting::ignored("kafka.csv.metrics.reporter.enabled", NO_REPORTERS),
    kraft("process.roles"),
    kraft("controller.quorum.voters"),
    kraft("controller.quorum.bootstrap.servers"),
    Setting::ignored("node.id", KRAFT),
    Setting::ignored("controller.listener.names", KRAFT),
    Setting::ignored("metadata.log.dir", KRAFT),
    Setting::ignored("initial.broker.registration.timeout.ms", KRAFT),
    Setting::ignored("broker.heartbeat.interval.ms", KRAFT),
    Setting::ignored("broker.session.timeout.ms", KRAFT),
    Setting::ignored("sasl.mechanism.controller.protocol", KRAFT),
];
