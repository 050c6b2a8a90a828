//! One broker as a process.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::broker_binary;
use crate::liveness::wait_until;
use crate::process::{Process, Signal, steady_port};

/// Patience for one answer of the health endpoint.
const HTTP_TIMEOUT: Duration = Duration::from_secs(5);

/// A broker with a port, a folder and a configuration of its own; killed when dropped.
#[derive(Debug)]
pub struct Broker {
    id: i32,
    port: u16,
    metrics_port: u16,
    folder: PathBuf,
    settings: BTreeMap<String, String>,
    process: Option<Process>,
}

impl Broker {
    /// Prepares broker `id` below `folder` without starting it. `settings` are Kafka's keys and
    /// override what is set here.
    pub fn new(id: i32, folder: &Path, zookeeper: &str, settings: &[(&str, &str)]) -> Self {
        let folder = folder.join(format!("broker-{id}"));
        std::fs::create_dir_all(&folder).expect("a folder for the broker");
        let (port, metrics_port) = (steady_port(), steady_port());
        let data = folder.join("data");
        let own = [
            ("broker.id", id.to_string()),
            ("listeners", format!("PLAINTEXT://127.0.0.1:{port}")),
            ("log.dirs", data.display().to_string()),
            ("zookeeper.connect", zookeeper.to_owned()),
            ("zookeeper.session.timeout.ms", "6000".to_owned()),
            ("delete.topic.enable", "true".to_owned()),
            ("log.segment.delete.delay.ms", "500".to_owned()),
            ("metrics.listeners", format!("127.0.0.1:{metrics_port}")),
        ];
        let mut all: BTreeMap<String, String> = own
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        all.extend(
            settings
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned())),
        );
        Self {
            id,
            port,
            metrics_port,
            folder,
            settings: all,
            process: None,
        }
    }

    /// The broker's id.
    pub fn id(&self) -> i32 {
        self.id
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// The folder that holds the partitions.
    pub fn data(&self) -> PathBuf {
        PathBuf::from(&self.settings["log.dirs"])
    }

    /// Changes a setting; it counts from the next start on.
    pub fn set(&mut self, key: &str, value: &str) {
        self.settings.insert(key.to_owned(), value.to_owned());
    }

    /// Starts the process and returns at once.
    pub fn start(&mut self) {
        let file = self.folder.join("server.toml");
        let lines: String = self
            .settings
            .iter()
            .map(|(key, value)| format!("\"{key}\" = {value:?}\n"))
            .collect();
        std::fs::write(&file, lines).expect("the configuration is written");
        let mut command = Command::new(broker_binary());
        command.arg("start").arg("--config").arg(&file);
        let log = self.folder.join("log");
        self.process = Some(Process::spawn(
            &format!("broker {}", self.id),
            command,
            &log,
        ));
    }

    /// Waits until the broker is registered and serves.
    pub fn wait_ready(&mut self) {
        let what = format!("broker {} is ready; see its log:\n", self.id);
        wait_until(&what, || {
            let process = self.process.as_mut().expect("the broker was started");
            let ended = process.status();
            assert!(
                ended.is_none(),
                "broker {} ended: {ended:?}\n{}",
                self.id,
                process.log_text()
            );
            http_get(self.metrics_port, "/readyz")
                .is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
        });
    }

    /// Text of `/metrics`.
    pub fn metrics(&self) -> String {
        http_get(self.metrics_port, "/metrics").expect("the metrics endpoint answers")
    }

    /// Value of one series of `/metrics`, by its full name with labels as printed.
    pub fn metric(&self, series: &str) -> Option<f64> {
        let text = self.metrics();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
        line.split(' ').next()?.parse().ok()
    }

    /// Kills the process (SIGKILL): nothing is flushed, nothing is closed.
    pub fn kill(&mut self) {
        self.process.take().expect("the broker was started").kill();
    }

    /// Stops the broker in order (SIGTERM) and says whether it exited with 0.
    pub fn stop(&mut self) -> bool {
        self.process
            .take()
            .expect("the broker was started")
            .terminate()
            .success()
    }

    /// Sends a signal.
    pub fn signal(&mut self, signal: Signal) {
        self.process
            .as_mut()
            .expect("the broker was started")
            .signal(signal);
    }

    /// Everything the broker has logged over all its lives.
    pub fn log_text(&self) -> String {
        let log = std::fs::read(self.folder.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// The process, while it runs.
    pub fn process(&mut self) -> Option<&mut Process> {
        self.process.as_mut()
    }
}

/// One GET over a connection of its own; `None` where nobody answers.
fn http_get(port: u16, path: &str) -> Option<String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, HTTP_TIMEOUT).ok()?;
    stream.set_read_timeout(Some(HTTP_TIMEOUT)).ok()?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    .ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    Some(String::from_utf8_lossy(&answer).into_owned())
}
