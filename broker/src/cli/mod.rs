//! The command line of `barnabas-broker`.
//!
//! Exit codes: 0 done, 1 failed, 2 the command line or the settings are wrong.

mod check_config;
mod start;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use barnabas_config::{Inputs, Loaded, Problems, SettingsFile, load};
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Exit code for a command line or settings that are wrong.
const USAGE: u8 = 2;

/// Help of `--log-level`.
const LOG_LEVEL: &str = "Least important lines to log: error, warn, info, debug, trace, or a list \
                         such as info,barnabas_broker::network=debug; wins over the variable \
                         RUST_LOG and the setting logging.level";

/// A ZooKeeper-mode Kafka broker.
#[derive(Debug, Parser)]
#[command(name = "barnabas-broker", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the broker until it is told to stop (SIGTERM or Ctrl-C).
    Start {
        #[command(flatten)]
        settings: SettingsArgs,
        #[arg(long, value_name = "LEVEL", help = LOG_LEVEL)]
        log_level: Option<String>,
    },
    /// Print every setting with its value and where it came from; start nothing.
    CheckConfig {
        #[command(flatten)]
        settings: SettingsArgs,
        /// Print only settings that somebody has set.
        #[arg(long)]
        only_set: bool,
        /// Form of the output.
        #[arg(long, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
}

/// Where settings come from. Order: default < file < environment (`KAFKA_LOG_DIRS`) < override.
#[derive(Debug, Args)]
struct SettingsArgs {
    /// Settings file: TOML, or Kafka's own if its name ends in .properties.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One setting that wins over file and environment; may be given many times.
    #[arg(long = "override", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    /// Columns for people.
    Table,
    /// One JSON object.
    Json,
}

/// Runs the command line `arguments`, the program's name first, and returns its exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    match cli.command {
        Command::Start {
            settings,
            log_level,
        } => start::run(&settings, log_level.as_deref()),
        Command::CheckConfig {
            settings,
            only_set,
            output,
        } => check_config::run(&settings, only_set, output),
    }
}

/// Prints help to standard output with code 0, and mistakes to standard error with code 2.
fn usage(error: &clap::Error) -> ExitCode {
    let is_mistake = error.use_stderr();
    // Nobody listens: there is nobody to tell.
    if error.print().is_err() || is_mistake {
        ExitCode::from(USAGE)
    } else {
        ExitCode::SUCCESS
    }
}

impl SettingsArgs {
    /// Reads file, environment and overrides.
    fn load(&self) -> Result<Loaded, Problems> {
        let file = self.config.as_deref().map(SettingsFile::read).transpose()?;
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        load(&Inputs {
            file,
            environment,
            overrides: self.overrides.clone(),
        })
    }
}

/// Prints what is wrong with the settings, one line each, and returns the exit code for it.
fn settings_problems(problems: &Problems) -> ExitCode {
    say(&format!("{problems}\n"));
    ExitCode::from(USAGE)
}

/// Writes to standard error. A closed one is not worth failing for.
fn say(text: &str) {
    if io::stderr().write_all(text.as_bytes()).is_err() {
        // There is no other place to say it.
    }
}
