//! What a broker tells others to connect to, once its sockets are bound.

use std::net::SocketAddr;

use barnabas_config::Listeners;
use barnabas_zk_schema::broker::{Endpoint, SecurityProtocol};

/// The advertised endpoints, in their order: a port of 0 becomes the port that was bound, an empty host
/// this machine's name.
pub(crate) fn endpoints(listeners: &Listeners, bound: &[(String, SocketAddr)]) -> Vec<Endpoint> {
    listeners
        .advertised
        .iter()
        .map(|advertised| {
            let address = bound.iter().find(|(name, _)| *name == advertised.name);
            let port = match (advertised.port, address) {
                (0, Some((_, address))) => address.port(),
                (port, _) => port,
            };
            let host = if advertised.host.is_empty() {
                host_name()
            } else {
                advertised.host.clone()
            };
            Endpoint {
                listener: advertised.name.clone(),
                security_protocol: SecurityProtocol::Plaintext,
                host,
                port,
            }
        })
        .collect()
}

/// This machine's name; `localhost` where it has none.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" | "(none)" => "localhost".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(advertised: &str, bound: u16, expected: (&str, u16)) {
        let advertised = vec![barnabas_config::Endpoint::parse(advertised).unwrap()];
        let listeners = Listeners {
            bound: advertised.clone(),
            advertised,
            inter_broker: "PLAINTEXT".to_owned(),
        };
        let bound = [(
            "PLAINTEXT".to_owned(),
            SocketAddr::from(([127, 0, 0, 1], bound)),
        )];
        let endpoints = endpoints(&listeners, &bound);
        assert_eq!((endpoints[0].host.as_str(), endpoints[0].port), expected);
    }

    #[test]
    fn what_is_left_open_is_filled_in() {
        check("PLAINTEXT://broker:9092", 9092, ("broker", 9092));
        check("PLAINTEXT://broker:0", 40_000, ("broker", 40_000));
        check("PLAINTEXT://:9093", 9092, (&host_name(), 9093));
    }
}
