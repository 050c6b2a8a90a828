//! What goes in comes out, and in-place changes change what they say and nothing else.

use super::*;
use crate::id::{LeaderEpoch, Offset, ProducerEpoch, ProducerId};

proptest! {
    #[test]
    fn records_come_back_as_they_went_in(
        records in prop::collection::vec(any_record(), 1..20),
        codec in 0..5_u8,
    ) {
        let codec = Compression::from_id(codec).unwrap();
        if codec.is_built() {
            let bytes = build(codec, &records);
            let batch = Batch::parse(&bytes).unwrap();
            prop_assert_eq!(batch.bytes().len(), bytes.len());
            prop_assert_eq!(batch.verify_checksum(), Ok(()));
            prop_assert_eq!(read(&batch).unwrap(), records);
        }
    }

    #[test]
    fn the_builder_knows_its_size(records in prop::collection::vec(any_record(), 1..20)) {
        let mut builder = BatchBuilder::new(Compression::None, 0);
        for record in &records {
            let before = builder.size_bytes();
            append(&mut builder, record);
            let headers: usize = record
                .headers
                .iter()
                .map(|(key, value)| 10 + key.len() + value.as_ref().map_or(0, Vec::len))
                .sum();
            let key_and_value = record.key.as_ref().map_or(0, Vec::len)
                + record.value.as_ref().map_or(0, Vec::len);
            let bound = RECORD_OVERHEAD_MAX_BYTES + 5 + key_and_value + headers;
            prop_assert!(builder.size_bytes() - before <= bound);
        }
        let size_bytes = builder.size_bytes();
        prop_assert_eq!(builder.build().unwrap().len(), size_bytes);
    }

    #[test]
    fn a_batch_written_anew_keeps_its_records(
        records in prop::collection::vec(any_record(), 1..10),
    ) {
        for target in built_codecs() {
            let bytes = build(Compression::None, &records);
            let batch = Batch::parse(&bytes).unwrap();
            let rebuilt = rebuild(&batch, target, 1 << 20, &mut Vec::new()).unwrap();
            let rebuilt = Batch::parse(&rebuilt).unwrap();
            prop_assert_eq!(rebuilt.verify_checksum(), Ok(()));
            prop_assert_eq!(rebuilt.compression(), Ok(target));
            prop_assert_eq!(read(&rebuilt).unwrap(), records.clone());
        }
    }
}

/// S1: the leader numbers the records; each has its own offset, and they grow.
#[test]
fn assigning_offset_and_epoch_leaves_the_checksum_right() {
    let mut bytes = build(Compression::None, &[plain(0, "a", "1"), plain(1, "b", "2")]);
    let mut batch = BatchMut::parse(&mut bytes).unwrap();
    batch.assign_base_offset(Offset(1_000));
    batch.assign_partition_leader_epoch(LeaderEpoch(7));
    let batch = Batch::parse(&bytes).unwrap();
    batch.verify_checksum().unwrap();
    assert_eq!(batch.partition_leader_epoch(), LeaderEpoch(7));
    assert_eq!(
        (batch.last_offset(), batch.next_offset()),
        (Offset(1_001), Offset(1_002))
    );
    let offsets: Vec<Offset> = batch
        .records()
        .map(|record| record.unwrap().offset)
        .collect();
    assert_eq!(offsets, [Offset(1_000), Offset(1_001)]);
}

#[test]
fn append_time_is_what_every_record_then_carries() {
    let mut bytes = build(Compression::None, &[plain(0, "a", "1"), plain(9, "b", "2")]);
    let before = bytes.clone();
    let mut batch = BatchMut::parse(&mut bytes).unwrap();
    batch.assign_max_timestamp(TimestampType::LogAppendTime, 42);
    let batch = Batch::parse(&bytes).unwrap();
    batch.verify_checksum().unwrap();
    assert_ne!(batch.checksum(), Batch::parse(&before).unwrap().checksum());
    assert!(
        batch
            .records()
            .all(|record| record.unwrap().timestamp_ms == 42)
    );
}

#[test]
fn the_same_timestamp_again_changes_no_byte() {
    let mut bytes = build(Compression::None, &[plain(3, "a", "1")]);
    let before = bytes.clone();
    let mut batch = BatchMut::parse(&mut bytes).unwrap();
    batch.assign_max_timestamp(TimestampType::CreateTime, 1_600_000_000_003);
    assert_eq!(bytes, before);
}

#[test]
fn a_producer_can_stamp_a_batch_again_under_a_new_epoch() {
    let mut bytes = build(Compression::None, &[plain(0, "a", "1")]);
    BatchMut::parse(&mut bytes)
        .unwrap()
        .assign_producer(ProducerId(9), ProducerEpoch(2), 0);
    let batch = Batch::parse(&bytes).unwrap();
    batch.verify_checksum().unwrap();
    assert_eq!(batch.producer_id(), Some(ProducerId(9)));
    assert_eq!(
        (batch.producer_epoch(), batch.base_sequence()),
        (ProducerEpoch(2), 0)
    );
}

#[test]
fn a_sequence_wraps_to_zero() {
    let mut builder = BatchBuilder::new(Compression::None, 0);
    builder.set_producer(ProducerId(1), ProducerEpoch(0), i32::MAX);
    append(&mut builder, &plain(0, "a", "1"));
    append(&mut builder, &plain(0, "b", "2"));
    let bytes = builder.build().unwrap();
    assert_eq!(Batch::parse(&bytes).unwrap().last_sequence(), 0);
}

#[test]
fn a_builder_is_empty_after_each_build() {
    for codec in built_codecs() {
        let mut builder = BatchBuilder::new(codec, 1_000);
        for value in ["one", "two"] {
            append(&mut builder, &plain(0, "k", value));
            let bytes = builder.build().unwrap();
            let batch = Batch::parse(&bytes).unwrap();
            assert_eq!(read(&batch).unwrap(), [plain(0, "k", value)], "{codec}");
        }
        assert_eq!(
            (builder.record_count(), builder.size_bytes()),
            (0, HEADER_SIZE_BYTES)
        );
    }
}

#[test]
fn batches_follow_each_other_and_an_incomplete_one_ends_them() {
    let one = build(Compression::None, &[plain(0, "a", "1")]);
    let bytes = [&one[..], &one, &one[..69]].concat();
    let mut batches = Batches::new(&bytes);
    assert!(batches.next().unwrap().is_ok());
    assert!(batches.next().unwrap().is_ok());
    let error = batches.next().unwrap().unwrap_err();
    assert_eq!(
        error,
        BatchError::Incomplete {
            needed_bytes: one.len(),
            available_bytes: 69
        }
    );
    assert!(batches.next().is_none());
    assert_eq!(batches.position(), 2 * one.len());
}

#[test]
fn zeros_are_no_batch_however_many() {
    for size_bytes in [12, 61, 4_096] {
        let zeros = vec![0; size_bytes];
        let error = Batch::parse(&zeros).unwrap_err();
        assert_eq!(
            error,
            BatchError::LengthTooSmall { length: 0 },
            "{size_bytes}"
        );
    }
    assert!(Batch::parse(&[0; 11]).unwrap_err().is_incomplete());
}
