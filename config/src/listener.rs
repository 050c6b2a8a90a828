//! Where the broker listens, and what it tells others to connect to.
//!
//! Rules of kafka 2.8 `server/KafkaConfig.scala` (validateValues) and `utils/CoreUtils.scala`
//! (listenerListToEndPoints). Nothing is resolved here: an empty host stays empty.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::effective::Reader;
use crate::problem::Problem;

/// One listener: a name and an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The listener's name, in capitals.
    pub name: String,
    /// Host name or address without brackets. Empty: every address when listening, this
    /// machine's name when advertised.
    pub host: String,
    /// TCP port. 0: any free one when listening, the one listened on when advertised.
    pub port: u16,
}

impl Endpoint {
    /// Parses `NAME://host:port`; the host may be empty, or an IPv6 address in brackets.
    ///
    /// # Errors
    /// What would have fitted.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fits = || "NAME://host:port, as in PLAINTEXT://localhost:9092".to_owned();
        let (name, address) = text.split_once("://").ok_or_else(fits)?;
        let (host, port) = host_and_port(address).ok_or_else(fits)?;
        if name.is_empty() {
            return Err(fits());
        }
        Ok(Self {
            name: name.to_ascii_uppercase(),
            host,
            port,
        })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "{}://[{}]:{}", self.name, self.host, self.port)
        } else {
            write!(f, "{}://{}:{}", self.name, self.host, self.port)
        }
    }
}

/// Splits `host:port` or `[v6]:port`; `None` where there is no port or it is no number.
pub(crate) fn host_and_port(address: &str) -> Option<(String, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    let port = port.parse().ok()?;
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    match bare {
        Some(bare) => Some((bare.to_owned(), port)),
        None if host.contains(|c: char| c == '/' || c == '[' || c.is_whitespace()) => None,
        None => Some((host.to_owned(), port)),
    }
}

/// Every listener of the broker, bound and advertised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listeners {
    /// Where to listen; names are distinct, and so are ports other than 0.
    pub bound: Vec<Endpoint>,
    /// What to tell others; every name is also in `bound`.
    pub advertised: Vec<Endpoint>,
    /// Name of the advertised listener over which brokers reach each other.
    pub inter_broker: String,
}

impl Listeners {
    /// The advertised listener of that name.
    #[must_use]
    pub fn advertised(&self, name: &str) -> Option<&Endpoint> {
        self.advertised
            .iter()
            .find(|endpoint| endpoint.name == name)
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        let bound = read_bound(reader);
        let advertised = read_advertised(reader, &bound);
        let inter_broker = read_inter_broker(reader, &advertised);
        Self {
            bound,
            advertised,
            inter_broker,
        }
    }
}

fn parse_all(reader: &mut Reader<'_>, key: &'static str) -> Vec<Endpoint> {
    let mut endpoints = Vec::new();
    for text in reader.list(key) {
        match Endpoint::parse(&text) {
            Ok(endpoint) => endpoints.push(endpoint),
            Err(expected) => reader.invalid(key, expected),
        }
    }
    endpoints
}

fn read_bound(reader: &mut Reader<'_>) -> Vec<Endpoint> {
    let host = reader.text("host.name").unwrap_or_default();
    let port = reader.number("port");
    let mut bound = parse_all(reader, "listeners");
    if !reader.effective().is_set("listeners") {
        bound.push(Endpoint {
            name: "PLAINTEXT".to_owned(),
            host,
            port,
        });
    }
    let names: BTreeSet<&str> = bound
        .iter()
        .map(|endpoint| endpoint.name.as_str())
        .collect();
    let ports: Vec<u16> = bound
        .iter()
        .map(|e| e.port)
        .filter(|port| *port != 0)
        .collect();
    if bound.is_empty() && reader.list("listeners").is_empty() {
        reader.invalid("listeners", "at least one listener");
    } else if names.len() != bound.len() {
        reader.invalid("listeners", "a different name for each listener");
    } else if ports.iter().collect::<BTreeSet<_>>().len() != ports.len() {
        reader.invalid("listeners", "a different port for each listener");
    }
    refuse_protected(reader, &bound);
    bound
}

