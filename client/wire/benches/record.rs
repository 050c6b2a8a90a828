//! What is done with every record: appended to a batch, checked by the leader, read by a consumer.
#![expect(clippy::expect_used, reason = "a benchmark has nobody to tell")]

use std::hint::black_box;

use barnabas_wire::record::{
    Batch, BatchBuilder, Compression, ProduceRules, RecordDepth, TimestampRule, check_produced,
};
use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Size of a record's value.
const VALUE_BYTES: usize = 100;

fn build(builder: &mut BatchBuilder, records: u64) -> Bytes {
    let value = [b'x'; VALUE_BYTES];
    for timestamp_ms in 0..records {
        let timestamp_ms = i64::try_from(timestamp_ms).unwrap_or(0);
        builder
            .append(timestamp_ms, None, Some(black_box(&value)), [])
            .expect("there is room");
    }
    builder.build().expect("the codec is built in")
}

fn rules() -> ProduceRules {
    ProduceRules {
        batch_size_max_bytes: 1 << 20,
        decompressed_max_bytes: 1 << 24,
        key_required: false,
        timestamp: TimestampRule::CreateTime {
            difference_max_ms: u64::MAX,
        },
        now_ms: 0,
        compression: None,
        depth: RecordDepth::Every,
        zstd_allowed: true,
    }
}

fn records(criterion: &mut Criterion) {
    // Batches of about 16 and 128 KiB: the default of batch.size, and that of `perf produce`.
    for records in [148, 1_190] {
        let mut group = criterion.benchmark_group(format!("{records} records of 100 bytes"));
        group.throughput(Throughput::Elements(records));
        let mut builder = BatchBuilder::new(Compression::None, 128 * 1024);
        group.bench_function("build", |bencher| {
            bencher.iter(|| build(&mut builder, records));
        });
        for codec in Compression::ALL
            .into_iter()
            .filter(|codec| codec.is_built())
        {
            let bytes = build(&mut BatchBuilder::new(codec, 0), records);
            let mut scratch = Vec::new();
            group.bench_function(BenchmarkId::new("check", codec), |bencher| {
                bencher.iter(|| check_produced(black_box(&bytes), &rules(), &mut scratch).is_ok());
            });
            group.bench_function(BenchmarkId::new("read", codec), |bencher| {
                bencher.iter(|| {
                    let batch = Batch::parse(black_box(&bytes)).expect("a whole batch");
                    let records = batch.decompress(&mut scratch, 1 << 24).expect("sound");
                    records
                        .flatten()
                        .filter_map(|record| record.value)
                        .map(<[u8]>::len)
                        .sum::<usize>()
                });
            });
        }
        let bytes = build(&mut builder, records);
        let batch = Batch::parse(&bytes).expect("a whole batch");
        group.throughput(Throughput::Bytes(u64::try_from(bytes.len()).unwrap_or(0)));
        group.bench_function("checksum", |bencher| {
            bencher.iter(|| black_box(&batch).verify_checksum().is_ok());
        });
    }
}

criterion_group!(benches, records);
criterion_main!(benches);
