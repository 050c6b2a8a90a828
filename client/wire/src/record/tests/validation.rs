//! The rules for what a producer or a leader sends, one by one.

use super::*;
use crate::id::{LeaderEpoch, Offset, ProducerEpoch, ProducerId};

fn check(bytes: &[u8], rules: &ProduceRules, expected: Result<i64, ValidationKind>) {
    let mut scratch = Vec::new();
    let found = check_produced(bytes, rules, &mut scratch);
    let found = found
        .map(|validated| validated.max_timestamp_ms)
        .map_err(|error| error.kind());
    assert_eq!(
        found,
        expected,
        "{:?}",
        check_produced(bytes, rules, &mut scratch)
    );
}

fn two() -> [Owned; 2] {
    [plain(7, "a", "1"), plain(3, "b", "2")]
}

/// Changes header bytes and makes the checksum right again.
fn patched(at: usize, field: &[u8]) -> Vec<u8> {
    let mut bytes = build(Compression::None, &two());
    bytes[at..at + field.len()].copy_from_slice(field);
    let checksum = crc_fast::crc32_iscsi(&bytes[21..]);
    bytes[17..21].copy_from_slice(&checksum.to_be_bytes());
    bytes
}

#[test]
fn a_sound_batch_passes_in_every_codec() {
    for codec in built_codecs() {
        check(&build(codec, &two()), &rules(), Ok(1_600_000_000_007));
    }
}

#[test]
fn each_broken_rule_of_the_header_has_its_answer() {
    use ValidationKind::{Corrupt, InvalidRecord, InvalidTimestamp, UnsupportedCompression};
    let rules = rules();
    check(&[], &rules, Err(InvalidRecord));
    check(
        &patched(0, &[0, 0, 0, 0, 0, 0, 0, 1]),
        &rules,
        Err(InvalidRecord),
    );
    check(&patched(16, &[1]), &rules, Err(InvalidRecord));
    check(&patched(16, &[3]), &rules, Err(InvalidRecord));
    check(&patched(8, &[0, 0, 0, 48]), &rules, Err(Corrupt));
    check(&patched(8, &[0x7f, 0xff, 0xff, 0xff]), &rules, Err(Corrupt));
    check(&patched(21, &[0, 0b10_0000]), &rules, Err(InvalidRecord));
    check(&patched(21, &[0, 0b1000]), &rules, Err(InvalidTimestamp));
    check(&patched(21, &[0, 5]), &rules, Err(UnsupportedCompression));
    check(&patched(23, &[0, 0, 0, 2]), &rules, Err(InvalidRecord));
    check(&patched(57, &[0, 0, 0, 3]), &rules, Err(InvalidRecord));
    check(
        &patched(57, &[0xff, 0xff, 0xff, 0xff]),
        &rules,
        Err(InvalidRecord),
    );
    // A producer id without a sequence number.
    check(
        &patched(43, &[0, 0, 0, 0, 0, 0, 0, 9]),
        &rules,
        Err(InvalidRecord),
    );
    let mut changed = build(Compression::None, &two());
    changed[70] ^= 1;
    check(&changed, &rules, Err(Corrupt));
}

#[test]
fn a_producer_sends_one_batch_and_a_torn_second_is_ignored() {
    let one = build(Compression::None, &two());
    let rules = rules();
    check(
        &[&one[..], &one].concat(),
        &rules,
        Err(ValidationKind::InvalidRecord),
    );
    check(
        &[&one[..], &one[..30]].concat(),
        &rules,
        Ok(1_600_000_000_007),
    );
}

#[test]
fn a_batch_may_be_as_large_as_the_limit_and_no_larger() {
    let bytes = build(Compression::None, &two());
    let at = |batch_size_max_bytes| ProduceRules {
        batch_size_max_bytes,
        ..rules()
    };
    check(&bytes, &at(bytes.len()), Ok(1_600_000_000_007));
    check(&bytes, &at(bytes.len() - 1), Err(ValidationKind::TooLarge));
}

#[test]
fn a_compacted_topic_needs_keys() {
    let keyless = Owned {
        key: None,
        ..plain(0, "", "value")
    };
    let compacted = ProduceRules {
        key_required: true,
        ..rules()
    };
    for codec in built_codecs() {
        let bytes = build(codec, &[plain(0, "k", "v"), keyless.clone()]);
        check(&bytes, &rules(), Ok(1_600_000_000_000));
        check(&bytes, &compacted, Err(ValidationKind::InvalidRecord));
    }
}

#[test]
fn a_timestamp_too_far_from_the_clock_is_refused_and_none_at_all_passes() {
    let near = |difference_max_ms| ProduceRules {
        timestamp: TimestampRule::CreateTime { difference_max_ms },
        ..rules()
    };
    let bytes = build(Compression::None, &[plain(-500, "k", "v")]);
    check(&bytes, &near(500), Ok(1_599_999_999_500));
    check(&bytes, &near(499), Err(ValidationKind::InvalidTimestamp));
    let none = Owned {
        timestamp_ms: NO_TIMESTAMP_MS,
        ..plain(0, "k", "v")
    };
    check(
        &build(Compression::None, &[none]),
        &near(0),
        Ok(NO_TIMESTAMP_MS),
    );
    let extreme = Owned {
        timestamp_ms: i64::MIN,
        ..plain(0, "k", "v")
    };
    check(
        &build(Compression::None, &[extreme]),
        &near(9),
        Err(ValidationKind::InvalidTimestamp),
    );
}

