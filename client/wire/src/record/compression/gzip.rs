//! gzip. Reading goes on over several members, as `GZIPInputStream` does.

use std::io::Write as _;

use super::{Compression, CompressionError};

pub(super) fn compress(input: &[u8], out: &mut Vec<u8>) -> Result<(), CompressionError> {
    let mut encoder = flate2::write::GzEncoder::new(out, flate2::Compression::default());
    encoder
        .write_all(input)
        .and_then(|()| encoder.try_finish())
        .map_err(|error| Compression::Gzip.damaged(error))
}

pub(super) fn decompress(
    input: &[u8],
    limit_bytes: usize,
    out: &mut Vec<u8>,
) -> Result<(), CompressionError> {
    Compression::Gzip.read_all(
        flate2::bufread::MultiGzDecoder::new(input),
        limit_bytes,
        out,
    )
}
