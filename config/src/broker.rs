//! The broker's typed view of the settings.
//!
//! Each field says which key it comes from; what the value does is in the table. Numbers are in
//! the unit of their name. A field that is `None` is unset or unlimited.

use std::net::IpAddr;
use std::path::PathBuf;

use crate::effective::{Effective, Reader};
use crate::listener::{Listeners, host_and_port};
use crate::problem::{Problem, Problems};
use crate::topic::TopicSettings;
use crate::zookeeper::ConnectString;

/// Versions of the protocol between brokers that are accepted: spellings of 2.6.
const PROTOCOL: &str = "2.6";

/// Everything the broker reads at start.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BrokerSettings {
    /// Who this broker is.
    pub identity: Identity,
    /// The connection to ZooKeeper.
    pub zookeeper: ZooKeeper,
    /// Where to listen, what to advertise.
    pub listeners: Listeners,
    /// What a connection may cost.
    pub network: Network,
    /// Creating and deleting topics.
    pub topics: Topics,
    /// What a topic without configuration of its own gets.
    pub topic_defaults: TopicSettings,
    /// The log directories and their upkeep.
    pub log: Log,
    /// The controller, and leaving in good order.
    pub controller: Controller,
    /// `assignment.policy`.
    pub assignment_policy: AssignmentPolicy,
    /// `metrics.listeners`: host (may be empty: every address) and port of each.
    pub metrics_listeners: Vec<(String, u16)>,
    /// `logging.level`: one of error, warn, info, debug, trace.
    pub logging_level: String,
}

/// Who this broker is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// `broker.id`; `None` for -1: take it from `meta.properties` or have one generated.
    pub broker_id: Option<i32>,
    /// `reserved.broker.max.id`: generated ids are above.
    pub reserved_id_max: i32,
    /// `broker.rack`.
    pub rack: Option<String>,
}

/// The connection to ZooKeeper.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ZooKeeper {
    /// `zookeeper.connect`.
    pub connect: ConnectString,
    /// `zookeeper.session.timeout.ms`, as asked for.
    pub session_timeout_ms: u32,
    /// `zookeeper.connection.timeout.ms`, or the session timeout where that is unset.
    pub connection_timeout_ms: u32,
}

/// What a connection may cost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// `num.network.threads`.
    pub network_threads: usize,
    /// `num.io.threads`.
    pub io_threads: usize,
    /// `queued.max.request.bytes`; `None` is unlimited.
    pub queued_requests_max_bytes: Option<u64>,
    /// `socket.send.buffer.bytes`; `None` leaves it to the system.
    pub send_buffer_bytes: Option<u32>,
    /// `socket.receive.buffer.bytes`; `None` leaves it to the system.
    pub receive_buffer_bytes: Option<u32>,
    /// `socket.request.max.bytes`.
    pub request_max_bytes: u32,
    /// `connections.max.idle.ms`.
    pub idle_max_ms: u64,
    /// `max.connections`.
    pub connections_max: u32,
    /// `max.connections.per.ip`.
    pub connections_per_address_max: u32,
    /// `max.connections.per.ip.overrides`: for these addresses another limit holds.
    pub connections_per_address_overrides: Vec<(IpAddr, u32)>,
    /// `request.timeout.ms`.
    pub request_timeout_ms: u32,
    /// `socket.connection.setup.timeout.ms`.
    pub connect_timeout_ms: u64,
    /// `fetch.max.bytes`.
    pub fetch_max_bytes: u32,
    /// `max.incremental.fetch.session.cache.slots`.
    pub fetch_sessions_max: usize,
    /// `connection.source.address`.
    pub source_address: Option<IpAddr>,
}

/// Creating and deleting topics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topics {
    /// `num.partitions`.
    pub partitions: i32,
    /// `default.replication.factor`.
    pub replication_factor: i16,
    /// `auto.create.topics.enable`.
    pub is_auto_create_enabled: bool,
    /// `delete.topic.enable`.
    pub is_delete_enabled: bool,
}

/// The log directories and their upkeep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// `log.dirs`, or `log.dir`; distinct, at least one.
    pub directories: Vec<PathBuf>,
    /// `num.recovery.threads.per.data.dir`.
    pub recovery_threads_per_directory: usize,
    /// `log.flush.scheduler.interval.ms`.
    pub flush_check_interval_ms: u64,
    /// `log.flush.offset.checkpoint.interval.ms`.
    pub recovery_checkpoint_interval_ms: u64,
    /// `log.flush.start.offset.checkpoint.interval.ms`.
    pub start_offset_checkpoint_interval_ms: u64,
    /// `replica.high.watermark.checkpoint.interval.ms`.
    pub high_watermark_checkpoint_interval_ms: u64,
}

