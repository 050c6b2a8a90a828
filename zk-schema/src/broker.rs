//! `/brokers/ids` and `/brokers/seqid`: who is there.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use barnabas_wire::id::BrokerId;
use serde::Serialize;
use serde_json::Value;

use crate::json::{DecodeError, Object, encode};
use crate::operation::{CreateMode, Expected, ZkWrite};
use crate::path::ZkPath;
use crate::stat::ZkVersion;
use crate::znode::{Role, Znode, empty_znode};

/// `/brokers/ids`: one child for each broker that lives.
#[derive(Clone, Copy, Debug)]
pub struct BrokerIdsZnode;

empty_znode!(
    BrokerIdsZnode,
    CreateMode::Persistent,
    &[Role::Broker],
    &[Role::Controller],
    |_this| ZkPath::from("/brokers/ids")
);

/// `/brokers/ids/N`, ephemeral: broker N lives. Its czxid is the broker epoch (KIP-380).
#[derive(Clone, Copy, Debug)]
pub struct BrokerIdZnode(pub BrokerId);

/// `/brokers/seqid`: its data version numbers brokers that have no `broker.id`.
///
/// Set with empty data and [`Expected::Any`]; the id is `reserved.broker.max.id` plus the version
/// in the reply.
#[derive(Clone, Copy, Debug)]
pub struct BrokerSeqIdZnode;

empty_znode!(
    BrokerSeqIdZnode,
    CreateMode::Persistent,
    &[Role::Broker],
    &[],
    |_this| ZkPath::from("/brokers/seqid")
);

/// What a broker says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerRegistration {
    /// Where it can be reached, in the order of its `advertised.listeners`.
    pub endpoints: Vec<Endpoint>,
    /// `broker.rack`.
    pub rack: Option<String>,
    /// Port of JMX; -1 as there is none here.
    pub jmx_port: i32,
    /// When it registered, ms since the Unix epoch. Only told, never used.
    pub timestamp_ms: i64,
}

/// One listener as the outside reaches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The listener's name, such as `PLAINTEXT` or `INTERNAL`.
    pub listener: String,
    /// What is spoken there.
    pub security_protocol: SecurityProtocol,
    /// Host name or address; an IPv6 address without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// What is spoken on a listener. The numbers are those of `UpdateMetadata`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i16)]
pub enum SecurityProtocol {
    /// Neither encrypted nor authenticated.
    Plaintext = 0,
    /// TLS.
    Ssl = 1,
    /// SASL in the clear.
    SaslPlaintext = 2,
    /// SASL within TLS.
    SaslSsl = 3,
}

/// The version that brokers at inter-broker protocol 2.6 write.
const VERSION: i32 = 4;
const ZNODE: &str = "a broker's registration";

#[derive(Serialize)]
struct Document<'a> {
    listener_security_protocol_map: BTreeMap<&'a str, &'static str>,
    endpoints: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rack: Option<&'a str>,
    jmx_port: i32,
    host: Option<&'a str>,
    timestamp: String,
    port: i32,
    version: i32,
}

impl Znode for BrokerIdZnode {
    type Payload = BrokerRegistration;
    const MODE: CreateMode = CreateMode::Ephemeral;
    const WRITERS: &'static [Role] = &[Role::Broker];
    const WATCHERS: &'static [Role] = &[Role::Controller];

    fn path(&self) -> ZkPath {
        BrokerIdsZnode.path().child(self.0)
    }

    fn encode(payload: &BrokerRegistration) -> Vec<u8> {
        let plain = payload
            .endpoints
            .iter()
            .find(|endpoint| endpoint.security_protocol == SecurityProtocol::Plaintext);
        encode(&Document {
            listener_security_protocol_map: payload
                .endpoints
                .iter()
                .map(|endpoint| {
                    (
                        endpoint.listener.as_str(),
                        endpoint.security_protocol.name(),
                    )
                })
                .collect(),
            endpoints: payload.endpoints.iter().map(ToString::to_string).collect(),
            rack: payload.rack.as_deref(),
            jmx_port: payload.jmx_port,
            host: plain.map(|endpoint| endpoint.host.as_str()),
            timestamp: payload.timestamp_ms.to_string(),
            port: plain.map_or(-1, |endpoint| i32::from(endpoint.port)),
            version: VERSION,
        })
    }

