//! From files, environment and command line to the settings in force.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::broker::BrokerSettings;
use crate::effective::{Assigned, Effective};
use crate::problem::{Problem, Problems, Warning};
use crate::setting::{Baseline, Support};
use crate::source::Source;
use crate::{environment, properties, table, toml_file};

/// A settings file, already read. Its name decides how it is understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsFile {
    /// Its name, ending in `.toml` or `.properties`.
    pub path: PathBuf,
    /// Its content.
    pub text: String,
}

impl SettingsFile {
    /// Reads the file.
    ///
    /// # Errors
    /// [`Problem::Unreadable`] with what the system says.
    pub fn read(path: &Path) -> Result<Self, Problem> {
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Self {
                path: path.to_owned(),
                text,
            }),
            Err(error) => Err(Problem::Unreadable {
                path: path.display().to_string(),
                reason: error.to_string(),
            }),
        }
    }
}

/// Everything that settings can come from before ZooKeeper is reached.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// The settings file; `None` leaves the classic defaults.
    pub file: Option<SettingsFile>,
    /// The environment, whole; only `KAFKA_*` is looked at.
    pub environment: Vec<(String, String)>,
    /// Each `key=value` of `--override`.
    pub overrides: Vec<String>,
}

/// The settings in force.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Every value and where it came from.
    pub effective: Effective,
    /// The broker's typed view.
    pub broker: BrokerSettings,
    /// What is odd and goes on; in the order of the sources.
    pub warnings: Vec<Warning>,
}

/// A key and a value as somebody wrote them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) source: Source,
}

/// Who wrote it: somebody who had this broker in mind, or Kafka.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strictness {
    /// Every key must mean something.
    Strict,
    /// What only Kafka understands is a warning.
    Lenient,
}

/// Merges default < file < environment < override and builds the typed view.
///
/// # Errors
/// Everything that is wrong, not only the first; the broker must not start.
pub fn load(inputs: &Inputs) -> Result<Loaded, Problems> {
    let mut merge = Merge::new(inputs);
    if let Some(file) = &inputs.file {
        merge.file(file);
    }
    let environment = environment::parse(&inputs.environment);
    merge.warnings.extend(environment.warnings);
    merge.problems.extend(environment.problems);
    merge.add(environment.written, Strictness::Lenient);
    merge.overrides(&inputs.overrides);
    merge.finish()
}

struct Merge {
    effective: Effective,
    problems: Vec<Problem>,
    warnings: Vec<Warning>,
}

impl Merge {
    fn new(inputs: &Inputs) -> Self {
        let is_kafka = inputs
            .file
            .as_ref()
            .is_some_and(|file| has_extension(file, "properties"));
        let baseline = if is_kafka {
            Baseline::Kafka28
        } else {
            Baseline::Classic
        };
        Self {
            effective: Effective::new(baseline),
            problems: Vec::new(),
            warnings: Vec::new(),
        }
    }

    fn file(&mut self, file: &SettingsFile) {
        let path = Arc::new(file.path.clone());
        if has_extension(file, "properties") {
            let (written, warnings) = properties::parse(&path, &file.text);
            self.warnings.extend(warnings);
            self.add(written, Strictness::Lenient);
        } else if has_extension(file, "toml") {
            match toml_file::parse(&path, &file.text) {
                Ok(written) => self.add(written, Strictness::Strict),
                Err(problems) => self.problems.extend(problems),
            }
        } else {
            self.problems.push(Problem::Unreadable {
                path: file.path.display().to_string(),
                reason: "the name must end in .toml or in .properties".to_owned(),
            });
        }
    }

    fn overrides(&mut self, overrides: &[String]) {
        let mut written: Vec<Written> = Vec::new();
        for text in overrides {
            let source = Source::Override;
            match text.split_once('=') {
                Some((key, value)) => {
                    let key = key.trim().to_owned();
                    written.retain(|earlier| earlier.key != key);
                    written.push(Written {
                        key,
                        value: value.to_owned(),
                        source,
                    });
                }
                None => self.problems.push(Problem::Syntax {
                    at: source,
                    reason: format!("expected key=value, got \"{text}\""),
                }),
            }
        }
        self.add(written, Strictness::Strict);
    }

    fn add(&mut self, written: Vec<Written>, strictness: Strictness) {
        for Written { key, value, source } in written {
            match table::find(&key) {
                None => self.unknown(key, source, strictness),
                Some(setting) => match setting.support {
                    Support::Effective => match Assigned::new(setting, &value, source) {
                        Ok(assigned) => self.effective.assign(assigned),
                        Err(problem) => self.problems.push(problem),
                    },
                    Support::Ignored(reason) if strictness == Strictness::Strict => {
                        self.problems.push(Problem::NotSupported {
                            at: source,
                            key,
                            reason,
                        });
                    }
                    Support::Ignored(reason) => self.warnings.push(Warning {
                        at: source,
                        key,
                        reason: format!("ignored: {reason}"),
                    }),
                    Support::Refused { harmless, reason } => {
                        let value = value.trim();
                        if !harmless.iter().any(|fine| fine.eq_ignore_ascii_case(value)) {
                            let got = value.to_owned();
                            self.problems.push(Problem::Refused {
                                at: source,
                                key,
                                got,
                                reason,
                            });
                        }
                    }
                },
            }
        }
    }

    fn unknown(&mut self, key: String, at: Source, strictness: Strictness) {
        let nearest = table::nearest(&key);
        if strictness == Strictness::Strict {
            self.problems.push(Problem::Unknown { at, key, nearest });
            return;
        }
        let hint = nearest
            .map(|name| format!("; did you mean \"{name}\"?"))
            .unwrap_or_default();
        let reason = format!("ignored: neither Kafka's nor Barnabas's{hint}");
        self.warnings.push(Warning { at, key, reason });
    }

    fn finish(mut self) -> Result<Loaded, Problems> {
        let is_kafka = self.effective.baseline() == Baseline::Kafka28;
        if is_kafka && !self.effective.is_set("inter.broker.protocol.version") {
            self.warnings.push(Warning {
                at: Source::Default,
                key: "inter.broker.protocol.version".to_owned(),
                reason: "not set: this broker speaks 2.6. Kafka brokers in the same cluster must \
                         be set to 2.6 before this one joins"
                    .to_owned(),
            });
        }
        match BrokerSettings::read(&self.effective) {
            Ok(broker) if self.problems.is_empty() => Ok(Loaded {
                effective: self.effective,
                broker,
                warnings: self.warnings,
            }),
            Ok(_) => Err(Problems(self.problems)),
            Err(Problems(more)) => {
                self.problems.extend(more);
                Err(Problems(self.problems))
            }
        }
    }
}

fn has_extension(file: &SettingsFile, extension: &str) -> bool {
    file.path
        .extension()
        .is_some_and(|found| found.eq_ignore_ascii_case(extension))
}
