//! Message sets of magic 0 and 1: what clients older than 0.11 send with Produce versions 0 to 2.
//!
//! They are read here and written anew as one batch of magic 2; a log never holds them.
//!
//! ```text
//! offset i64   size i32   CRC-32 u32   magic i8   attributes i8   [1: timestamp i64]
//! key size i32 (-1 null)  key   value size i32 (-1 null)  value
//! ```
//! A compressed set is one message whose value is a message set.
//! Source: KIP-32, KIP-31; Kafka 2.8 `LegacyRecord`, `AbstractLegacyRecordBatch`.

mod convert;
mod lz4_header;
mod message;

pub use convert::{Converted, convert_produced};
pub use message::{Message, MessageError, Messages};

/// Position of the magic byte in message sets and batches alike.
const MAGIC_POSITION: usize = 16;

/// The magic of the first message or batch in `bytes`; none if they end before it.
#[must_use]
pub fn leading_magic(bytes: &[u8]) -> Option<i8> {
    bytes.get(MAGIC_POSITION).map(|magic| magic.cast_signed())
}

#[cfg(test)]
mod tests;