/// The controller, and leaving in good order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Controller {
    /// `controller.socket.timeout.ms`.
    pub request_timeout_ms: u32,
    /// `controlled.shutdown.enable`.
    pub is_controlled_shutdown_enabled: bool,
    /// `controlled.shutdown.max.retries`.
    pub controlled_shutdown_retries_max: u32,
    /// `controlled.shutdown.retry.backoff.ms`.
    pub controlled_shutdown_backoff_ms: u64,
}

/// How the partitions of a new topic are placed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AssignmentPolicy {
    /// Partition i leads on broker i mod n; replica j sits on broker (i + j) mod n.
    #[default]
    Modulo,
    /// The same ring, begun for each topic at the broker that leads the fewest partitions.
    Rotated,
    /// Kafka's, without racks.
    Kafka,
    /// Kafka's, with racks.
    Rack,
}

impl BrokerSettings {
    /// Builds the view.
    ///
    /// # Errors
    /// Every value that does not do, alone or beside others.
    pub fn read(effective: &Effective) -> Result<Self, Problems> {
        let mut reader = Reader::new(effective);
        let settings = Self::read_all(&mut reader);
        reader.finish(settings)
    }

    fn read_all(reader: &mut Reader<'_>) -> Self {
        check_protocol(reader);
        Self {
            identity: read_identity(reader),
            zookeeper: read_zookeeper(reader),
            listeners: Listeners::read(reader),
            network: read_network(reader),
            topics: Topics {
                partitions: reader.number("num.partitions"),
                replication_factor: reader.number("default.replication.factor"),
                is_auto_create_enabled: reader.boolean("auto.create.topics.enable"),
                is_delete_enabled: reader.boolean("delete.topic.enable"),
            },
            topic_defaults: TopicSettings::read(reader),
            log: read_log(reader),
            controller: read_controller(reader),
            assignment_policy: match reader.text("assignment.policy").as_deref() {
                Some("modulo") | None => AssignmentPolicy::Modulo,
                Some("rotated") => AssignmentPolicy::Rotated,
                Some("kafka") => AssignmentPolicy::Kafka,
                Some("rack") => AssignmentPolicy::Rack,
                Some(_) => {
                    reader.invalid("assignment.policy", "modulo, rotated, kafka or rack");
                    AssignmentPolicy::Modulo
                }
            },
            metrics_listeners: read_metrics_listeners(reader),
            logging_level: reader.text("logging.level").unwrap_or_default(),
        }
    }
}

fn check_protocol(reader: &mut Reader<'_>) {
    const KEY: &str = "inter.broker.protocol.version";
    let version = reader.text(KEY).unwrap_or_default();
    let is_26 = version == PROTOCOL
        || version == "2.6-IV0"
        || version
            .strip_prefix("2.6.")
            .is_some_and(|patch| patch.parse::<u16>().is_ok());
    if !is_26 {
        reader.invalid(
            KEY,
            "2.6, the only protocol between brokers that this broker speaks. In a cluster with \
             Kafka brokers: set inter.broker.protocol.version=2.6 on every Kafka broker, restart \
             them one by one (Kafka 2.6 to 3.9 can), wait until no partition is \
             under-replicated, then set it here and start this broker",
        );
    }
}

fn read_identity(reader: &mut Reader<'_>) -> Identity {
    let id = reader.number_or("broker.id", -1_i32);
    let is_generation_enabled = reader.boolean("broker.id.generation.enable");
    let reserved_id_max = reader.number("reserved.broker.max.id");
    if !is_generation_enabled && id < 0 {
        reader.invalid(
            "broker.id",
            "0 or more, because broker.id.generation.enable is false",
        );
    }
    if is_generation_enabled && id > reserved_id_max {
        reader.invalid(
            "broker.id",
            format!(
                "at most {reserved_id_max} (reserved.broker.max.id), because larger numbers are \
                 generated while broker.id.generation.enable is true"
            ),
        );
    }
    Identity {
        broker_id: (id >= 0).then_some(id),
        reserved_id_max,
        rack: reader.text("broker.rack"),
    }
}

fn read_zookeeper(reader: &mut Reader<'_>) -> ZooKeeper {
    const KEY: &str = "zookeeper.connect";
    let connect = match reader.text(KEY) {
        None => {
            reader.problem(Problem::Missing {
                key: KEY,
                hint: "name the ZooKeeper servers, as in zookeeper.connect = \"localhost:2181\"",
            });
            ConnectString::default()
        }
        Some(text) => ConnectString::parse(&text).unwrap_or_else(|expected| {
            reader.invalid(KEY, expected);
            ConnectString::default()
        }),
    };
    let session_timeout_ms = reader.number("zookeeper.session.timeout.ms");
    ZooKeeper {
        connect,
        session_timeout_ms,
        connection_timeout_ms: reader
            .number_or("zookeeper.connection.timeout.ms", session_timeout_ms),
    }
}

