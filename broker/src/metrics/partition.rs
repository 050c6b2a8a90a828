//! Offsets and sizes of each partition here, asked for when somebody scrapes.

use std::fmt;
use std::sync::{Arc, OnceLock};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

/// Most partitions whose series are told one by one. With more of them here none are: a scrape
/// would be megabytes. `barnabas_partition_series_omitted` says how many were left out.
pub const PARTITION_SERIES_MAX: usize = 4000;

/// What one partition tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartitionSample {
    /// Topic.
    pub topic: String,
    /// Index in the topic.
    pub partition: i32,
    /// Bytes of records on disk.
    pub size_bytes: i64,
    /// Segments.
    pub segment_count: i64,
    /// First offset that can be read.
    pub log_start_offset: i64,
    /// Offset of the next record.
    pub log_end_offset: i64,
}

/// Whoever knows the partitions of this broker.
pub trait PartitionSource: fmt::Debug + Send + Sync + 'static {
    /// One sample of each partition, in order of topic and index. Called for each scrape, on the
    /// thread that answers it; must not wait for a disk.
    fn samples(&self) -> Vec<PartitionSample>;
}

/// The place where the source of the samples is put once it exists.
#[derive(Clone, Debug, Default)]
pub struct PartitionMetrics {
    source: Arc<OnceLock<Box<dyn PartitionSource>>>,
}

type Column = (&'static str, &'static str, fn(&PartitionSample) -> i64);

const COLUMNS: [Column; 4] = [
    ("kafka_log_log_size", "Bytes of records on disk", |sample| {
        sample.size_bytes
    }),
    ("kafka_log_log_numlogsegments", "Segments", |sample| {
        sample.segment_count
    }),
    (
        "kafka_log_log_logstartoffset",
        "First offset that can be read",
        |sample| sample.log_start_offset,
    ),
    (
        "kafka_log_log_logendoffset",
        "Offset of the next record",
        |sample| sample.log_end_offset,
    ),
];

impl PartitionMetrics {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let partitions = Self::default();
        registry.register_collector(Box::new(partitions.clone()));
        partitions
    }

    /// Says whom to ask. Only the first call counts.
    pub fn ask(&self, source: impl PartitionSource) {
        if self.source.set(Box::new(source)).is_err() {
            tracing::debug!("partition metrics already have a source");
        }
    }
}

impl Collector for PartitionMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let samples = self
            .source
            .get()
            .map(|source| source.samples())
            .unwrap_or_default();
        let is_too_many = samples.len() > PARTITION_SERIES_MAX;
        let omitted = if is_too_many { samples.len() } else { 0 };
        let gauge = ConstGauge::new(i64::try_from(omitted).unwrap_or(i64::MAX));
        gauge.encode(encoder.encode_descriptor(
            "barnabas_partition_series_omitted",
            "Partitions whose series are left out because there are too many",
            None,
            MetricType::Gauge,
        )?)?;
        if is_too_many {
            return Ok(());
        }
        for (name, help, value) in COLUMNS {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for sample in &samples {
                let labels = [
                    ("topic", sample.topic.clone()),
                    ("partition", sample.partition.to_string()),
                ];
                let metric = family.encode_family(&labels)?;
                ConstGauge::new(value(sample)).encode(metric)?;
            }
        }
        Ok(())
    }
}
