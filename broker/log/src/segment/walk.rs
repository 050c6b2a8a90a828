//! Goes from batch header to batch header through a segment file, without reading the records.

use barnabas_wire::record::{Batch, BatchError, BatchHeader, HEADER_SIZE_BYTES};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes read at once where a few headers are looked at. Small, since it lies on the stack.
pub(crate) const GLANCE_SIZE_BYTES: usize = 4096;

/// A header and where it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeaderAt {
    /// Where the batch begins, in bytes.
    pub(crate) position: u64,
    bytes: [u8; HEADER_SIZE_BYTES],
    size_bytes: u64,
}

impl HeaderAt {
    /// The header of a whole batch that begins at `position`.
    pub(crate) fn of(batch: &Batch<'_>, position: u64) -> Self {
        let bytes = batch.bytes();
        let mut header = [0; HEADER_SIZE_BYTES];
        for (to, from) in header.iter_mut().zip(bytes) {
            *to = *from;
        }
        Self {
            position,
            bytes: header,
            size_bytes: bytes.len() as u64,
        }
    }

    /// The header.
    pub(crate) fn header(&self) -> Result<BatchHeader<'_>, BatchError> {
        BatchHeader::parse(&self.bytes)
    }

    /// Where the batch ends, in bytes.
    pub(crate) const fn end(&self) -> u64 {
        self.position + self.size_bytes
    }

    /// Size of the batch.
    pub(crate) const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }
}

/// Why a walk cannot go on.
#[derive(Debug)]
pub(crate) enum WalkError {
    /// No batch begins here.
    Batch(BatchError),
    /// The disk did not give the bytes.
    Io(io::Error),
}

/// The walk. Ends at its end, or after the first error.
#[derive(Debug)]
pub(crate) struct HeaderWalk<'a> {
    file: &'a File,
    position: u64,
    end: u64,
    buffer: &'a mut [u8],
    buffer_position: u64,
    buffered: usize,
    read_bytes: u64,
}

impl<'a> HeaderWalk<'a> {
    /// Walks from `position`, where a batch begins, to `end`, reading through `buffer`.
    pub(crate) fn new(file: &'a File, position: u64, end: u64, buffer: &'a mut [u8]) -> Self {
        Self {
            file,
            position,
            end,
            buffer,
            buffer_position: position,
            buffered: 0,
            read_bytes: 0,
        }
    }

    /// Where the next batch begins, or the walk stopped.
    pub(crate) const fn position(&self) -> u64 {
        self.position
    }

    /// Bytes read from the file so far.
    pub(crate) const fn read_bytes(&self) -> u64 {
        self.read_bytes
    }

    /// The next header; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<HeaderAt>, WalkError> {
        let left = self.end.saturating_sub(self.position);
        if left == 0 {
            return Ok(None);
        }
        let mut bytes = [0; HEADER_SIZE_BYTES];
        let wanted =
            usize::try_from(left).map_or(HEADER_SIZE_BYTES, |left| left.min(HEADER_SIZE_BYTES));
        let found = self.fill(&mut bytes, wanted).map_err(WalkError::Io)?;
        let header = BatchHeader::parse(bytes.get(..found).unwrap_or_default());
        let size_bytes = header.map_err(WalkError::Batch)?.size_bytes() as u64;
        if size_bytes > left {
            let count = |bytes| usize::try_from(bytes).unwrap_or(usize::MAX);
            return Err(WalkError::Batch(BatchError::Incomplete {
                needed_bytes: count(size_bytes),
                available_bytes: count(left),
            }));
        }
        let position = self.position;
        self.position += size_bytes;
        Ok(Some(HeaderAt {
            position,
            bytes,
            size_bytes,
        }))
    }

    /// Copies up to `wanted` bytes at the position into `target`; fewer where the file ends.
    fn fill(&mut self, target: &mut [u8], wanted: usize) -> io::Result<usize> {
        let mut have = 0;
        while have < wanted {
            let at = self.position + have as u64;
            let skipped = at
                .checked_sub(self.buffer_position)
                .and_then(|skipped| usize::try_from(skipped).ok());
            let buffered = skipped.and_then(|skipped| self.buffer.get(skipped..self.buffered));
            match buffered.filter(|buffered| !buffered.is_empty()) {
                Some(buffered) => {
                    let count = buffered.len().min(wanted - have);
                    if let (Some(to), Some(from)) =
                        (target.get_mut(have..have + count), buffered.get(..count))
                    {
                        to.copy_from_slice(from);
                    }
                    have += count;
                }
                None => {
                    if self.read(at)? == 0 {
                        break;
                    }
                }
            }
        }
        Ok(have)
    }

    fn read(&mut self, position: u64) -> io::Result<usize> {
        let left = usize::try_from(self.end - position).unwrap_or(usize::MAX);
        let room = left.min(self.buffer.len());
        let buffer = self.buffer.get_mut(..room).unwrap_or_default();
        self.buffered = 0;
        self.buffer_position = position;
        loop {
            match self.file.read_at(buffer, position) {
                Ok(count) => {
                    self.buffered = count;
                    self.read_bytes += count as u64;
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
