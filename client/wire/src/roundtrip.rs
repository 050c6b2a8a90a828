//! Reads any request or response and writes it again: what fuzzers and mutations run through.
//!
//! For tests, here and (feature `generate`) elsewhere.

use bytes::Bytes;

use crate::header::RequestHeader;
use crate::{ApiKey, DecodeError, Message, Request, Source, with_request};

/// Reads a request as a broker does, then writes the body at the same version and reads it back.
///
/// # Errors
/// Whatever is wrong with the bytes.
///
/// # Panics
/// If what was read cannot be written, or comes back changed: a defect of this crate.
pub fn request(frame: &Bytes) -> Result<RequestHeader, DecodeError> {
    let mut source = Source::new(frame);
    let header = RequestHeader::decode(&mut source)?;
    with_request!(header.api, R => body::<R>(&mut source, header.api_version))?;
    Ok(header)
}

/// Reads a response body as a client does, then writes it at the same version and reads it back.
///
/// # Errors
/// Whatever is wrong with the bytes.
///
/// # Panics
/// As [`request`].
pub fn response(api: ApiKey, api_version: i16, bytes: &Bytes) -> Result<(), DecodeError> {
    let mut source = Source::new(bytes);
    with_request!(api, R => body::<<R as Request>::Response>(&mut source, api_version))
}

fn body<M: Message + PartialEq + std::fmt::Debug>(
    source: &mut Source<'_>,
    version: i16,
) -> Result<(), DecodeError> {
    let value = M::decode(source, version)?;
    let written = value.to_pieces(version).and_then(crate::Pieces::into_bytes);
    let read = written.as_ref().map(|bytes| M::from_bytes(bytes, version));
    assert_eq!(read, Ok(Ok(value)), "version {version}: {written:?}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::generate::Seed;
    use crate::oracle::request_frames;

    /// Mutated copies of each frame.
    const MUTATIONS: usize = 120;

    /// Numbers that have gone wrong in other decoders.
    const EVIL: [&[u8]; 6] = [
        &[0x7f, 0xff, 0xff, 0xff],
        &[0xff, 0xff, 0xff, 0xff, 0x0f],
        &[0x80, 0, 0, 0],
        &[0xff, 0xff],
        &[0x7f, 0xff],
        &[0, 0, 0, 0],
    ];

    fn mutate(frame: &Bytes, seed: &mut Seed) -> Bytes {
        let mut bytes = BytesMut::from(frame.as_ref());
        for _ in 0..=seed.below(3) {
            let position = seed.below(bytes.len());
            match seed.below(4) {
                0 => bytes.truncate(position),
                1 => bytes[position] ^= 1 << seed.below(8),
                2 => bytes[position] = seed.next().to_le_bytes()[0],
                _ => {
                    let evil = EVIL[seed.below(EVIL.len())];
                    let end = bytes.len().min(position + evil.len());
                    bytes[position..end].copy_from_slice(&evil[..end - position]);
                }
            }
            if bytes.is_empty() {
                break;
            }
        }
        bytes.freeze()
    }

    #[test]
    fn whole_requests_come_back_as_they_were() {
        let mut count = 0;
        for frame in request_frames(0) {
            request(&frame).unwrap();
            count += 1;
        }
        assert!(count > 100, "{count} frames");
    }

    /// Also: what is cut off is never taken for whole.
    #[test]
    fn a_request_cut_short_anywhere_is_refused() {
        for frame in request_frames(1) {
            for length in 0..frame.len().min(400) {
                let outcome = request(&frame.slice(..length));
                assert!(outcome.is_err(), "{length} bytes of {frame:?}");
            }
        }
    }

    /// A deterministic share of what the fuzz targets do.
    #[test]
    fn mutated_requests_are_refused_or_read_but_never_panic() {
        let (mut seed, mut refused, mut read) = (Seed::new(3), 0, 0);
        for frame in (2..4).flat_map(request_frames) {
            for _ in 0..MUTATIONS {
                match request(&mutate(&frame, &mut seed)) {
                    Ok(_) => read += 1,
                    Err(_) => refused += 1,
                }
            }
        }
        assert!(
            refused > 1000 && read > 1000,
            "{refused} refused, {read} read"
        );
    }
}
