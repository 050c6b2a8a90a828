//! The bytes of a producer snapshot, `N.snapshot`: the producers of a partition as of offset N.
//!
//! ```text
//!  0  i16  format version, 1
//!  2  u32  CRC-32C of everything behind it
//!  6  i32  count of producers, each:
//!     0  i64  producer id                22  i32  last offset - first offset of that batch
//!     8  i16  producer epoch             26  i64  timestamp of that batch, ms since 1970
//!    10  i32  last sequence              34  i32  coordinator epoch
//!    14  i64  last offset                38  i64  first offset of the open transaction, or -1
//! ```
//!
//! Of each producer only the last batch is kept. Source: `ProducerStateManager` of Kafka 2.8.

use barnabas_wire::id::{Offset, ProducerEpoch, ProducerId};
use crc_fast::CrcAlgorithm;

use crate::producer_state::{NO_SEQUENCE, ProducerEntry, ProducerStates, StoredBatch};

/// The only format version there is.
const FORMAT_VERSION: i16 = 1;
/// Bytes before the part that the checksum covers.
const CHECKED_POSITION: usize = 6;
/// Bytes before the first producer.
const HEADER_SIZE: usize = 10;
/// Bytes of one producer.
const ENTRY_SIZE: usize = 46;

/// Why a snapshot cannot be used. The records tell the same: leave it and replay from an older one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// The file is not as long as its count of producers says.
    #[error("producer snapshot has {found} bytes where {expected} belong")]
    Size {
        /// Bytes that belong there.
        expected: usize,
        /// Bytes that are there.
        found: usize,
    },
    /// The file has another format.
    #[error("producer snapshot has format version {found}, not {FORMAT_VERSION}")]
    FormatVersion {
        /// The version in the file.
        found: i16,
    },
    /// The bytes are not those that were written.
    #[error("producer snapshot has CRC-32C {computed:#010x}, its header says {stored:#010x}")]
    Checksum {
        /// The checksum in the file.
        stored: u32,
        /// The checksum of its bytes.
        computed: u32,
    },
}

/// The bytes of a snapshot of `states`.
#[must_use]
pub fn encode_snapshot(states: &ProducerStates) -> Vec<u8> {
    let entries = states.entries();
    let count = entries.len();
    let mut checked = Vec::with_capacity(HEADER_SIZE + count * ENTRY_SIZE);
    // Two billion producers would be 98 GB here; expiry keeps far below.
    checked.extend_from_slice(&i32::try_from(count).unwrap_or(i32::MAX).to_be_bytes());
    for entry in entries {
        encode_entry(entry, &mut checked);
    }
    let mut bytes = Vec::with_capacity(CHECKED_POSITION + checked.len());
    bytes.extend_from_slice(&FORMAT_VERSION.to_be_bytes());
    bytes.extend_from_slice(&checksum(&checked).to_be_bytes());
    bytes.extend_from_slice(&checked);
    bytes
}

/// Reads a snapshot; `end_offset` is the number in its file name.
///
/// # Errors
/// [`SnapshotError`] if the bytes are not a whole snapshot.
pub fn decode_snapshot(bytes: &[u8], end_offset: Offset) -> Result<ProducerStates, SnapshotError> {
    let too_short = |expected| SnapshotError::Size {
        expected,
        found: bytes.len(),
    };
    let mut header = Reader { bytes };
    let (Some(format_version), Some(stored), Some(count)) =
        (header.i16(), header.u32(), header.i32())
    else {
        return Err(too_short(HEADER_SIZE));
    };
    if format_version != FORMAT_VERSION {
        return Err(SnapshotError::FormatVersion {
            found: format_version,
        });
    }
    let computed = checksum(bytes.get(CHECKED_POSITION..).unwrap_or_default());
    if computed != stored {
        return Err(SnapshotError::Checksum { stored, computed });
    }
    let count = usize::try_from(count).unwrap_or(0);
    let expected = count.saturating_mul(ENTRY_SIZE).saturating_add(HEADER_SIZE);
    if bytes.len() != expected {
        return Err(too_short(expected));
    }
    let mut entries = Vec::with_capacity(count);
    while let Some(entry) = decode_entry(&mut header) {
        entries.push(entry);
    }
    Ok(ProducerStates::from_entries(entries, end_offset))
}

fn checksum(bytes: &[u8]) -> u32 {
    // The algorithm is 32 bits wide; the library's return type holds 64 for the others.
    u32::try_from(crc_fast::checksum(CrcAlgorithm::Crc32Iscsi, bytes)).unwrap_or(0)
}

