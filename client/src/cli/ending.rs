//! How a command ends, and what is said when it did not do what it should.

use std::io::{self, Write as _};
use std::process::ExitCode;

use barnabas_client::ErrorCode;

/// How a command ends: its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// 0: all of it was done.
    Done,
    /// 1: the cluster refused, or it failed on the way.
    Failed,
    /// 2: what was typed cannot be meant.
    Usage,
    /// 3: some of it was done.
    Partly,
    /// 4: nobody answers.
    Unreachable,
    /// 130: Ctrl-C.
    Interrupted,
}

impl Ending {
    /// The end of a command on many things, of which some may have failed.
    pub(crate) const fn of_many(failed_count: usize, count: usize) -> Self {
        if failed_count == 0 {
            Self::Done
        } else if failed_count < count {
            Self::Partly
        } else {
            Self::Failed
        }
    }
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        Self::from(match ending {
            Ending::Done => 0,
            Ending::Failed => 1,
            Ending::Usage => 2,
            Ending::Partly => 3,
            Ending::Unreachable => 4,
            Ending::Interrupted => 130,
        })
    }
}

/// Why a command was not carried out, for a person: what happened, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) ending: Ending,
    /// Kafka's code, where the cluster answered with one.
    pub(crate) code: Option<ErrorCode>,
    /// What happened; begins with Kafka's name for it where there is one. Empty where nothing is
    /// to be said: whoever read our output went away.
    pub(crate) message: String,
    /// What to do next.
    pub(crate) hint: Option<String>,
}

impl Failure {
    /// A failure without a code of Kafka's.
    pub(crate) fn new(ending: Ending, message: impl Into<String>) -> Self {
        Self {
            ending,
            code: None,
            message: message.into(),
            hint: None,
        }
    }

    /// What was typed cannot be meant.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Ending::Usage, message)
    }

    /// A refusal that this tool foresees, said as the cluster would say it.
    pub(crate) fn kafka(code: ErrorCode, message: impl AsRef<str>) -> Self {
        let message = format!("{}: {}", code.name(), message.as_ref());
        Self {
            ending: Ending::Failed,
            code: Some(code),
            message,
            hint: None,
        }
    }

    /// The same with advice.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says it on standard error, and ends with its code.
    pub(crate) fn report(&self) -> ExitCode {
        if !self.message.is_empty() {
            say(&format!("error: {}", self.message));
            if let Some(hint) = &self.hint {
                say(&format!("  hint: {hint}"));
            }
        }
        self.ending.into()
    }
}

impl From<io::Error> for Failure {
    /// Of reading and writing here. A reader that went away, such as `head`, is no failure.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::new(Ending::Done, "")
        } else {
            Self::new(Ending::Failed, error.to_string())
        }
    }
}

/// A line on standard error. Where nobody reads that, there is nobody to tell.
pub(crate) fn say(line: &str) {
    drop(writeln!(io::stderr(), "{line}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_tells_whether_all_some_or_none_was_done() {
        for (failed, count, expected) in [
            (0, 3, Ending::Done),
            (1, 3, Ending::Partly),
            (3, 3, Ending::Failed),
            (1, 1, Ending::Failed),
        ] {
            assert_eq!(
                Ending::of_many(failed, count),
                expected,
                "{failed} of {count}"
            );
        }
    }

    #[test]
    fn a_reader_that_went_away_is_no_failure() {
        let gone = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((gone.ending, gone.message.as_str()), (Ending::Done, ""));
        let full = Failure::from(io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(full.ending, Ending::Failed);
    }
}
