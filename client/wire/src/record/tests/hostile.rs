//! Bytes that someone made to hurt: no panic, no great allocation, an error with evidence.

use super::golden::kafka_python;
use super::*;

/// Everything that a broker or client does with bytes from outside.
fn handle(bytes: &[u8]) {
    let mut scratch = Vec::new();
    let rules = ProduceRules {
        decompressed_max_bytes: 1 << 16,
        ..rules()
    };
    if let Ok(checked) = check_produced(bytes, &rules, &mut scratch) {
        // What passed can be written anew, and passes again.
        let rebuilt = rebuild(&checked.batch, Compression::None, 1 << 16, &mut scratch).unwrap();
        check_produced(&rebuilt, &rules, &mut scratch).unwrap();
    }
    drop(check_replicated(bytes));
    if let Ok(converted) = convert_produced(bytes, &rules) {
        check_produced(&converted.batch, &rules, &mut scratch).unwrap();
    }
    for batch in Batches::new(bytes).flatten() {
        if let Ok(records) = batch.decompress(&mut scratch, 1 << 16) {
            records
                .flatten()
                .for_each(|record| assert!(record.headers.count() < 1 << 16));
        }
        drop(rebuild(&batch, Compression::None, 1 << 16, &mut Vec::new()));
    }
    let mut bytes = bytes.to_vec();
    if let Ok(mut batch) = BatchMut::parse(&mut bytes) {
        batch.assign_max_timestamp(TimestampType::LogAppendTime, 1);
    }
    assert!(scratch.capacity() <= 1 << 20, "{}", scratch.capacity());
}

/// Makes the checksum right again, so that what lies behind it is reached.
fn mend_checksum(bytes: &mut [u8]) {
    if let Ok(mut batch) = BatchMut::parse(bytes) {
        batch.assign_max_timestamp(TimestampType::LogAppendTime, -7);
        batch.assign_max_timestamp(TimestampType::CreateTime, 1_600_000_000_005);
    }
}

#[test]
fn twenty_thousand_mutations_of_real_batches_do_no_harm() {
    let mut seeds: Vec<Vec<u8>> = built_codecs()
        .map(|codec| kafka_python("magic2", codec))
        .collect();
    for codec in built_codecs().filter(|&codec| codec != Compression::Zstd) {
        seeds.push(kafka_python("magic0", codec));
        seeds.push(kafka_python("magic1", codec));
    }
    // A linear congruential generator: the same mutations on every run.
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    for round in 0..20_000 {
        let mut bytes = seeds[round % seeds.len()].clone();
        for _ in 0..=random(4) {
            let at = random(bytes.len());
            bytes[at] = match random(4) {
                0 => 0xff,
                1 => 0,
                2 => bytes[at] ^ (1 << random(8)),
                _ => u8::try_from(random(256)).unwrap(),
            };
        }
        if random(8) == 0 {
            bytes.truncate(random(bytes.len()));
        }
        if random(4) > 0 {
            mend_checksum(&mut bytes);
        }
        handle(&bytes);
    }
}

proptest! {
    #[test]
    fn random_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        handle(&bytes);
        let mut header = build(Compression::None, &[plain(0, "k", "v")]);
        header.truncate(HEADER_SIZE_BYTES);
        header.extend(bytes);
        handle(&header);
    }
}

#[test]
fn a_changed_bit_anywhere_behind_the_checksum_is_noticed() {
    let sound = build(Compression::None, &[plain(0, "key", "value")]);
    for at in 21..sound.len() {
        for bit in 0..8 {
            let mut bytes = sound.clone();
            bytes[at] ^= 1 << bit;
            let changed = Batch::parse(&bytes).unwrap().verify_checksum();
            assert!(
                matches!(changed, Err(BatchError::Checksum { .. })),
                "{at}.{bit}"
            );
        }
    }
}

#[test]
fn two_billion_stated_records_cost_nothing() {
    let mut bytes = build(Compression::None, &[plain(0, "key", "value")]);
    bytes[57..61].copy_from_slice(&i32::MAX.to_be_bytes());
    bytes[23..27].copy_from_slice(&(i32::MAX - 1).to_be_bytes());
    mend_checksum(&mut bytes);
    let refused = check_produced(&bytes, &rules(), &mut Vec::new()).unwrap_err();
    let fault = RecordFault::UnexpectedEnd { missing_bytes: 1 };
    assert_eq!(
        refused,
        ValidationError::Record(RecordError { index: 1, fault })
    );
}

#[test]
fn records_after_the_stated_count_are_an_error() {
    let mut bytes = build(Compression::None, &[plain(0, "a", "1"), plain(0, "b", "2")]);
    bytes[57..61].copy_from_slice(&1_i32.to_be_bytes());
    bytes[23..27].copy_from_slice(&0_i32.to_be_bytes());
    mend_checksum(&mut bytes);
    let refused = check_produced(&bytes, &rules(), &mut Vec::new()).unwrap_err();
    assert!(matches!(
        refused,
        ValidationError::Record(RecordError {
            fault: RecordFault::TrailingRecords { .. },
            ..
        })
    ));
}
