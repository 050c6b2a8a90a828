//! `zookeeper.connect`: servers and an optional chroot.

use barnabas_zk_schema::ZkPath;

/// Port of a server that is written without one.
const DEFAULT_PORT: u16 = 2181;

/// Servers of an ensemble, at most; ten times what anybody runs.
const SERVERS_MAX: usize = 64;

/// A parsed connect string, `host:port,host:port/chroot`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectString {
    servers: String,
    chroot: Option<ZkPath>,
}

/// What is wrong with a connect string.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectStringError {
    /// Nothing stands before the chroot, or between two commas.
    #[error("{text:?} names no server in one place; write host:port,host:port/chroot")]
    NoServer {
        /// The whole text.
        text: String,
    },
    /// A port is not a number from 1 to 65535.
    #[error("the port of {server:?} is not a number from 1 to 65535")]
    Port {
        /// The server as written.
        server: String,
    },
    /// More servers than anybody runs.
    #[error("{count} servers, at most {SERVERS_MAX}")]
    TooMany {
        /// How many.
        count: usize,
    },
    /// The chroot is no path.
    #[error(
        "the chroot {chroot:?} is no path: elements between single slashes, no slash at the end"
    )]
    Chroot {
        /// The chroot as written.
        chroot: String,
    },
}

impl ConnectString {
    /// Reads a connect string. A missing port is 2181, a chroot of `/` is none.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, ConnectStringError> {
        let text = text.trim();
        let (servers, chroot) = text
            .split_once('/')
            .map_or((text, ""), |(before, after)| (before, after));
        let count = servers.split(',').count();
        if count > SERVERS_MAX {
            return Err(ConnectStringError::TooMany { count });
        }
        let servers: Result<Vec<String>, _> = servers
            .split(',')
            .map(|one| server(one.trim(), text))
            .collect();
        let servers = servers?.join(",");
        if chroot.is_empty() {
            return Ok(Self {
                servers,
                chroot: None,
            });
        }
        let bad =
            |part: &str| part.is_empty() || part == "." || part == ".." || part.contains('\0');
        if chroot.split('/').any(bad) {
            return Err(ConnectStringError::Chroot {
                chroot: format!("/{chroot}"),
            });
        }
        Ok(Self {
            servers,
            chroot: Some(format!("/{chroot}").into()),
        })
    }

    /// The servers, each with its port, separated by commas.
    #[must_use]
    pub fn servers(&self) -> &str {
        &self.servers
    }

    /// The path below which everything happens; `None` for the root.
    #[must_use]
    pub const fn chroot(&self) -> Option<&ZkPath> {
        self.chroot.as_ref()
    }
}

fn server(one: &str, text: &str) -> Result<String, ConnectStringError> {
    // An IPv6 address stands in brackets, so a colon after the bracket begins the port.
    let after_host = one.rfind(']').unwrap_or(0);
    let tail = one.get(after_host..).unwrap_or_default();
    let (host, port) = tail.rfind(':').map_or((one, None), |at| {
        let (host, port) = one.split_at(after_host.saturating_add(at));
        (host, port.strip_prefix(':'))
    });
    if host.is_empty() {
        return Err(ConnectStringError::NoServer { text: text.into() });
    }
    let port = port.map_or(Ok(DEFAULT_PORT), str::parse);
    match port {
        Ok(port) if port > 0 => Ok(format!("{host}:{port}")),
        Ok(_) | Err(_) => Err(ConnectStringError::Port { server: one.into() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, servers: &str, chroot: Option<&str>) {
        let parsed = ConnectString::parse(text).unwrap();
        assert_eq!(
            (parsed.servers(), parsed.chroot().map(ZkPath::as_str)),
            (servers, chroot)
        );
    }

    #[test]
    fn servers_and_chroot_are_read_as_kafka_reads_them() {
        check("a", "a:2181", None);
        check("a:1,b:2", "a:1,b:2", None);
        check(" a:1 , b ", "a:1,b:2181", None);
        check("a:1/kafka", "a:1", Some("/kafka"));
        check("a:1,b:2/kafka/prod", "a:1,b:2", Some("/kafka/prod"));
        check("a:1/", "a:1", None);
        check("[::1]:7,[::1]", "[::1]:7,[::1]:2181", None);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |text| ConnectString::parse(text).unwrap_err();
        assert!(matches!(error(""), ConnectStringError::NoServer { .. }));
        assert!(matches!(
            error("/kafka"),
            ConnectStringError::NoServer { .. }
        ));
        assert!(matches!(
            error("a:1,,b:2"),
            ConnectStringError::NoServer { .. }
        ));
        assert!(matches!(error("a:x"), ConnectStringError::Port { .. }));
        assert!(matches!(error("a:0"), ConnectStringError::Port { .. }));
        assert!(matches!(
            error("a:1/k//p"),
            ConnectStringError::Chroot { .. }
        ));
        assert!(matches!(error("a:1/k/"), ConnectStringError::Chroot { .. }));
        assert!(matches!(
            error("a:1/../k"),
            ConnectStringError::Chroot { .. }
        ));
        assert!(matches!(
            error(&"a,".repeat(70)),
            ConnectStringError::TooMany { count: 71 }
        ));
    }
}
