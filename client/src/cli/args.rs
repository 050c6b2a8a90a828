//! What was typed: the tree of commands and their flags. Long names are those of Kafka's tools.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::assignment::Assignment;
use super::count::Count;
use super::format::Format;
use super::start::Start;

/// Administers a Kafka cluster, and produces to and consumes from it.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "barnabas",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "Exit codes: 0 done, 1 refused or failed, 2 usage, 3 partly done, 4 unreachable."
)]
pub(crate) struct Arguments {
    /// Flags that every command takes.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) noun: Noun,
}

/// Flags that every command takes, before it or after it.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// Brokers to begin with, as host:port, separated by commas. Without it
    /// `KAFKA_BOOTSTRAP_SERVERS`, and without that localhost:9092.
    // Not clap's `env`: with the variable set, a bare `barnabas` would no longer show its help.
    #[arg(short = 'b', long, global = true, value_name = "HOST:PORT")]
    pub(crate) bootstrap_server: Option<String>,
    /// How answers are printed: as a table for people, or as JSON for scripts (one document; one
    /// line for each record consumed).
    #[arg(
        long,
        global = true,
        value_name = "table|json",
        value_enum,
        hide_possible_values = true,
        default_value_t = Output::Table
    )]
    pub(crate) output: Output,
    /// A client property, such as request.timeout.ms=5000. May be given many times.
    #[arg(short = 'X', long = "property", global = true, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) properties: Vec<(String, String)>,
    /// Seconds until a command that gets no answer gives up.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 10)]
    pub(crate) timeout: u64,
    /// More about what is going on, on standard error; twice for all of it.
    #[arg(short = 'v', long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Nothing but data and errors.
    #[arg(short = 'q', long, global = true)]
    pub(crate) quiet: bool,
}

impl Global {
    /// The servers to begin with, from wherever they are said.
    pub(crate) fn servers(&self) -> String {
        let said = self.bootstrap_server.clone();
        let said = said.or_else(|| std::env::var("KAFKA_BOOTSTRAP_SERVERS").ok());
        said.unwrap_or_else(|| "localhost:9092".to_owned())
    }
}

/// How answers are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// Plain columns, for people.
    Table,
    /// JSON, for scripts: one document, or one line for each record consumed.
    Json,
}

/// What a command is about.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Noun {
    /// Create, delete, list and describe topics.
    #[command(subcommand)]
    Topic(Topic),
    /// Send lines of a file or of standard input to a topic, one record each.
    ///
    /// A line is sent as it is, but for its newline. Records are tried for two minutes
    /// (delivery.timeout.ms); Ctrl-C waits for those that were sent, a second one does not.
    #[command(after_help = "Examples:
  echo hello | barnabas produce letters
  barnabas produce orders --file orders.txt --key-separator : --compression lz4")]
    Produce(Produce),
    /// Print the records of a topic.
    ///
    /// Goes on until Ctrl-C unless told where to stop. With --output json a record is a line with
    /// topic, partition, offset, timestamp, key, value and headers; what is not UTF-8 stands in
    /// base64, and a field such as valueEncoding says so.
    #[command(after_help = "Examples:
  barnabas consume letters --from-beginning --exit-at-end
  barnabas consume orders --offset -5 --format '%t-%p@%o %k=%v\\n'
  barnabas consume orders --offset @2026-11-21T10:00:00Z --output json")]
    Consume(Consume),
    /// Describe the cluster.
    #[command(subcommand)]
    Cluster(Cluster),
    /// Measure how fast records go in and out.
    #[command(subcommand)]
    Perf(Perf),
}

/// Commands on topics.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Topic {
    /// Create topics.
    #[command(after_help = "Examples:
  barnabas topic create orders --partitions 6 --replication-factor 3
  barnabas topic create audit -c retention.ms=86400000 -c min.insync.replicas=2")]
    Create(TopicCreate),
    /// Delete topics with all their records.
    Delete(TopicDelete),
    /// List topics.
    List,
    /// Show the partitions, leaders, replicas and settings of topics.
    Describe(TopicDescribe),
}

