//! Writes frames as a few pieces: bytes of its own, shared bytes, parts of files.

use std::fs::File;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};

use crate::source::TEXT_BYTES_MAX;
use crate::{Coding, EncodeError, Wire};

/// Byte strings up to this length are copied into the frame's own buffer; longer ones become
/// pieces of their own. Copying a few KiB costs less than one more entry of a vectored write.
pub const COPIED_BYTES_MAX: usize = 4096;

/// Room made at first; enough for most frames without records.
const CAPACITY_BYTES: usize = 512;

/// A range of a file that goes out without being read into memory.
#[derive(Clone, Debug)]
pub struct FileRegion {
    /// The file. Held open until the frame is gone.
    pub file: Arc<File>,
    /// First byte.
    pub position: u64,
    /// Count of bytes.
    pub length: u32,
}

impl PartialEq for FileRegion {
    /// The same range of the same open file.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.file, &other.file)
            && (self.position, self.length) == (other.position, other.length)
    }
}

impl Eq for FileRegion {}

/// A part of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Bytes in memory.
    Bytes(Bytes),
    /// Bytes of a file, to be spliced.
    File(FileRegion),
}

impl Piece {
    /// Count of bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::File(region) => usize::try_from(region.length).unwrap_or(usize::MAX),
        }
    }

    /// Whether there are no bytes in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Finished bytes, in order. No piece is empty, and no two pieces of the sink's own bytes are
/// neighbours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pieces {
    pieces: Vec<Piece>,
    size_bytes: usize,
}

impl Pieces {
    /// All pieces together. Unit: bytes.
    #[must_use]
    pub const fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// The pieces in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Piece] {
        &self.pieces
    }

    /// The pieces in order, for keeps.
    #[must_use]
    pub fn into_vec(self) -> Vec<Piece> {
        self.pieces
    }

    /// Everything as one byte string; copies unless there is a single piece.
    ///
    /// # Errors
    /// [`EncodeError::FileInMemory`] if a part of a file is among the pieces.
    pub fn into_bytes(self) -> Result<Bytes, EncodeError> {
        if let [Piece::Bytes(bytes)] = self.pieces.as_slice() {
            return Ok(bytes.clone());
        }
        let mut all = BytesMut::with_capacity(self.size_bytes);
        for piece in &self.pieces {
            match piece {
                Piece::Bytes(bytes) => all.put_slice(bytes),
                Piece::File(_) => return Err(EncodeError::FileInMemory),
            }
        }
        Ok(all.freeze())
    }
}

impl IntoIterator for Pieces {
    type Item = Piece;
    type IntoIter = std::vec::IntoIter<Piece>;

    fn into_iter(self) -> Self::IntoIter {
        self.pieces.into_iter()
    }
}

/// Collects a frame. A value that cannot be written is remembered, and [`Sink::finish`] fails
/// with it; so callers check once.
#[derive(Debug)]
pub struct Sink {
    buffer: BytesMut,
    splices: Vec<Splice>,
    spliced_bytes: usize,
    error: Option<EncodeError>,
}

/// A piece, and the length of the buffer before it.
#[derive(Debug)]
struct Splice {
    at: usize,
    piece: Piece,
}

impl Default for Sink {
    fn default() -> Self {
        Self::new()
    }
}

