//! The partitions here, looked at when somebody scrapes: Kafka's `Log` and the gauges of its
//! `ReplicaManager`.

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
    /// Whether its log directory has failed.
    pub is_offline: bool,
    /// What the leader knows; `None` where this broker is not it.
    pub led: Option<LedSample>,
}

/// What the leader of a partition knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LedSample {
    /// Assigned replicas.
    pub replica_count: usize,
    /// Replicas in sync.
    pub isr_count: usize,
    /// `min.insync.replicas`.
    pub min_insync_replicas: usize,
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

/// A series for each partition: name, help, value.
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

/// A count of partitions: name, help, which to count.
type Count = (&'static str, &'static str, fn(&PartitionSample) -> bool);

const COUNTS: [Count; 6] = [
    ("partitioncount", "Partitions with a replica here", |_| true),
    ("leadercount", "Partitions led from here", |sample| {
        sample.led.is_some()
    }),
    (
        "offlinereplicacount",
        "Replicas whose log directory has failed",
        |sample| sample.is_offline,
    ),
    (
        "underreplicatedpartitions",
        "Led partitions with fewer replicas in sync than assigned",
        |sample| {
            sample
                .led
                .is_some_and(|led| led.isr_count < led.replica_count)
        },
    ),
    (
        "underminisrpartitioncount",
        "Led partitions with fewer replicas in sync than min.insync.replicas",
        |sample| {
            sample
                .led
                .is_some_and(|led| led.isr_count < led.min_insync_replicas)
        },
    ),
    (
        "atminisrpartitioncount",
        "Led partitions with exactly min.insync.replicas in sync",
        |sample| {
            sample
                .led
                .is_some_and(|led| led.isr_count == led.min_insync_replicas)
        },
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
        self.source.get_or_init(|| Box::new(source));
    }
}

impl Collector for PartitionMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let source = self.source.get();
        let samples = source.map(|source| source.samples()).unwrap_or_default();
        for (name, help, is_counted) in COUNTS {
            let name = format!("kafka_server_replicamanager_{name}");
            let count = samples.iter().filter(|sample| is_counted(sample)).count();
            gauge(&mut encoder, &name, help, count)?;
        }
        let is_too_many = samples.len() > PARTITION_SERIES_MAX;
        gauge(
            &mut encoder,
            "barnabas_partition_series_omitted",
            "Partitions whose series are left out because there are too many",
            if is_too_many { samples.len() } else { 0 },
        )?;
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

fn gauge(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    count: usize,
) -> Result<(), fmt::Error> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    ConstGauge::new(count).encode(metric)
}
