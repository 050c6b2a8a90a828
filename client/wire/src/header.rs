//! What stands before a body.

use crate::api::ApiKey;
use crate::{Coding, DecodeError, Sink, Source, Str, Wire};

/// The front of a request: which API, at which version, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHeader {
    /// The API.
    pub api: ApiKey,
    /// The version that the body is in; not checked against what is served.
    pub api_version: i16,
    /// Comes back in the response.
    pub correlation_id: i32,
    /// The client's name for itself. `ControlledShutdown` 0 has none.
    pub client_id: Option<Str>,
}

impl RequestHeader {
    /// Takes a header from the front of a frame.
    ///
    /// The version need not be one that is served: a newer `ApiVersions` still has to be answered
    /// (KIP-511).
    ///
    /// # Errors
    /// [`DecodeError::UnknownApi`]; else whatever is wrong with the bytes.
    pub fn decode(source: &mut Source<'_>) -> Result<Self, DecodeError> {
        let api = ApiKey::try_from(i16::from_be_bytes(source.read_array()?))?;
        let api_version = i16::from_be_bytes(source.read_array()?);
        let correlation_id = i32::from_be_bytes(source.read_array()?);
        let version = api.row().request_header_version(api_version);
        // Even with tagged fields the client id keeps its two-byte length.
        let client_id = match version {
            0 => None,
            _ => Wire::read(source, Coding::classic(version))?,
        };
        if version >= 2 {
            source.skip_tags()?;
        }
        Ok(Self {
            api,
            api_version,
            correlation_id,
            client_id,
        })
    }

    /// Appends the header.
    pub fn encode(&self, sink: &mut Sink) {
        let classic = Coding::classic(self.api_version);
        self.api.key().write(sink, classic);
        self.api_version.write(sink, classic);
        self.correlation_id.write(sink, classic);
        let version = self.api.row().request_header_version(self.api_version);
        if version >= 1 {
            self.client_id.write(sink, classic);
        }
        if version >= 2 {
            sink.write_uvarint(0);
        }
    }
}

/// The front of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseHeader {
    /// That of the request.
    pub correlation_id: i32,
}

impl ResponseHeader {
    /// Takes the header of a response to a request of this API and version.
    ///
    /// # Errors
    /// Whatever is wrong with the bytes.
    pub fn decode(
        source: &mut Source<'_>,
        api: ApiKey,
        api_version: i16,
    ) -> Result<Self, DecodeError> {
        let correlation_id = i32::from_be_bytes(source.read_array()?);
        if api.row().response_header_version(api_version) >= 1 {
            source.skip_tags()?;
        }
        Ok(Self { correlation_id })
    }

    /// Appends the header of a response to a request of this API and version.
    pub fn encode(&self, sink: &mut Sink, api: ApiKey, api_version: i16) {
        self.correlation_id
            .write(sink, Coding::classic(api_version));
        if api.row().response_header_version(api_version) >= 1 {
            sink.write_uvarint(0);
        }
    }
}
