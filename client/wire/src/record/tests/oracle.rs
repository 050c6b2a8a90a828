//! Our batches read by `kafka-protocol`, and its batches read by us, where it is right: no header
//! with a null value or a name that comes twice, timestamps near each other, no compression.

use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records::{
    Compression as TheirCompression, Record as TheirRecord, RecordBatchDecoder, RecordBatchEncoder,
    RecordEncodeOptions, TimestampType as TheirTimestampType,
};

use super::*;

fn theirs(offset: i64, record: &Owned) -> TheirRecord {
    let header = |(key, value): &(Vec<u8>, Option<Vec<u8>>)| {
        let key = StrBytes::from_string(String::from_utf8(key.clone()).unwrap());
        (key, value.clone().map(Bytes::from))
    };
    TheirRecord {
        transactional: false,
        control: false,
        partition_leader_epoch: -1,
        producer_id: -1,
        producer_epoch: -1,
        timestamp_type: TheirTimestampType::Creation,
        offset,
        sequence: i32::try_from(offset).unwrap() - 1,
        timestamp: record.timestamp_ms,
        key: record.key.clone().map(Bytes::from),
        value: record.value.clone().map(Bytes::from),
        headers: record.headers.iter().map(header).collect(),
    }
}

fn tame_record() -> impl Strategy<Value = Owned> {
    (any_record(), 0..1_000_000_i64).prop_map(|(record, delta_ms)| Owned {
        timestamp_ms: 1_600_000_000_000 + delta_ms,
        headers: (0_u8..)
            .zip(record.headers)
            .map(|(name, (_, value))| (vec![b'a' + name], Some(value.unwrap_or_default())))
            .collect(),
        ..record
    })
}

proptest! {
    #[test]
    fn both_read_what_the_other_writes(records in prop::collection::vec(tame_record(), 1..10)) {
        let expected: Vec<TheirRecord> =
            (0..).zip(&records).map(|(offset, record)| theirs(offset, record)).collect();

        let mut written = BytesMut::new();
        let options = RecordEncodeOptions { version: 2, compression: TheirCompression::None };
        RecordBatchEncoder::encode(&mut written, &expected, &options).unwrap();
        let batch = Batch::parse(&written).unwrap();
        prop_assert_eq!(batch.verify_checksum(), Ok(()));
        prop_assert_eq!(read(&batch).unwrap(), records.clone());

        let mut ours = Bytes::from(build(Compression::None, &records));
        let found = RecordBatchDecoder::decode(&mut ours).unwrap().records;
        prop_assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            prop_assert_eq!(found.offset, expected.offset);
            prop_assert_eq!(found.timestamp, expected.timestamp);
            prop_assert_eq!(&found.key, &expected.key);
            prop_assert_eq!(&found.value, &expected.value);
            prop_assert_eq!(&found.headers, &expected.headers);
        }
    }
}
