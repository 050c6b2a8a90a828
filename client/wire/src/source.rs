//! Reads untrusted bytes.

use bytes::Bytes;

use crate::{Coding, DecodeError, Str, Wire};

/// Memory that lists of one frame may take whatever its size. Unit: bytes.
pub const LIST_MEMORY_BASE_BYTES: usize = 1 << 20;

/// Memory that lists of one frame may take for each of its bytes. The densest honest request
/// (Metadata with names of one character) takes 16.
pub const LIST_MEMORY_PER_BYTE: usize = 16;

/// Elements for which room is made before any of them has been read.
const ELEMENTS_RESERVED_MAX: usize = 1024;

/// Longest text in either form, in bytes; so what was read can be written in the other. Source:
/// Kafka's generated message code.
pub(crate) const TEXT_BYTES_MAX: usize = i16::MAX.unsigned_abs() as usize;

/// Most bytes of a `u32` varint, of a `u64` varint.
const VARINT_BYTES_MAX: usize = 5;
const VARLONG_BYTES_MAX: usize = 10;

/// Reads a frame from front to back.
///
/// Nothing is allocated from a number in the frame before the rest of the frame is known to be
/// able to hold that many; and all lists of a frame together are bounded by its size
/// ([`LIST_MEMORY_BASE_BYTES`], [`LIST_MEMORY_PER_BYTE`]). Text and byte strings are slices of
/// the frame and keep it alive.
#[derive(Debug)]
pub struct Source<'a> {
    frame: &'a Bytes,
    position: usize,
    end: usize,
    /// Memory that lists may still take, in bytes.
    allowance: usize,
}

/// Where a tagged field ends, and where reading goes on after the fields around it.
#[derive(Debug)]
#[must_use]
pub struct TagScope {
    content_end: usize,
    outer_end: usize,
}

impl<'a> Source<'a> {
    /// Begins at the first byte of `frame`.
    #[must_use]
    pub const fn new(frame: &'a Bytes) -> Self {
        let by_size = frame.len().saturating_mul(LIST_MEMORY_PER_BYTE);
        let allowance = LIST_MEMORY_BASE_BYTES.saturating_add(by_size);
        Self {
            frame,
            position: 0,
            end: frame.len(),
            allowance,
        }
    }

    /// Bytes read so far.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }

    /// Bytes left to read.
    #[must_use]
    pub const fn left(&self) -> usize {
        self.end.saturating_sub(self.position)
    }

    /// Steps over `length` bytes and tells where they were.
    fn advance(&mut self, length: usize) -> Result<usize, DecodeError> {
        let (position, left) = (self.position, self.left());
        if length > left {
            return Err(DecodeError::Truncated {
                position,
                needed: length,
                left,
            });
        }
        self.position += length;
        Ok(position)
    }