    fn decode(data: &[u8]) -> Result<BrokerRegistration, DecodeError> {
        let object = Object::parse(ZNODE, data)?;
        let version = object.int("version")?;
        if version < 1 {
            return Err(object.malformed("version", &Value::from(version)));
        }
        let endpoints = if version == 1 {
            vec![first_endpoint(&object)?]
        } else {
            all_endpoints(&object)?
        };
        Ok(BrokerRegistration {
            endpoints,
            rack: object
                .get("rack")
                .and_then(Value::as_str)
                .map(str::to_owned),
            jmx_port: object.int("jmx_port").unwrap_or(-1),
            timestamp_ms: object.long_text("timestamp").unwrap_or(-1),
        })
    }
}

impl BrokerIdZnode {
    /// The registration: the creation, and a set whose reply carries the stat and so the broker
    /// epoch. Both in one multi. Source: kafka 2.8 `zk/KafkaZkClient.scala` (`CheckedEphemeral`).
    #[must_use]
    pub fn register(&self, payload: &BrokerRegistration) -> Vec<ZkWrite> {
        let data = Self::encode(payload);
        let path = self.path();
        let expected = Expected::Version(ZkVersion(0));
        vec![
            ZkWrite::Create {
                path: path.clone(),
                data: Vec::new(),
                mode: Self::MODE,
            },
            ZkWrite::Set {
                path,
                data,
                expected,
            },
        ]
    }
}

/// Version 1 knows one plain listener.
fn first_endpoint(object: &Object) -> Result<Endpoint, DecodeError> {
    let port = object.int("port")?;
    Ok(Endpoint {
        listener: SecurityProtocol::Plaintext.name().to_owned(),
        security_protocol: SecurityProtocol::Plaintext,
        host: object.text("host")?.to_owned(),
        port: u16::try_from(port)
            .ok()
            .ok_or_else(|| object.malformed("port", &Value::from(port)))?,
    })
}

fn all_endpoints(object: &Object) -> Result<Vec<Endpoint>, DecodeError> {
    let protocols = object.object("listener_security_protocol_map")?;
    let mut endpoints = Vec::new();
    for value in object.array("endpoints")? {
        let malformed = || object.malformed("endpoints", value);
        let text = value.as_str().ok_or_else(malformed)?;
        let (listener, host, port) = split_endpoint(text).ok_or_else(malformed)?;
        let protocol = protocols
            .and_then(|map| map.get(listener))
            .and_then(Value::as_str)
            .unwrap_or(listener);
        endpoints.push(Endpoint {
            listener: listener.to_owned(),
            security_protocol: protocol.parse().map_err(|()| malformed())?,
            host: host.to_owned(),
            port,
        });
    }
    Ok(endpoints)
}

/// `LISTENER://host:port`, with brackets around an IPv6 address.
fn split_endpoint(text: &str) -> Option<(&str, &str, u16)> {
    let (listener, address) = text.split_once("://")?;
    let (host, port) = address.rsplit_once(':')?;
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    Some((listener, host, port.parse().ok()?))
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            listener,
            host,
            port,
            ..
        } = self;
        if host.contains(':') {
            write!(f, "{listener}://[{host}]:{port}")
        } else {
            write!(f, "{listener}://{host}:{port}")
        }
    }
}

impl SecurityProtocol {
    /// The name used in settings and in ZooKeeper.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "PLAINTEXT",
            Self::Ssl => "SSL",
            Self::SaslPlaintext => "SASL_PLAINTEXT",
            Self::SaslSsl => "SASL_SSL",
        }
    }
}

