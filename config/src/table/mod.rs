//! The table: every setting there is, one room per concern.
//!
//! Facts (names, kinds, ranges, defaults) follow kafka 2.8 `server/KafkaConfig.scala` and, for
//! what older versions had, kafka 0.8.2 and 0.10. Our own settings are in `own`.

mod coordinator;
mod foreign;
mod identity;
mod log;
mod network;
mod newer;
mod own;
mod replication;
mod security;
mod topic;
mod zookeeper;

use crate::setting::Setting;
use crate::spelling;

/// A group of settings that belong together, in the order of the documentation.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Section {
    /// Its title.
    pub title: &'static str,
    /// Its rows.
    pub settings: &'static [Setting],
}

/// Every section, in the order of the documentation.
pub const SECTIONS: &[Section] = &[
    Section {
        title: "Identity",
        settings: identity::SETTINGS,
    },
    Section {
        title: "ZooKeeper",
        settings: zookeeper::SETTINGS,
    },
    Section {
        title: "Network",
        settings: network::SETTINGS,
    },
    Section {
        title: "Topics",
        settings: topic::SETTINGS,
    },
    Section {
        title: "Log",
        settings: log::SETTINGS,
    },
    Section {
        title: "Controller and replication",
        settings: replication::SETTINGS,
    },
    Section {
        title: "Barnabas's own",
        settings: own::SETTINGS,
    },
    Section {
        title: "Groups and transactions",
        settings: coordinator::SETTINGS,
    },
    Section {
        title: "Security",
        settings: security::SETTINGS,
    },
    Section {
        title: "Other settings of Kafka",
        settings: foreign::SETTINGS,
    },
    Section {
        title: "Settings of Kafka after 2.8",
        settings: newer::SETTINGS,
    },
];

/// Every row, in the order of the documentation.
pub fn settings() -> impl Iterator<Item = &'static Setting> {
    SECTIONS.iter().flat_map(|section| section.settings)
}

/// The row of `key`, exactly as Kafka spells it.
#[must_use]
pub fn find(key: &str) -> Option<&'static Setting> {
    settings().find(|setting| setting.key == key)
}

/// The existing name nearest to `key`, for "did you mean"; `None` where nothing is near.
#[must_use]
pub fn nearest(key: &str) -> Option<&'static str> {
    spelling::nearest(key, settings().filter(|s| s.is_effective()).map(|s| s.key))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::setting::Baseline;
    use crate::value::canonical;

    #[test]
    fn no_key_is_listed_twice() {
        let mut seen = BTreeSet::new();
        for setting in settings() {
            assert!(
                seen.insert(setting.key),
                "{} is in the table twice",
                setting.key
            );
        }
    }

    #[test]
    fn every_default_passes_its_own_validation_and_is_canonical() {
        for setting in settings() {
            let defaults = [setting.default, setting.default_kafka28, setting.shipped]
                .into_iter()
                .flatten();
            for default in defaults {
                assert_eq!(
                    canonical(setting, default).as_deref(),
                    Ok(default),
                    "{}",
                    setting.key
                );
            }
        }
    }

    #[test]
    fn every_effective_setting_says_what_it_changes() {
        for setting in settings().filter(|setting| setting.is_effective()) {
            assert!(
                setting.doc.ends_with('.'),
                "{} has no sentence",
                setting.key
            );
        }
    }

    #[test]
    fn a_second_default_differs_from_the_first() {
        for setting in settings() {
            assert!(
                setting
                    .default_kafka28
                    .is_none_or(|v| Some(v) != setting.default)
            );
            assert!(setting.shipped.is_none_or(|v| Some(v) != setting.default));
        }
        let delete = find("delete.topic.enable").unwrap();
        assert_eq!(delete.default_under(Baseline::Classic), Some("false"));
        assert_eq!(delete.default_under(Baseline::Kafka28), Some("true"));
    }

    /// The documentation says that these must be quoted in TOML, and no others.
    #[test]
    fn only_three_keys_are_both_a_value_and_a_prefix() {
        let prefixes: BTreeSet<&str> = settings()
            .map(|setting| setting.key)
            .filter(|key| settings().any(|other| other.key.starts_with(&format!("{key}."))))
            .collect();
        let expected = BTreeSet::from(["broker.id", "max.connections", "max.connections.per.ip"]);
        assert_eq!(prefixes, expected);
    }
}
