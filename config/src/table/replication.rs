//! The controller, in-sync replicas and leaving in good order.

use crate::setting::{Dynamic, Setting, Unit};

const NO_FOLLOWERS: &str = "this version has no followers yet: topics have one replica";
const NO_PURGATORY: &str = "waiting requests are dropped as soon as they are answered";

pub(super) const SETTINGS: &[Setting] = &[
    Setting::text("inter.broker.protocol.version").default("2.6").doc(
        "The protocol between brokers. This broker speaks 2.6 only; Kafka brokers in the same \
         cluster must be set to it.",
    ),
    Setting::int("controller.socket.timeout.ms", 1).unit(Unit::Milliseconds).default("30000").doc(
        "How long the controller waits for a broker's answer before it sends the request again.",
    ),
    Setting::boolean("controlled.shutdown.enable").default("true").doc(
        "Whether a broker that is told to stop first hands its leaderships over, so that clients \
         wait milliseconds and not a session timeout.",
    ),
    Setting::int("controlled.shutdown.max.retries", 0).default("3").doc(
        "How often the handing over is tried before the broker stops anyway.",
    ),
    Setting::long("controlled.shutdown.retry.backoff.ms", 0)
        .unit(Unit::Milliseconds)
        .default("5000")
        .doc("Pause between two such tries."),
    Setting::boolean("auto.leader.rebalance.enable")
        .default("true")
        .high()
        .ignored_because(NO_FOLLOWERS),
    Setting::int("leader.imbalance.per.broker.percentage", 0)
        .unit(Unit::Percent)
        .default("10")
        .high()
        .ignored_because(NO_FOLLOWERS),
    Setting::long("leader.imbalance.check.interval.seconds", 1)
        .unit(Unit::Seconds)
        .default("300")
        .high()
        .ignored_because(NO_FOLLOWERS),
    Setting::long("replica.high.watermark.checkpoint.interval.ms", 1)
        .unit(Unit::Milliseconds)
        .default("5000")
        .high()
        .doc("How often the high watermarks are noted in each log directory."),
    Setting::long("replica.lag.time.max.ms", 1)
        .unit(Unit::Milliseconds)
        .default("30000")
        .high()
        .ignored_because(NO_FOLLOWERS),
    Setting::long("replica.lag.max.messages", 1).ignored_because(NO_FOLLOWERS),
    Setting::int("replica.socket.timeout.ms", 1)
        .unit(Unit::Milliseconds)
        .default("30000")
        .ignored_because(NO_FOLLOWERS),
    Setting::int("replica.socket.receive.buffer.bytes", -1)
        .unit(Unit::Bytes)
        .default("65536")
        .ignored_because(NO_FOLLOWERS),
    Setting::int("replica.fetch.max.bytes", 0)
        .unit(Unit::Bytes)
        .default("1048576")
        .ignored_because(NO_FOLLOWERS),
    Setting::int("replica.fetch.response.max.bytes", 0)
        .unit(Unit::Bytes)
        .default("10485760")
        .ignored_because(NO_FOLLOWERS),
    Setting::int("replica.fetch.min.bytes", 0)
        .unit(Unit::Bytes)
        .default("1")
        .ignored_because(NO_FOLLOWERS),
    Setting::int("replica.fetch.wait.max.ms", 0)
        .unit(Unit::Milliseconds)
        .default("500")
        .ignored_because(NO_FOLLOWERS),
    Setting::int("replica.fetch.backoff.ms", 0)
        .unit(Unit::Milliseconds)
        .default("1000")
        .ignored_because(NO_FOLLOWERS),
    Setting::int("num.replica.fetchers", 1)
        .default("1")
        .dynamic(Dynamic::ClusterWide)
        .ignored_because(NO_FOLLOWERS),
    Setting::ignored(
        "num.replica.alter.log.dirs.threads",
        "partitions are not moved between log directories",
    ),
    Setting::ignored("replica.selector.class", "only leaders serve consumers"),
    Setting::ignored("fetch.purgatory.purge.interval.requests", NO_PURGATORY),
    Setting::ignored("producer.purgatory.purge.interval.requests", NO_PURGATORY),
    Setting::ignored("delete.records.purgatory.purge.interval.requests", NO_PURGATORY),
];