impl Sink {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self {
            buffer: BytesMut::with_capacity(CAPACITY_BYTES),
            splices: Vec::new(),
            spliced_bytes: 0,
            error: None,
        }
    }

    /// Everything written so far. Unit: bytes.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.buffer.len() + self.spliced_bytes
    }

    /// Remembers a failure; the first one counts.
    pub fn refuse(&mut self, error: EncodeError) {
        self.error.get_or_insert(error);
    }

    /// A field is set that the version cannot carry.
    pub fn refuse_field(&mut self, field: &'static str, api_version: i16) {
        self.refuse(EncodeError::FieldNotInVersion { field, api_version });
    }

    /// A field is null where the version has no null.
    pub fn refuse_null(&mut self, field: &'static str, api_version: i16) {
        self.refuse(EncodeError::NullNotInVersion { field, api_version });
    }

    /// Appends bytes by copy.
    pub fn write_slice(&mut self, bytes: &[u8]) {
        self.buffer.put_slice(bytes);
    }

    /// Appends bytes, by reference if they are many ([`COPIED_BYTES_MAX`]).
    pub fn write_shared(&mut self, bytes: &Bytes) {
        if bytes.len() <= COPIED_BYTES_MAX {
            self.buffer.put_slice(bytes);
        } else {
            self.splice(Piece::Bytes(bytes.clone()));
        }
    }

    /// Appends a part of a file by reference.
    pub fn write_file(&mut self, region: &FileRegion) {
        if region.length > 0 {
            self.splice(Piece::File(region.clone()));
        }
    }

    fn splice(&mut self, piece: Piece) {
        self.spliced_bytes += piece.len();
        self.splices.push(Splice {
            at: self.buffer.len(),
            piece,
        });
    }

    /// Appends an unsigned varint (base 128, low group first).
    pub fn write_uvarint(&mut self, value: u32) {
        self.write_uvarlong(u64::from(value));
    }

    /// Appends an unsigned varint of up to ten bytes.
    pub fn write_uvarlong(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.buffer.put_u8(low_group(value) | 0x80);
            value >>= 7;
        }
        self.buffer.put_u8(low_group(value));
    }

    /// Appends the length of a text: two bytes, or a varint of length + 1; `None` is null.
    pub(crate) fn write_text_length(&mut self, length: Option<usize>, coding: Coding) {
        if coding.is_flexible {
            return self.write_compact_length(length, TEXT_BYTES_MAX);
        }
        let coded = length.map_or(Ok(-1), i16::try_from);
        match coded {
            Ok(length) => self.buffer.put_i16(length),
            Err(_) => self.refuse_length(length, TEXT_BYTES_MAX),
        }
    }

    /// Appends the length of a byte string or the count of a list: four bytes, or a varint of
    /// length + 1; `None` is null.
    pub(crate) fn write_length(&mut self, length: Option<usize>, coding: Coding) {
        if coding.is_flexible {
            return self.write_compact_length(length, LENGTH_MAX);
        }
        let coded = length.map_or(Ok(-1), i32::try_from);
        match coded {
            Ok(length) => self.buffer.put_i32(length),
            Err(_) => self.refuse_length(length, LENGTH_MAX),
        }
    }

    fn write_compact_length(&mut self, length: Option<usize>, length_max: usize) {
        let coded = length.map_or(Some(0), |length| {
            u32::try_from(length)
                .ok()
                .filter(|_| length <= length_max)
                .map(|length| length + 1)
        });
        match coded {
            Some(coded) => self.write_uvarint(coded),
            None => self.refuse_length(length, length_max),
        }
    }

    fn refuse_length(&mut self, length: Option<usize>, length_max: usize) {
        self.refuse(EncodeError::TooLong {
            length: length.unwrap_or(0),
            length_max,
        });
    }

    /// Appends a tagged field: number, size, content. Source: KIP-482.
    pub fn write_tagged<T: Wire>(&mut self, tag: u32, value: &T, coding: Coding) {
        self.write_uvarint(tag);
        let (start, size_before) = (self.buffer.len(), self.size_bytes());
        let first_splice = self.splices.len();
        value.write(self, coding);
        let (end, size) = (self.buffer.len(), self.size_bytes() - size_before);
        // The size stands before the content but is known only now: append it, then move it.
        self.write_uvarlong(size as u64);
        let prefix_bytes = self.buffer.len() - end;
        if let Some(tail) = self.buffer.get_mut(start..) {
            tail.rotate_right(prefix_bytes);
        }
        for splice in self.splices.iter_mut().skip(first_splice) {
            splice.at += prefix_bytes;
        }
    }

    /// Replaces four bytes of the sink's own buffer, counted from its start.
    pub(crate) fn patch_i32(&mut self, position: usize, value: i32) {
        if let Some(bytes) = self.buffer.get_mut(position..position + 4) {
            bytes.copy_from_slice(&value.to_be_bytes());
        }
    }

    /// Hands over what was written.
    ///
    /// # Errors
    /// The first thing that could not be written.
    pub fn finish(self) -> Result<Pieces, EncodeError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let size_bytes = self.size_bytes();
        let mut rest = self.buffer.freeze();
        let mut pieces = Vec::with_capacity(2 * self.splices.len() + 1);
        let mut done = 0;
        for Splice { at, piece } in self.splices {
            let own = rest.split_to(at - done);
            done = at;
            if !own.is_empty() {
                pieces.push(Piece::Bytes(own));
            }
            pieces.push(piece);
        }
        if !rest.is_empty() {
            pieces.push(Piece::Bytes(rest));
        }
        Ok(Pieces { pieces, size_bytes })
    }
}

