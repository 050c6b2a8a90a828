//! Settings as `DescribeConfigs` answers them: value, origin, and what it hides.
//!
//! Source: KIP-133, KIP-226, KIP-569; kafka 2.8 `server/ConfigHelper.scala`.

use crate::effective::{Assigned, Effective};
use crate::setting::{Dynamic, Kind, Setting};
use crate::source::Source;
use crate::table;
use crate::topic::{TopicSetting, fallback, topic_settings};

/// One setting with its value.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Described {
    /// The key.
    pub key: &'static str,
    /// The value in force; `None` where there is none or it must not be shown.
    pub value: Option<String>,
    /// Where it came from.
    pub source: Source,
    /// What a value must look like.
    pub kind: Kind,
    /// Whether it needs a restart to change.
    pub is_read_only: bool,
    /// Whether its value must never be shown.
    pub is_sensitive: bool,
    /// This value and all that it hides, strongest first.
    pub synonyms: Vec<Synonym>,
    /// What it changes; empty for settings this broker does not act on.
    pub doc: &'static str,
}

/// A value that is, or would be, in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synonym {
    /// The key that holds it.
    pub key: &'static str,
    /// The value, in the unit of that key; `None` where it must not be shown.
    pub value: Option<String>,
    /// Where it came from.
    pub source: Source,
}

/// The broker's settings, by key: those it acts on, set or not.
#[must_use]
pub fn broker(effective: &Effective) -> Vec<Described> {
    let mut described: Vec<Described> = table::settings()
        .filter(|setting| setting.is_effective())
        .map(|setting| {
            let in_force = effective.get(setting.key);
            Described {
                key: setting.key,
                value: in_force.as_ref().and_then(visible),
                source: in_force.map_or(Source::Default, |assigned| assigned.source),
                kind: setting.kind,
                is_read_only: setting.dynamic == Dynamic::ReadOnly,
                is_sensitive: setting.is_sensitive(),
                synonyms: synonyms(setting.key, effective),
                doc: setting.doc,
            }
        })
        .collect();
    described.sort_by_key(|described| described.key);
    described
}

/// The configuration of topic `name`, by key; `overrides` are its own, from ZooKeeper.
#[must_use]
pub fn topic<'a>(
    effective: &Effective,
    name: &str,
    overrides: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Vec<Described> {
    let overrides: Vec<(&str, &str)> = overrides.into_iter().collect();
    topic_settings()
        .map(|setting| {
            let own = overrides.iter().find(|(key, _)| *key == setting.key);
            topic_one(
                effective,
                name,
                setting,
                own.map(|(_, value)| (*value).to_owned()),
            )
        })
        .collect()
}

fn topic_one(
    effective: &Effective,
    name: &str,
    setting: TopicSetting,
    own: Option<String>,
) -> Described {
    let source = Source::Topic {
        name: name.to_owned(),
    };
    let under = fallback(setting, effective);
    let mut all: Vec<Synonym> = Vec::new();
    if own.is_some() {
        all.push(Synonym {
            key: setting.key,
            value: own.clone(),
            source: source.clone(),
        });
    }
    if let Some(broker) = setting.broker {
        all.extend(synonyms(broker.key, effective));
    }
    let (value, source) = match (own, under) {
        (Some(value), _) => (Some(value), source),
        (None, Some(under)) => (Some(under.value), under.source),
        (None, None) => (None, Source::Default),
    };
    Described {
        key: setting.key,
        value,
        source,
        kind: setting.kind(),
        is_read_only: false,
        is_sensitive: false,
        synonyms: all,
        doc: setting.broker.map_or("", |broker| broker.doc),
    }
}

/// The keys that stand in for `key`, itself first, each with what one of its units is in units
/// of `key`. Source: kafka 2.8 `DynamicBrokerConfig.brokerConfigSynonyms`.
pub(crate) fn fallbacks(key: &'static str) -> Vec<(&'static str, i64)> {
    const MINUTE_MS: i64 = 60_000;
    const HOUR_MS: i64 = 60 * MINUTE_MS;
    match key {
        "log.roll.ms" => vec![(key, 1), ("log.roll.hours", HOUR_MS)],
        "log.roll.jitter.ms" => vec![(key, 1), ("log.roll.jitter.hours", HOUR_MS)],
        "log.flush.interval.ms" => vec![(key, 1), ("log.flush.scheduler.interval.ms", 1)],
        "log.retention.ms" => {
            vec![
                (key, 1),
                ("log.retention.minutes", MINUTE_MS),
                ("log.retention.hours", HOUR_MS),
            ]
        }
        _ => vec![(key, 1)],
    }
}

fn synonyms(key: &'static str, effective: &Effective) -> Vec<Synonym> {
    let rows = fallbacks(key)
        .into_iter()
        .filter_map(|(key, _)| table::find(key));
    rows.flat_map(|setting: &'static Setting| effective.all(setting))
        .map(|assigned| Synonym {
            key: assigned.setting.key,
            value: visible(&assigned),
            source: assigned.source,
        })
        .collect()
}

fn visible(assigned: &Assigned) -> Option<String> {
    (!assigned.setting.is_sensitive()).then(|| assigned.value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::Baseline;

    fn effective(pairs: &[(&str, &str)]) -> Effective {
        let mut effective = Effective::new(Baseline::Classic);
        for (key, value) in pairs {
            let setting = table::find(key).unwrap();
            effective.assign(Assigned::new(setting, value, Source::Override).unwrap());
        }
        effective
    }

    fn check(set: &[(&str, &str)], own: &[(&str, &str)], key: &str, expected: &(&str, Source)) {
        let described = topic(&effective(set), "t", own.iter().copied());
        let found = described
            .into_iter()
            .find(|described| described.key == key)
            .unwrap();
        assert_eq!(&(found.value.as_deref().unwrap(), found.source), expected);
    }

    #[test]
    fn a_topic_shows_its_own_value_or_the_brokers_in_its_own_unit() {
        let topic = Source::Topic {
            name: "t".to_owned(),
        };
        check(&[], &[("segment.ms", "5")], "segment.ms", &("5", topic));
        check(
            &[("log.roll.hours", "2")],
            &[],
            "segment.ms",
            &("7200000", Source::Override),
        );
        check(
            &[("log.roll.ms", "9")],
            &[],
            "segment.ms",
            &("9", Source::Override),
        );
        check(&[], &[], "retention.ms", &("604800000", Source::Default));
        check(
            &[],
            &[],
            "flush.ms",
            &("9223372036854775807", Source::Default),
        );
    }

    #[test]
    fn a_value_lists_what_it_hides() {
        let described = broker(&effective(&[("num.partitions", "6")]));
        let found = described
            .into_iter()
            .find(|d| d.key == "num.partitions")
            .unwrap();
        let seen: Vec<(Option<&str>, &Source)> = found
            .synonyms
            .iter()
            .map(|s| (s.value.as_deref(), &s.source))
            .collect();
        assert_eq!(
            seen,
            [
                (Some("6"), &Source::Override),
                (Some("1"), &Source::Default)
            ]
        );
    }
}
