//! What can be wrong with a batch or a record, with the evidence.

use super::cursor::RecordFault;

/// Bytes that are not a sound batch of magic 2.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The bytes end before the batch does: the usual end of a fetch response, or a torn write.
    #[error("the batch needs {needed_bytes} bytes and {available_bytes} are there")]
    Incomplete {
        /// Bytes the batch needs as far as it can be told: its header, or its stated length.
        needed_bytes: usize,
        /// Bytes that are there.
        available_bytes: usize,
    },
    /// The length field is too small for a header, zero and negative numbers included.
    #[error("the batch states a length of {length}, below the least of 49")]
    LengthTooSmall {
        /// The length field as it stands.
        length: i32,
    },
    /// The batch has another magic: 0 and 1 are message sets, the rest is unknown.
    #[error("the batch has magic {magic}, not 2")]
    Magic {
        /// The magic byte.
        magic: i8,
    },
    /// The bytes changed after the checksum was made.
    #[error("the batch states the checksum {stored:#010x} but its bytes have {computed:#010x}")]
    Checksum {
        /// The checksum in the header.
        stored: u32,
        /// The checksum of the bytes.
        computed: u32,
    },
}

impl BatchError {
    /// True if more bytes could make the batch whole.
    #[must_use]
    pub const fn is_incomplete(&self) -> bool {
        matches!(self, Self::Incomplete { .. })
    }
}

/// A record that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("record {index} of the batch: {fault}")]
pub struct RecordError {
    /// Index of the record in its batch, from 0.
    pub index: u32,
    /// What is wrong with it.
    pub fault: RecordFault,
}
