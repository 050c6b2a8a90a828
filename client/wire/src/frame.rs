//! Frames: four bytes of length, then a header and a body.

use bytes::{Buf, Bytes, BytesMut};
use thiserror::Error;

use crate::header::{RequestHeader, ResponseHeader};
use crate::{EncodeError, Message, Pieces, Request, Sink};

/// Bytes of the length before each frame.
const PREFIX_BYTES: usize = 4;

/// Most room made at once for a frame that is still to come: a peer that announces much and
/// sends nothing costs no more than this.
const ROOM_BYTES_MAX: usize = 256 * 1024;

/// A length that ends the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FrameError {
    /// Below zero.
    #[error("frame announces {length} bytes")]
    NegativeLength {
        /// The length.
        length: i32,
    },
    /// Above the limit.
    #[error("frame announces {length} bytes, {length_max} are allowed")]
    TooLarge {
        /// The length in bytes.
        length: usize,
        /// The limit in bytes.
        length_max: usize,
    },
}

/// Cuts what a connection receives into frames.
#[derive(Clone, Copy, Debug)]
pub struct FrameSplitter {
    size_max_bytes: usize,
}

impl FrameSplitter {
    /// Refuses frames above `size_max_bytes` (without their length prefix). A broker's limit is
    /// `socket.request.max.bytes`.
    #[must_use]
    pub const fn new(size_max_bytes: usize) -> Self {
        Self { size_max_bytes }
    }

    /// Takes the next frame, without its prefix, from the front of what was received. `None`: more
    /// has to be received first, and `received` has spare room for it.
    ///
    /// The frame shares memory with `received`. A length is refused before any room is made for
    /// it.
    ///
    /// # Errors
    /// [`FrameError`]; the stream cannot be read any further.
    pub fn next(&self, received: &mut BytesMut) -> Result<Option<Bytes>, FrameError> {
        let Some(prefix) = received.first_chunk::<PREFIX_BYTES>() else {
            received.reserve(PREFIX_BYTES);
            return Ok(None);
        };
        let announced = i32::from_be_bytes(*prefix);
        let Ok(length) = usize::try_from(announced) else {
            return Err(FrameError::NegativeLength { length: announced });
        };
        if length > self.size_max_bytes {
            return Err(FrameError::TooLarge {
                length,
                length_max: self.size_max_bytes,
            });
        }
        let missing = (PREFIX_BYTES + length).saturating_sub(received.len());
        if missing > 0 {
            received.reserve(missing.min(ROOM_BYTES_MAX));
            return Ok(None);
        }
        received.advance(PREFIX_BYTES);
        Ok(Some(received.split_to(length).freeze()))
    }
}

/// A request, ready to be sent.
///
/// # Errors
/// The first thing that could not be written.
pub fn encode_request<R: Request>(header: &RequestHeader, body: &R) -> Result<Pieces, EncodeError> {
    encode(|sink| {
        header.encode(sink);
        body.encode(sink, header.api_version);
    })
}

/// A response to a request of this version, ready to be sent.
///
/// # Errors
/// The first thing that could not be written.
pub fn encode_response<R: Message>(
    correlation_id: i32,
    api_version: i16,
    body: &R,
) -> Result<Pieces, EncodeError> {
    encode(|sink| {
        ResponseHeader { correlation_id }.encode(sink, R::API, api_version);
        body.encode(sink, api_version);
    })
}

fn encode(fill: impl FnOnce(&mut Sink)) -> Result<Pieces, EncodeError> {
    let mut sink = Sink::new();
    sink.write_slice(&[0; PREFIX_BYTES]);
    fill(&mut sink);
    let length = sink.size_bytes() - PREFIX_BYTES;
    match i32::try_from(length) {
        Ok(length) => sink.patch_i32(0, length),
        Err(_) => {
            let length_max = i32::MAX.unsigned_abs() as usize;
            sink.refuse(EncodeError::TooLong { length, length_max });
        }
    }
    sink.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `bytes` in chunks and returns the frames that come out.
    fn split(bytes: &[u8], chunk_bytes: usize) -> Result<Vec<Bytes>, FrameError> {
        let (splitter, mut received) = (FrameSplitter::new(10), BytesMut::new());
        let mut frames = Vec::new();
        for chunk in bytes.chunks(chunk_bytes) {
            received.extend_from_slice(chunk);
            while let Some(frame) = splitter.next(&mut received)? {
                frames.push(frame);
            }
        }
        Ok(frames)
    }

    #[test]
    fn frames_come_out_however_the_bytes_arrive() {
        let bytes = [
            0, 0, 0, 3, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 1, 9, 0, 0, 0, 2, 7,
        ];
        for chunk_bytes in 1..=bytes.len() {
            let frames = split(&bytes, chunk_bytes).unwrap();
            assert_eq!(
                frames,
                [&[1, 2, 3][..], &[], &[9]],
                "chunks of {chunk_bytes}"
            );
        }
    }

    #[test]
    fn a_length_is_refused_before_anything_of_the_frame_has_come() {
        let check = |prefix: [u8; 4], error| assert_eq!(split(&prefix, 4), Err(error));
        check(
            [0, 0, 0, 11],
            FrameError::TooLarge {
                length: 11,
                length_max: 10,
            },
        );
        check([0xff; 4], FrameError::NegativeLength { length: -1 });
        check(
            [0x80, 0, 0, 0],
            FrameError::NegativeLength { length: i32::MIN },
        );
        let two_gib = FrameError::TooLarge {
            length: 0x7fff_ffff,
            length_max: 10,
        };
        check([0x7f, 0xff, 0xff, 0xff], two_gib);
    }

    #[test]
    fn a_peer_that_announces_much_and_sends_nothing_costs_little() {
        let mut received = BytesMut::from(&[0x40, 0, 0, 0][..]);
        assert_eq!(FrameSplitter::new(1 << 31).next(&mut received), Ok(None));
        assert!(
            received.capacity() <= 2 * ROOM_BYTES_MAX,
            "{}",
            received.capacity()
        );
    }

    #[test]
    fn a_frame_that_is_still_coming_has_room() {
        let mut received = BytesMut::from(&[0, 0, 0, 200, 1][..]);
        assert_eq!(FrameSplitter::new(1000).next(&mut received), Ok(None));
        assert!(received.capacity() >= 204);
    }
}
