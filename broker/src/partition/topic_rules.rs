//! A topic's settings in the form in which its partitions use them.

use barnabas_config::topic::{TimestampType as ConfiguredTimestamp, TopicSettings};
use barnabas_log::settings::LogSettings;
use barnabas_replica::ReplicaSettings;
use barnabas_wire::record::{ProduceRules, RecordDepth, TimestampRule, TimestampType};

/// Most bytes that the records of one batch may take after decompression. A batch that unpacks to more
/// is refused as too large: its size is not bounded by what was sent.
pub const DECOMPRESSED_MAX_BYTES: usize = 256 * 1024 * 1024;

/// What the partitions of one topic go by. Replaced as a whole when a setting changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicRules {
    /// The settings they were made from.
    pub settings: TopicSettings,
    /// For the replica machine.
    pub replica: ReplicaSettings,
}

impl TopicRules {
    /// Works the settings out.
    #[must_use]
    pub fn new(settings: TopicSettings) -> Self {
        let replica = ReplicaSettings {
            min_insync_replicas: settings.min_insync_replicas.max(1) as usize,
            is_flushed_on_acknowledgement: settings.flush_messages <= 1,
            elects_unclean_leader: settings.is_unclean_election_enabled,
        };
        Self { settings, replica }
    }

    /// For a log. `jitter` in 0..=1 spreads the times at which logs roll.
    #[must_use]
    pub fn log_settings(&self, jitter: f64) -> LogSettings {
        let settings = &self.settings;
        let jitter_max_ms = signed(settings.segment_jitter_ms);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "a random share of a duration"
        )]
        let segment_jitter_ms = (jitter_max_ms as f64 * jitter.clamp(0.0, 1.0)) as i64;
        LogSettings {
            segment_size_bytes: settings.segment_bytes.into(),
            segment_ms: signed(settings.segment_ms),
            segment_jitter_ms,
            index_interval_bytes: settings.index_interval_bytes.into(),
            index_size_max_bytes: settings.segment_index_bytes.into(),
            flush_messages: settings.flush_messages,
            flush_ms: signed(settings.flush_ms),
            batch_size_max_bytes: settings.max_message_bytes as usize,
            timestamp_type: match settings.timestamp_type {
                ConfiguredTimestamp::CreateTime => TimestampType::CreateTime,
                ConfiguredTimestamp::LogAppendTime => TimestampType::LogAppendTime,
            },
        }
    }

    /// For what producers send. `zstd_allowed` from Produce version 7 on.
    #[must_use]
    pub fn produce_rules(&self, zstd_allowed: bool, now_ms: i64) -> ProduceRules {
        let settings = &self.settings;
        ProduceRules {
            batch_size_max_bytes: settings.max_message_bytes as usize,
            decompressed_max_bytes: DECOMPRESSED_MAX_BYTES,
            // Compacted topics come with the cleaner.
            key_required: false,
            timestamp: match settings.timestamp_type {
                ConfiguredTimestamp::CreateTime => TimestampRule::CreateTime {
                    difference_max_ms: settings.timestamp_difference_max_ms,
                },
                ConfiguredTimestamp::LogAppendTime => TimestampRule::LogAppendTime,
            },
            now_ms,
            compression: None,
            depth: RecordDepth::Every,
            zstd_allowed,
        }
    }
}

/// Durations beyond `i64` mean "never".
fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}
