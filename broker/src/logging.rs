//! Where log lines go and which are written.

use std::str::FromStr;

use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The library under the ZooKeeper session.
const ENGINE: &str = "zookeeper_client";

/// Why logging cannot be set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoggingError {
    /// The choice of lines does not parse.
    #[error(
        "{origin}: got \"{got}\", expected a level (error, warn, info, debug, trace, off) or a list \
         such as info,barnabas_broker::network=debug"
    )]
    Level {
        /// Who asked for it.
        origin: &'static str,
        /// What was asked for.
        got: String,
    },
    /// Somebody in this process has set up logging before.
    #[error("logging is already set up: {0}")]
    AlreadySet(#[source] tracing_subscriber::util::TryInitError),
}

/// Which lines are written: the option wins over `RUST_LOG`, and that over the setting.
///
/// Lines about leaders, in-sync replicas and states of partitions are on the target
/// `state_change`, so `warn,state_change=info` keeps exactly those of the lower levels.
pub(crate) fn filter(
    option: Option<&str>,
    variable: Option<&str>,
    setting: &str,
) -> Result<Targets, LoggingError> {
    let (origin, text) = match (option, variable.filter(|text| !text.is_empty())) {
        (Some(text), _) => ("--log-level", text),
        (None, Some(text)) => ("RUST_LOG", text),
        (None, None) => ("logging.level", setting),
    };
    let asked = Targets::from_str(text)
        .ok()
        // A lone word that is no level parses as the name of a target, which would log nothing else.
        .filter(|targets| targets.default_level().is_some())
        .ok_or_else(|| LoggingError::Level {
            origin,
            got: text.to_owned(),
        })?;
    // What the library under the session has to say below warnings, the session says itself.
    let is_chatty = asked
        .default_level()
        .is_some_and(|level| level == LevelFilter::INFO);
    Ok(if is_chatty && !text.contains(ENGINE) {
        asked.with_target(ENGINE, Level::WARN)
    } else {
        asked
    })
}

/// Sends the lines that pass `filter` to standard error, coloured on a terminal.
pub(crate) fn init(filter: Targets) -> Result<(), LoggingError> {
    use std::io::IsTerminal;

    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    tracing_subscriber::registry()
        .with(lines)
        .with(filter)
        .try_init()
        .map_err(LoggingError::AlreadySet)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        option: Option<&str>,
        variable: Option<&str>,
        expected: Result<(&str, Level, bool), &str>,
    ) {
        let result = filter(option, variable, "info");
        match (result, expected) {
            (Ok(targets), Ok((target, level, is_enabled))) => {
                assert_eq!(
                    targets.would_enable(target, &level),
                    is_enabled,
                    "{targets}"
                );
            }
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (result, expected) => panic!("{result:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn the_nearest_wish_wins() {
        check(None, None, Ok(("any", Level::INFO, true)));
        check(None, None, Ok(("any", Level::DEBUG, false)));
        check(None, Some("warn"), Ok(("any", Level::INFO, false)));
        check(None, Some(""), Ok(("any", Level::INFO, true)));
        check(Some("debug"), Some("warn"), Ok(("any", Level::DEBUG, true)));
        let quiet = Some("warn,state_change=info");
        check(quiet, None, Ok(("state_change", Level::INFO, true)));
        check(quiet, None, Ok(("any", Level::INFO, false)));
        check(None, None, Ok((ENGINE, Level::INFO, false)));
        check(None, Some("debug"), Ok((ENGINE, Level::DEBUG, true)));
        check(
            None,
            Some("info,zookeeper_client=info"),
            Ok((ENGINE, Level::INFO, true)),
        );
    }

    #[test]
    fn a_word_that_is_no_level_is_an_error() {
        check(Some("loud"), None, Err("--log-level: got \"loud\""));
        check(None, Some("a=b=c"), Err("RUST_LOG"));
    }
}