#[test]
fn append_time_replaces_the_timestamp() {
    let append_time = ProduceRules {
        timestamp: TimestampRule::LogAppendTime,
        ..rules()
    };
    let bytes = build(Compression::None, &two());
    check(&bytes, &append_time, Ok(1_600_000_000_000));
    let mut scratch = Vec::new();
    let validated = check_produced(&bytes, &append_time, &mut scratch).unwrap();
    assert!(!validated.has_right_timestamp());
    assert_eq!(validated.max_timestamp_offset_delta, 1);
    assert!(
        check_produced(&bytes, &rules(), &mut scratch)
            .unwrap()
            .has_right_timestamp()
    );
}

#[test]
fn the_greatest_timestamp_is_found_with_its_offset_whatever_the_header_says() {
    let bytes = patched(35, &(-1_i64).to_be_bytes());
    let mut scratch = Vec::new();
    let header_only = ProduceRules {
        depth: RecordDepth::Uncompressed,
        ..rules()
    };
    for rules in [rules(), header_only] {
        let validated = check_produced(&bytes, &rules, &mut scratch).unwrap();
        assert_eq!(validated.max_timestamp_ms, 1_600_000_000_007);
        assert_eq!(validated.max_timestamp_offset_delta, 0);
        assert!(!validated.has_right_timestamp());
    }
}

#[test]
fn compressed_records_are_read_only_where_asked_or_needed() {
    let bytes = build(Compression::Gzip, &two());
    let mut scratch = Vec::new();
    let shallow = ProduceRules {
        depth: RecordDepth::Uncompressed,
        ..rules()
    };
    assert!(check_produced(&bytes, &shallow, &mut scratch).is_ok());
    assert!(scratch.is_empty());
    assert!(check_produced(&bytes, &rules(), &mut scratch).is_ok());
    assert!(!scratch.is_empty());
}

#[test]
fn a_topic_with_a_codec_of_its_own_rewrites_other_batches() {
    let mut scratch = Vec::new();
    let gzip = ProduceRules {
        compression: Some(Compression::Gzip),
        ..rules()
    };
    let check = |codec, expected| {
        let bytes = build(codec, &two());
        let found = check_produced(&bytes, &gzip, &mut Vec::new())
            .unwrap()
            .rebuild;
        assert_eq!(found, expected, "{codec}");
    };
    check(Compression::None, Some(RebuildReason::Compression));
    check(Compression::Lz4, Some(RebuildReason::Compression));
    check(Compression::Gzip, None);
    let bytes = build(Compression::None, &two());
    assert_eq!(
        check_produced(&bytes, &rules(), &mut scratch)
            .unwrap()
            .rebuild,
        None
    );
}

#[test]
fn wrong_offset_deltas_are_mended_by_a_rebuild() {
    let mut bytes = build(Compression::None, &two());
    // Length, attributes, timestamp delta, then the delta 0, zig-zag.
    assert_eq!(bytes[64], 0);
    bytes[64] = 10;
    let checksum = crc_fast::crc32_iscsi(&bytes[21..]);
    bytes[17..21].copy_from_slice(&checksum.to_be_bytes());
    let mut scratch = Vec::new();
    let validated = check_produced(&bytes, &rules(), &mut scratch).unwrap();
    assert_eq!(validated.rebuild, Some(RebuildReason::OffsetDeltas));
    let rebuilt = rebuild(
        &validated.batch,
        Compression::None,
        1 << 20,
        &mut Vec::new(),
    )
    .unwrap();
    assert_eq!(rebuilt, build(Compression::None, &two()));
}

#[test]
fn zstd_needs_a_new_enough_request() {
    // Only the header is looked at, so the codec need not be built in.
    let old = ProduceRules {
        zstd_allowed: false,
        ..rules()
    };
    check(
        &patched(21, &[0, 4]),
        &old,
        Err(ValidationKind::UnsupportedCompression),
    );
}

#[test]
fn a_leaders_batches_are_summed_up() {
    let mut first = build(Compression::None, &two());
    let mut second = first.clone();
    BatchMut::parse(&mut first)
        .unwrap()
        .assign_base_offset(Offset(10));
    let mut batch = BatchMut::parse(&mut second).unwrap();
    batch.assign_base_offset(Offset(12));
    batch.assign_partition_leader_epoch(LeaderEpoch(4));
    let bytes = [&first[..], &second, &first[..20]].concat();
    let found = check_replicated(&bytes).unwrap().unwrap();
    let expected = ReplicatedBatches {
        first_offset: Offset(10),
        last_offset: Offset(13),
        last_leader_epoch: LeaderEpoch(4),
        max_timestamp_ms: 1_600_000_000_007,
        max_timestamp_offset: Offset(11),
        batch_count: 2,
        size_bytes: first.len() * 2,
    };
    assert_eq!(found, expected);
    assert_eq!(check_replicated(&bytes[..40]), Ok(None));
}

#[test]
fn a_leaders_batches_out_of_order_or_changed_are_refused() {
    let one = build(Compression::None, &two());
    let refused = check_replicated(&[&one[..], &one].concat()).unwrap_err();
    let expected = ValidationError::OffsetOrder {
        previous_offset: Offset(1),
        last_offset: Offset(1),
    };
    assert_eq!(refused, expected);
    let mut changed = one;
    changed[65] ^= 1;
    assert_eq!(
        check_replicated(&changed).unwrap_err().kind(),
        ValidationKind::Corrupt
    );
}

#[test]
fn an_idempotent_producers_batch_passes() {
    let mut builder = BatchBuilder::new(Compression::None, 0);
    builder.set_producer(ProducerId(5), ProducerEpoch(0), 0);
    append(&mut builder, &plain(0, "k", "v"));
    check(&builder.build().unwrap(), &rules(), Ok(1_600_000_000_000));
}
