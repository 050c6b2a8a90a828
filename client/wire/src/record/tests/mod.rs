//! Batches against Kafka's rules, other implementations' bytes, and hostile ones.

pub(super) mod golden;
mod hostile;
mod oracle;
mod round_trip;
mod validation;

use proptest::prelude::*;

use super::*;

/// A record that owns its bytes, to compare with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owned {
    pub(super) timestamp_ms: i64,
    pub(super) key: Option<Vec<u8>>,
    pub(super) value: Option<Vec<u8>>,
    pub(super) headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl From<Record<'_>> for Owned {
    fn from(record: Record<'_>) -> Self {
        Self {
            timestamp_ms: record.timestamp_ms,
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
            headers: record
                .headers
                .map(|header| (header.key.to_vec(), header.value.map(<[u8]>::to_vec)))
                .collect(),
        }
    }
}

pub(super) fn append(builder: &mut BatchBuilder, record: &Owned) {
    let headers = record.headers.iter().map(|(key, value)| Header {
        key,
        value: value.as_deref(),
    });
    let key = record.key.as_deref();
    builder
        .append(record.timestamp_ms, key, record.value.as_deref(), headers)
        .unwrap();
}

pub(super) fn build(compression: Compression, records: &[Owned]) -> Vec<u8> {
    let mut builder = BatchBuilder::new(compression, 0);
    for record in records {
        append(&mut builder, record);
    }
    builder.build().unwrap().to_vec()
}

/// Key, value, and "no header" at 2020-09-13, plus `delta_ms`.
pub(super) fn plain(delta_ms: i64, key: &str, value: &str) -> Owned {
    Owned {
        timestamp_ms: 1_600_000_000_000 + delta_ms,
        key: Some(key.into()),
        value: Some(value.into()),
        headers: vec![],
    }
}

pub(super) fn read(batch: &Batch<'_>) -> Result<Vec<Owned>, String> {
    let mut scratch = Vec::new();
    let records = batch
        .decompress(&mut scratch, 1 << 20)
        .map_err(|error| error.to_string())?;
    records
        .map(|record| record.map(Owned::from).map_err(|error| error.to_string()))
        .collect()
}

pub(super) fn built_codecs() -> impl Iterator<Item = Compression> {
    Compression::ALL
        .into_iter()
        .filter(|codec| codec.is_built())
}

pub(super) fn any_record() -> impl Strategy<Value = Owned> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..40);
    let header = (bytes(), prop::option::of(bytes()));
    let headers = prop::collection::vec(header, 0..4);
    let timestamp_ms = prop_oneof![4 => 0..2_000_000_000_000_i64, 1 => any::<i64>()];
    (
        timestamp_ms,
        prop::option::of(bytes()),
        prop::option::of(bytes()),
        headers,
    )
        .prop_map(|(timestamp_ms, key, value, headers)| Owned {
            timestamp_ms,
            key,
            value,
            headers,
        })
}

/// Rules that a plain topic has, with the clock at the records' time.
pub(super) fn rules() -> ProduceRules {
    ProduceRules {
        batch_size_max_bytes: 1_048_588,
        decompressed_max_bytes: 1 << 20,
        key_required: false,
        timestamp: TimestampRule::CreateTime {
            difference_max_ms: u64::MAX,
        },
        now_ms: 1_600_000_000_000,
        compression: None,
        depth: RecordDepth::Every,
        zstd_allowed: true,
    }
}