impl FromStr for SecurityProtocol {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        [
            Self::Plaintext,
            Self::Ssl,
            Self::SaslPlaintext,
            Self::SaslSsl,
        ]
        .into_iter()
        .find(|protocol| protocol.name() == name)
        .ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(listener: &str, host: &str, port: u16) -> Endpoint {
        Endpoint {
            listener: listener.to_owned(),
            security_protocol: SecurityProtocol::Plaintext,
            host: host.to_owned(),
            port,
        }
    }

    fn registration(endpoints: Vec<Endpoint>) -> BrokerRegistration {
        BrokerRegistration {
            endpoints,
            rack: None,
            jmx_port: -1,
            timestamp_ms: 1_695_000_000_000,
        }
    }

    #[track_caller]
    fn check(json: &str, expected: &BrokerRegistration) {
        assert_eq!(
            BrokerIdZnode::decode(json.as_bytes()).as_ref(),
            Ok(expected)
        );
    }

    const V4: &str = r#"{"listener_security_protocol_map":{"PLAINTEXT":"PLAINTEXT"},"endpoints":["PLAINTEXT://10.0.0.1:9092"],"rack":"r1","jmx_port":-1,"host":"10.0.0.1","timestamp":"1695000000000","port":9092,"version":4}"#;

    /// S4: a broker's registration has the bytes that Kafka gives it.
    #[test]
    fn a_registration_has_the_bytes_of_version_4() {
        let mut payload = registration(vec![endpoint("PLAINTEXT", "10.0.0.1", 9092)]);
        payload.rack = Some("r1".to_owned());
        assert_eq!(
            String::from_utf8(BrokerIdZnode::encode(&payload)).unwrap(),
            V4
        );
        check(V4, &payload);
    }

    #[test]
    fn a_registration_without_plaintext_has_no_host() {
        let mut only = endpoint("SSL", "h", 1);
        only.security_protocol = SecurityProtocol::Ssl;
        let payload = registration(vec![only]);
        let json = String::from_utf8(BrokerIdZnode::encode(&payload)).unwrap();
        assert!(
            json.contains(r#""host":null"#) && json.contains(r#""port":-1"#),
            "{json}"
        );
        check(&json, &payload);
    }

    #[test]
    fn older_and_newer_versions_are_read() {
        let mut first = registration(vec![endpoint("PLAINTEXT", "127.0.0.1", 9092)]);
        first.timestamp_ms = 1_416_974_968_782;
        check(
            r#"{"jmx_port":-1,"timestamp":"1416974968782","host":"127.0.0.1","version":1,"port":9092}"#,
            &first,
        );
        let two = registration(vec![endpoint("INTERNAL", "::1", 9092)]);
        check(
            r#"{"listener_security_protocol_map":{"INTERNAL":"PLAINTEXT"},"endpoints":["INTERNAL://[::1]:9092"],"jmx_port":-1,"features":{},"host":"::1","timestamp":"1695000000000","port":9092,"version":5,"tags":[1]}"#,
            &two,
        );
        assert_eq!(two.endpoints[0].to_string(), "INTERNAL://[::1]:9092");
    }

    #[test]
    fn a_registration_that_says_nothing_is_refused() {
        for json in [
            "",
            "[]",
            "{}",
            r#"{"version":0}"#,
            r#"{"version":4,"endpoints":["x"]}"#,
        ] {
            assert!(BrokerIdZnode::decode(json.as_bytes()).is_err(), "{json}");
        }
    }

    #[test]
    fn registering_is_one_multi_whose_set_tells_the_epoch() {
        let payload = registration(vec![endpoint("PLAINTEXT", "h", 1)]);
        let writes = BrokerIdZnode(BrokerId(7)).register(&payload);
        assert_eq!(writes.len(), 2);
        assert!(
            writes
                .iter()
                .all(|write| write.path().as_str() == "/brokers/ids/7")
        );
    }
}
