//! Record batches: the unit that producers send, brokers store and consumers fetch.
//!
//! Everything works on borrowed bytes. A batch of magic 2 is a fixed header of 61 bytes followed by
//! its records, which are compressed as one block when the batch is compressed:
//!
//! ```text
//! position width field
//!        0     8 base offset
//!        8     4 length: bytes after this field
//!       12     4 partition leader epoch
//!       16     1 magic (2)
//!       17     4 CRC-32C of everything from `attributes` on
//!       21     2 attributes: codec 0-2, timestamp type 3, transactional 4, control 5
//!       23     4 last offset delta
//!       27     8 base timestamp
//!       35     8 max timestamp
//!       43     8 producer id
//!       51     2 producer epoch
//!       53     4 base sequence
//!       57     4 record count
//!       61     . records
//! ```
//!
//! Base offset and leader epoch lie before the checksummed part, so a broker assigns offsets by
//! patching bytes, without reading the records again.
//! Source: KIP-98; Kafka 2.8 `DefaultRecordBatch`, `DefaultRecord`, `LogValidator`.

mod assign;
mod attributes;
mod batch;
mod batches;
mod builder;
mod checksum;
mod compression;
mod cursor;
mod entry;
mod error;
mod message_set;
mod refusal;
mod replicated;
mod validate;

pub use assign::BatchMut;
pub use attributes::{Attributes, TimestampType};
pub use batch::{Batch, BatchHeader, HEADER_SIZE_BYTES, LENGTH_END, NO_TIMESTAMP_MS};
pub use batches::Batches;
pub use builder::{BatchBuilder, BuildError, RECORD_OVERHEAD_MAX_BYTES, rebuild};
pub use compression::{Compression, CompressionError, UnknownCompressionName};
pub use cursor::RecordFault;
pub use entry::{Header, Headers, Record, Records};
pub use error::{BatchError, RecordError};
pub use message_set::{
    Converted, Message, MessageError, Messages, convert_produced, leading_magic,
};
pub use refusal::{ValidationError, ValidationKind};
pub use replicated::{ReplicatedBatches, check_replicated};
pub use validate::{
    ProduceRules, RebuildReason, RecordDepth, TimestampRule, Validated, check_produced,
};

#[cfg(test)]
mod tests;