/// Largest length of byte strings and lists: that of a Java int.
const LENGTH_MAX: usize = i32::MAX.unsigned_abs() as usize;

/// The lowest seven bits.
const fn low_group(value: u64) -> u8 {
    value.to_le_bytes()[0] & 0x7f
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;

    fn region(length: u32) -> FileRegion {
        let file = Arc::new(File::open("/dev/null").unwrap());
        FileRegion {
            file,
            position: 5,
            length,
        }
    }

    fn own(bytes: &'static [u8]) -> Piece {
        Piece::Bytes(Bytes::from_static(bytes))
    }

    #[test]
    fn parts_of_files_stand_between_the_bytes_around_them() {
        let (mut sink, long) = (Sink::new(), region(7));
        sink.write_slice(&[1]);
        sink.write_file(&long);
        sink.write_file(&region(0));
        sink.write_slice(&[2]);
        sink.write_slice(&[3]);
        let pieces = sink.finish().unwrap();
        assert_eq!(pieces.size_bytes(), 10);
        assert_eq!(
            pieces.as_slice(),
            [own(&[1]), Piece::File(long), own(&[2, 3])]
        );
        assert_eq!(pieces.into_bytes(), Err(EncodeError::FileInMemory));
    }

    #[test]
    fn short_byte_strings_are_copied_and_long_ones_are_not() {
        let check = |length, count| {
            let mut sink = Sink::new();
            sink.write_slice(&[1]);
            sink.write_shared(&Bytes::from(vec![7; length]));
            sink.write_slice(&[2]);
            let pieces = sink.finish().unwrap();
            assert_eq!(
                (pieces.as_slice().len(), pieces.size_bytes()),
                (count, length + 2)
            );
        };
        check(COPIED_BYTES_MAX, 1);
        check(COPIED_BYTES_MAX + 1, 3);
    }

    #[test]
    fn a_tagged_field_may_be_long() {
        let coding = Coding::flexible(0);
        for length in [0, 100, 200, COPIED_BYTES_MAX + 1, 100_000] {
            let mut sink = Sink::new();
            let content = Bytes::from(vec![9; length]);
            sink.write_slice(&[1]);
            sink.write_tagged(3, &content, coding);
            sink.write_slice(&[2]);
            let bytes = sink.finish().unwrap().into_bytes().unwrap();
            let mut source = Source::new(&bytes);
            assert_eq!(source.read_array(), Ok([1]));
            let (tag, scope) = source.enter_tag().unwrap();
            assert_eq!((tag, Bytes::read(&mut source, coding)), (3, Ok(content)));
            source.leave_tag(&scope);
            assert_eq!((source.read_array(), source.left()), (Ok([2]), 0));
        }
    }

    #[test]
    fn the_first_failure_is_the_one_that_counts() {
        let mut sink = Sink::new();
        sink.refuse_null("A.b", 1);
        sink.refuse_field("A.c", 1);
        let first = EncodeError::NullNotInVersion {
            field: "A.b",
            api_version: 1,
        };
        assert_eq!(sink.finish(), Err(first));
    }

    #[test]
    fn a_text_longer_than_its_length_field_can_say_is_refused() {
        for coding in [Coding::classic(0), Coding::flexible(0)] {
            let check = |length: usize, outcome: Result<(), EncodeError>| {
                let mut sink = Sink::new();
                crate::Str::from("x".repeat(length)).write(&mut sink, coding);
                assert_eq!(sink.finish().map(drop), outcome);
            };
            let too_long = EncodeError::TooLong {
                length: 32_768,
                length_max: 32_767,
            };
            check(32_767, Ok(()));
            check(32_768, Err(too_long));
        }
    }
}
