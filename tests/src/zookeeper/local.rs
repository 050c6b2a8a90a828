//! A ZooKeeper server as a `java` process on the loopback interface, from the jars that a package
//! installed.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::four_letter;
use crate::liveness;
use crate::process::{Process, Signal, free_port, remove_at_exit};

/// Ports tried before giving up: another process may take a free one first.
const PORTS_TRIED_MAX: usize = 5;

/// ZooKeeper's clock, ms. Sessions may be as short as two ticks, and expire on a tick.
const TICK_MS: u32 = 200;

/// Says what to install where there is neither.
pub(super) const MISSING: &str = "no ZooKeeper for the tests. One of these helps:\n  \
    apt-get install -y libzookeeper-java openjdk-17-jre-headless   (Debian, Ubuntu)\n  \
    brew install zookeeper                                         (macOS)\n  \
    ZOOKEEPER_HOME=/path/of/an/unpacked/zookeeper, or TEST_ZOOKEEPER=host:port of a running one\n  \
    a Docker daemon with the image zookeeper:3.8, and `cargo test --features docker`";

/// Jars that Debian's `libzookeeper-java` installs; the manifest of the first names the rest.
const DEBIAN_JARS: [&str; 2] = [
    "/usr/share/java/zookeeper.jar",
    "/usr/share/java/slf4j-simple.jar",
];

/// Where Homebrew keeps a ZooKeeper.
const HOMEBREW_LIBS: [&str; 2] = [
    "/opt/homebrew/opt/zookeeper/libexec/lib",
    "/usr/local/opt/zookeeper/libexec/lib",
];

/// Class path of ZooKeeper's server, or `None` if it is not installed.
pub(super) fn class_path() -> Option<String> {
    if let Some(home) = std::env::var_os("ZOOKEEPER_HOME") {
        return Some(format!("{}/*", Path::new(&home).join("lib").display()));
    }
    if DEBIAN_JARS.iter().all(|jar| Path::new(jar).exists()) {
        return Some(DEBIAN_JARS.join(":"));
    }
    let lib = HOMEBREW_LIBS.iter().find(|lib| Path::new(lib).is_dir())?;
    Some(format!("{lib}/*"))
}

/// A server process with a directory of its own. Killed, and the directory removed, when dropped.
#[derive(Debug)]
pub struct LocalServer {
    process: Process,
    address: SocketAddr,
    directory: PathBuf,
    properties: Vec<String>,
    /// Removes the directory; `None` for a server in a static, whose directory the guard removes.
    temporary: Option<TempDir>,
}

impl LocalServer {
    /// Starts a standalone server and waits until it serves.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with Java system properties such as `zookeeper.extendedTypesEnabled=true`.
    pub fn start_with(properties: &[&str]) -> Self {
        for _ in 0..PORTS_TRIED_MAX {
            let mut server = Self::spawn(free_port(), "", None, properties);
            if server.serves() {
                return server;
            }
        }
        panic!("ZooKeeper did not start on any of {PORTS_TRIED_MAX} ports");
    }

    /// The same, for a static: the directory goes when the test binary has gone.
    pub(super) fn start_for_ever() -> Self {
        let mut server = Self::start();
        if let Some(directory) = server.temporary.take() {
            remove_at_exit(&directory.keep());
        }
        server
    }

    /// Starts a server without waiting. `peers` are configuration lines of an ensemble and `id` is
    /// this server's number in it.
    pub(super) fn spawn(port: u16, peers: &str, id: Option<usize>, properties: &[&str]) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("barnabas-zookeeper-")
            .tempdir();
        let directory = directory.expect("a temporary directory");
        let path = directory.path();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut configuration = format!(
            "tickTime={TICK_MS}\ninitLimit=150\nsyncLimit=150\ndataDir={}\nclientPort={port}\n\
             clientPortAddress=127.0.0.1\nadmin.enableServer=false\n4lw.commands.whitelist=*\n\
             maxClientCnxns=0\nminSessionTimeout=400\nmaxSessionTimeout=60000\n",
            path.display()
        );
        write!(configuration, "{peers}").expect("a string takes what is written");
        write_file(&path.join("zoo.cfg"), &configuration);
        if let Some(id) = id {
            write_file(&path.join("myid"), &id.to_string());
        }
        let properties: Vec<String> = properties.iter().map(|one| format!("-D{one}")).collect();
        let process = run(path, &properties);
        let directory_path = path.to_owned();
        Self {
            process,
            address,
            directory: directory_path,
            properties,
            temporary: Some(directory),
        }
    }

    /// Waits until the server serves. False when the process ended instead.
    pub(super) fn serves(&mut self) -> bool {
        liveness::wait_for("a ZooKeeper server serves", || {
            if self.process.status().is_some() {
                return Some(false);
            }
            four_letter::role(self.address).map(|_| true)
        })
    }

    /// Address for clients.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `standalone`, `leader` or `follower`; `None` while it does not serve.
    pub fn role(&self) -> Option<String> {
        four_letter::role(self.address)
    }

    /// Sends SIGKILL and waits for the end. Data stays.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts the server again on its port and data after [`Self::kill`], and waits until it
    /// serves.
    pub fn restart(&mut self) {
        self.respawn();
        assert!(
            self.serves(),
            "ZooKeeper did not start again:\n{}",
            self.process.log_text()
        );
    }

    /// The same without waiting.
    pub(super) fn respawn(&mut self) {
        assert!(
            self.process.status().is_some(),
            "kill the server before starting it again"
        );
        self.process = run(&self.directory, &self.properties);
    }

    /// Stops the process where it stands (SIGSTOP); connections stay open and silent.
    pub fn pause(&mut self) {
        self.process.signal(Signal::Stop);
    }

    /// Ends a pause.
    pub fn resume(&mut self) {
        self.process.signal(Signal::Continue);
    }

    /// What the server wrote so far.
    pub fn log_text(&self) -> String {
        self.process.log_text()
    }
}

fn write_file(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

fn run(directory: &Path, properties: &[String]) -> Process {
    let class_path = class_path().unwrap_or_else(|| panic!("{MISSING}"));
    let mut command = Command::new("java");
    command
        // Small and quick to start: tests run several of these beside each other.
        .args(["-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
        // Tests kill the process, never the machine: the page cache is as good as the disk.
        .arg("-Dzookeeper.forceSync=no")
        .args(properties)
        .args([
            "-cp",
            &class_path,
            "org.apache.zookeeper.server.quorum.QuorumPeerMain",
        ])
        .arg(directory.join("zoo.cfg"));
    Process::spawn("ZooKeeper", command, &directory.join("server.log"))
}
