//! How a value becomes bytes at one API version.

use bytes::Bytes;

use crate::api::ApiKey;
use crate::{DecodeError, EncodeError, Pieces, Sink, Source};

/// The version and form in which a value is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coding {
    /// Version of the API, or of whatever else carries the value.
    pub api_version: i16,
    /// Whether lengths are compact and tagged fields follow each struct. Source: KIP-482.
    pub is_flexible: bool,
}

impl Coding {
    /// The old form: two- and four-byte lengths, no tagged fields.
    #[must_use]
    pub const fn classic(api_version: i16) -> Self {
        Self {
            api_version,
            is_flexible: false,
        }
    }

    /// The form of KIP-482.
    #[must_use]
    pub const fn flexible(api_version: i16) -> Self {
        Self {
            api_version,
            is_flexible: true,
        }
    }
}

/// A value with a place on the wire. Derived for structs by `#[derive(Wire)]`.
pub trait Wire: Sized {
    /// Fewest bytes that a value takes at any version; lets a reader refuse a count that the rest
    /// of its frame cannot hold.
    const SIZE_MIN: usize;

    /// Appends the value. What cannot be written is noted in the sink, which then refuses to
    /// finish.
    fn write(&self, sink: &mut Sink, coding: Coding);

    /// Takes the value from the front of what is left.
    ///
    /// # Errors
    /// Whatever is wrong with the bytes, and where.
    fn read(source: &mut Source<'_>, coding: Coding) -> Result<Self, DecodeError>;
}

/// A whole request or response body.
pub trait Message: Wire + Default {
    /// The row of the API table this belongs to.
    const API: ApiKey;

    /// Takes a body from the front of `source`. Bytes that follow it are left alone, as in Kafka.
    ///
    /// # Errors
    /// [`DecodeError::UnsupportedVersion`] if the codec does not know the version; else whatever
    /// is wrong with the bytes.
    fn decode(source: &mut Source<'_>, api_version: i16) -> Result<Self, DecodeError> {
        let api = Self::API.row();
        if !api.codec.contains(api_version) {
            return Err(DecodeError::UnsupportedVersion {
                api: Self::API,
                api_version,
            });
        }
        Self::read(source, api.coding(api_version))
    }

    /// Takes a body from the front of a buffer of its own.
    ///
    /// # Errors
    /// As for [`Message::decode`].
    fn from_bytes(bytes: &Bytes, api_version: i16) -> Result<Self, DecodeError> {
        Self::decode(&mut Source::new(bytes), api_version)
    }

    /// Appends the body.
    ///
    /// # Errors
    /// None at once: an unknown version or a value the version cannot carry is noted in the sink.
    fn encode(&self, sink: &mut Sink, api_version: i16) {
        let api = Self::API.row();
        if api.codec.contains(api_version) {
            self.write(sink, api.coding(api_version));
        } else {
            sink.refuse(EncodeError::UnsupportedVersion {
                api: Self::API,
                api_version,
            });
        }
    }

    /// The body on its own, without header and length.
    ///
    /// # Errors
    /// The first thing that could not be written.
    fn to_pieces(&self, api_version: i16) -> Result<Pieces, EncodeError> {
        let mut sink = Sink::new();
        self.encode(&mut sink, api_version);
        sink.finish()
    }
}

/// A request body, and what answers it.
pub trait Request: Message {
    /// The response body.
    type Response: Message;
}
