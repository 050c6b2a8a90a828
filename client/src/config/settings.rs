//! Settings as the parts of the client use them: parsed, checked, with units.

use std::str::FromStr;
use std::time::Duration;

use barnabas_connection::Options;
use barnabas_wire::Str;
use barnabas_wire::record::Compression;

use super::{Config, ConfigError, KEYS};

/// Who must have a record before it counts as delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acks {
    /// Nobody: written to the socket is enough.
    None,
    /// The leader.
    Leader,
    /// All in-sync replicas.
    All,
}

/// How records without a partition and a key are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Partitioner {
    /// Round robin, record by record.
    Classic,
    /// The same partition until its batch is full. Source: KIP-480.
    Sticky,
}

/// What a consumer does where its offset is not in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OffsetReset {
    /// Goes to the first offset.
    Earliest,
    /// Goes to the end.
    Latest,
    /// Fails.
    None,
}

/// Settings of connections and metadata.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionSettings {
    /// `host`, `port` of the servers to begin with.
    pub(crate) bootstrap: Vec<(String, u16)>,
    pub(crate) options: Options,
    pub(crate) metadata_max_age: Duration,
    pub(crate) retry_backoff: Duration,
    pub(crate) retry_backoff_max: Duration,
    pub(crate) api_timeout: Duration,
}

/// Settings of a producer.
#[derive(Clone, Debug)]
pub(crate) struct ProducerSettings {
    pub(crate) acks: Acks,
    pub(crate) is_idempotent: bool,
    pub(crate) batch_size_bytes: usize,
    pub(crate) buffer_memory_bytes: usize,
    pub(crate) request_max_bytes: usize,
    pub(crate) compression: Compression,
    pub(crate) linger: Duration,
    pub(crate) max_block: Duration,
    pub(crate) delivery_timeout: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) in_flight_max: usize,
    pub(crate) retries: u32,
    pub(crate) retry_backoff: Duration,
    pub(crate) retry_backoff_max: Duration,
    pub(crate) partitioner: Partitioner,
}

/// Settings of a consumer.
#[derive(Clone, Debug)]
pub(crate) struct ConsumerSettings {
    pub(crate) fetch_max_wait_ms: i32,
    pub(crate) fetch_min_bytes: i32,
    pub(crate) fetch_max_bytes: i32,
    pub(crate) partition_fetch_bytes: i32,
    pub(crate) offset_reset: OffsetReset,
    pub(crate) request_timeout: Duration,
    pub(crate) retry_backoff: Duration,
}

struct Reader<'a> {
    config: &'a Config,
}

impl<'a> Reader<'a> {
    fn new(config: &'a Config) -> Result<Self, ConfigError> {
        config.check_names()?;
        Ok(Self { config })
    }

    fn text(&self, key: &str) -> &'a str {
        let default = || KEYS.iter().find(|(name, _)| *name == key)?.1;
        self.config.get(key).or_else(default).unwrap_or_default()
    }

    fn number<T>(&self, key: &str, min: T) -> Result<T, ConfigError>
    where
        T: Copy + FromStr + PartialOrd + std::fmt::Display,
    {
        let text = self.text(key);
        match text.parse() {
            Ok(number) if number >= min => Ok(number),
            Ok(_) | Err(_) => Err(wrong(
                key,
                format!("'{text}' is no number of {min} or more"),
            )),
        }
    }

    fn ms(&self, key: &str) -> Result<Duration, ConfigError> {
        Ok(Duration::from_millis(self.number(key, 0_u64)?))
    }

    fn flag(&self, key: &str) -> Result<bool, ConfigError> {
        self.choice(key, &[("true", true), ("false", false)])
    }

    fn choice<T: Copy>(&self, key: &str, choices: &[(&str, T)]) -> Result<T, ConfigError> {
        let text = self.text(key);
        let found = choices.iter().find(|(name, _)| *name == text);
        found.map(|&(_, choice)| choice).ok_or_else(|| {
            let names: Vec<&str> = choices.iter().map(|&(name, _)| name).collect();
            wrong(key, format!("'{text}' is none of {}", names.join(", ")))
        })
    }

    /// -1 leaves a buffer's size to the system.
    fn buffer(&self, key: &str) -> Result<Option<u32>, ConfigError> {
        Ok(u32::try_from(self.number(key, -1_i32)?).ok())
    }
}

