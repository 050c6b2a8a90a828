//! One partition's log in memory, with Kafka's rules for producers' sequence numbers.

use std::collections::{BTreeMap, VecDeque};

use barnabas_wire::ErrorCode;
use barnabas_wire::id::{LeaderEpoch, Offset};
use barnabas_wire::record::{
    Batch, BatchMut, ProduceRules, RecordDepth, TimestampRule, ValidationError, check_produced,
};
use bytes::Bytes;

/// What is remembered of a producer's batches.
const BATCHES_REMEMBERED: usize = 5;

#[derive(Debug, Default)]
pub(crate) struct PartitionLog {
    /// The broker that leads it; none has no leader.
    pub(crate) leader: Option<usize>,
    pub(crate) leader_epoch: i32,
    pub(crate) batches: Vec<Bytes>,
    pub(crate) start_offset: i64,
    pub(crate) end_offset: i64,
    /// `max.message.bytes`; 0 stands for Kafka's default.
    pub(crate) batch_max_bytes: usize,
    producers: BTreeMap<i64, Producer>,
}

#[derive(Debug, Default)]
struct Producer {
    epoch: i16,
    next_sequence: i32,
    /// First sequence number and offset of the last batches.
    last: VecDeque<(i32, i64)>,
}

impl PartitionLog {
    pub(crate) fn new(leader: usize) -> Self {
        Self {
            leader: Some(leader),
            ..Self::default()
        }
    }

    /// Stores a produced batch and returns the offset of its first record.
    pub(crate) fn append(&mut self, bytes: &Bytes) -> Result<i64, ErrorCode> {
        let rules = ProduceRules {
            batch_size_max_bytes: match self.batch_max_bytes {
                0 => 1 << 20,
                limit_bytes => limit_bytes,
            },
            decompressed_max_bytes: 1 << 24,
            key_required: false,
            timestamp: TimestampRule::CreateTime {
                difference_max_ms: u64::MAX,
            },
            now_ms: 0,
            compression: None,
            depth: RecordDepth::Every,
            zstd_allowed: true,
        };
        let checked = match check_produced(bytes, &rules, &mut Vec::new()) {
            Err(ValidationError::TooLarge { .. }) => return Err(ErrorCode::MessageTooLarge),
            checked => checked.unwrap(),
        };
        let batch = checked.batch;
        if let Some(stored) = self.check_sequence(&batch)? {
            return Ok(stored);
        }
        let base_offset = self.end_offset;
        let mut stored = batch.bytes().to_vec();
        let mut assigned = BatchMut::parse(&mut stored).unwrap();
        assigned.assign_base_offset(Offset(base_offset));
        assigned.assign_partition_leader_epoch(LeaderEpoch(self.leader_epoch));
        self.batches.push(stored.into());
        self.end_offset += i64::from(batch.record_count());
        Ok(base_offset)
    }

    /// The offset of a batch that is stored already.
    fn check_sequence(&mut self, batch: &Batch<'_>) -> Result<Option<i64>, ErrorCode> {
        let Some(id) = batch.producer_id() else {
            return Ok(None);
        };
        let end_offset = self.end_offset;
        let producer = self.producers.entry(id.0).or_default();
        let (epoch, sequence) = (batch.producer_epoch().0, batch.base_sequence());
        if epoch < producer.epoch {
            return Err(ErrorCode::InvalidProducerEpoch);
        }
        if epoch > producer.epoch {
            *producer = Producer {
                epoch,
                ..Producer::default()
            };
        }
        let stored = producer.last.iter().find(|(first, _)| *first == sequence);
        if let Some(&(_, offset)) = stored {
            return Ok(Some(offset));
        }
        if sequence != producer.next_sequence {
            return Err(ErrorCode::OutOfOrderSequenceNumber);
        }
        producer.next_sequence = (batch.last_sequence().wrapping_add(1)) & i32::MAX;
        producer.last.push_back((sequence, end_offset));
        if producer.last.len() > BATCHES_REMEMBERED {
            producer.last.pop_front();
        }
        Ok(None)
    }

    /// Whole batches from an offset on, at least one if there is any.
    pub(crate) fn read(&self, from_offset: i64, max_bytes: usize) -> Result<Vec<u8>, ErrorCode> {
        if from_offset < self.start_offset || from_offset > self.end_offset {
            return Err(ErrorCode::OffsetOutOfRange);
        }
        let mut found = Vec::new();
        for bytes in &self.batches {
            let last_offset = Batch::parse(bytes).unwrap().last_offset();
            let fits = found.is_empty() || found.len() + bytes.len() <= max_bytes;
            if last_offset.0 >= from_offset && fits {
                found.extend_from_slice(bytes);
            }
        }
        Ok(found)
    }

    /// Forgets every producer, as a broker does whose log has lost its old records.
    pub(crate) fn forget_producers(&mut self) {
        self.producers.clear();
    }

    pub(crate) fn offset_at(&self, timestamp_ms: i64) -> i64 {
        match timestamp_ms {
            -1 => self.end_offset,
            -2 => self.start_offset,
            wanted => self
                .batches
                .iter()
                .flat_map(|bytes| {
                    let batch = Batch::parse(bytes).unwrap();
                    batch.records().map(Result::unwrap).collect::<Vec<_>>()
                })
                .find(|record| record.timestamp_ms >= wanted)
                .map_or(-1, |record| record.offset.0),
        }
    }
}