/// Refuses every listener that is not plain: serving it plainly would be worse than not at all.
fn refuse_protected(reader: &mut Reader<'_>, bound: &[Endpoint]) {
    let mut protocols = BTreeMap::new();
    for entry in reader.list("listener.security.protocol.map") {
        match entry.split_once(':') {
            Some((name, protocol)) => {
                protocols.insert(
                    name.trim().to_ascii_uppercase(),
                    protocol.trim().to_ascii_uppercase(),
                );
            }
            None => reader.invalid("listener.security.protocol.map", "NAME:PROTOCOL,..."),
        }
    }
    for endpoint in bound {
        match protocols.get(&endpoint.name).map(String::as_str) {
            Some("PLAINTEXT") => {}
            Some(_) => reader.problem(Problem::Refused {
                at: reader.effective().source("listeners"),
                key: "listeners".to_owned(),
                got: endpoint.to_string(),
                reason: "this broker serves neither SSL nor SASL, and will not serve such a \
                         listener in the open; make it PLAINTEXT, or keep this broker on Kafka",
            }),
            None => reader.invalid(
                "listeners",
                format!(
                    "names that listener.security.protocol.map knows; add {}:PLAINTEXT to it",
                    endpoint.name
                ),
            ),
        }
    }
}

fn read_advertised(reader: &mut Reader<'_>, bound: &[Endpoint]) -> Vec<Endpoint> {
    let host = reader.text("advertised.host.name");
    let port: Option<u16> = reader.limit("advertised.port");
    let mut advertised = parse_all(reader, "advertised.listeners");
    let key = if advertised.is_empty() {
        "listeners"
    } else {
        "advertised.listeners"
    };
    if advertised.is_empty() {
        advertised = bound.to_vec();
        let is_classic = !reader.effective().is_set("listeners");
        if let (true, Some(first)) = (is_classic, advertised.first_mut()) {
            first.host = host.unwrap_or_else(|| first.host.clone());
            first.port = port.unwrap_or(first.port);
        }
    }
    for endpoint in &advertised {
        if matches!(endpoint.host.as_str(), "0.0.0.0" | "::") {
            reader.invalid(
                key,
                "an address that clients can connect to: listen with PLAINTEXT://:9092, or set \
                 advertised.listeners",
            );
        }
        if bound.iter().all(|other| other.name != endpoint.name) {
            reader.invalid(
                "advertised.listeners",
                "only names that are also in listeners",
            );
        }
    }
    let names: BTreeSet<&str> = advertised.iter().map(|e| e.name.as_str()).collect();
    if names.len() != advertised.len() && key == "advertised.listeners" {
        reader.invalid(key, "a different name for each listener");
    }
    advertised
}

fn read_inter_broker(reader: &mut Reader<'_>, advertised: &[Endpoint]) -> String {
    let name = reader
        .text("inter.broker.listener.name")
        .map(|name| name.to_ascii_uppercase());
    let protocol = reader
        .text("security.inter.broker.protocol")
        .unwrap_or_default();
    let name = name.unwrap_or(protocol);
    let known: Vec<&str> = advertised.iter().map(|e| e.name.as_str()).collect();
    if !known.is_empty() && !known.contains(&name.as_str()) {
        let expected = format!(
            "one of the advertised listeners ({}), over which brokers reach each other",
            known.join(", ")
        );
        reader.invalid("inter.broker.listener.name", expected);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(&str, &str, u16)>) {
        let expected = expected.map(|(name, host, port)| Endpoint {
            name: name.to_owned(),
            host: host.to_owned(),
            port,
        });
        assert_eq!(Endpoint::parse(text).ok(), expected, "{text}");
    }

    #[test]
    fn a_listener_is_a_name_and_an_address() {
        check(
            "PLAINTEXT://localhost:9092",
            Some(("PLAINTEXT", "localhost", 9092)),
        );
        check("internal://:0", Some(("INTERNAL", "", 0)));
        check("A://[::1]:9092", Some(("A", "::1", 9092)));
        check("localhost:9092", None);
        check("://localhost:9092", None);
        check("A://localhost", None);
        check("A://localhost:99999", None);
        check("A://local/host:9092", None);
    }

    #[test]
    fn an_endpoint_prints_as_it_is_written() {
        for text in ["PLAINTEXT://h:1", "A://[::1]:2", "B://:0"] {
            assert_eq!(Endpoint::parse(text).unwrap().to_string(), text);
        }
    }
}
