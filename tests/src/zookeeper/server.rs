//! One ZooKeeper server, wherever it comes from.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

#[cfg(feature = "docker")]
use super::container::Container;
use super::{Chroot, LocalServer, Source, four_letter, source};

static SHARED: OnceLock<ZooKeeper> = OnceLock::new();

/// Chroots given out by this test binary.
static CHROOTS: AtomicUsize = AtomicUsize::new(0);

#[derive(Debug)]
enum Server {
    Existing,
    Local(LocalServer),
    #[cfg(feature = "docker")]
    Container(Box<Container>),
}

/// A standalone server. One that was started here is killed when dropped.
#[derive(Debug)]
pub struct ZooKeeper {
    server: Server,
    address: SocketAddr,
}

impl ZooKeeper {
    /// The server that the ordinary tests of this binary share. Says once which it is.
    pub fn shared() -> &'static Self {
        SHARED.get_or_init(|| {
            let source = Source::choose();
            let shared = match &source {
                Source::Existing(address) => Self::existing(address),
                Source::Local => Self::new(Server::Local(LocalServer::start_for_ever())),
                Source::Docker => Self::container(true),
            };
            eprintln!("ZooKeeper of the tests: {source:?} at {}", shared.address);
            shared
        })
    }

    /// A server of the test's own, that it may stop, pause and start again.
    pub fn start() -> Self {
        match Source::choose_own() {
            Source::Docker => Self::container(false),
            Source::Local | Source::Existing(_) => Self::new(Server::Local(LocalServer::start())),
        }
    }

    fn existing(address: &str) -> Self {
        let resolved = address.to_socket_addrs().ok();
        // Servers listen on IPv4 more often than on both.
        let resolved = resolved.and_then(|all| all.min_by_key(SocketAddr::is_ipv6));
        let address =
            resolved.unwrap_or_else(|| panic!("{}={address}: no such host", source::VARIABLE));
        assert!(
            four_letter::role(address).is_some(),
            "no ZooKeeper serves at {address}"
        );
        Self {
            server: Server::Existing,
            address,
        }
    }

    #[cfg(feature = "docker")]
    fn container(for_ever: bool) -> Self {
        let start = if for_ever {
            Container::start_for_ever
        } else {
            Container::start
        };
        Self::new(Server::Container(Box::new(start())))
    }

    #[cfg(not(feature = "docker"))]
    fn container(_for_ever: bool) -> Self {
        unreachable!("Docker is not chosen in a build without it")
    }

    fn new(server: Server) -> Self {
        let address = match &server {
            Server::Existing => unreachable!("an existing server has its own constructor"),
            Server::Local(local) => local.address(),
            #[cfg(feature = "docker")]
            Server::Container(container) => container.address(),
        };
        Self { server, address }
    }

    /// Address for clients.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A path of the test's own; `name` is part of it, for people who look.
    pub fn chroot(&self, name: &str) -> Chroot {
        self.chroot_through(self.address, name)
    }

    /// The same with a connect string that leads through `door`, such as a proxy.
    pub fn chroot_through(&self, door: SocketAddr, name: &str) -> Chroot {
        let number = CHROOTS.fetch_add(1, Ordering::Relaxed);
        let path = format!("/barnabas-{name}-{}-{number}", std::process::id());
        let removed = matches!(self.server, Server::Existing);
        Chroot::new(door, self.address, path, removed)
    }

    /// Kills the server (SIGKILL). Data stays.
    pub fn kill(&mut self) {
        match &mut self.server {
            Server::Existing => self.refuse(),
            Server::Local(local) => local.kill(),
            #[cfg(feature = "docker")]
            Server::Container(container) => container.kill(),
        }
    }

    /// Starts it again after [`Self::kill`], on the same address and data, and waits until it
    /// serves.
    pub fn restart(&mut self) {
        match &mut self.server {
            Server::Existing => self.refuse(),
            Server::Local(local) => local.restart(),
            #[cfg(feature = "docker")]
            Server::Container(container) => container.restart(),
        }
    }

    /// Lets the server stand still with its connections open (SIGSTOP).
    pub fn pause(&mut self) {
        match &mut self.server {
            Server::Existing => self.refuse(),
            Server::Local(local) => local.pause(),
            #[cfg(feature = "docker")]
            Server::Container(container) => container.pause(),
        }
    }

    /// Ends a pause.
    pub fn resume(&mut self) {
        match &mut self.server {
            Server::Existing => self.refuse(),
            Server::Local(local) => local.resume(),
            #[cfg(feature = "docker")]
            Server::Container(container) => container.resume(),
        }
    }

    fn refuse(&self) {
        panic!(
            "{} was there before this test: start one of your own",
            self.address
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serves(server: &ZooKeeper) -> bool {
        four_letter::role(server.address()).is_some()
    }

    #[test]
    fn a_server_of_ones_own_can_be_paused_killed_and_started_again() {
        let mut server = ZooKeeper::start();
        assert!(serves(&server));
        server.pause();
        assert!(!serves(&server));
        server.resume();
        assert!(serves(&server));
        server.kill();
        assert!(!serves(&server));
        server.restart();
        assert!(serves(&server));
    }

    #[test]
    fn the_shared_server_gives_every_test_its_own_path() {
        let server = ZooKeeper::shared();
        assert!(std::ptr::eq(server, ZooKeeper::shared()));
        let (one, two) = (server.chroot("one"), server.chroot("two"));
        assert_ne!(one.path(), two.path());
        assert_eq!(
            one.connect_string(),
            format!("{}{}", server.address(), one.path())
        );
    }
}
