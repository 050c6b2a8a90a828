//! Which partition a record goes to. Source: Kafka 2.8 `Utils.murmur2`, `DefaultPartitioner`.

const SEED: u32 = 0x9747_b28c;
const MULTIPLIER: u32 = 0x5bd1_e995;

/// `MurmurHash2` with Kafka's seed.
pub(super) fn murmur2(bytes: &[u8]) -> u32 {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut hash = SEED ^ length;
    let (words, rest) = bytes.as_chunks();
    for word in words {
        let mut word = u32::from_le_bytes(*word).wrapping_mul(MULTIPLIER);
        word ^= word >> 24;
        hash = hash.wrapping_mul(MULTIPLIER) ^ word.wrapping_mul(MULTIPLIER);
    }
    if !rest.is_empty() {
        for (shift, &byte) in [0, 8, 16].into_iter().zip(rest) {
            hash ^= u32::from(byte) << shift;
        }
        hash = hash.wrapping_mul(MULTIPLIER);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(MULTIPLIER);
    hash ^ (hash >> 15)
}

/// The partition of a key among `count`, which is not 0: the same in every Kafka client.
pub(super) fn partition_of_key(key: &[u8], count: usize) -> usize {
    // The sign bit is dropped, as in Java.
    let hash = murmur2(key) & 0x7fff_ffff;
    usize::try_from(hash).unwrap_or(0) % count.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(key: &[u8], expected: i32) {
        assert_eq!(murmur2(key).cast_signed(), expected, "{key:?}");
    }

    /// S7, S8: a key has one hash in every client; the values are those of the Java client's tests.
    #[test]
    fn the_hash_is_that_of_the_java_client() {
        check(b"21", -973_932_308);
        check(b"foobar", -790_332_482);
        check(b"a-little-bit-long-string", -985_981_536);
        check(b"a-little-bit-longer-string", -1_486_304_829);
        check(
            b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
            -58_897_971,
        );
        check(b"abc", 479_470_107);
    }

    /// S7: partitions of kafka-python 2.0.2's `DefaultPartitioner` among 1,000.
    #[test]
    fn a_key_has_the_partition_of_other_clients() {
        for (key, expected) in [
            ("", 681),
            ("a", 524),
            ("ab", 434),
            ("abc", 107),
            ("123456789", 566),
        ] {
            assert_eq!(partition_of_key(key.as_bytes(), 1_000), expected, "{key}");
        }
    }
}