    /// Takes the next `N` bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn read_array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let position = self.advance(N)?;
        let found = self.frame.get(position..).and_then(<[u8]>::first_chunk);
        found.copied().ok_or(DecodeError::Truncated {
            position,
            needed: N,
            left: 0,
        })
    }

    /// Takes the next `length` bytes as a slice of the frame, without copying.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn read_slice(&mut self, length: usize) -> Result<Bytes, DecodeError> {
        let position = self.advance(length)?;
        Ok(self.frame.slice(position..position + length))
    }

    /// Takes an unsigned varint of at most five bytes (base 128, low group first).
    ///
    /// # Errors
    /// [`DecodeError::VarintTooLong`], [`DecodeError::Truncated`].
    pub fn read_uvarint(&mut self) -> Result<u32, DecodeError> {
        let position = self.position;
        let value = self.read_groups(VARINT_BYTES_MAX)?;
        u32::try_from(value).map_err(|_too_large| DecodeError::VarintTooLong { position })
    }

    /// Takes an unsigned varint of at most ten bytes.
    ///
    /// # Errors
    /// [`DecodeError::VarintTooLong`], [`DecodeError::Truncated`].
    pub fn read_uvarlong(&mut self) -> Result<u64, DecodeError> {
        self.read_groups(VARLONG_BYTES_MAX)
    }

    fn read_groups(&mut self, bytes_max: usize) -> Result<u64, DecodeError> {
        let position = self.position;
        let mut value = 0_u64;
        for index in 0..bytes_max {
            let [byte] = self.read_array()?;
            let group = u64::from(byte & 0x7f);
            let shift = 7 * index;
            if (group << shift) >> shift != group {
                return Err(DecodeError::VarintTooLong { position });
            }
            value |= group << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(DecodeError::VarintTooLong { position })
    }

    /// Takes the length of a text: `None` is null. Two bytes, or a varint of length + 1.
    pub(crate) fn read_text_length(
        &mut self,
        coding: Coding,
    ) -> Result<Option<usize>, DecodeError> {
        let position = self.position;
        if coding.is_flexible {
            let length = self.read_compact_length()?;
            return match length {
                Some(length) if length > TEXT_BYTES_MAX => {
                    Err(DecodeError::TextTooLong { position, length })
                }
                fits => Ok(fits),
            };
        }
        let length = i16::from_be_bytes(self.read_array()?);
        length_of(position, i32::from(length))
    }

    /// Takes the length of a byte string or the count of a list: `None` is null. Four bytes, or a
    /// varint of length + 1.
    pub(crate) fn read_length(&mut self, coding: Coding) -> Result<Option<usize>, DecodeError> {
        if coding.is_flexible {
            return self.read_compact_length();
        }
        let position = self.position;
        length_of(position, i32::from_be_bytes(self.read_array()?))
    }

    fn read_compact_length(&mut self) -> Result<Option<usize>, DecodeError> {
        let position = self.position;
        let Some(length) = self.read_uvarint()?.checked_sub(1) else {
            return Ok(None);
        };
        // The largest value of Kafka's lengths is that of a Java int.
        match i32::try_from(length) {
            Ok(length) => length_of(position, length),
            Err(_) => Err(DecodeError::VarintTooLong { position }),
        }
    }

    /// Takes `count` elements.
    pub(crate) fn read_list<T: Wire>(
        &mut self,
        count: usize,
        coding: Coding,
    ) -> Result<Vec<T>, DecodeError> {
        let (position, left) = (self.position, self.left());
        if count > left / T::SIZE_MIN.max(1) {
            return Err(DecodeError::CountTooLarge {
                position,
                count,
                left,
            });
        }
        let needed = count.saturating_mul(size_of::<T>());
        let Some(allowance) = self.allowance.checked_sub(needed) else {
            let allowed = self.allowance;
            return Err(DecodeError::MemoryExceeded {
                position,
                needed,
                allowed,
            });
        };
        self.allowance = allowance;
        let mut list = Vec::with_capacity(count.min(ELEMENTS_RESERVED_MAX));
        for _ in 0..count {
            list.push(T::read(self, coding)?);
        }
        Ok(list)
    }

    /// Takes `length` bytes of UTF-8.
    pub(crate) fn read_text(&mut self, length: usize) -> Result<Str, DecodeError> {
        let position = self.position;
        let bytes = self.read_slice(length)?;
        Str::from_utf8(bytes).ok_or(DecodeError::NotUtf8 { position })
    }

    /// Steps over a section of tagged fields. Source: KIP-482.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`], [`DecodeError::VarintTooLong`].
    pub fn skip_tags(&mut self) -> Result<(), DecodeError> {
        for _ in 0..self.read_uvarint()? {
            let (_tag, scope) = self.enter_tag()?;
            self.leave_tag(&scope);
        }
        Ok(())
    }

    /// Takes a tagged field's number and size; until [`Source::leave_tag`] only its content can
    /// be read.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`], [`DecodeError::VarintTooLong`].
    pub fn enter_tag(&mut self) -> Result<(u32, TagScope), DecodeError> {
        let tag = self.read_uvarint()?;
        let (size, position, left) = (self.read_uvarint()?, self.position, self.left());
        let needed = usize::try_from(size).unwrap_or(usize::MAX);
        if needed > left {
            return Err(DecodeError::Truncated {
                position,
                needed,
                left,
            });
        }
        let scope = TagScope {
            content_end: position + needed,
            outer_end: self.end,
        };
        self.end = scope.content_end;
        Ok((tag, scope))
    }

    /// Goes on behind the tagged field, whatever of it was read.
    pub const fn leave_tag(&mut self, scope: &TagScope) {
        self.position = scope.content_end;
        self.end = scope.outer_end;
    }
}

/// -1 is null; what is below is an error.
fn length_of(position: usize, length: i32) -> Result<Option<usize>, DecodeError> {
    match usize::try_from(length) {
        Ok(length) => Ok(Some(length)),
        Err(_) if length == -1 => Ok(None),
        Err(_) => Err(DecodeError::NegativeLength { position, length }),
    }
}

#[cfg(test)]
mod tests;
