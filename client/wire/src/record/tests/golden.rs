//! Bytes that other programs wrote.

use super::*;
use crate::id::{LeaderEpoch, Offset, ProducerEpoch, ProducerId};

const LINES: &str = include_str!("kafka_python.txt");

/// The bytes that kafka-python wrote for `format` (magic2, magic1, magic0) and codec.
pub(in crate::record) fn kafka_python(format: &str, codec: Compression) -> Vec<u8> {
    let wanted = format!("{format} {} ", codec.id());
    let line = LINES
        .lines()
        .find_map(|line| line.strip_prefix(&wanted))
        .unwrap();
    let digits: Vec<u8> = line
        .chars()
        .map(|digit| digit.to_digit(16).unwrap().try_into().unwrap())
        .collect();
    digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

fn sent() -> [Owned; 3] {
    let a = |value: Option<&[u8]>| (b"a".to_vec(), value.map(<[u8]>::to_vec));
    [
        Owned {
            headers: vec![a(Some(b"1")), a(None)],
            ..plain(0, "key", "value")
        },
        Owned {
            timestamp_ms: 1_599_999_999_990,
            key: None,
            value: None,
            headers: vec![],
        },
        plain(5, "", &"x".repeat(70)),
    ]
}

/// S16: a record has length, timestamp, offset, key, value and headers, duplicates and nulls
/// included.
#[test]
fn batches_of_kafka_python_are_read_in_every_codec() {
    for codec in built_codecs() {
        let bytes = kafka_python("magic2", codec);
        let batch = Batch::parse(&bytes).unwrap();
        batch.verify_checksum().unwrap();
        assert_eq!(batch.compression(), Ok(codec));
        assert_eq!(read(&batch).unwrap(), sent(), "{codec}");
        assert_eq!(batch.producer_id(), Some(ProducerId(4711)));
        assert_eq!(batch.producer_epoch(), ProducerEpoch(3));
        assert_eq!((batch.base_sequence(), batch.last_sequence()), (42, 44));
        assert_eq!((batch.record_count(), batch.last_offset()), (3, Offset(2)));
        assert_eq!(batch.max_timestamp_ms(), 1_600_000_000_005);
    }
}

#[test]
fn an_uncompressed_batch_has_the_bytes_of_kafka_python() {
    let mut builder = BatchBuilder::new(Compression::None, 0);
    builder.set_producer(ProducerId(4711), ProducerEpoch(3), 42);
    // kafka-python writes 0 where Java writes -1: the leader's epoch, which the leader overwrites.
    builder.set_partition_leader_epoch(LeaderEpoch(0));
    for record in &sent() {
        append(&mut builder, record);
    }
    assert_eq!(
        builder.build().unwrap(),
        kafka_python("magic2", Compression::None)
    );
}
