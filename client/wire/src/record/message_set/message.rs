//! One message of magic 0 or 1, and an iterator over a set of them.

use crate::record::attributes::{Attributes, TimestampType};
use crate::record::batch::NO_TIMESTAMP_MS;

const ENTRY_HEADER_SIZE_BYTES: usize = 12;

/// One message, borrowed from its set. Its checksum has been compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The offset as the sender numbered it.
    pub offset: i64,
    /// 0 or 1.
    pub magic: i8,
    /// Codec and timestamp type.
    pub attributes: Attributes,
    /// Milliseconds since the Unix epoch; -1 in magic 0.
    pub timestamp_ms: i64,
    /// The key, or null.
    pub key: Option<&'a [u8]>,
    /// The value, or null; a message set if the attributes name a codec.
    pub value: Option<&'a [u8]>,
    /// Size of the message with offset and size field, in bytes.
    pub size_bytes: usize,
}

impl Message<'_> {
    /// Who set the timestamp; magic 0 has none, which counts as the producer's.
    #[must_use]
    pub const fn timestamp_type(&self) -> TimestampType {
        if self.magic == 0 {
            TimestampType::CreateTime
        } else {
            self.attributes.timestamp_type()
        }
    }
}

/// A message that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The bytes end before the message does.
    #[error("the message needs {needed_bytes} bytes and {available_bytes} are there")]
    Incomplete {
        /// Bytes the message needs as far as it can be told.
        needed_bytes: usize,
        /// Bytes that are there.
        available_bytes: usize,
    },
    /// The size field is too small or negative, or the parts do not fill the size.
    #[error("the message states a size of {size}, which its parts do not have")]
    Size {
        /// The size field as it stands.
        size: i32,
    },
    /// Neither 0 nor 1.
    #[error("the message has magic {magic}, neither 0 nor 1")]
    Magic {
        /// The magic byte.
        magic: i8,
    },
    /// The bytes changed after the checksum was made.
    #[error("the message states the checksum {stored:#010x} but its bytes have {computed:#010x}")]
    Checksum {
        /// The checksum in the message.
        stored: u32,
        /// The checksum of the bytes.
        computed: u32,
    },
}

/// The messages of a set, one by one. Ends at the end of the bytes or after the first error.
#[derive(Clone, Debug)]
pub struct Messages<'a> {
    rest: &'a [u8],
}

impl<'a> Messages<'a> {
    /// Starts at the first byte.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn read(&mut self) -> Result<Message<'a>, MessageError> {
        let available_bytes = self.rest.len();
        let incomplete = |needed_bytes| MessageError::Incomplete {
            needed_bytes,
            available_bytes,
        };
        let mut fields = Fields { rest: self.rest };
        let header = fields.i64().zip(fields.i32());
        let (offset, size) = header.ok_or_else(|| incomplete(ENTRY_HEADER_SIZE_BYTES))?;
        let body_size_bytes = usize::try_from(size)
            .ok()
            .ok_or(MessageError::Size { size })?;
        let Some((body, rest)) = fields.rest.split_at_checked(body_size_bytes) else {
            return Err(incomplete(
                ENTRY_HEADER_SIZE_BYTES.saturating_add(body_size_bytes),
            ));
        };
        let mut message = read_body(body, size)?;
        message.offset = offset;
        message.size_bytes = ENTRY_HEADER_SIZE_BYTES + body_size_bytes;
        self.rest = rest;
        Ok(message)
    }
}

fn read_body(body: &[u8], size: i32) -> Result<Message<'_>, MessageError> {
    let wrong_size = || MessageError::Size { size };
    let mut fields = Fields { rest: body };
    let stored = fields.i32().ok_or_else(wrong_size)?.cast_unsigned();
    let checked = fields.rest;
    let magic = fields.i8().ok_or_else(wrong_size)?;
    if !matches!(magic, 0 | 1) {
        return Err(MessageError::Magic { magic });
    }
    let computed = crc32fast::hash(checked);
    if stored != computed {
        return Err(MessageError::Checksum { stored, computed });
    }
    let attributes = Attributes(i16::from(fields.i8().ok_or_else(wrong_size)?));
    let timestamp_ms = if magic == 0 {
        NO_TIMESTAMP_MS
    } else {
        fields.i64().ok_or_else(wrong_size)?
    };
    let key = fields.nullable_bytes().ok_or_else(wrong_size)?;
    let value = fields.nullable_bytes().ok_or_else(wrong_size)?;
    if !fields.rest.is_empty() {
        return Err(wrong_size());
    }
    Ok(Message {
        offset: 0,
        magic,
        attributes,
        timestamp_ms,
        key,
        value,
        size_bytes: 0,
    })
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, MessageError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let message = self.read();
        if message.is_err() {
            self.rest = &[];
        }
        Some(message)
    }
}

struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (chunk, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*chunk)
    }

    fn i8(&mut self) -> Option<i8> {
        self.chunk().map(i8::from_be_bytes)
    }

    fn i32(&mut self) -> Option<i32> {
        self.chunk().map(i32::from_be_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.chunk().map(i64::from_be_bytes)
    }

    /// None if the bytes end; `Some(None)` is null.
    fn nullable_bytes(&mut self) -> Option<Option<&'a [u8]>> {
        let length = self.i32()?;
        let Ok(size_bytes) = usize::try_from(length) else {
            return Some(None);
        };
        let (bytes, rest) = self.rest.split_at_checked(size_bytes)?;
        self.rest = rest;
        Some(Some(bytes))
    }
}
