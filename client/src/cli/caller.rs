//! The one who calls: flags that every command takes, and the way to the cluster.

use std::io::{self, Write as _};
use std::time::Duration;

use barnabas_client::{Client, Config};

use super::args::{Global, Output};
use super::ending::{Ending, Failure, say};
use super::explain;

/// The flags that every command takes, and what they mean for it.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    global: Global,
}

impl Caller {
    pub(crate) const fn new(global: Global) -> Self {
        Self { global }
    }

    /// Whether answers are to be JSON.
    pub(crate) fn wants_json(&self) -> bool {
        self.global.output == Output::Json
    }

    /// Whether nothing but data and errors is wanted.
    pub(crate) const fn is_quiet(&self) -> bool {
        self.global.quiet
    }

    /// How long a command waits for an answer.
    pub(crate) const fn timeout(&self) -> Duration {
        Duration::from_secs(self.global.timeout)
    }

    /// The servers to begin with, as they were typed.
    pub(crate) fn servers(&self) -> String {
        self.global.servers()
    }

    /// The client's settings: what suits the command, and what was typed on top.
    fn config(&self, suited: &[(&str, &str)]) -> Config {
        let servers = u64::try_from(self.servers().split(',').count()).unwrap_or(u64::MAX);
        let timeout_ms = self.global.timeout.saturating_mul(1_000);
        // Every server is tried before the time is over, and there is time left to ask one.
        let connect_ms = timeout_ms.saturating_mul(9) / 10 / servers.max(1);
        let mut config = Config::new(&self.servers())
            .set("client.id", "barnabas-cli")
            .set("default.api.timeout.ms", timeout_ms)
            .set("max.block.ms", timeout_ms)
            .set("request.timeout.ms", timeout_ms)
            .set("socket.connection.setup.timeout.ms", connect_ms.max(1));
        for (key, value) in suited {
            config = config.set(key, value);
        }
        for (key, value) in &self.global.properties {
            config = config.set(key, value);
        }
        config
    }

    /// Connects with the settings that suit a command.
    ///
    /// # Errors
    /// What each server said, if none answers within the time.
    pub(crate) async fn connect(&self, suited: &[(&str, &str)]) -> Result<Client, Failure> {
        let connect = Client::connect(self.config(suited));
        self.within(async { connect.await.map_err(|error| explain::error(self, &error)) })
            .await
    }

    /// What a future that waits for the cluster ends with; fails if it takes too long.
    ///
    /// # Errors
    /// Those of the future; [`Ending::Unreachable`] when the time is over.
    pub(crate) async fn within<T>(
        &self,
        answer: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::time::timeout(self.timeout(), answer)
            .await
            .unwrap_or_else(|_elapsed| {
                let (servers, seconds) = (self.servers(), self.global.timeout);
                let message = format!("no answer from {servers} within {seconds} s");
                Err(Failure::new(Ending::Unreachable, message).hint(
                "is the cluster busy or half down? `barnabas cluster describe` shows who is there; \
                 --timeout waits longer",
            ))
            })
    }

    /// Tells something that is no data, unless only data is wanted.
    pub(crate) fn note(&self, line: &str) {
        if !self.global.quiet {
            say(line);
        }
    }

    /// Data as text.
    ///
    /// # Errors
    /// Those of writing to standard output.
    pub(crate) fn print(&self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        Ok(out.flush()?)
    }

    /// Data as one JSON document.
    ///
    /// # Errors
    /// Those of writing to standard output.
    pub(crate) fn print_json(&self, document: &serde_json::Value) -> Result<(), Failure> {
        self.print(&format!("{document:#}\n"))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::args::Arguments;

    fn caller(flags: &[&str]) -> Caller {
        let line = ["barnabas", "topic", "list"].iter().chain(flags);
        Caller::new(Arguments::try_parse_from(line).unwrap().global)
    }

    #[track_caller]
    fn check(flags: &[&str], key: &str, expected: &str) {
        let config = caller(flags).config(&[("batch.size", "1000")]);
        assert_eq!(config.get(key), Some(expected), "{flags:?} {key}");
    }

    #[test]
    fn what_was_typed_stands_above_what_suits_the_command() {
        check(&["-b", "a:1,b:2"], "bootstrap.servers", "a:1,b:2");
        check(&[], "batch.size", "1000");
        check(&["-X", "batch.size=5"], "batch.size", "5");
        check(&["-X", "client.id=me"], "client.id", "me");
    }

    #[test]
    fn all_servers_together_have_the_time_that_was_given() {
        let key = "socket.connection.setup.timeout.ms";
        check(&["-b", "a:1", "--timeout", "10"], key, "9000");
        check(&["-b", "a:1,b:2,c:3", "--timeout", "10"], key, "3000");
        check(&["--timeout", "10"], "default.api.timeout.ms", "10000");
    }
}
