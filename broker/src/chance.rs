//! Random numbers for the pure crates, which have none of their own, and for ids.

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::Read;

/// Random bytes from the system. Where it has none to give, from the hasher's keys, which it also drew
/// at random.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let filled = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    if filled.is_err() {
        for (chunk, salt) in bytes.chunks_mut(8).zip(0_u64..) {
            let drawn = RandomState::new().hash_one(salt).to_be_bytes();
            for (byte, drawn) in chunk.iter_mut().zip(drawn) {
                *byte = drawn;
            }
        }
    }
    bytes
}

/// A random number.
pub(crate) fn random() -> u64 {
    u64::from_be_bytes(bytes())
}

/// A random UUID (version 4) as Kafka writes it: 22 characters of URL-safe base64. Never begins with `-`,
/// which command lines would take for an option. Source: kafka 2.8 `Uuid.randomUuid`, KAFKA-14190.
pub(crate) fn uuid() -> String {
    loop {
        let mut uuid: [u8; 16] = bytes();
        uuid[6] = (uuid[6] & 0x0f) | 0x40;
        uuid[8] = (uuid[8] & 0x3f) | 0x80;
        let text = base64_url(&uuid);
        if !text.starts_with('-') {
            return text;
        }
    }
}

/// URL-safe base64 without padding (RFC 4648, section 5).
fn base64_url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .fold(0_usize, |group, byte| (group << 8) | usize::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            let index = (group >> (18 - 6 * place)) & 0x3f;
            text.extend(ALPHABET.get(index).copied().map(char::from));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        let check = |bytes: &[u8], expected: &str| assert_eq!(base64_url(bytes), expected);
        check(b"", "");
        check(b"f", "Zg");
        check(b"fo", "Zm8");
        check(b"foo", "Zm9v");
        check(b"foobar", "Zm9vYmFy");
        check(&[0xfb, 0xff, 0x00], "-_8A");
    }

    #[test]
    fn uuids_are_22_characters_and_differ() {
        let (one, other) = (uuid(), uuid());
        assert_eq!((one.len(), other.len()), (22, 22));
        assert_ne!(one, other);
        assert!(!one.starts_with('-'));
    }
}
