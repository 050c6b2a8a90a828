//! Settings by Kafka's property names.

mod key;
mod settings;

use std::collections::BTreeMap;
use std::path::Path;

use key::KEYS;
pub(crate) use settings::{
    Acks, ConnectionSettings, ConsumerSettings, OffsetReset, Partitioner, ProducerSettings,
};

/// Settings of a client by Kafka's property names; what is not set has its default.
///
/// Names, units and defaults are those of Kafka's Java client 2.8, except: `acks` is `all` and
/// `enable.idempotence` is `true` (as in Java since 3.0), and `partitioner.class` is `classic`
/// (partition given; else hash of the key; else round robin) or `sticky`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    entries: BTreeMap<String, String>,
}

/// A setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {reason}{}", hint(*.did_you_mean))]
pub struct ConfigError {
    /// The property's name.
    pub key: String,
    /// What is wrong.
    pub reason: String,
    /// The nearest name that exists, if the name does not.
    pub did_you_mean: Option<&'static str>,
}

fn hint(did_you_mean: Option<&str>) -> String {
    did_you_mean
        .map(|name| format!(" (did you mean {name}?)"))
        .unwrap_or_default()
}

impl Config {
    /// Settings with `bootstrap.servers`: `host:port`, several separated by commas.
    #[must_use]
    pub fn new(bootstrap_servers: &str) -> Self {
        Self::default().set("bootstrap.servers", bootstrap_servers)
    }

    /// The same settings with one set. Names and values are checked when the settings are used.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "numbers and flags are given by value"
    )]
    pub fn set(mut self, key: &str, value: impl ToString) -> Self {
        self.entries.insert(key.into(), value.to_string());
        self
    }

    /// The value of a property, if it is set.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.entries.get(key).map(String::as_str)
    }

    /// Settings from the text of a `.properties` file: a `key=value` on each line, `#` or `!`
    /// begins a comment.
    ///
    /// # Errors
    /// [`ConfigError`] for a line without `=`.
    pub fn from_properties(text: &str) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with(['#', '!']) {
                continue;
            }
            let Some((key, value)) = line.split_once('=') else {
                return Err(ConfigError {
                    key: line.into(),
                    reason: "is no key=value".into(),
                    did_you_mean: None,
                });
            };
            config = config.set(key.trim(), value.trim());
        }
        Ok(config)
    }

    /// Settings from a `.properties` file.
    ///
    /// # Errors
    /// [`ConfigError`] if the file cannot be read or a line is no `key=value`.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError {
            key: path.display().to_string(),
            reason: error.to_string(),
            did_you_mean: None,
        })?;
        Self::from_properties(&text)
    }

    /// These settings with `other`'s on top.
    #[must_use]
    pub fn merged(mut self, other: &Self) -> Self {
        let others = other
            .entries
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()));
        self.entries.extend(others);
        self
    }

    fn check_names(&self) -> Result<(), ConfigError> {
        let known = |key: &str| KEYS.iter().any(|(name, _)| *name == key);
        let Some(key) = self.entries.keys().find(|key| !known(key)) else {
            return Ok(());
        };
        let did_you_mean = key::nearest(key);
        Err(ConfigError {
            key: key.clone(),
            reason: "no such setting".into(),
            did_you_mean,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_name_is_told_with_the_nearest_one() {
        let error = Config::new("h:1")
            .set("linger.mss", 5)
            .check_names()
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "linger.mss: no such setting (did you mean linger.ms?)"
        );
        let error = Config::new("h:1")
            .set("flux.capacitor", 5)
            .check_names()
            .unwrap_err();
        assert_eq!(error.did_you_mean, None);
    }

    #[test]
    fn properties_are_read_as_kafka_writes_them() {
        let text = "# comment\n\nbootstrap.servers = a:1,b:2\n!old\nacks=1\n";
        let config = Config::from_properties(text).unwrap();
        assert_eq!(config, Config::new("a:1,b:2").set("acks", 1));
        assert!(Config::from_properties("acks").is_err());
    }
}
