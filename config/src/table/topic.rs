//! Topics: what they get when nobody says otherwise.

use crate::setting::{Dynamic, Kind, Setting, Unit};

/// Values of `compression.type`. Source: kafka 2.8 `message/BrokerCompressionCodec`.
const COMPRESSION: &[&str] = &["producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"];

pub(super) const SETTINGS: &[Setting] = &[
    Setting::int("num.partitions", 1)
        .default("1")
        .doc("Partitions of a topic that is created without a number of them."),
    Setting::new("default.replication.factor", Kind::Int(1, 32767))
        .default("1")
        .doc("Replicas of a topic that is created without a number of them."),
    Setting::boolean("auto.create.topics.enable")
        .default("true")
        .shipped("false")
        .high()
        .doc(
            "Whether asking for a topic that does not exist creates it. With true a mistyped name \
         makes a topic, and a deleted topic comes back as long as somebody writes to it.",
        ),
    Setting::boolean("delete.topic.enable")
        .default("false")
        .kafka28("true")
        .shipped("true")
        .high()
        .doc(
            "Whether topics can be deleted. With false a request to delete is refused, and a \
             marker written to ZooKeeper waits until the setting is true.",
        ),
    Setting::int("min.insync.replicas", 1)
        .default("1")
        .dynamic(Dynamic::ClusterWide)
        .high()
        .topic("min.insync.replicas")
        .doc(
            "Replicas that must be in sync for a write with acks=all to be taken. 2 with three \
             replicas survives the loss of one without refusing writes and without losing one.",
        ),
    Setting::boolean("unclean.leader.election.enable")
        .default("false")
        .dynamic(Dynamic::ClusterWide)
        .high()
        .topic("unclean.leader.election.enable")
        .doc(
            "Whether a replica that was not in sync may lead when no other is left. With true the \
             partition is available again at once and acknowledged records are lost; Kafka before \
             0.11 did that by default.",
        ),
    Setting::int("message.max.bytes", 0)
        .unit(Unit::Bytes)
        .default("1048588")
        .dynamic(Dynamic::ClusterWide)
        .high()
        .topic("max.message.bytes")
        .doc(
            "The largest record batch a producer may send, as compressed. Consumers and replicas \
             need no matching setting: one batch is delivered whatever its size.",
        ),
    Setting::new("compression.type", Kind::Choice(COMPRESSION))
        .default("producer")
        .dynamic(Dynamic::ClusterWide)
        .high()
        .topic("compression.type")
        .doc("How batches are stored: as the producer compressed them, or compressed anew.")
        .ignored_because("batches are stored as the producer compressed them"),
];
