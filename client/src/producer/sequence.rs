//! Sequence numbers of one partition: what makes a batch that is sent twice stored once.
//!
//! Source: KIP-98, KIP-360; Kafka 2.8 `TransactionManager`.

use barnabas_wire::id::{ProducerEpoch, ProducerId};

use super::batch::Stamp;

/// The producer's id, epoch and next sequence number on one partition.
///
/// The broker keeps these per partition, so the epoch may differ from partition to partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sequence {
    next: Stamp,
}

impl Sequence {
    pub(super) const fn new(producer_id: ProducerId, producer_epoch: ProducerEpoch) -> Self {
        Self {
            next: Stamp {
                producer_id,
                producer_epoch,
                base_sequence: 0,
            },
        }
    }

    /// The stamp of the next batch, which has `record_count` records.
    pub(super) fn take(&mut self, record_count: i32) -> Stamp {
        let stamp = self.next;
        // Masking the sign bit is arithmetic modulo 2^31: after the largest number comes 0.
        self.next.base_sequence = stamp.base_sequence.wrapping_add(record_count) & i32::MAX;
        stamp
    }

    /// Begins again at 0 under the next epoch, which tells the broker to forget what was missing.
    /// False if the epochs are used up: then a new producer id is needed.
    #[must_use]
    pub(super) fn bump(&mut self) -> bool {
        let Some(epoch) = self.next.producer_epoch.0.checked_add(1) else {
            return false;
        };
        self.next.producer_epoch = ProducerEpoch(epoch);
        self.next.base_sequence = 0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(producer_epoch: i16, base_sequence: i32) -> Stamp {
        let producer_epoch = ProducerEpoch(producer_epoch);
        Stamp {
            producer_id: ProducerId(4),
            producer_epoch,
            base_sequence,
        }
    }

    #[test]
    fn numbers_count_records_and_wrap_to_zero() {
        let mut sequence = Sequence::new(ProducerId(4), ProducerEpoch(0));
        assert_eq!(sequence.take(10), stamp(0, 0));
        assert_eq!(sequence.take(i32::MAX - 9), stamp(0, 10));
        assert_eq!(sequence.take(5), stamp(0, 0), "2^31-1 is the last before 0");
        assert_eq!(sequence.take(1), stamp(0, 5));
    }

    #[test]
    fn a_new_epoch_begins_at_zero() {
        let mut sequence = Sequence::new(ProducerId(4), ProducerEpoch(i16::MAX - 1));
        sequence.take(10);
        assert!(sequence.bump());
        assert_eq!(sequence.take(1), stamp(i16::MAX, 0));
        assert!(!sequence.bump());
    }
}
