//! Topic configuration: broker defaults, and what one topic overrides.
//!
//! Names, kinds and fallbacks follow kafka 2.8 `log/LogConfig.scala`. Values are what
//! `/config/topics/T` holds and `CreateTopics` carries: texts. All of Kafka's names are accepted,
//! also those this broker does not act on: they are the cluster's, and other brokers may.

use crate::effective::{Assigned, Reader};
use crate::problem::{Problem, Problems, Warning};
use crate::setting::{Kind, Setting};
use crate::source::Source;
use crate::value::canonical;
use crate::{spelling, table};

/// One row of the table of topic configuration.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct TopicSetting {
    /// Kafka's exact name.
    pub key: &'static str,
    /// The broker's setting it overrides; `None` for the two that exist on topics only.
    pub broker: Option<&'static Setting>,
}

/// Lists of `partition:broker` whose replication is throttled (KIP-73).
static THROTTLED: [Setting; 2] = [
    Setting::list("leader.replication.throttled.replicas").default(""),
    Setting::list("follower.replication.throttled.replicas").default(""),
];

/// `flush.messages` may be 0 on a topic, which means what 1 means (kafka 2.8 `LogConfig`).
static FLUSH_MESSAGES: Setting = Setting::long("flush.messages", 0);

/// Every topic configuration there is, by name.
pub fn topic_settings() -> impl Iterator<Item = TopicSetting> {
    let overriding = table::settings().filter_map(|broker| {
        broker.topic_key.map(|key| TopicSetting {
            key,
            broker: Some(broker),
        })
    });
    let mut all: Vec<TopicSetting> = overriding
        .chain(THROTTLED.iter().map(|own| TopicSetting {
            key: own.key,
            broker: None,
        }))
        .collect();
    all.sort_by_key(|setting| setting.key);
    all.into_iter()
}

impl TopicSetting {
    /// The row of `key`, exactly as Kafka spells it.
    #[must_use]
    pub fn find(key: &str) -> Option<Self> {
        topic_settings().find(|setting| setting.key == key)
    }

    /// The row that says what a value must look like.
    #[must_use]
    pub fn rule(&self) -> &'static Setting {
        match (self.key, self.broker) {
            ("flush.messages", _) => &FLUSH_MESSAGES,
            (_, Some(broker)) => broker,
            (key, None) => {
                let [leader, follower] = &THROTTLED;
                if leader.key == key { leader } else { follower }
            }
        }
    }

    /// What a value must look like.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.rule().kind
    }

    /// Whether this broker acts on it; otherwise it is kept for brokers that do.
    #[must_use]
    pub fn is_effective(&self) -> bool {
        self.broker.is_some_and(Setting::is_effective)
    }
}

/// Which time a record carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimestampType {
    /// The producer's.
    #[default]
    CreateTime,
    /// The broker's, at append.
    LogAppendTime,
}

/// What one topic is run with. What each value does is in the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TopicSettings {
    /// `segment.bytes`.
    pub segment_bytes: u32,
    /// `segment.ms`.
    pub segment_ms: u64,
    /// `segment.jitter.ms`.
    pub segment_jitter_ms: u64,
    /// `segment.index.bytes`.
    pub segment_index_bytes: u32,
    /// `index.interval.bytes`.
    pub index_interval_bytes: u32,
    /// `flush.messages`: from 1; `i64::MAX` is never.
    pub flush_messages: u64,
    /// `flush.ms`; `i64::MAX` is never.
    pub flush_ms: u64,
    /// `file.delete.delay.ms`.
    pub file_delete_delay_ms: u64,
    /// `max.message.bytes`: of one batch, as compressed.
    pub max_message_bytes: u32,
    /// `min.insync.replicas`.
    pub min_insync_replicas: u32,
    /// `unclean.leader.election.enable`.
    pub is_unclean_election_enabled: bool,
    /// `message.timestamp.type`.
    pub timestamp_type: TimestampType,
    /// `message.timestamp.difference.max.ms`; `i64::MAX` is no limit.
    pub timestamp_difference_max_ms: u64,
}