fn wrong(key: &str, reason: String) -> ConfigError {
    ConfigError {
        key: key.into(),
        reason,
        did_you_mean: None,
    }
}

/// `host:port`, or `[v6 address]:port`, with or without the name of a protocol before it.
fn server(text: &str) -> Result<(String, u16), ConfigError> {
    let bare = text.rsplit_once("://").map_or(text, |(_, bare)| bare);
    let parsed = bare.rsplit_once(':').and_then(|(host, port)| {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = port.parse::<u16>().ok().filter(|&port| port > 0)?;
        (!host.is_empty()).then(|| (host.to_owned(), port))
    });
    parsed.ok_or_else(|| wrong("bootstrap.servers", format!("'{text}' is no host:port")))
}

impl ConnectionSettings {
    pub(crate) fn read(config: &Config) -> Result<Self, ConfigError> {
        let read = Reader::new(config)?;
        let servers = read.text("bootstrap.servers").split(',').map(str::trim);
        let bootstrap = servers
            .filter(|text| !text.is_empty())
            .map(server)
            .collect::<Result<Vec<_>, ConfigError>>()?;
        if bootstrap.is_empty() {
            return Err(wrong("bootstrap.servers", "names no server".into()));
        }
        let options = Options {
            client_id: Str::from(read.text("client.id")),
            connect_timeout: read.ms("socket.connection.setup.timeout.ms")?,
            request_timeout: read.ms("request.timeout.ms")?,
            send_buffer_bytes: read.buffer("send.buffer.bytes")?,
            receive_buffer_bytes: read.buffer("receive.buffer.bytes")?,
            ..Options::default()
        };
        Ok(Self {
            bootstrap,
            options,
            metadata_max_age: read.ms("metadata.max.age.ms")?,
            retry_backoff: read.ms("retry.backoff.ms")?,
            retry_backoff_max: read.ms("retry.backoff.max.ms")?,
            api_timeout: read.ms("default.api.timeout.ms")?,
        })
    }
}

impl ProducerSettings {
    pub(crate) fn read(config: &Config) -> Result<Self, ConfigError> {
        let read = Reader::new(config)?;
        let acks = read.choice(
            "acks",
            &[
                ("all", Acks::All),
                ("-1", Acks::All),
                ("1", Acks::Leader),
                ("0", Acks::None),
            ],
        )?;
        let in_flight_max = read.number("max.in.flight.requests.per.connection", 1_usize)?;
        let asked = read.flag("enable.idempotence")?;
        let is_explicit = config.get("enable.idempotence").is_some();
        if asked && is_explicit && acks != Acks::All {
            return Err(wrong(
                "acks",
                "must be all where enable.idempotence is true".into(),
            ));
        }
        if asked && is_explicit && in_flight_max > IDEMPOTENT_IN_FLIGHT_MAX {
            let key = "max.in.flight.requests.per.connection";
            return Err(wrong(
                key,
                "is at most 5 where enable.idempotence is true".into(),
            ));
        }
        let compression = read.text("compression.type");
        let compression: Compression = compression
            .parse()
            .map_err(|error| wrong("compression.type", format!("{error}")))?;
        if !compression.is_built() {
            let reason = format!("this program was built without {compression}");
            return Err(wrong("compression.type", reason));
        }
        Ok(Self {
            acks,
            is_idempotent: asked && acks == Acks::All && in_flight_max <= IDEMPOTENT_IN_FLIGHT_MAX,
            batch_size_bytes: read.number("batch.size", 0_usize)?,
            buffer_memory_bytes: read.number("buffer.memory", 1_usize)?,
            request_max_bytes: read.number("max.request.size", 1_usize)?,
            compression,
            linger: read.ms("linger.ms")?,
            max_block: read.ms("max.block.ms")?,
            delivery_timeout: read.ms("delivery.timeout.ms")?,
            request_timeout: read.ms("request.timeout.ms")?,
            in_flight_max,
            retries: read.number("retries", 0_u32)?,
            retry_backoff: read.ms("retry.backoff.ms")?,
            retry_backoff_max: read.ms("retry.backoff.max.ms")?,
            partitioner: read.choice(
                "partitioner.class",
                &[
                    ("classic", Partitioner::Classic),
                    ("sticky", Partitioner::Sticky),
                ],
            )?,
        })
    }
}

