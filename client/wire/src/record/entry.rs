//! One record inside a batch, read lazily and borrowed from the batch's bytes.

use super::attributes::TimestampType;
use super::batch::BatchHeader;
use super::cursor::{Cursor, RecordFault};
use super::error::RecordError;
use crate::id::Offset;

/// One record of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Offset of the record in its partition.
    pub offset: Offset,
    /// Offset minus the batch's base offset, as stored.
    pub offset_delta: i32,
    /// Milliseconds since the Unix epoch; -1 for none. The batch's append time where the broker
    /// sets the timestamps.
    pub timestamp_ms: i64,
    /// The key, or null.
    pub key: Option<&'a [u8]>,
    /// The value; null is a tombstone in a compacted topic.
    pub value: Option<&'a [u8]>,
    /// The headers, in the order of the producer; a name may come more than once.
    pub headers: Headers<'a>,
}

/// One header of a record. Source: KIP-82.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// The name: UTF-8 by convention, not checked.
    pub key: &'a [u8],
    /// The value, or null.
    pub value: Option<&'a [u8]>,
}

/// The headers of one record, read again on each pass. Their bytes were checked with the record.
#[derive(Clone, Copy, Debug)]
pub struct Headers<'a> {
    cursor: Cursor<'a>,
    remaining: u32,
}

impl<'a> Headers<'a> {
    /// Number of headers not yet read.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.remaining
    }

    /// True if no header is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.remaining == 0
    }

    fn read(cursor: &mut Cursor<'a>) -> Result<Header<'a>, RecordFault> {
        let key = cursor.bytes("header key")?;
        let value = cursor.nullable_bytes()?;
        Ok(Header { key, value })
    }
}

impl<'a> Iterator for Headers<'a> {
    type Item = Header<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.remaining = self.remaining.checked_sub(1)?;
        Self::read(&mut self.cursor).ok()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let count = usize::try_from(self.remaining).unwrap_or(usize::MAX);
        (count, Some(count))
    }
}

impl ExactSizeIterator for Headers<'_> {}

/// The records of one batch, one by one. Ends after the stated number of records, or after the
/// first error; bytes left over after the last record are an error.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    cursor: Cursor<'a>,
    base_offset: i64,
    base_timestamp_ms: i64,
    append_time_ms: Option<i64>,
    index: u32,
    count: u32,
    ended: bool,
}

impl<'a> Records<'a> {
    /// Reads `bytes` (not compressed) with the base offset and timestamp of `header`.
    pub(super) fn new(header: BatchHeader<'_>, bytes: &'a [u8]) -> Self {
        let append_time = header.timestamp_type() == TimestampType::LogAppendTime;
        Self {
            cursor: Cursor::new(bytes),
            base_offset: header.base_offset().0,
            base_timestamp_ms: header.base_timestamp_ms(),
            append_time_ms: append_time.then(|| header.max_timestamp_ms()),
            index: 0,
            count: u32::try_from(header.record_count()).unwrap_or(0),
            ended: false,
        }
    }

    /// Index of the next record in its batch, from 0.
    #[must_use]
    pub const fn index(&self) -> u32 {
        self.index
    }

    #[inline]
    fn read(&mut self) -> Result<Record<'a>, RecordFault> {
        let mut body = Cursor::new(self.cursor.bytes("record")?);
        let _attributes_unused_by_kafka = body.byte()?;
        let timestamp_delta_ms = body.varlong()?;
        let offset_delta = body.varint()?;
        let key = body.nullable_bytes()?;
        let value = body.nullable_bytes()?;
        let headers = read_headers(&mut body)?;
        if !body.rest().is_empty() {
            return Err(RecordFault::TrailingBytes {
                trailing_bytes: body.rest().len(),
            });
        }
        Ok(Record {
            offset: Offset(self.base_offset.wrapping_add(i64::from(offset_delta))),
            offset_delta,
            timestamp_ms: self
                .append_time_ms
                .unwrap_or_else(|| self.base_timestamp_ms.wrapping_add(timestamp_delta_ms)),
            key,
            value,
            headers,
        })
    }

    fn end(&mut self) -> Option<Result<Record<'a>, RecordError>> {
        let trailing_bytes = self.cursor.rest().len();
        let first_time = !std::mem::replace(&mut self.ended, true);
        (first_time && trailing_bytes > 0).then(|| {
            let fault = RecordFault::TrailingRecords { trailing_bytes };
            Err(RecordError {
                index: self.index,
                fault,
            })
        })
    }
}

#[inline]
fn read_headers<'a>(body: &mut Cursor<'a>) -> Result<Headers<'a>, RecordFault> {
    let count = body.varint()?;
    let remaining_bytes = body.rest().len();
    // A header takes two bytes at least.
    let Some(remaining) = u32::try_from(count)
        .ok()
        .filter(|&count| usize::try_from(count).is_ok_and(|count| count <= remaining_bytes))
    else {
        return Err(RecordFault::HeaderCount {
            count,
            remaining_bytes,
        });
    };
    let headers = Headers {
        cursor: *body,
        remaining,
    };
    for _ in 0..remaining {
        Headers::read(body)?;
    }
    Ok(headers)
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, RecordError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.ended || self.index == self.count {
            return self.end();
        }
        let record = self.read();
        let index = self.index;
        self.index += 1;
        if record.is_err() {
            self.ended = true;
        }
        Some(record.map_err(|fault| RecordError { index, fault }))
    }
}
