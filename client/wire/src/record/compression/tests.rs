//! Every built codec: there and back, limits, damage.

use super::*;

fn built() -> impl Iterator<Item = Compression> {
    Compression::ALL
        .into_iter()
        .filter(|codec| codec.is_built())
}

fn text(size_bytes: usize) -> Vec<u8> {
    b"the carriage to the castle "
        .iter()
        .copied()
        .cycle()
        .take(size_bytes)
        .collect()
}

#[test]
fn what_is_compressed_comes_back() {
    for codec in built() {
        for size_bytes in [0, 1, 100, 32 * 1024, 200_000] {
            let input = text(size_bytes);
            let mut packed = b"before".to_vec();
            codec.compress(&input, &mut packed).unwrap();
            let mut unpacked = b"kept".to_vec();
            codec
                .decompress(&packed[6..], size_bytes, &mut unpacked)
                .unwrap();
            assert_eq!(unpacked[4..], input, "{codec} {size_bytes}");
            assert_eq!(&packed[..6], b"before");
        }
    }
}

#[test]
fn one_byte_over_the_limit_is_refused() {
    for codec in built() {
        let input = text(100_000);
        let mut packed = Vec::new();
        codec.compress(&input, &mut packed).unwrap();
        let refused = codec.decompress(&packed, 99_999, &mut Vec::new());
        assert_eq!(
            refused,
            Err(CompressionError::TooLarge {
                codec,
                limit_bytes: 99_999
            })
        );
    }
}

#[test]
fn a_cut_block_is_damaged() {
    for codec in built().filter(|&codec| codec != Compression::None) {
        let input = text(70_000);
        let mut packed = Vec::new();
        codec.compress(&input, &mut packed).unwrap();
        let cut = codec.decompress(&packed[..packed.len() / 2], 100_000, &mut Vec::new());
        assert!(
            matches!(cut, Err(CompressionError::Damaged { .. })),
            "{codec}: {cut:?}"
        );
    }
}

#[test]
fn snappy_is_read_raw_as_librdkafka_writes_it() {
    let input = text(5_000);
    let raw = snap::raw::Encoder::new().compress_vec(&input).unwrap();
    let mut unpacked = Vec::new();
    Compression::Snappy
        .decompress(&raw, 5_000, &mut unpacked)
        .unwrap();
    assert_eq!(unpacked, input);
}

#[test]
fn snappy_is_written_in_xerial_blocks() {
    let mut packed = Vec::new();
    Compression::Snappy
        .compress(&text(40_000), &mut packed)
        .unwrap();
    assert_eq!(&packed[..16], b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01");
    let first = i32::from_be_bytes(*packed[16..].first_chunk().unwrap());
    let first = usize::try_from(first).unwrap();
    assert_eq!(
        snap::raw::decompress_len(&packed[20..20 + first]),
        Ok(32 * 1024)
    );
}

#[test]
fn a_snappy_block_that_states_more_than_it_can_hold_allocates_nothing() {
    // Length 2^32-1 as a varint, then nothing.
    let lie = [0xff, 0xff, 0xff, 0xff, 0x0f];
    let mut out = Vec::new();
    let refused = Compression::Snappy.decompress(&lie, usize::MAX, &mut out);
    assert!(
        matches!(refused, Err(CompressionError::Damaged { .. })),
        "{refused:?}"
    );
    assert_eq!(out.capacity(), 0);
}

#[test]
fn lz4_is_written_with_independent_blocks_of_64_kib() {
    let mut packed = Vec::new();
    Compression::Lz4.compress(&text(10), &mut packed).unwrap();
    assert_eq!(&packed[..4], &[0x04, 0x22, 0x4d, 0x18]);
    assert_eq!(packed[4] & 0b0010_0000, 0b0010_0000, "independent");
    assert_eq!(packed[5] >> 4, 4, "64 KiB");
}

#[test]
fn gzip_of_two_members_is_read_whole() {
    let mut packed = Vec::new();
    Compression::Gzip.compress(b"one ", &mut packed).unwrap();
    Compression::Gzip.compress(b"two", &mut packed).unwrap();
    let mut unpacked = Vec::new();
    Compression::Gzip
        .decompress(&packed, 100, &mut unpacked)
        .unwrap();
    assert_eq!(unpacked, b"one two");
}

#[test]
fn names_and_numbers_are_kafkas() {
    for codec in Compression::ALL {
        assert_eq!(Compression::from_id(codec.id()), Ok(codec));
        assert_eq!(codec.name().parse(), Ok(codec));
    }
    assert!("deflate".parse::<Compression>().is_err());
    assert_eq!(
        Compression::from_id(7),
        Err(CompressionError::UnknownCodec { id: 7 })
    );
}