/// The broker remembers the last five batches of a producer, no more.
const IDEMPOTENT_IN_FLIGHT_MAX: usize = 5;

impl ConsumerSettings {
    pub(crate) fn read(config: &Config) -> Result<Self, ConfigError> {
        let read = Reader::new(config)?;
        Ok(Self {
            fetch_max_wait_ms: read.number("fetch.max.wait.ms", 0_i32)?,
            fetch_min_bytes: read.number("fetch.min.bytes", 0_i32)?,
            fetch_max_bytes: read.number("fetch.max.bytes", 1_i32)?,
            partition_fetch_bytes: read.number("max.partition.fetch.bytes", 1_i32)?,
            offset_reset: read.choice(
                "auto.offset.reset",
                &[
                    ("earliest", OffsetReset::Earliest),
                    ("latest", OffsetReset::Latest),
                    ("none", OffsetReset::None),
                ],
            )?,
            request_timeout: read.ms("request.timeout.ms")?,
            retry_backoff: read.ms("retry.backoff.ms")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_server(text: &str, expected: Option<(&str, u16)>) {
        let expected = expected.map(|(host, port)| (host.to_owned(), port));
        assert_eq!(server(text).ok(), expected, "{text}");
    }

    #[test]
    fn servers_are_read_in_every_spelling() {
        check_server("localhost:9092", Some(("localhost", 9092)));
        check_server("[::1]:9092", Some(("::1", 9092)));
        check_server("PLAINTEXT://host.example:1", Some(("host.example", 1)));
        check_server("localhost", None);
        check_server(":9092", None);
        check_server("localhost:0", None);
        check_server("localhost:65536", None);
    }

    #[test]
    fn fewer_acks_switch_idempotence_off_unless_it_was_asked_for() {
        let config = Config::new("h:1");
        assert!(ProducerSettings::read(&config).unwrap().is_idempotent);
        let one = config.set("acks", 1);
        assert!(!ProducerSettings::read(&one).unwrap().is_idempotent);
        let error = ProducerSettings::read(&one.set("enable.idempotence", true)).unwrap_err();
        assert_eq!(error.key, "acks");
    }

    #[test]
    fn wrong_values_are_told_with_what_is_allowed() {
        let check = |key: &str, value: &str, expected: &str| {
            let config = Config::new("h:1").set(key, value);
            let error = ProducerSettings::read(&config).unwrap_err();
            assert_eq!(error.to_string(), expected);
        };
        check("acks", "2", "acks: '2' is none of all, -1, 1, 0");
        check(
            "linger.ms",
            "-1",
            "linger.ms: '-1' is no number of 0 or more",
        );
        check(
            "compression.type",
            "rar",
            "compression.type: 'rar' is no codec; there are none, gzip, snappy, lz4 and zstd",
        );
    }

    #[test]
    fn every_default_is_valid() {
        let config = Config::new("h:1");
        assert!(ConnectionSettings::read(&config).is_ok());
        assert!(ProducerSettings::read(&config).is_ok());
        assert!(ConsumerSettings::read(&config).is_ok());
        assert_eq!(
            ConnectionSettings::read(&Config::default())
                .unwrap_err()
                .key,
            "bootstrap.servers"
        );
    }
}
