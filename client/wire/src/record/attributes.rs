//! The attribute bits of a record batch.

use super::compression::{Compression, CompressionError};

const CODEC_MASK: i16 = 0b111;
const LOG_APPEND_TIME: i16 = 1 << 3;
const TRANSACTIONAL: i16 = 1 << 4;
const CONTROL: i16 = 1 << 5;
const DELETE_HORIZON: i16 = 1 << 6;

/// Who set the timestamps of a batch. Source: KIP-32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimestampType {
    /// The producer, record by record.
    #[default]
    CreateTime,
    /// The broker, when it appended: every record carries the batch's max timestamp.
    LogAppendTime,
}

/// The attributes of a batch as they lie in its header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes(pub i16);

impl Attributes {
    /// The codec of the records.
    ///
    /// # Errors
    /// [`CompressionError::UnknownCodec`] for the numbers 5 to 7, which name no codec.
    pub const fn compression(self) -> Result<Compression, CompressionError> {
        Compression::from_id(self.codec_id())
    }

    /// The codec's number, 0 to 7; 0 means uncompressed.
    #[must_use]
    pub const fn codec_id(self) -> u8 {
        (self.0 & CODEC_MASK).to_be_bytes()[1]
    }

    /// Who set the timestamps.
    #[must_use]
    pub const fn timestamp_type(self) -> TimestampType {
        if self.0 & LOG_APPEND_TIME == 0 {
            TimestampType::CreateTime
        } else {
            TimestampType::LogAppendTime
        }
    }

    /// True for a batch that belongs to a transaction. Source: KIP-98.
    #[must_use]
    pub const fn is_transactional(self) -> bool {
        self.0 & TRANSACTIONAL != 0
    }

    /// True for a batch that holds a marker instead of data. Source: KIP-98.
    #[must_use]
    pub const fn is_control(self) -> bool {
        self.0 & CONTROL != 0
    }

    /// True if the base timestamp field holds a delete horizon. Source: KIP-534.
    #[must_use]
    pub const fn has_delete_horizon(self) -> bool {
        self.0 & DELETE_HORIZON != 0
    }

    /// The same attributes with another codec.
    #[must_use]
    pub const fn with_compression(self, compression: Compression) -> Self {
        Self((self.0 & !CODEC_MASK) | compression.id() as i16)
    }

    /// The same attributes with another timestamp type.
    #[must_use]
    pub const fn with_timestamp_type(self, timestamp_type: TimestampType) -> Self {
        match timestamp_type {
            TimestampType::CreateTime => Self(self.0 & !LOG_APPEND_TIME),
            TimestampType::LogAppendTime => Self(self.0 | LOG_APPEND_TIME),
        }
    }

    /// The same attributes with the transactional bit set or cleared.
    #[must_use]
    pub const fn with_transactional(self, transactional: bool) -> Self {
        if transactional {
            Self(self.0 | TRANSACTIONAL)
        } else {
            Self(self.0 & !TRANSACTIONAL)
        }
    }

    /// The same attributes with the control bit set or cleared.
    #[must_use]
    pub const fn with_control(self, control: bool) -> Self {
        if control {
            Self(self.0 | CONTROL)
        } else {
            Self(self.0 & !CONTROL)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bit_is_read_where_kafka_puts_it() {
        let all = Attributes(0b111_1100);
        assert_eq!(all.compression().unwrap(), Compression::Zstd);
        assert_eq!(all.timestamp_type(), TimestampType::LogAppendTime);
        assert!(all.is_transactional() && all.is_control() && all.has_delete_horizon());
        let none = Attributes(0);
        assert_eq!(none.compression().unwrap(), Compression::None);
        assert_eq!(none.timestamp_type(), TimestampType::CreateTime);
        assert!(!none.is_transactional() && !none.is_control() && !none.has_delete_horizon());
    }

    #[test]
    fn changing_one_bit_leaves_the_others() {
        let set = Attributes(0b11_1001);
        assert_eq!(
            set.with_timestamp_type(TimestampType::CreateTime).0,
            0b11_0001
        );
        assert_eq!(set.with_compression(Compression::None).0, 0b11_1000);
        assert_eq!(set.with_transactional(false).0, 0b10_1001);
        assert_eq!(set.with_control(false).0, 0b01_1001);
    }

    #[test]
    fn a_number_that_names_no_codec_is_an_error() {
        let unknown = Attributes(5).compression();
        assert_eq!(unknown, Err(CompressionError::UnknownCodec { id: 5 }));
    }
}