fn encode_entry(entry: &ProducerEntry, out: &mut Vec<u8>) {
    let last = entry.last_batch();
    out.extend_from_slice(&entry.producer_id.0.to_be_bytes());
    out.extend_from_slice(&entry.producer_epoch.0.to_be_bytes());
    out.extend_from_slice(
        &last
            .map_or(NO_SEQUENCE, |batch| batch.last_sequence)
            .to_be_bytes(),
    );
    out.extend_from_slice(&last.map_or(-1, |batch| batch.last_offset.0).to_be_bytes());
    out.extend_from_slice(&last.map_or(0, |batch| batch.offset_delta).to_be_bytes());
    out.extend_from_slice(&entry.last_timestamp_ms.to_be_bytes());
    out.extend_from_slice(&entry.coordinator_epoch.to_be_bytes());
    let transaction = entry.transaction_first_offset.map_or(-1, |offset| offset.0);
    out.extend_from_slice(&transaction.to_be_bytes());
}

fn decode_entry(reader: &mut Reader<'_>) -> Option<ProducerEntry> {
    let producer_id = ProducerId(reader.i64()?);
    let producer_epoch = ProducerEpoch(reader.i16()?);
    let last_sequence = reader.i32()?;
    let last_offset = Offset(reader.i64()?);
    let offset_delta = reader.i32()?;
    let timestamp_ms = reader.i64()?;
    let coordinator_epoch = reader.i32()?;
    let transaction_first_offset = reader.i64()?;
    let mut entry = ProducerEntry::new(producer_id);
    if last_offset.0 >= 0 {
        entry = entry.with_last_batch(StoredBatch {
            last_sequence,
            last_offset,
            offset_delta,
            timestamp_ms,
        });
    }
    entry.producer_epoch = producer_epoch;
    entry.coordinator_epoch = coordinator_epoch;
    entry.last_timestamp_ms = timestamp_ms;
    entry.transaction_first_offset =
        (transaction_first_offset >= 0).then_some(Offset(transaction_first_offset));
    Some(entry)
}

/// Takes big-endian numbers off the front; `None` at the end.
struct Reader<'a> {
    bytes: &'a [u8],
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.bytes.split_first_chunk::<N>()?;
        self.bytes = rest;
        Some(*head)
    }

    fn i16(&mut self) -> Option<i16> {
        self.take().map(i16::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_be_bytes)
    }

    fn i32(&mut self) -> Option<i32> {
        self.take().map(i32::from_be_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.take().map(i64::from_be_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::producer_state::ProducerBatch;

    fn states() -> ProducerStates {
        let mut states = ProducerStates::starting_at(Offset(0));
        states.record(&ProducerBatch {
            producer_id: ProducerId(0x0102),
            producer_epoch: ProducerEpoch(3),
            first_sequence: 5,
            last_sequence: 9,
            first_offset: Offset(0x20),
            last_offset: Offset(0x24),
            max_timestamp_ms: 0x0196_0000_0000,
            is_transactional: true,
        });
        states
    }

    /// Laid out by hand from the table above; the checksum by another implementation (Java's
    /// `CRC32C`).
    const GOLDEN: [u8; HEADER_SIZE + ENTRY_SIZE] = [
        0, 1, 0x3b, 0xd1, 0xf6, 0x40, 0, 0, 0, 1, // version, CRC-32C, count
        0, 0, 0, 0, 0, 0, 1, 2, 0, 3, 0, 0, 0, 9, // producer id, epoch, last sequence
        0, 0, 0, 0, 0, 0, 0, 0x24, 0, 0, 0, 4, // last offset, offset delta
        0, 0, 1, 0x96, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, // timestamp, coordinator epoch
        0, 0, 0, 0, 0, 0, 0, 0x20, // first offset of the transaction
    ];

    #[test]
    fn a_snapshot_has_the_bytes_of_the_table() {
        assert_eq!(encode_snapshot(&states()), GOLDEN);
    }

    #[test]
    fn a_snapshot_read_back_is_the_same() {
        let read = decode_snapshot(&GOLDEN, Offset(0x25)).unwrap();
        let expected = states();
        assert_eq!(
            read.entries().collect::<Vec<_>>(),
            expected.entries().collect::<Vec<_>>()
        );
        assert_eq!(read.end_offset(), Offset(0x25));
        assert_eq!(read.first_undecided_offset(), Some(Offset(0x20)));
    }

    #[test]
    fn no_cut_or_changed_byte_goes_unseen() {
        for size in 0..GOLDEN.len() {
            assert!(
                decode_snapshot(&GOLDEN[..size], Offset(0)).is_err(),
                "cut to {size}"
            );
        }
        for position in 0..GOLDEN.len() {
            let mut bytes = GOLDEN;
            bytes[position] ^= 0x10;
            assert!(
                decode_snapshot(&bytes, Offset(0)).is_err(),
                "byte {position}"
            );
        }
        let mut longer = GOLDEN.to_vec();
        longer.push(0);
        assert!(decode_snapshot(&longer, Offset(0)).is_err());
    }
}
