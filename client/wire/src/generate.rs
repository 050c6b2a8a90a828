//! Values from a seed: every field set, every length short, the same for the same seed.
//!
//! For tests, here and (feature `generate`) in other crates.

use bytes::Bytes;

use crate::{Coding, Str, Uuid};

/// A source of numbers that look random. Algorithm: `SplitMix64`.
#[derive(Clone, Debug)]
pub struct Seed {
    state: u64,
    /// List elements that may still be made; keeps nested lists small.
    elements_left: usize,
}

/// List elements of one value.
const ELEMENTS_MAX: usize = 400;

impl Seed {
    /// Equal seeds give equal values.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            state: seed,
            elements_left: ELEMENTS_MAX,
        }
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`; 0 if that is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % limit).unwrap_or(0)
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// How many elements the next list has: mostly a few, rarely so many that a compact count
    /// takes two bytes.
    fn count(&mut self) -> usize {
        let wanted = if self.once_in(40) { 130 } else { self.below(4) };
        let count = wanted.min(self.elements_left);
        self.elements_left -= count;
        count
    }
}

/// A value made from a seed.
pub trait Generate: Sized {
    /// A value that can be coded at this version without loss.
    fn generate(seed: &mut Seed, coding: Coding) -> Self;
}

macro_rules! number {
    ($($number:ty),*) => {$(
        impl Generate for $number {
            fn generate(seed: &mut Seed, _: Coding) -> Self {
                match seed.below(8) {
                    0 => Self::MIN,
                    1 => Self::MAX,
                    2 => 0 as Self,
                    _ => {
                        let bytes = seed.next().to_be_bytes();
                        bytes.first_chunk().copied().map(Self::from_be_bytes).unwrap_or_default()
                    }
                }
            }
        }
    )*};
}

number!(i8, i16, i32, i64, u16, u32);

impl Generate for bool {
    fn generate(seed: &mut Seed, _: Coding) -> Self {
        seed.once_in(2)
    }
}

impl Generate for Uuid {
    fn generate(seed: &mut Seed, _: Coding) -> Self {
        let mut bytes = [0; 16];
        bytes.fill_with(|| seed.next().to_le_bytes()[0]);
        Self(bytes)
    }
}

impl Generate for Str {
    fn generate(seed: &mut Seed, _: Coding) -> Self {
        const CHARACTERS: [char; 8] = ['a', 'Z', '0', '.', '_', '-', 'é', '漢'];
        let count = if seed.once_in(30) {
            300
        } else {
            seed.below(12)
        };
        let text = (0..count).map(|_| CHARACTERS.get(seed.below(8)).copied().unwrap_or('x'));
        Self::from(text.collect::<String>())
    }
}

impl Generate for Bytes {
    fn generate(seed: &mut Seed, _: Coding) -> Self {
        let count = if seed.once_in(10) {
            5000
        } else {
            seed.below(40)
        };
        (0..count).map(|_| seed.next().to_le_bytes()[0]).collect()
    }
}

impl<T: Generate> Generate for Option<T> {
    fn generate(seed: &mut Seed, coding: Coding) -> Self {
        if seed.once_in(3) {
            None
        } else {
            Some(T::generate(seed, coding))
        }
    }
}

impl<T: Generate> Generate for Vec<T> {
    fn generate(seed: &mut Seed, coding: Coding) -> Self {
        (0..seed.count())
            .map(|_| T::generate(seed, coding))
            .collect()
    }
}
