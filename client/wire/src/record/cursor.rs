//! Reads the pieces of a record: zig-zag varints and length-prefixed bytes. Never panics.

/// What is wrong with the bytes of one record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordFault {
    /// The bytes end inside the record.
    #[error("its bytes end {missing_bytes} short")]
    UnexpectedEnd {
        /// How many bytes are missing, at least.
        missing_bytes: usize,
    },
    /// A varint goes on longer than its type can be.
    #[error("a varint is longer than {limit_bytes} bytes")]
    VarintTooLong {
        /// Greatest length of this varint: 5 for 32 bits, 10 for 64.
        limit_bytes: usize,
    },
    /// A length that must not be negative is.
    #[error("the length of its {what} is {length}")]
    NegativeLength {
        /// Which length.
        what: &'static str,
        /// The length as read.
        length: i32,
    },
    /// More headers are stated than bytes are left.
    #[error("{count} headers are stated with {remaining_bytes} bytes left")]
    HeaderCount {
        /// The count as read.
        count: i32,
        /// Bytes left in the record.
        remaining_bytes: usize,
    },
    /// The record's parts end before its stated size does.
    #[error("{trailing_bytes} bytes follow its last header")]
    TrailingBytes {
        /// How many bytes are left over.
        trailing_bytes: usize,
    },
    /// The batch holds bytes after its last stated record.
    #[error("{trailing_bytes} bytes follow the last stated record")]
    TrailingRecords {
        /// How many bytes are left over.
        trailing_bytes: usize,
    },
}

/// The unread rest of some bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn byte(&mut self) -> Result<u8, RecordFault> {
        let Some((&first, rest)) = self.rest.split_first() else {
            return Err(RecordFault::UnexpectedEnd { missing_bytes: 1 });
        };
        self.rest = rest;
        Ok(first)
    }

    pub(super) fn take(&mut self, size_bytes: usize) -> Result<&'a [u8], RecordFault> {
        let Some((taken, rest)) = self.rest.split_at_checked(size_bytes) else {
            let missing_bytes = size_bytes.saturating_sub(self.rest.len());
            return Err(RecordFault::UnexpectedEnd { missing_bytes });
        };
        self.rest = rest;
        Ok(taken)
    }

    /// A zig-zag number of 32 bits.
    #[inline]
    pub(super) fn varint(&mut self) -> Result<i32, RecordFault> {
        let first = self.byte()?;
        let mut value = u32::from(first & 0x7f);
        if first >= 0x80 {
            let mut shift = 7;
            loop {
                let byte = self.byte()?;
                value |= u32::from(byte & 0x7f) << shift;
                if byte < 0x80 {
                    break;
                }
                shift += 7;
                if shift > 28 {
                    return Err(RecordFault::VarintTooLong { limit_bytes: 5 });
                }
            }
        }
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// A zig-zag number of 64 bits.
    #[inline]
    pub(super) fn varlong(&mut self) -> Result<i64, RecordFault> {
        let mut value = 0_u64;
        let mut shift = 0;
        loop {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
            }
            shift += 7;
            if shift > 63 {
                return Err(RecordFault::VarintTooLong { limit_bytes: 10 });
            }
        }
    }

    /// Bytes behind a varint of their length; a negative length is null, as Kafka reads it.
    #[inline]
    pub(super) fn nullable_bytes(&mut self) -> Result<Option<&'a [u8]>, RecordFault> {
        let length = self.varint()?;
        usize::try_from(length).map_or(Ok(None), |size_bytes| self.take(size_bytes).map(Some))
    }

    /// Bytes behind a varint of their length, which must not be negative.
    #[inline]
    pub(super) fn bytes(&mut self, what: &'static str) -> Result<&'a [u8], RecordFault> {
        let length = self.varint()?;
        let Ok(size_bytes) = usize::try_from(length) else {
            return Err(RecordFault::NegativeLength { what, length });
        };
        self.take(size_bytes)
    }
}

/// Appends `value` as a zig-zag varint: 1 to 5 bytes.
pub(super) fn put_varint(out: &mut Vec<u8>, value: i32) {
    put_unsigned(out, u64::from(zigzag(value)));
}

/// Appends `value` as a zig-zag varint: 1 to 10 bytes.
pub(super) fn put_varlong(out: &mut Vec<u8>, value: i64) {
    put_unsigned(out, zigzag_long(value));
}

/// Bytes that [`put_varint`] appends.
pub(super) const fn varint_size_bytes(value: i32) -> usize {
    unsigned_size_bytes(zigzag(value) as u64)
}

/// Bytes that [`put_varlong`] appends.
pub(super) const fn varlong_size_bytes(value: i64) -> usize {
    unsigned_size_bytes(zigzag_long(value))
}

const fn zigzag(value: i32) -> u32 {
    ((value << 1) ^ (value >> 31)).cast_unsigned()
}

const fn zigzag_long(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

const fn unsigned_size_bytes(value: u64) -> usize {
    let bits = 64 - (value | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

#[inline]
fn put_unsigned(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        let [.., low] = value.to_be_bytes();
        out.push(low | 0x80);
        value >>= 7;
    }
    let [.., low] = value.to_be_bytes();
    out.push(low);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: i64, expected: &[u8]) {
        let mut out = Vec::new();
        put_varlong(&mut out, value);
        assert_eq!(out, expected, "{value}");
        assert_eq!(varlong_size_bytes(value), expected.len(), "{value}");
        assert_eq!(Cursor::new(&out).varlong(), Ok(value));
        if let Ok(short) = i32::try_from(value) {
            out.clear();
            put_varint(&mut out, short);
            assert_eq!(out, expected, "{value}");
            assert_eq!(varint_size_bytes(short), expected.len(), "{value}");
            assert_eq!(Cursor::new(&out).varint(), Ok(short));
        }
    }

    #[test]
    fn varints_have_the_bytes_of_protocol_buffers() {
        check(0, &[0]);
        check(-1, &[1]);
        check(1, &[2]);
        check(63, &[0x7e]);
        check(-64, &[0x7f]);
        check(64, &[0x80, 1]);
        check(-65, &[0x81, 1]);
        check(8191, &[0xfe, 0x7f]);
        check(8192, &[0x80, 0x80, 1]);
        check(i64::from(i32::MAX), &[0xfe, 0xff, 0xff, 0xff, 0x0f]);
        check(i64::from(i32::MIN), &[0xff, 0xff, 0xff, 0xff, 0x0f]);
        check(
            i64::MIN,
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
        );
    }

    #[test]
    fn a_varint_without_an_end_is_an_error() {
        let endless = [0xff; 16];
        let short = Cursor::new(&endless).varint();
        assert_eq!(short, Err(RecordFault::VarintTooLong { limit_bytes: 5 }));
        let long = Cursor::new(&endless).varlong();
        assert_eq!(long, Err(RecordFault::VarintTooLong { limit_bytes: 10 }));
        let cut = Cursor::new(&endless[..2]).varint();
        assert_eq!(cut, Err(RecordFault::UnexpectedEnd { missing_bytes: 1 }));
    }

    #[test]
    fn bytes_beyond_the_end_are_an_error_and_a_negative_length_is_null() {
        let mut cursor = Cursor::new(&[6, 1, 2]);
        assert_eq!(
            cursor.nullable_bytes(),
            Err(RecordFault::UnexpectedEnd { missing_bytes: 1 })
        );
        assert_eq!(Cursor::new(&[1]).nullable_bytes(), Ok(None));
        let fault = RecordFault::NegativeLength {
            what: "key",
            length: -1,
        };
        assert_eq!(Cursor::new(&[1]).bytes("key"), Err(fault));
    }
}
