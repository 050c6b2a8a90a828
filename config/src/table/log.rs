//! The log on disk: where it is, how it is cut into segments, when it reaches the disk.

use crate::setting::{Dynamic, Kind, Setting, Unit};

const MAX_LONG: &str = "9223372036854775807";
const NO_RETENTION: &str = "this version keeps all records; it does not delete old segments yet";
const NO_COMPACTION: &str = "this version does not compact logs yet";

/// A setting of topics that may change at run time for the whole cluster.
const fn cluster(setting: Setting) -> Setting {
    setting.dynamic(Dynamic::ClusterWide)
}

pub(super) const SETTINGS: &[Setting] = &[
    Setting::list("log.dirs").shipped("/tmp/kafka-logs").high().doc(
        "Directories for the partitions, separated by commas, best one per disk. A new partition \
         goes where the fewest are; a directory that fails takes only its own partitions away. \
         Unset means `log.dir`.",
    ),
    Setting::text("log.dir").default("/tmp/kafka-logs").high().doc(
        "The directory for the partitions where `log.dirs` is unset. /tmp does not survive a \
         restart of many machines.",
    ),
    cluster(Setting::int("log.segment.bytes", 14))
        .unit(Unit::Bytes)
        .default("1073741824")
        .high()
        .topic("segment.bytes")
        .doc(
            "Size at which a partition begins a new segment file. Old records leave in whole \
             segments, so small ones leave sooner, and make more files.",
        ),
    cluster(Setting::long("log.roll.ms", 1)).unit(Unit::Milliseconds).high().topic("segment.ms").doc(
        "Age at which a partition begins a new segment even if the old one is not full. Wins over \
         `log.roll.hours`.",
    ),
    Setting::int("log.roll.hours", 1).unit(Unit::Hours).default("168").high().doc(
        "Age at which a partition begins a new segment, in hours; used where `log.roll.ms` is \
         unset.",
    ),
    cluster(Setting::long("log.roll.jitter.ms", 0))
        .unit(Unit::Milliseconds)
        .topic("segment.jitter.ms")
        .doc(
            "Up to so much is subtracted from the age at which a segment is rolled, so that not \
             all partitions roll at once. Wins over `log.roll.jitter.hours`.",
        ),
    Setting::int("log.roll.jitter.hours", 0).unit(Unit::Hours).default("0").doc(
        "The same in hours; used where `log.roll.jitter.ms` is unset.",
    ),
    cluster(Setting::int("log.index.size.max.bytes", 4))
        .unit(Unit::Bytes)
        .default("10485760")
        .topic("segment.index.bytes")
        .doc("Largest size of one index file; a segment whose index is full is rolled."),
    cluster(Setting::int("log.index.interval.bytes", 0))
        .unit(Unit::Bytes)
        .default("4096")
        .topic("index.interval.bytes")
        .doc(
            "Bytes of log between two entries of the index. Smaller finds an offset with less \
             scanning and makes larger indexes.",
        ),
    cluster(Setting::long("log.flush.interval.messages", 1))
        .default(MAX_LONG)
        .high()
        .topic("flush.messages")
        .doc(
            "Records after which a partition is flushed to disk before the next acknowledgement. \
             1 means that an acknowledged record survives the loss of power on its own; the \
             default leaves flushing to the system and safety to replication.",
        ),
    cluster(Setting::long("log.flush.interval.ms", 0))
        .unit(Unit::Milliseconds)
        .high()
        .topic("flush.ms")
        .doc(
            "Longest time that a record stays unflushed. Unset means \
             `log.flush.scheduler.interval.ms`.",
        ),
    Setting::long("log.flush.scheduler.interval.ms", 1)
        .unit(Unit::Milliseconds)
        .default(MAX_LONG)
        .high()
        .doc("How often partitions are looked at for `log.flush.interval.ms`."),
    Setting::int("log.flush.offset.checkpoint.interval.ms", 0)
        .unit(Unit::Milliseconds)
        .default("60000")
        .high()
        .doc(
            "How often idle data is flushed and the point noted up to which nothing needs \
             recovery. Smaller makes the start after a crash shorter.",
        ),
    Setting::int("log.flush.start.offset.checkpoint.interval.ms", 0)
        .unit(Unit::Milliseconds)
        .default("60000")
        .high()
        .doc("How often the first offset of every partition is noted in its log directory."),
    cluster(Setting::long("log.segment.delete.delay.ms", 0))
        .unit(Unit::Milliseconds)
        .default("60000")
        .high()
        .topic("file.delete.delay.ms")
        .doc("How long deleted files stay under their changed name, for readers still at them."),
    Setting::int("num.recovery.threads.per.data.dir", 1)
        .default("1")
        .dynamic(Dynamic::ClusterWide)
        .high()
        .doc("Partitions per log directory that are recovered at the same time after a crash."),
    cluster(Setting::new("log.message.timestamp.type", Kind::Choice(&["CreateTime", "LogAppendTime"])))
        .default("CreateTime")
        .topic("message.timestamp.type")
        .doc("Whether a record keeps its producer's time or gets the broker's when appended."),
    cluster(Setting::long("log.message.timestamp.difference.max.ms", 0))
        .unit(Unit::Milliseconds)
        .default(MAX_LONG)
        .topic("message.timestamp.difference.max.ms")
        .doc(
            "A record whose time is further from the broker's clock is refused; without effect \
             with LogAppendTime.",
        ),
    cluster(Setting::boolean("log.preallocate"))
        .default("false")
        .topic("preallocate")
        .ignored_because("segments always grow in steps that are allocated ahead"),
    cluster(Setting::boolean("log.message.downconversion.enable"))
        .default("true")
        .low()
        .topic("message.downconversion.enable")
        .ignored_because("batches are never converted down; consumers need Fetch 4 or later"),
    Setting::text("log.message.format.version")
        .default("2.6")
        .topic("message.format.version")
        .ignored_because("records are always stored in the format of Kafka 0.11 and later"),
    Setting::ignored("log.max.id.map.snapshots", "it has no effect in Kafka either"),
    cluster(Setting::long("log.retention.ms", -1))
        .unit(Unit::Milliseconds)
        .high()
        .topic("retention.ms")
        .ignored_because(NO_RETENTION),
    Setting::int("log.retention.minutes", -1)
        .unit(Unit::Minutes)
        .high()
        .ignored_because(NO_RETENTION),
    Setting::int("log.retention.hours", -1)
        .unit(Unit::Hours)
        .default("168")
        .high()
        .ignored_because(NO_RETENTION),
    cluster(Setting::long("log.retention.bytes", i64::MIN))
        .unit(Unit::Bytes)
        .default("-1")
        .high()
        .topic("retention.bytes")
        .ignored_because(NO_RETENTION),
    Setting::long("log.retention.check.interval.ms", 1)
        .unit(Unit::Milliseconds)
        .default("300000")
        .ignored_because(NO_RETENTION),
    cluster(Setting::new("log.cleanup.policy", Kind::List(&["compact", "delete"])))
        .default("delete")
        .topic("cleanup.policy")
        .ignored_because(NO_RETENTION),
    Setting::boolean("log.cleaner.enable").default("true").ignored_because(NO_COMPACTION),
    cluster(Setting::int("log.cleaner.threads", 0)).default("1").ignored_because(NO_COMPACTION),
    cluster(Setting::new("log.cleaner.io.max.bytes.per.second", Kind::Double(0.0, f64::MAX)))
        .default("1.7976931348623157E308")
        .ignored_because(NO_COMPACTION),
    cluster(Setting::long("log.cleaner.dedupe.buffer.size", 0))
        .unit(Unit::Bytes)
        .default("134217728")
        .ignored_because(NO_COMPACTION),
    cluster(Setting::int("log.cleaner.io.buffer.size", 0))
        .unit(Unit::Bytes)
        .default("524288")
        .ignored_because(NO_COMPACTION),
    cluster(Setting::new("log.cleaner.io.buffer.load.factor", Kind::Double(0.0, 1.0)))
        .default("0.9")
        .ignored_because(NO_COMPACTION),
    cluster(Setting::long("log.cleaner.backoff.ms", 0))
        .unit(Unit::Milliseconds)
        .default("15000")
        .ignored_because(NO_COMPACTION),
    cluster(Setting::new("log.cleaner.min.cleanable.ratio", Kind::Double(0.0, 1.0)))
        .default("0.5")
        .topic("min.cleanable.dirty.ratio")
        .ignored_because(NO_COMPACTION),
    cluster(Setting::long("log.cleaner.delete.retention.ms", 0))
        .unit(Unit::Milliseconds)
        .default("86400000")
        .topic("delete.retention.ms")
        .ignored_because(NO_COMPACTION),
    cluster(Setting::long("log.cleaner.min.compaction.lag.ms", 0))
        .unit(Unit::Milliseconds)
        .default("0")
        .topic("min.compaction.lag.ms")
        .ignored_because(NO_COMPACTION),
    cluster(Setting::long("log.cleaner.max.compaction.lag.ms", 1))
        .unit(Unit::Milliseconds)
        .default(MAX_LONG)
        .topic("max.compaction.lag.ms")
        .ignored_because(NO_COMPACTION),
];