impl TopicSettings {
    /// The broker's defaults.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        let timestamp_type = reader
            .text("log.message.timestamp.type")
            .unwrap_or_default();
        let roll_ms = u64::from(reader.number::<u32>("log.roll.hours")) * 3_600_000;
        let jitter_ms = u64::from(reader.number::<u32>("log.roll.jitter.hours")) * 3_600_000;
        let flush_ms = reader.number("log.flush.scheduler.interval.ms");
        Self {
            segment_bytes: reader.number("log.segment.bytes"),
            segment_ms: reader.number_or("log.roll.ms", roll_ms),
            segment_jitter_ms: reader.number_or("log.roll.jitter.ms", jitter_ms),
            segment_index_bytes: reader.number("log.index.size.max.bytes"),
            index_interval_bytes: reader.number("log.index.interval.bytes"),
            flush_messages: reader.number("log.flush.interval.messages"),
            flush_ms: reader.number_or("log.flush.interval.ms", flush_ms),
            file_delete_delay_ms: reader.number("log.segment.delete.delay.ms"),
            max_message_bytes: reader.number("message.max.bytes"),
            min_insync_replicas: reader.number("min.insync.replicas"),
            is_unclean_election_enabled: reader.boolean("unclean.leader.election.enable"),
            timestamp_type: parse_timestamp_type(&timestamp_type),
            timestamp_difference_max_ms: reader.number("log.message.timestamp.difference.max.ms"),
        }
    }

    /// These settings with the overrides of topic `name` on top. An override that does not do,
    /// or that nobody knows, is left out and told: it may have been written by anyone who reaches
    /// ZooKeeper, and must not stop the topic.
    #[must_use]
    pub fn with_overrides<'a>(
        &self,
        name: &str,
        overrides: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> (Self, Vec<Warning>) {
        let mut settings = self.clone();
        let mut warnings = Vec::new();
        for (key, value) in overrides {
            match check(name, key, value) {
                Ok(value) => settings.apply(key, &value),
                Err(problem) => warnings.push(Warning {
                    at: Source::Topic {
                        name: name.to_owned(),
                    },
                    key: key.to_owned(),
                    reason: format!("left out: {problem}"),
                }),
            }
        }
        (settings, warnings)
    }

    /// Sets one field from a canonical value; names without a field change nothing.
    fn apply(&mut self, key: &str, value: &str) {
        match key {
            "segment.bytes" => set(&mut self.segment_bytes, value),
            "segment.ms" => set(&mut self.segment_ms, value),
            "segment.jitter.ms" => set(&mut self.segment_jitter_ms, value),
            "segment.index.bytes" => set(&mut self.segment_index_bytes, value),
            "index.interval.bytes" => set(&mut self.index_interval_bytes, value),
            "flush.messages" => {
                set(&mut self.flush_messages, value);
                self.flush_messages = self.flush_messages.max(1);
            }
            "flush.ms" => set(&mut self.flush_ms, value),
            "file.delete.delay.ms" => set(&mut self.file_delete_delay_ms, value),
            "max.message.bytes" => set(&mut self.max_message_bytes, value),
            "min.insync.replicas" => set(&mut self.min_insync_replicas, value),
            "unclean.leader.election.enable" => {
                self.is_unclean_election_enabled = value == "true";
            }
            "message.timestamp.type" => self.timestamp_type = parse_timestamp_type(value),
            "message.timestamp.difference.max.ms" => {
                set(&mut self.timestamp_difference_max_ms, value);
            }
            _ => {}
        }
    }
}

fn set<T: std::str::FromStr>(field: &mut T, value: &str) {
    if let Ok(value) = value.parse() {
        *field = value;
    }
}

fn parse_timestamp_type(value: &str) -> TimestampType {
    if value == "LogAppendTime" {
        TimestampType::LogAppendTime
    } else {
        TimestampType::CreateTime
    }
}

