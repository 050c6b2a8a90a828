//! Cuts the bytes of a connection into frames: four bytes of big-endian length, then that many bytes.
//!
//! Memory follows what has arrived, never what a length promises: a peer that announces 2 GiB, or
//! 100 MiB and sends nothing, costs nothing.

use bytes::{Buf, Bytes, BytesMut};

/// Room that is made before a frame's length is known, in bytes.
const READ_SIZE_MIN: usize = 16 * 1024;

/// Room that is made at once for a frame whose length is known, in bytes; beyond it the buffer doubles
/// as bytes arrive.
const READ_SIZE_STEP: usize = 1024 * 1024;

const LENGTH_SIZE: usize = 4;

/// Collects bytes and hands out whole frames.
#[derive(Debug)]
pub(crate) struct FrameReader {
    buffer: BytesMut,
    frame_size_max: usize,
}

/// The length in front of a frame cannot be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrameError {
    /// Below zero.
    #[error("a frame of {0} bytes was announced")]
    Negative(i32),
    /// Above `socket.request.max.bytes`.
    #[error("a frame of {size} bytes was announced, socket.request.max.bytes allows {limit}")]
    TooLarge {
        /// Announced, in bytes.
        size: usize,
        /// Allowed, in bytes.
        limit: usize,
    },
}

impl FrameReader {
    pub(crate) fn new(frame_size_max: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            frame_size_max,
        }
    }

    /// Size of the frame at the front without its length field, as soon as that is known.
    pub(crate) fn front_size(&self) -> Result<Option<usize>, FrameError> {
        let Some(length) = self.buffer.first_chunk::<LENGTH_SIZE>() else {
            return Ok(None);
        };
        let length = i32::from_be_bytes(*length);
        let size = usize::try_from(length).map_err(|_negative| FrameError::Negative(length))?;
        if size > self.frame_size_max {
            return Err(FrameError::TooLarge {
                size,
                limit: self.frame_size_max,
            });
        }
        Ok(Some(size))
    }

    /// The frame at the front if all of it is there. It shares the buffer's memory.
    pub(crate) fn next(&mut self) -> Result<Option<Bytes>, FrameError> {
        let Some(size) = self.front_size()? else {
            return Ok(None);
        };
        if self.buffer.len() - LENGTH_SIZE < size {
            return Ok(None);
        }
        self.buffer.advance(LENGTH_SIZE);
        Ok(Some(self.buffer.split_to(size).freeze()))
    }

    /// Where the next bytes of the socket go, with room for at least one.
    pub(crate) fn room(&mut self) -> Result<&mut BytesMut, FrameError> {
        let have = self.buffer.len();
        let wanted = match self.front_size()? {
            None => READ_SIZE_MIN,
            Some(size) => (LENGTH_SIZE + size)
                .saturating_sub(have)
                .clamp(1, have.max(READ_SIZE_STEP)),
        };
        if self.buffer.capacity() - have < wanted {
            self.buffer.reserve(wanted);
        }
        Ok(&mut self.buffer)
    }

    /// True while a frame has been begun and is not whole.
    pub(crate) fn is_partial(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// Bytes of it that are there.
    pub(crate) fn received(&self) -> usize {
        self.buffer.len()
    }

    /// Gives the memory back if nothing is in it.
    pub(crate) fn release(&mut self) {
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
    }

    #[cfg(test)]
    fn capacity(&self) -> usize {
        self.buffer.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 100 * 1024 * 1024;

    fn check(input: &[u8], expected: &Result<Vec<&[u8]>, FrameError>) {
        let mut reader = FrameReader::new(LIMIT);
        let mut frames = Vec::new();
        let mut failure = None;
        // Byte by byte, so that every place of a cut is tried.
        for byte in input {
            reader.room().unwrap().extend_from_slice(&[*byte]);
            match reader.next() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => {}
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        match failure {
            Some(error) => assert_eq!(&Err(error), expected),
            None => assert_eq!(&Ok(frames.iter().map(|f| &f[..]).collect()), expected),
        }
    }

    #[test]
    fn frames_come_out_whole_and_in_order() {
        check(&[], &Ok(vec![]));
        check(&[0, 0, 0, 2, 7], &Ok(vec![]));
        check(
            &[0, 0, 0, 2, 7, 8, 0, 0, 0, 0, 0, 0, 0, 1, 9],
            &Ok(vec![&[7, 8], &[], &[9]]),
        );
    }

    #[test]
    fn an_impossible_length_is_an_error() {
        check(&[0xff, 0xff, 0xff, 0xff], &Err(FrameError::Negative(-1)));
        check(
            &[0x7f, 0xff, 0xff, 0xff],
            &Err(FrameError::TooLarge {
                size: 0x7fff_ffff,
                limit: LIMIT,
            }),
        );
    }

    #[test]
    fn an_announced_length_costs_no_memory_before_bytes_arrive() {
        let mut reader = FrameReader::new(LIMIT);
        reader
            .room()
            .unwrap()
            .extend_from_slice(&(100 * 1024 * 1024_i32).to_be_bytes());
        reader.room().unwrap();
        assert!(
            reader.capacity() <= READ_SIZE_STEP + READ_SIZE_MIN,
            "{}",
            reader.capacity()
        );
    }
}
