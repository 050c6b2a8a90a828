//! What can be wrong with bytes, and with values on their way to bytes.

use thiserror::Error;

use crate::api::ApiKey;

/// Bytes that are not what they should be. Positions are bytes from the start of the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// A value reaches beyond the end.
    #[error("at byte {position}: {needed} bytes needed, {left} left")]
    Truncated {
        /// Where the value begins.
        position: usize,
        /// Bytes it needs.
        needed: usize,
        /// Bytes that are left.
        left: usize,
    },
    /// A length or count below zero that is not the mark of a null.
    #[error("at byte {position}: negative length {length}")]
    NegativeLength {
        /// Where the length stands.
        position: usize,
        /// The length.
        length: i32,
    },
    /// A null where the version has none.
    #[error("at byte {position}: null where a value is required")]
    UnexpectedNull {
        /// Where the null stands.
        position: usize,
    },
    /// A count of elements that the rest of the frame cannot hold.
    #[error("at byte {position}: {count} elements announced, {left} bytes left")]
    CountTooLarge {
        /// Where the count stands.
        position: usize,
        /// The count.
        count: usize,
        /// Bytes that are left.
        left: usize,
    },
    /// Decoded elements would take more memory than the frame's size justifies.
    #[error("at byte {position}: elements take {needed} bytes of memory, {allowed} allowed")]
    MemoryExceeded {
        /// Where the elements stand.
        position: usize,
        /// Memory that they need, in bytes.
        needed: usize,
        /// Memory that is left of the frame's allowance, in bytes.
        allowed: usize,
    },
    /// A variable-length number with too many bytes for its type.
    #[error("at byte {position}: varint is too long")]
    VarintTooLong {
        /// Where the number begins.
        position: usize,
    },
    /// Text of more than 32,767 bytes.
    #[error("at byte {position}: text of {length} bytes is too long")]
    TextTooLong {
        /// Where its length stands.
        position: usize,
        /// Its length in bytes.
        length: usize,
    },
    /// Text that is not UTF-8.
    #[error("at byte {position}: text is not UTF-8")]
    NotUtf8 {
        /// Where the text begins.
        position: usize,
    },
    /// An API key that is not in the table.
    #[error("unknown API key {api_key}")]
    UnknownApi {
        /// The key.
        api_key: i16,
    },
    /// A version that the codec does not know.
    #[error("{api} has no version {api_version}")]
    UnsupportedVersion {
        /// The API.
        api: ApiKey,
        /// The version.
        api_version: i16,
    },
}

/// A value that cannot be written as asked. Always the caller's mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EncodeError {
    /// A field is set that the version does not carry and that must not be lost.
    #[error("{field} is set, but version {api_version} cannot carry it")]
    FieldNotInVersion {
        /// `Struct.field`.
        field: &'static str,
        /// The version.
        api_version: i16,
    },
    /// A field is null where the version has no null.
    #[error("{field} is null, but version {api_version} has no null there")]
    NullNotInVersion {
        /// `Struct.field`.
        field: &'static str,
        /// The version.
        api_version: i16,
    },
    /// A text, byte string or list with more than its length field can say.
    #[error("length {length} is above {length_max}")]
    TooLong {
        /// The length.
        length: usize,
        /// Largest length that fits.
        length_max: usize,
    },
    /// A version that the codec does not know.
    #[error("{api} has no version {api_version}")]
    UnsupportedVersion {
        /// The API.
        api: ApiKey,
        /// The version.
        api_version: i16,
    },
    /// A part of a file where only memory will do.
    #[error("a part of a file cannot be turned into bytes here")]
    FileInMemory,
}