/// `topic create`.
#[derive(Args, Clone, Debug)]
pub(crate) struct TopicCreate {
    /// Names of the topics.
    #[arg(required = true, value_name = "TOPIC")]
    pub(crate) topics: Vec<String>,
    /// Number of partitions. Without it the broker's num.partitions decides.
    #[arg(short = 'p', long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) partitions: Option<i32>,
    /// Number of replicas of each partition. Without it the broker's default.replication.factor
    /// decides.
    #[arg(short = 'r', long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) replication_factor: Option<i16>,
    /// A setting of the topic, such as retention.ms=3600000. May be given many times.
    #[arg(short = 'c', long, value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) config: Vec<(String, String)>,
    /// Who places the replicas: the controller, or this tool by the modulo ring (partition i on
    /// broker i mod n), which then holds under any controller.
    #[arg(
        long,
        value_name = "controller|modulo",
        value_enum,
        hide_possible_values = true,
        default_value_t = Placement::Controller,
        conflicts_with = "replica_assignment"
    )]
    pub(crate) placement: Placement,
    /// Brokers of each partition, as Kafka's tools take them: 0:1,1:2 is two partitions of two
    /// replicas.
    #[arg(long, value_name = "ID:ID,ID:ID", conflicts_with_all = ["partitions", "replication_factor"])]
    pub(crate) replica_assignment: Option<Assignment>,
    /// A topic that exists already is no error.
    #[arg(long)]
    pub(crate) if_not_exists: bool,
    /// Only ask whether it could be done.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Who places the replicas of a new topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Placement {
    /// The controller, by its own policy.
    Controller,
    /// This tool, by the modulo ring over the live brokers.
    Modulo,
}

/// `topic delete`.
#[derive(Args, Clone, Debug)]
pub(crate) struct TopicDelete {
    /// Names of the topics.
    #[arg(required = true, value_name = "TOPIC")]
    pub(crate) topics: Vec<String>,
    /// A topic that does not exist is no error.
    #[arg(long)]
    pub(crate) if_exists: bool,
}

/// `topic describe`.
#[derive(Args, Clone, Debug)]
pub(crate) struct TopicDescribe {
    /// Names of the topics; all of them where none is given.
    #[arg(value_name = "TOPIC")]
    pub(crate) topics: Vec<String>,
}

/// `produce`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Produce {
    /// The topic.
    pub(crate) topic: String,
    /// Read lines from this file instead of standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Key of every record.
    #[arg(short = 'k', long, conflicts_with = "key_separator")]
    pub(crate) key: Option<String>,
    /// What stands between key and value in a line. A line without it is an error.
    #[arg(short = 'K', long, value_name = "TEXT")]
    pub(crate) key_separator: Option<String>,
    /// A header of every record. May be given many times.
    #[arg(short = 'H', long = "header", value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) headers: Vec<(String, String)>,
    /// Partition of every record. Without it the key decides, else they go round.
    #[arg(long, value_name = "N")]
    pub(crate) partition: Option<i32>,
    /// Codec: none, gzip, snappy, lz4 or zstd.
    #[arg(short = 'z', long, value_name = "CODEC", default_value = "none")]
    pub(crate) compression: String,
    /// Who must have a record before it counts as sent: 0 nobody, 1 the leader, all the in-sync
    /// replicas.
    #[arg(long, value_name = "0|1|all", default_value = "all")]
    pub(crate) acks: String,
}

/// `consume`.
#[derive(Args, Clone, Debug)]
pub(crate) struct Consume {
    /// The topic.
    pub(crate) topic: String,
    /// Read from the first record on; the same as --offset start.
    #[arg(long, conflicts_with = "offset")]
    pub(crate) from_beginning: bool,
    /// Where to begin: start, end, an offset, -N for the last N of each partition, or @ and a time
    /// (ms since 1970, or 2026-11-21T10:00:00Z).
    #[arg(
        short = 'o',
        long,
        value_name = "WHERE",
        default_value = "end",
        allow_hyphen_values = true
    )]
    pub(crate) offset: Start,
    /// Only these partitions.
    #[arg(short = 'p', long, value_name = "N,N", value_delimiter = ',')]
    pub(crate) partition: Vec<i32>,
    /// Stop after so many records.
    #[arg(short = 'n', long, value_name = "N")]
    pub(crate) count: Option<Count>,
    /// Stop at what was the end when the command began.
    #[arg(short = 'e', long, conflicts_with = "follow")]
    pub(crate) exit_at_end: bool,
    /// Go on waiting for new records (also without this flag, unless another one says where to
    /// stop).
    #[arg(long)]
    pub(crate) follow: bool,
    /// How to print a record: %v value, %k key, %h headers, %t topic, %p partition, %o offset, %T
    /// timestamp in ms, %% a percent sign, \n and \t.
    #[arg(short = 'f', long, value_name = "TEXT", default_value = "%v\\n")]
    pub(crate) format: Format,
}

