//! Zstandard, through the C library.

use super::{Compression, CompressionError};

pub(super) fn compress(input: &[u8], out: &mut Vec<u8>) -> Result<(), CompressionError> {
    zstd::stream::copy_encode(input, out, zstd::DEFAULT_COMPRESSION_LEVEL)
        .map_err(|error| Compression::Zstd.damaged(error))
}

pub(super) fn decompress(
    input: &[u8],
    limit_bytes: usize,
    out: &mut Vec<u8>,
) -> Result<(), CompressionError> {
    let decoder = zstd::stream::read::Decoder::with_buffer(input)
        .map_err(|error| Compression::Zstd.damaged(error))?;
    Compression::Zstd.read_all(decoder, limit_bytes, out)
}