fn read_network(reader: &mut Reader<'_>) -> Network {
    Network {
        network_threads: reader.number("num.network.threads"),
        io_threads: reader.number("num.io.threads"),
        queued_requests_max_bytes: reader.limit("queued.max.request.bytes"),
        send_buffer_bytes: reader.limit("socket.send.buffer.bytes"),
        receive_buffer_bytes: reader.limit("socket.receive.buffer.bytes"),
        request_max_bytes: reader.number("socket.request.max.bytes"),
        idle_max_ms: reader.number("connections.max.idle.ms"),
        connections_max: reader.number("max.connections"),
        connections_per_address_max: reader.number("max.connections.per.ip"),
        connections_per_address_overrides: read_per_address(reader),
        request_timeout_ms: reader.number("request.timeout.ms"),
        connect_timeout_ms: reader.number("socket.connection.setup.timeout.ms"),
        fetch_max_bytes: reader.number("fetch.max.bytes"),
        fetch_sessions_max: reader.number("max.incremental.fetch.session.cache.slots"),
        source_address: read_source_address(reader),
    }
}

fn read_per_address(reader: &mut Reader<'_>) -> Vec<(IpAddr, u32)> {
    const KEY: &str = "max.connections.per.ip.overrides";
    let mut overrides = Vec::new();
    for entry in reader.list(KEY) {
        let parsed = entry.rsplit_once(':').and_then(|(address, count)| {
            let address = address.trim_start_matches('[').trim_end_matches(']');
            Some((address.parse().ok()?, count.trim().parse().ok()?))
        });
        match parsed {
            Some(one) => overrides.push(one),
            None => reader.invalid(KEY, "address:count, as in 10.0.0.1:100,10.0.0.2:50"),
        }
    }
    overrides
}

fn read_source_address(reader: &mut Reader<'_>) -> Option<IpAddr> {
    const KEY: &str = "connection.source.address";
    let text = reader.text(KEY)?;
    let address = text.parse().ok();
    if address.is_none() {
        reader.invalid(KEY, "an IP address of this machine");
    }
    address
}

fn read_log(reader: &mut Reader<'_>) -> Log {
    let classic = reader.text("log.dir");
    let mut directories: Vec<PathBuf> = reader
        .list("log.dirs")
        .into_iter()
        .map(PathBuf::from)
        .collect();
    if directories.is_empty() {
        directories.extend(classic.map(PathBuf::from));
    }
    let mut distinct = directories.clone();
    distinct.sort();
    distinct.dedup();
    if distinct.len() != directories.len() {
        reader.invalid("log.dirs", "each directory once");
    }
    Log {
        directories,
        recovery_threads_per_directory: reader.number("num.recovery.threads.per.data.dir"),
        flush_check_interval_ms: reader.number("log.flush.scheduler.interval.ms"),
        recovery_checkpoint_interval_ms: reader.number("log.flush.offset.checkpoint.interval.ms"),
        start_offset_checkpoint_interval_ms: reader
            .number("log.flush.start.offset.checkpoint.interval.ms"),
        high_watermark_checkpoint_interval_ms: reader
            .number("replica.high.watermark.checkpoint.interval.ms"),
    }
}

fn read_controller(reader: &mut Reader<'_>) -> Controller {
    Controller {
        request_timeout_ms: reader.number("controller.socket.timeout.ms"),
        is_controlled_shutdown_enabled: reader.boolean("controlled.shutdown.enable"),
        controlled_shutdown_retries_max: reader.number("controlled.shutdown.max.retries"),
        controlled_shutdown_backoff_ms: reader.number("controlled.shutdown.retry.backoff.ms"),
    }
}

fn read_metrics_listeners(reader: &mut Reader<'_>) -> Vec<(String, u16)> {
    const KEY: &str = "metrics.listeners";
    let mut listeners = Vec::new();
    for text in reader.list(KEY) {
        match host_and_port(&text) {
            Some(listener) => listeners.push(listener),
            None => reader.invalid(KEY, "host:port, as in 127.0.0.1:9404"),
        }
    }
    listeners
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::Baseline;
    use crate::table;

    /// Every row that claims to be effective ends in a field; a row nobody reads would be a lie.
    #[test]
    fn every_effective_setting_is_read() {
        let effective = Effective::new(Baseline::Classic);
        let mut reader = Reader::new(&effective);
        BrokerSettings::read_all(&mut reader);
        for setting in table::settings().filter(|setting| setting.is_effective()) {
            assert!(
                reader.read.contains(setting.key),
                "{} is read by nobody",
                setting.key
            );
        }
        for key in &reader.read {
            assert!(
                table::find(key).is_some(),
                "{key} is read and not in the table"
            );
        }
    }
}