/// Commands on the cluster.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum Cluster {
    /// Show its id, its brokers and which of them is the controller.
    Describe,
}

/// Measurements.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Perf {
    /// Produce as fast as possible, or at a given rate.
    Produce(PerfProduce),
    /// Consume as fast as possible.
    Consume(PerfConsume),
}

/// `perf produce`.
#[derive(Args, Clone, Debug)]
pub(crate) struct PerfProduce {
    /// The topic; it must exist.
    pub(crate) topic: String,
    /// Number of records, such as 5M.
    #[arg(short = 'n', long, value_name = "N", default_value = "1M")]
    pub(crate) num_records: Count,
    /// Bytes of each record's value.
    #[arg(
        short = 's',
        long,
        alias = "size",
        value_name = "BYTES",
        default_value_t = 100
    )]
    pub(crate) record_size: usize,
    /// Records a second; without it as many as go through.
    #[arg(long, value_name = "N")]
    pub(crate) throughput: Option<Count>,
    /// Codec: none, gzip, snappy, lz4 or zstd.
    #[arg(short = 'z', long, value_name = "CODEC", default_value = "none")]
    pub(crate) compression: String,
    /// Who must have a record before it counts as sent: 0, 1 or all.
    #[arg(long, value_name = "0|1|all", default_value = "1")]
    pub(crate) acks: String,
}

/// `perf consume`.
#[derive(Args, Clone, Debug)]
pub(crate) struct PerfConsume {
    /// The topic; it is read from its beginning.
    pub(crate) topic: String,
    /// Number of records; without it all that are there at the start.
    #[arg(short = 'n', long, alias = "messages", value_name = "N")]
    pub(crate) num_records: Option<Count>,
}

/// Parses `key=value`.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("give it as KEY=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_tree_of_commands_is_consistent() {
        Arguments::command().debug_assert();
    }

    /// What every command says of itself, one after the other.
    fn all_help() -> String {
        fn collect(mut command: clap::Command, path: &str, all: &mut String) {
            let path = format!("{path}{}", command.get_name());
            let help = command.render_long_help().to_string();
            let lines = help.lines().map(str::trim_end).collect::<Vec<_>>();
            all.push_str(&format!(
                "$ {path} --help\n{}\n\n",
                lines.join("\n").trim_end()
            ));
            for sub in command
                .get_subcommands()
                .filter(|sub| sub.get_name() != "help")
            {
                collect(sub.clone(), &format!("{path} "), all);
            }
        }
        let mut all = String::new();
        let mut command = Arguments::command();
        command.build();
        collect(command, "", &mut all);
        all
    }

    #[test]
    fn help_is_as_it_was_read_and_found_good() {
        expect_test::expect_file!["help.txt"].assert_eq(&all_help());
    }

    #[test]
    fn flags_stand_before_or_after_the_command() {
        let line = [
            "barnabas", "topic", "create", "t", "-p", "6", "-c", "a=b=c", "-b", "h:1",
        ];
        let parsed = Arguments::try_parse_from(line).unwrap();
        assert_eq!(parsed.global.servers(), "h:1");
        let Noun::Topic(Topic::Create(create)) = parsed.noun else {
            panic!("{parsed:?}")
        };
        assert_eq!(create.partitions, Some(6));
        assert_eq!(create.config, [("a".to_owned(), "b=c".to_owned())]);
        for wrong in [
            ["barnabas", "topic", "make"],
            ["barnabas", "produce", "--acks"],
        ] {
            assert!(Arguments::try_parse_from(wrong).is_err(), "{wrong:?}");
        }
    }
}
