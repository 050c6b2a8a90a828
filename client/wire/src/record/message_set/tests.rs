//! Message sets of old clients, read and converted.

use crate::record::tests::golden::kafka_python;
use crate::record::tests::{Owned, read, rules};
use crate::record::*;

fn codecs() -> impl Iterator<Item = Compression> {
    let old = [
        Compression::None,
        Compression::Gzip,
        Compression::Snappy,
        Compression::Lz4,
    ];
    old.into_iter().filter(|codec| codec.is_built())
}

fn sent(format: &str) -> [Owned; 3] {
    let record = |delta_ms: i64, key: Option<&str>, value: Option<&str>| Owned {
        timestamp_ms: if format == "magic0" {
            -1
        } else {
            1_600_000_000_000 + delta_ms
        },
        key: key.map(|key| key.as_bytes().to_vec()),
        value: value.map(|value| value.as_bytes().to_vec()),
        headers: vec![],
    };
    [
        record(0, Some("key"), Some("value")),
        record(7, None, Some("no key")),
        record(3, Some("gone"), None),
    ]
}

fn check(format: &str, codec: Compression, rules: &ProduceRules, target: Compression) {
    let bytes = kafka_python(format, codec);
    let converted = convert_produced(&bytes, rules).unwrap();
    assert_eq!(converted.record_count, 3);
    let mut scratch = Vec::new();
    let validated = check_produced(&converted.batch, rules, &mut scratch).unwrap();
    assert_eq!(validated.rebuild, None);
    assert_eq!(validated.batch.compression(), Ok(target));
    assert_eq!(
        read(&validated.batch).unwrap(),
        sent(format),
        "{format} {codec}"
    );
}

#[test]
fn sets_of_kafka_python_become_batches_in_every_codec() {
    for format in ["magic0", "magic1"] {
        for codec in codecs() {
            assert_eq!(
                leading_magic(&kafka_python(format, codec)),
                Some(i8::from(format == "magic1"))
            );
            check(format, codec, &rules(), codec);
            let gzip = ProduceRules {
                compression: Some(Compression::Gzip),
                ..rules()
            };
            check(format, codec, &gzip, Compression::Gzip);
        }
    }
}

fn refused(bytes: &[u8], rules: &ProduceRules, expected: ValidationKind) {
    let error = convert_produced(bytes, rules).unwrap_err();
    assert_eq!(error.kind(), expected, "{error}");
}

#[test]
fn each_broken_rule_has_its_answer() {
    let rules = rules();
    let sound = kafka_python("magic1", Compression::None);
    refused(&[], &rules, ValidationKind::InvalidRecord);
    let keyed = ProduceRules {
        key_required: true,
        ..rules
    };
    refused(&sound, &keyed, ValidationKind::InvalidRecord);
    let small = ProduceRules {
        batch_size_max_bytes: 30,
        ..rules
    };
    refused(&sound, &small, ValidationKind::TooLarge);
    let strict = TimestampRule::CreateTime {
        difference_max_ms: 5,
    };
    refused(
        &sound,
        &ProduceRules {
            timestamp: strict,
            ..rules
        },
        ValidationKind::InvalidTimestamp,
    );
    let mut changed = sound.clone();
    changed[40] ^= 1;
    refused(&changed, &rules, ValidationKind::Corrupt);
    let mixed = [&sound[..], &kafka_python("magic0", Compression::None)].concat();
    refused(&mixed, &rules, ValidationKind::InvalidRecord);
    let packed = kafka_python("magic1", Compression::Gzip);
    refused(
        &[&packed[..], &packed].concat(),
        &rules,
        ValidationKind::InvalidRecord,
    );
    refused(
        &[&packed[..], &sound].concat(),
        &rules,
        ValidationKind::InvalidRecord,
    );
    let bomb = ProduceRules {
        decompressed_max_bytes: 50,
        ..rules
    };
    refused(&packed, &bomb, ValidationKind::TooLarge);
    refused(
        &kafka_python("magic2", Compression::None),
        &rules,
        ValidationKind::InvalidRecord,
    );
}

#[test]
fn a_message_that_is_cut_off_ends_the_set() {
    let bytes = kafka_python("magic1", Compression::None);
    let converted = convert_produced(&bytes[..bytes.len() - 1], &rules()).unwrap();
    assert_eq!(converted.record_count, 2);
}
