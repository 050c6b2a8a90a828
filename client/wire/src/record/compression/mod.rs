//! The codecs of a batch's records. Each sits behind a feature of its own name.
//!
//! What is read: gzip (one or more members), snappy raw (librdkafka) or in xerial blocks (Java,
//! Python), lz4 frames, zstd. What is written: the form that Kafka's Java client reads, so snappy in
//! xerial blocks and lz4 with independent blocks of 64 KiB.

#[cfg(feature = "gzip")]
mod gzip;
#[cfg(feature = "lz4")]
mod lz4;
#[cfg(feature = "snappy")]
mod snappy;
#[cfg(feature = "zstd")]
mod zstandard;

use std::fmt;
use std::str::FromStr;

/// A codec, or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Records as they are.
    #[default]
    None,
    /// RFC 1952.
    Gzip,
    /// Snappy, raw or in xerial blocks.
    Snappy,
    /// LZ4 frames. Source: KIP-57.
    Lz4,
    /// RFC 8878; needs Produce version 7 and Fetch version 10. Source: KIP-110.
    Zstd,
}

/// Compressing or decompressing failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompressionError {
    /// The attributes name a codec that does not exist.
    #[error("there is no codec with the number {id}")]
    UnknownCodec {
        /// The number, 5 to 7.
        id: u8,
    },
    /// The codec exists but this program was built without it.
    #[error("this program was built without {codec}")]
    NotBuilt {
        /// The codec.
        codec: Compression,
    },
    /// The compressed bytes are damaged.
    #[error("the {codec} block is damaged: {reason}")]
    Damaged {
        /// The codec.
        codec: Compression,
        /// What the codec says about it.
        reason: String,
    },
    /// The block holds more than the limit; how much more is not looked at.
    #[error("the {codec} block holds more than {limit_bytes} bytes")]
    TooLarge {
        /// The codec.
        codec: Compression,
        /// The limit on decompressed bytes.
        limit_bytes: usize,
    },
}

impl Compression {
    /// Every codec and none, in the order of their numbers.
    pub const ALL: [Self; 5] = [Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd];

    /// The codec with a number.
    ///
    /// # Errors
    /// [`CompressionError::UnknownCodec`] above 4.
    pub const fn from_id(id: u8) -> Result<Self, CompressionError> {
        match id {
            0 => Ok(Self::None),
            1 => Ok(Self::Gzip),
            2 => Ok(Self::Snappy),
            3 => Ok(Self::Lz4),
            4 => Ok(Self::Zstd),
            id => Err(CompressionError::UnknownCodec { id }),
        }
    }

    /// The number in the attributes, 0 to 4.
    #[must_use]
    pub const fn id(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Gzip => 1,
            Self::Snappy => 2,
            Self::Lz4 => 3,
            Self::Zstd => 4,
        }
    }

    /// The name in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }

    /// True if this program can read and write the codec.
    #[must_use]
    pub const fn is_built(self) -> bool {
        match self {
            Self::None => true,
            Self::Gzip => cfg!(feature = "gzip"),
            Self::Snappy => cfg!(feature = "snappy"),
            Self::Lz4 => cfg!(feature = "lz4"),
            Self::Zstd => cfg!(feature = "zstd"),
        }
    }

    /// Appends `input`, compressed, to `out`.
    ///
    /// # Errors
    /// [`CompressionError::NotBuilt`]; [`CompressionError::Damaged`] if the codec itself fails.
    pub fn compress(self, input: &[u8], out: &mut Vec<u8>) -> Result<(), CompressionError> {
        match self {
            Self::None => {
                out.extend_from_slice(input);
                Ok(())
            }
            #[cfg(feature = "gzip")]
            Self::Gzip => gzip::compress(input, out),
            #[cfg(feature = "snappy")]
            Self::Snappy => snappy::compress(input, out),
            #[cfg(feature = "lz4")]
            Self::Lz4 => lz4::compress(input, out),
            #[cfg(feature = "zstd")]
            Self::Zstd => zstandard::compress(input, out),
            #[allow(
                unreachable_patterns,
                clippy::allow_attributes,
                reason = "if all are built"
            )]
            codec => Err(CompressionError::NotBuilt { codec }),
        }
    }

    /// Appends the decompressed `input` to `out`: at most `limit_bytes`, whatever the block states.
    /// What is in `out` after an error is of no use.
    ///
    /// # Errors
    /// [`CompressionError::NotBuilt`], [`CompressionError::Damaged`] and
    /// [`CompressionError::TooLarge`].
    pub fn decompress(
        self,
        input: &[u8],
        limit_bytes: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), CompressionError> {
        match self {
            Self::None if input.len() > limit_bytes => Err(self.too_large(limit_bytes)),
            Self::None => {
                out.extend_from_slice(input);
                Ok(())
            }
            #[cfg(feature = "gzip")]
            Self::Gzip => gzip::decompress(input, limit_bytes, out),
            #[cfg(feature = "snappy")]
            Self::Snappy => snappy::decompress(input, limit_bytes, out),
            #[cfg(feature = "lz4")]
            Self::Lz4 => lz4::decompress(input, limit_bytes, out),
            #[cfg(feature = "zstd")]
            Self::Zstd => zstandard::decompress(input, limit_bytes, out),
            #[allow(
                unreachable_patterns,
                clippy::allow_attributes,
                reason = "if all are built"
            )]
            codec => Err(CompressionError::NotBuilt { codec }),
        }
    }

    const fn too_large(self, limit_bytes: usize) -> CompressionError {
        CompressionError::TooLarge {
            codec: self,
            limit_bytes,
        }
    }

    #[cfg(any(
        feature = "gzip",
        feature = "snappy",
        feature = "lz4",
        feature = "zstd"
    ))]
    fn damaged(self, reason: impl fmt::Display) -> CompressionError {
        CompressionError::Damaged {
            codec: self,
            reason: reason.to_string(),
        }
    }

    /// Reads all of a decompressing stream, up to the limit.
    #[cfg(any(feature = "gzip", feature = "lz4", feature = "zstd"))]
    fn read_all(
        self,
        stream: impl std::io::Read,
        limit_bytes: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), CompressionError> {
        use std::io::Read as _;

        // One byte more than allowed tells "exactly the limit" from "more".
        let limit = u64::try_from(limit_bytes).unwrap_or(u64::MAX);
        let read = stream.take(limit.saturating_add(1)).read_to_end(out);
        match read {
            Ok(size_bytes) if size_bytes > limit_bytes => Err(self.too_large(limit_bytes)),
            Ok(_) => Ok(()),
            Err(error) => Err(self.damaged(error)),
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no codec.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{name}' is no codec; there are none, gzip, snappy, lz4 and zstd")]
pub struct UnknownCompressionName {
    /// The text as given.
    pub name: String,
}

impl FromStr for Compression {
    type Err = UnknownCompressionName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|codec| codec.name() == name);
        found.ok_or_else(|| UnknownCompressionName { name: name.into() })
    }
}

#[cfg(test)]
mod tests;
