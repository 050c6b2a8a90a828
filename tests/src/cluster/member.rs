//! A cluster of brokers.

use tempfile::TempDir;

use super::command::{Answer, run_with_input};
use super::{Broker, tool_binary};
use crate::zookeeper::{Chroot, ZooKeeper};

/// Brokers with one ZooKeeper path. Fields are in the order in which they must go.
#[derive(Debug)]
pub struct Cluster {
    /// The brokers, in the order of their ids, which count from 0.
    pub brokers: Vec<Broker>,
    chroot: Chroot,
    folder: TempDir,
}

impl Cluster {
    /// Starts `count` brokers on the shared ZooKeeper and waits until all are ready. `name` is for
    /// people who look; `settings` go to every broker.
    pub fn start(name: &str, count: i32, settings: &[(&str, &str)]) -> Self {
        let mut cluster = Self::prepare(ZooKeeper::shared().chroot(name), count, settings);
        cluster.start_brokers();
        cluster
    }

    /// Prepares `count` brokers below `chroot` without starting any.
    pub fn prepare(chroot: Chroot, count: i32, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let zookeeper = chroot.connect_string().to_owned();
        let brokers = (0..count)
            .map(|id| Broker::new(id, folder.path(), &zookeeper, settings))
            .collect();
        Self {
            brokers,
            chroot,
            folder,
        }
    }

    /// Starts every broker and waits until all are ready.
    pub fn start_brokers(&mut self) {
        for broker in &mut self.brokers {
            broker.start();
        }
        for broker in &mut self.brokers {
            broker.wait_ready();
        }
    }

    /// Starts one broker more, ready when this returns.
    pub fn add_broker(&mut self, settings: &[(&str, &str)]) -> &mut Broker {
        let id = i32::try_from(self.brokers.len()).expect("a small cluster");
        let mut broker = Broker::new(
            id,
            self.folder.path(),
            self.chroot.connect_string(),
            settings,
        );
        broker.start();
        broker.wait_ready();
        self.brokers.push(broker);
        self.brokers.last_mut().expect("one was pushed")
    }

    /// Addresses of all brokers, as `--bootstrap-server` takes them.
    pub fn bootstrap(&self) -> String {
        let all: Vec<String> = self
            .brokers
            .iter()
            .map(|broker| broker.address().to_string())
            .collect();
        all.join(",")
    }

    /// `host:port/path` of this cluster's ZooKeeper.
    pub fn zookeeper(&self) -> &str {
        self.chroot.connect_string()
    }

    /// Folder for a test's own files, removed with the cluster.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Runs `barnabas ARGUMENTS --bootstrap-server ALL`.
    pub fn tool(&self, arguments: &[&str]) -> Answer {
        self.tool_with_input(arguments, b"")
    }

    /// The same with `input` on its standard input.
    pub fn tool_with_input(&self, arguments: &[&str], input: &[u8]) -> Answer {
        let bootstrap = self.bootstrap();
        let mut all = arguments.to_vec();
        all.extend(["--bootstrap-server", &bootstrap]);
        run_with_input(&tool_binary(), &all, input)
    }
}
