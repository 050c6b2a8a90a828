//! Where the tests' ZooKeeper comes from.

use super::{container, local};

/// Environment variable that chooses.
pub(super) const VARIABLE: &str = "TEST_ZOOKEEPER";

/// Origin of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A server that was there before, at `host:port`.
    Existing(String),
    /// A container.
    Docker,
    /// A local `java` process.
    Local,
}

/// What this machine offers, as far as the choice needs it.
#[derive(Clone, Copy, Debug)]
struct Offer {
    /// This build can start containers, a daemon answers, and it has the image.
    docker: bool,
    /// The jars are installed.
    local: bool,
}

impl Source {
    /// Chooses by `TEST_ZOOKEEPER`, else by what is there. Panics with what to install where there
    /// is nothing.
    pub fn choose() -> Self {
        let wish = std::env::var(VARIABLE).unwrap_or_default();
        let offer = || Offer {
            docker: container::at_hand(),
            local: local::class_path().is_some(),
        };
        choose(&wish, offer).unwrap_or_else(|why| panic!("{why}"))
    }

    /// The same for a test that will stop its server: never somebody else's.
    pub fn choose_own() -> Self {
        match Self::choose() {
            Self::Existing(_) if local::class_path().is_some() => Self::Local,
            Self::Existing(_) if container::at_hand() => Self::Docker,
            Self::Existing(address) => panic!(
                "this test stops its ZooKeeper and leaves {address} alone: {}",
                local::MISSING
            ),
            own => own,
        }
    }
}

fn choose(wish: &str, offer: impl FnOnce() -> Offer) -> Result<Source, String> {
    match wish {
        "" => match offer() {
            Offer { docker: true, .. } => Ok(Source::Docker),
            Offer { local: true, .. } => Ok(Source::Local),
            Offer { .. } => Err(local::MISSING.into()),
        },
        "docker" if cfg!(feature = "docker") => Ok(Source::Docker),
        "docker" => Err(format!(
            "{VARIABLE}=docker needs `cargo test --features docker`"
        )),
        "local" if offer().local => Ok(Source::Local),
        "local" => Err(local::MISSING.into()),
        address if address.contains(':') => Ok(Source::Existing(address.into())),
        other => Err(format!(
            "{VARIABLE}={other}: give host:port, docker or local"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(wish: &str, docker: bool, local: bool, expected: Option<Source>) {
        let chosen = choose(wish, || Offer { docker, local });
        assert_eq!(
            chosen.ok(),
            expected,
            "{wish} docker={docker} local={local}"
        );
    }

    #[test]
    fn a_wish_is_followed_and_otherwise_the_first_that_is_there() {
        check("", true, true, Some(Source::Docker));
        check("", false, true, Some(Source::Local));
        check("", false, false, None);
        check("local", true, true, Some(Source::Local));
        check("local", true, false, None);
        check(
            "zk:2181",
            true,
            true,
            Some(Source::Existing("zk:2181".into())),
        );
        check("zk", true, true, None);
        check(
            "docker",
            true,
            true,
            cfg!(feature = "docker").then_some(Source::Docker),
        );
    }
}
