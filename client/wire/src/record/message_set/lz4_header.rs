//! Magic 0 clients wrote LZ4 frames whose header checksum counts the frame's magic number in, which
//! no LZ4 reader accepts. Source: KIP-57.

use std::borrow::Cow;

const MAGIC_SIZE_BYTES: usize = 4;
const FLAG_CONTENT_SIZE: u8 = 1 << 3;
const FLAG_DICTIONARY: u8 = 1;

/// The frame with the header checksum that the LZ4 format asks for. Bytes that are no frame are
/// left to the codec's own error.
pub(super) fn with_right_checksum(frame: &[u8]) -> Cow<'_, [u8]> {
    let Some(&flags) = frame.get(MAGIC_SIZE_BYTES) else {
        return Cow::Borrowed(frame);
    };
    let mut end = MAGIC_SIZE_BYTES + 2;
    end += if flags & FLAG_CONTENT_SIZE == 0 { 0 } else { 8 };
    end += if flags & FLAG_DICTIONARY == 0 { 0 } else { 4 };
    let Some(descriptor) = frame.get(MAGIC_SIZE_BYTES..end) else {
        return Cow::Borrowed(frame);
    };
    let [_, _, right, _] = xxh32(descriptor).to_be_bytes();
    if frame.get(end).is_none_or(|&stored| stored == right) {
        return Cow::Borrowed(frame);
    }
    let mut mended = frame.to_vec();
    if let Some(checksum) = mended.get_mut(end) {
        *checksum = right;
    }
    Cow::Owned(mended)
}

const PRIME_1: u32 = 0x9E37_79B1;
const PRIME_2: u32 = 0x85EB_CA77;
const PRIME_3: u32 = 0xC2B2_AE3D;
const PRIME_4: u32 = 0x27D4_EB2F;
const PRIME_5: u32 = 0x1656_67B1;

/// XXH32 with seed 0 of fewer than 16 bytes, which a frame descriptor always has.
fn xxh32(short: &[u8]) -> u32 {
    let size = u32::try_from(short.len()).unwrap_or(u32::MAX);
    let mut hash = PRIME_5.wrapping_add(size);
    let (words, bytes) = short.as_chunks();
    for word in words {
        hash = hash.wrapping_add(u32::from_le_bytes(*word).wrapping_mul(PRIME_3));
        hash = hash.rotate_left(17).wrapping_mul(PRIME_4);
    }
    for &byte in bytes {
        hash = hash.wrapping_add(u32::from(byte).wrapping_mul(PRIME_5));
        hash = hash.rotate_left(11).wrapping_mul(PRIME_1);
    }
    hash = (hash ^ (hash >> 15)).wrapping_mul(PRIME_2);
    hash = (hash ^ (hash >> 13)).wrapping_mul(PRIME_3);
    hash ^ (hash >> 16)
}

#[cfg(all(test, feature = "lz4"))]
mod tests {
    use super::*;
    use crate::record::Compression;

    #[test]
    fn a_frame_with_the_old_checksum_is_mended_and_a_right_one_left_alone() {
        let mut frame = Vec::new();
        Compression::Lz4
            .compress(b"forty-four bytes of nothing much to look at", &mut frame)
            .unwrap();
        assert!(matches!(with_right_checksum(&frame), Cow::Borrowed(_)));
        let right = frame.clone();
        frame[6] ^= 0x5a;
        assert!(
            Compression::Lz4
                .decompress(&frame, 100, &mut Vec::new())
                .is_err()
        );
        assert_eq!(*with_right_checksum(&frame), *right);
    }

    #[test]
    fn bytes_that_are_no_frame_are_left_alone() {
        for bytes in [&b""[..], b"\x04\x22\x4d\x18", b"\x04\x22\x4d\x18\xff\x40"] {
            assert_eq!(*with_right_checksum(bytes), *bytes);
        }
    }
}
