//! Snappy in both forms found in Kafka: one raw block (librdkafka), or xerial's framing:
//!
//! ```text
//! 82 'S' 'N' 'A' 'P' 'P' 'Y' 00   version i32   least compatible version i32
//! ( size i32   raw snappy block )*
//! ```

use super::{Compression, CompressionError};

const MAGIC: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];
const VERSION: i32 = 1;
const HEADER_SIZE_BYTES: usize = 16;
/// What xerial puts into one block.
const BLOCK_SIZE_BYTES: usize = 32 * 1024;
/// A copy of 64 bytes takes 3, so no block grows by more than 22; a block that states more lies.
const EXPANSION_MAX: usize = 22;

pub(super) fn compress(input: &[u8], out: &mut Vec<u8>) -> Result<(), CompressionError> {
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&VERSION.to_be_bytes());
    out.extend_from_slice(&VERSION.to_be_bytes());
    let mut encoder = snap::raw::Encoder::new();
    for block in input.chunks(BLOCK_SIZE_BYTES) {
        let length_at = out.len();
        let room = snap::raw::max_compress_len(block.len());
        out.resize(length_at + size_of::<i32>() + room, 0);
        let Some((length_place, place)) = out
            .get_mut(length_at..)
            .and_then(|rest| rest.split_first_chunk_mut())
        else {
            return Err(Compression::Snappy.damaged("no room for a block"));
        };
        let size_bytes = encoder
            .compress(block, place)
            .map_err(|error| Compression::Snappy.damaged(error))?;
        let length = i32::try_from(size_bytes).map_err(|e| Compression::Snappy.damaged(e))?;
        *length_place = length.to_be_bytes();
        out.truncate(length_at + size_of::<i32>() + size_bytes);
    }
    Ok(())
}

pub(super) fn decompress(
    input: &[u8],
    limit_bytes: usize,
    out: &mut Vec<u8>,
) -> Result<(), CompressionError> {
    if !input.starts_with(&MAGIC) {
        return decompress_block(input, limit_bytes, limit_bytes, out);
    }
    let Some(mut rest) = input.get(HEADER_SIZE_BYTES..) else {
        return Err(Compression::Snappy.damaged("the xerial header is cut off"));
    };
    let mut left_bytes = limit_bytes;
    while let Some((length, blocks)) = rest.split_first_chunk() {
        let length = i32::from_be_bytes(*length);
        let Some((block, after)) = usize::try_from(length)
            .ok()
            .and_then(|length| blocks.split_at_checked(length))
        else {
            return Err(Compression::Snappy.damaged(format_args!(
                "a xerial block states {length} bytes and {} are there",
                blocks.len()
            )));
        };
        let before = out.len();
        decompress_block(block, left_bytes, limit_bytes, out)?;
        left_bytes -= out.len() - before;
        rest = after;
    }
    if rest.is_empty() {
        Ok(())
    } else {
        Err(Compression::Snappy.damaged("bytes follow the last xerial block"))
    }
}

fn decompress_block(
    block: &[u8],
    left_bytes: usize,
    limit_bytes: usize,
    out: &mut Vec<u8>,
) -> Result<(), CompressionError> {
    let damaged = |error| Compression::Snappy.damaged(error);
    let size_bytes = snap::raw::decompress_len(block).map_err(damaged)?;
    if size_bytes > left_bytes {
        return Err(Compression::Snappy.too_large(limit_bytes));
    }
    if size_bytes > block.len().saturating_mul(EXPANSION_MAX) {
        return Err(Compression::Snappy.damaged(format_args!(
            "{} bytes cannot hold the {size_bytes} they state",
            block.len()
        )));
    }
    let start = out.len();
    out.resize(start + size_bytes, 0);
    let place = out.get_mut(start..).unwrap_or_default();
    snap::raw::Decoder::new()
        .decompress(block, place)
        .map_err(damaged)?;
    Ok(())
}
