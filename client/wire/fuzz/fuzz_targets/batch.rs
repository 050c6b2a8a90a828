//! Any bytes as record batches or message sets: refused, or read within the limits. The first byte
//! decides whether checksums are made right first, so that what lies behind them is reached.
#![no_main]

use barnabas_wire::record::{
    Batches, BatchMut, Compression, ProduceRules, RecordDepth, TimestampRule, TimestampType,
    check_produced, check_replicated, convert_produced, rebuild,
};
use libfuzzer_sys::fuzz_target;

const LIMIT_BYTES: usize = 1 << 20;

fuzz_target!(|input: &[u8]| {
    let [choice, bytes @ ..] = input else {
        return;
    };
    let mut bytes = bytes.to_vec();
    if let (1, Ok(mut batch)) = (choice & 1, BatchMut::parse(&mut bytes)) {
        batch.assign_max_timestamp(TimestampType::LogAppendTime, -7);
        batch.assign_max_timestamp(TimestampType::CreateTime, 0);
    }
    let rules = ProduceRules {
        batch_size_max_bytes: LIMIT_BYTES,
        decompressed_max_bytes: LIMIT_BYTES,
        key_required: choice & 2 != 0,
        timestamp: TimestampRule::CreateTime { difference_max_ms: u64::MAX },
        now_ms: 0,
        compression: None,
        depth: if choice & 4 == 0 { RecordDepth::Every } else { RecordDepth::Uncompressed },
        zstd_allowed: true,
    };
    let mut scratch = Vec::new();
    if let Ok(checked) = check_produced(&bytes, &rules, &mut scratch) {
        let rebuilt = rebuild(&checked.batch, Compression::None, LIMIT_BYTES, &mut scratch);
        if rules.depth == RecordDepth::Every {
            // What passed the check can be written anew, and passes again.
            let rebuilt = rebuilt.expect("a checked batch can be read");
            assert!(check_produced(&rebuilt, &rules, &mut scratch).is_ok());
        }
    }
    let _summary = check_replicated(&bytes);
    if let Ok(converted) = convert_produced(&bytes, &rules) {
        assert!(check_produced(&converted.batch, &rules, &mut scratch).is_ok());
    }
    for batch in Batches::new(&bytes).flatten() {
        if let Ok(records) = batch.decompress(&mut scratch, LIMIT_BYTES) {
            let _headers: usize = records.flatten().map(|record| record.headers.len()).sum();
        }
    }
    assert!(scratch.len() <= LIMIT_BYTES);
});
