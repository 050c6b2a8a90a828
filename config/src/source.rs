//! Where a value came from: the second half of every error and of `check-config`.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// The origin of one value, weakest first: a later variant wins over an earlier one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// Nobody set it.
    Default,
    /// A line of the settings file.
    File {
        /// The file, as it was named.
        path: Arc<PathBuf>,
        /// Line, from 1.
        line: usize,
    },
    /// An environment variable.
    Environment {
        /// The variable's name.
        variable: String,
    },
    /// `--override key=value`.
    Override,
    /// The cluster-wide default of brokers in ZooKeeper, `/config/brokers/<default>`.
    ClusterDefault,
    /// This broker's own configuration in ZooKeeper, `/config/brokers/N`.
    Broker {
        /// The broker's id.
        id: i32,
    },
    /// A topic's own configuration in ZooKeeper, `/config/topics/T`, or in a request to create
    /// the topic.
    Topic {
        /// The topic's name.
        name: String,
    },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment { variable } => write!(f, "environment {variable}"),
            Self::Override => f.write_str("--override"),
            Self::ClusterDefault => f.write_str("ZooKeeper /config/brokers/<default>"),
            Self::Broker { id } => write!(f, "ZooKeeper /config/brokers/{id}"),
            Self::Topic { name } => write!(f, "topic {name}"),
        }
    }
}
