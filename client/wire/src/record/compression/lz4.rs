//! LZ4 frames. Kafka's Java reader knows independent blocks only, so those are written.

use std::io::Write as _;

use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};

use super::{Compression, CompressionError};

pub(super) fn compress(input: &[u8], out: &mut Vec<u8>) -> Result<(), CompressionError> {
    let frame = FrameInfo::new()
        .block_size(BlockSize::Max64KB)
        .block_mode(BlockMode::Independent);
    let mut encoder = FrameEncoder::with_frame_info(frame, out);
    encoder
        .write_all(input)
        .map_err(|error| Compression::Lz4.damaged(error))?;
    encoder
        .try_finish()
        .map_err(|error| Compression::Lz4.damaged(error))
}

pub(super) fn decompress(
    input: &[u8],
    limit_bytes: usize,
    out: &mut Vec<u8>,
) -> Result<(), CompressionError> {
    Compression::Lz4.read_all(FrameDecoder::new(input), limit_bytes, out)
}
