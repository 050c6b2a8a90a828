//! What can be wrong with settings. Every problem names place, key, what it got and what it wants.

use std::fmt;

use crate::source::Source;

/// One thing wrong; the broker does not start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The value does not fit the setting.
    #[error("{at}: {key}: got {}, expected {expected}", Got(.got))]
    Invalid {
        /// Where it was set.
        at: Source,
        /// The setting.
        key: String,
        /// What would fit.
        expected: String,
        /// What was there.
        got: String,
    },
    /// No setting has this name.
    #[error("{at}: unknown setting \"{key}\"{}", Suggestion(.nearest))]
    Unknown {
        /// Where it was set.
        at: Source,
        /// What was there.
        key: String,
        /// The nearest name that exists.
        nearest: Option<&'static str>,
    },
    /// Kafka knows it, this broker does not act on it, and somebody wrote it for this broker.
    #[error("{at}: {key} is a Kafka setting that this broker does not support: {reason}")]
    NotSupported {
        /// Where it was set.
        at: Source,
        /// The setting.
        key: String,
        /// Why.
        reason: &'static str,
    },
    /// Ignoring it would be dangerous.
    #[error("{at}: {key} = \"{got}\" is refused: {reason}")]
    Refused {
        /// Where it was set.
        at: Source,
        /// The setting.
        key: String,
        /// What was there.
        got: String,
        /// What would go wrong, and what to do instead.
        reason: &'static str,
    },
    /// Set twice in one place.
    #[error("{at}: {key} is set a second time; the first is at {first}. Keep one of them")]
    Duplicate {
        /// The second place.
        at: Source,
        /// The setting.
        key: String,
        /// The first place.
        first: Source,
    },
    /// The file cannot be parsed.
    #[error("{at}: {reason}")]
    Syntax {
        /// Where.
        at: Source,
        /// What the parser says, with a hint where one is known.
        reason: String,
    },
    /// The file cannot be read.
    #[error("{path}: cannot be read: {reason}")]
    Unreadable {
        /// The file, as it was named.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// A setting without a default is not set.
    #[error("{key} is not set: {hint}")]
    Missing {
        /// The setting.
        key: &'static str,
        /// An example.
        hint: &'static str,
    },
}

/// Everything found wrong, in the order of the sources; never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

/// Something worth a line in the log; the broker starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Where it was set.
    pub at: Source,
    /// The setting, as it was written.
    pub key: String,
    /// What is odd about it.
    pub reason: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.at, self.key, self.reason)
    }
}

/// The end of a sentence about an unknown name.
struct Suggestion<'a>(&'a Option<&'static str>);

impl fmt::Display for Suggestion<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => write!(f, "; did you mean \"{name}\"?"),
            None => Ok(()),
        }
    }
}

/// A value as it was found, in quotes; or that there was none.
struct Got<'a>(&'a str);

impl fmt::Display for Got<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => f.write_str("nothing"),
            text => write!(f, "\"{text}\""),
        }
    }
}
