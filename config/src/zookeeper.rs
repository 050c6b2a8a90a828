//! `zookeeper.connect`: servers, and the path under which everything is kept.

use std::fmt;

use crate::listener::host_and_port;

/// Port of a ZooKeeper server that is given without one.
const PORT: u16 = 2181;

/// The servers of the ensemble and the chroot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectString {
    /// The servers; at least one. Hosts are without brackets.
    pub servers: Vec<(String, u16)>,
    /// `""`, or an absolute path without a slash at its end (`/kafka`).
    pub chroot: String,
}

impl ConnectString {
    /// Parses `host:port,host:port/chroot`. Port 2181 where none is given; a chroot of `/` is
    /// none.
    ///
    /// # Errors
    /// What would have fitted.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fits = || "host:port,host:port/path, as in localhost:2181/kafka".to_owned();
        let split = text.find('/').unwrap_or(text.len());
        let (servers, path) = text.split_at_checked(split).ok_or_else(fits)?;
        let chroot = path.strip_suffix('/').unwrap_or(path);
        let parts: Vec<&str> = chroot.split('/').skip(1).collect();
        if parts
            .iter()
            .any(|part| part.is_empty() || *part == "." || *part == "..")
        {
            return Err(fits());
        }
        let servers: Option<Vec<(String, u16)>> =
            crate::value::items(servers).map(parse_server).collect();
        match servers {
            Some(servers) if !servers.is_empty() => Ok(Self {
                servers,
                chroot: chroot.to_owned(),
            }),
            _ => Err(fits()),
        }
    }

    /// The servers alone, as `host:port,host:port`.
    #[must_use]
    pub fn hosts(&self) -> String {
        let server = |(host, port): &(String, u16)| {
            if host.contains(':') {
                format!("[{host}]:{port}")
            } else {
                format!("{host}:{port}")
            }
        };
        self.servers
            .iter()
            .map(server)
            .collect::<Vec<_>>()
            .join(",")
    }
}

impl fmt::Display for ConnectString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.hosts(), self.chroot)
    }
}

fn parse_server(text: &str) -> Option<(String, u16)> {
    let is_bare = !text.contains(':') || text.ends_with(']');
    let with_port = if is_bare {
        format!("{text}:{PORT}")
    } else {
        text.to_owned()
    };
    host_and_port(&with_port).filter(|(host, port)| !host.is_empty() && *port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(&str, &str)>) {
        let parsed = ConnectString::parse(text).ok();
        let parsed = parsed.as_ref().map(|c| (c.hosts(), c.chroot.clone()));
        let expected = expected.map(|(hosts, chroot)| (hosts.to_owned(), chroot.to_owned()));
        assert_eq!(parsed, expected, "{text}");
    }

    #[test]
    fn servers_and_chroot_are_told_apart() {
        check("localhost", Some(("localhost:2181", "")));
        check("a:1, b:2/kafka/x", Some(("a:1,b:2", "/kafka/x")));
        check("a:1/", Some(("a:1", "")));
        check("[::1]:2181/k", Some(("[::1]:2181", "/k")));
        check("[::1]", Some(("[::1]:2181", "")));
        check("", None);
        check("/kafka", None);
        check("a:x", None);
        check("a:1//k", None);
        check("a:1/../k", None);
        check("http://a:1", None);
    }
}
