//! Values of a measurement: capital letters, as in Kafka's own tool, different from record to
//! record, made beforehand.

/// Bytes of letters that the values are cut from, beyond one value's length. A prime: it takes as
/// many records until the first value comes again.
const VARIETY: usize = 65_521;

/// Letters to cut values from.
#[derive(Clone, Debug)]
pub(crate) struct Payload {
    letters: Vec<u8>,
    size_bytes: usize,
    at: usize,
}

impl Payload {
    /// Values of this size.
    pub(crate) fn new(size_bytes: usize) -> Self {
        // Marsaglia's xorshift: not random, and does not compress either.
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let letter = |_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let [low, ..] = (state >> 32).to_le_bytes();
            b'A' + low % 26
        };
        Self {
            letters: (0..VARIETY + size_bytes).map(letter).collect(),
            size_bytes,
            at: 0,
        }
    }

    /// The next value.
    pub(crate) fn next(&mut self) -> &[u8] {
        // Steps of a value's length, so that neighbours have little in common.
        self.at = (self.at + self.size_bytes) % VARIETY;
        self.letters
            .get(self.at..self.at + self.size_bytes)
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_their_size_and_differ() {
        for size_bytes in [0, 1, 100, 100_000] {
            assert_eq!(Payload::new(size_bytes).next().len(), size_bytes);
        }
        let mut payload = Payload::new(100);
        let different: std::collections::BTreeSet<_> =
            (0..1_000).map(|_| payload.next().to_vec()).collect();
        assert_eq!(different.len(), 1_000);
        assert!(payload.next().iter().all(u8::is_ascii_uppercase));
    }
}
