//! Writes a produced message set anew as one batch of magic 2.
//!
//! Source: Kafka 2.8 `LogValidator.convertAndAssignOffsetsNonCompressed` and
//! `validateMessagesAndAssignOffsetsCompressed`.

use bytes::Bytes;

use super::lz4_header::with_right_checksum;
use super::message::{Message, MessageError, Messages};
use crate::record::attributes::TimestampType;
use crate::record::builder::BatchBuilder;
use crate::record::compression::{Compression, CompressionError};
use crate::record::refusal::ValidationError;
use crate::record::validate::{ProduceRules, check_timestamp};

/// A batch of magic 2 with the records of a message set, base offset 0.
#[derive(Clone, Debug)]
pub struct Converted {
    /// The batch.
    pub batch: Bytes,
    /// Number of records.
    pub record_count: i32,
}

/// Checks the message set that a producer sent with Produce version 0 to 2, and converts it.
///
/// The batch keeps the codec of the set unless the rules name another. Timestamps stay the
/// producer's: give the batch to [`check_produced`](crate::record::check_produced) next, which
/// knows what to do with them.
///
/// # Errors
/// The first rule that the set breaks; see [`ValidationError`].
pub fn convert_produced(bytes: &[u8], rules: &ProduceRules) -> Result<Converted, ValidationError> {
    let set = Set::read(bytes, rules)?;
    let compression = rules.compression.unwrap_or(set.compression);
    let mut builder = BatchBuilder::new(compression, bytes.len());
    let mut append = |message: &Message<'_>| -> Result<(), ValidationError> {
        let index = builder.record_count();
        check_message(u32::try_from(index).unwrap_or(u32::MAX), message, rules)?;
        builder
            .append(message.timestamp_ms, message.key, message.value, [])
            .map_err(|error| ValidationError::Build(Box::new(error)))?;
        Ok(())
    };
    match set.wrapper {
        None => {
            for message in whole_messages(bytes) {
                append(&message?)?;
            }
        }
        Some(wrapper) => {
            let inner = unwrap(&wrapper, set.compression, rules.decompressed_max_bytes)?;
            for message in Messages::new(&inner) {
                let message = message?;
                check_inner(&message, &wrapper)?;
                append(&message)?;
            }
        }
    }
    let record_count = builder.record_count();
    if record_count == 0 {
        return Err(ValidationError::NoBatch);
    }
    let batch = builder
        .build()
        .map_err(|error| ValidationError::Build(Box::new(error)))?;
    Ok(Converted {
        batch,
        record_count,
    })
}

/// What the outer messages say together.
struct Set<'a> {
    compression: Compression,
    wrapper: Option<Message<'a>>,
}

impl<'a> Set<'a> {
    fn read(bytes: &'a [u8], rules: &ProduceRules) -> Result<Self, ValidationError> {
        let mut first: Option<Message<'a>> = None;
        let mut wrapper = None;
        for (index, message) in whole_messages(bytes).enumerate() {
            let message = message?;
            let size_bytes = message.size_bytes;
            let limit_bytes = rules.batch_size_max_bytes;
            if size_bytes > limit_bytes {
                return Err(ValidationError::TooLarge {
                    size_bytes,
                    limit_bytes,
                });
            }
            let first = first.get_or_insert(message);
            if message.magic != first.magic {
                return Err(MessageError::Magic {
                    magic: message.magic,
                }
                .into());
            }
            if wrapper.is_some() || (message.attributes.codec_id() != 0 && index > 0) {
                return Err(ValidationError::MoreThanOneBatch);
            }
            if message.attributes.codec_id() != 0 {
                wrapper = Some(message);
            }
        }
        let first = first.ok_or(ValidationError::NoBatch)?;
        let compression = first.attributes.compression()?;
        if compression == Compression::Zstd {
            return Err(ValidationError::ZstdNotAllowed);
        }
        Ok(Self {
            compression,
            wrapper,
        })
    }
}

/// The messages up to the first that is cut off, as Kafka reads a set.
fn whole_messages(bytes: &[u8]) -> impl Iterator<Item = Result<Message<'_>, MessageError>> {
    Messages::new(bytes)
        .take_while(|message| !matches!(message, Err(MessageError::Incomplete { .. })))
}

fn unwrap(
    wrapper: &Message<'_>,
    compression: Compression,
    limit_bytes: usize,
) -> Result<Vec<u8>, CompressionError> {
    let packed = wrapper.value.unwrap_or_default();
    let mut inner = Vec::new();
    if compression == Compression::Lz4 && wrapper.magic == 0 {
        compression.decompress(&with_right_checksum(packed), limit_bytes, &mut inner)?;
    } else {
        compression.decompress(packed, limit_bytes, &mut inner)?;
    }
    Ok(inner)
}

/// A message inside a compressed one has its magic and is not compressed itself.
fn check_inner(message: &Message<'_>, wrapper: &Message<'_>) -> Result<(), ValidationError> {
    if message.magic != wrapper.magic {
        return Err(MessageError::Magic {
            magic: message.magic,
        }
        .into());
    }
    if message.attributes.codec_id() != 0 {
        return Err(ValidationError::NestedCompression);
    }
    if wrapper.timestamp_type() != TimestampType::CreateTime {
        return Err(ValidationError::TimestampType);
    }
    Ok(())
}

fn check_message(
    index: u32,
    message: &Message<'_>,
    rules: &ProduceRules,
) -> Result<(), ValidationError> {
    if rules.key_required && message.key.is_none() {
        return Err(ValidationError::KeyMissing { index });
    }
    if message.timestamp_type() != TimestampType::CreateTime {
        return Err(ValidationError::TimestampType);
    }
    check_timestamp(index, message.timestamp_ms, rules)
}