/// Validates the configuration that a request wants to give to topic `name`, and returns it in
/// canonical form, in the order given.
///
/// # Errors
/// Everything that is wrong: unknown names (with the nearest one), values that do not fit, names
/// given twice. On the wire it is `INVALID_CONFIG`.
pub fn validate<'a>(
    name: &str,
    configs: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
) -> Result<Vec<(String, String)>, Problems> {
    let mut problems = Vec::new();
    let mut valid: Vec<(String, String)> = Vec::new();
    for (key, value) in configs {
        let source = Source::Topic {
            name: name.to_owned(),
        };
        if valid.iter().any(|(earlier, _)| earlier == key) {
            let (first, key) = (source.clone(), key.to_owned());
            problems.push(Problem::Duplicate {
                at: source,
                key,
                first,
            });
            continue;
        }
        match check(name, key, value.unwrap_or_default()) {
            Ok(value) => valid.push((key.to_owned(), value)),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        Ok(valid)
    } else {
        Err(Problems(problems))
    }
}

fn check(name: &str, key: &str, value: &str) -> Result<String, Problem> {
    let at = Source::Topic {
        name: name.to_owned(),
    };
    let key = key.to_owned();
    let Some(setting) = TopicSetting::find(&key) else {
        let nearest = spelling::nearest(&key, topic_settings().map(|setting| setting.key));
        return Err(Problem::Unknown { at, key, nearest });
    };
    canonical(setting.rule(), value).map_err(|expected| Problem::Invalid {
        at,
        key,
        expected,
        got: value.to_owned(),
    })
}

/// The broker's value that `setting` falls back to, in the unit of the topic's key; `None` where
/// there is none.
pub(crate) fn fallback(
    setting: TopicSetting,
    effective: &crate::effective::Effective,
) -> Option<Assigned> {
    let Some(broker) = setting.broker else {
        let rule = setting.rule();
        let value = rule.default?.to_owned();
        return Some(Assigned {
            setting: rule,
            value,
            source: Source::Default,
        });
    };
    let chain = crate::describe::fallbacks(broker.key);
    chain.iter().find_map(|(key, scale)| {
        let mut found = effective.get(key)?;
        if *scale != 1 {
            let scaled = found.value.parse::<i64>().ok()?.checked_mul(*scale)?;
            found.value = scaled.to_string();
        }
        Some(found)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_valid(configs: &[(&str, &str)], expected: Result<&[(&str, &str)], &str>) {
        let given = configs.iter().map(|(key, value)| (*key, Some(*value)));
        let seen = validate("t", given).map_err(|problems| problems.to_string());
        let expected = expected
            .map(|pairs| {
                pairs
                    .iter()
                    .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                    .collect()
            })
            .map_err(str::to_owned);
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_topic_takes_what_kafka_takes_and_refuses_the_rest() {
        check_valid(&[("retention.ms", "1000")], Ok(&[("retention.ms", "1000")]));
        check_valid(
            &[
                ("cleanup.policy", "compact, delete"),
                ("flush.messages", "0"),
            ],
            Ok(&[
                ("cleanup.policy", "compact,delete"),
                ("flush.messages", "0"),
            ]),
        );
        check_valid(
            &[("retention", "1")],
            Err("topic t: unknown setting \"retention\""),
        );
        check_valid(
            &[("segment.byte", "1")],
            Err("topic t: unknown setting \"segment.byte\"; did you mean \"segment.bytes\"?"),
        );
        check_valid(
            &[("min.insync.replicas", "0")],
            Err(
                "topic t: min.insync.replicas: got \"0\", expected a whole number, 1 or \
                 more, up to 2147483647",
            ),
        );
        check_valid(
            &[("segment.ms", "1"), ("segment.ms", "2")],
            Err(
                "topic t: segment.ms is set a second time; the first is at topic t. Keep one of \
                 them",
            ),
        );
    }

    #[test]
    fn there_are_as_many_topic_settings_as_in_kafka_2_8() {
        assert_eq!(topic_settings().count(), 26);
    }

    /// Otherwise an override would be accepted, called effective and change nothing.
    #[test]
    fn every_effective_topic_setting_changes_a_field() {
        for setting in topic_settings().filter(TopicSetting::is_effective) {
            let value = if let Kind::Choice(choices) = setting.kind() {
                choices[1]
            } else if setting.kind() == Kind::Boolean {
                "true"
            } else {
                "77"
            };
            let before = TopicSettings::default();
            let (after, warnings) = before.with_overrides("t", [(setting.key, value)]);
            assert_eq!(warnings, []);
            assert_ne!(after, before, "{} changes nothing", setting.key);
        }
    }

    #[test]
    fn a_bad_override_in_zookeeper_is_left_out_and_told() {
        let defaults = TopicSettings {
            segment_bytes: 5,
            ..TopicSettings::default()
        };
        let overrides = [
            ("segment.bytes", "many"),
            ("nonsense", "1"),
            ("flush.messages", "0"),
        ];
        let (settings, warnings) = defaults.with_overrides("t", overrides);
        assert_eq!(settings.segment_bytes, 5);
        assert_eq!(settings.flush_messages, 1);
        assert_eq!(warnings.len(), 2);
    }
}
