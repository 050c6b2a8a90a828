//! Which versions the broker speaks. Source: KIP-35, KIP-511.

use std::collections::BTreeMap;

use barnabas_wire::api::Versions;
use barnabas_wire::header::ResponseHeader;
use barnabas_wire::message::{ApiVersionsRequest, ApiVersionsResponse};
use barnabas_wire::{ApiKey, DecodeError, ErrorCode, Message as _, Source, Str};
use bytes::Bytes;

/// Version to ask with first: it tells the broker who we are.
const FIRST_ASKED: i16 = 3;

/// What a broker makes of the question.
pub(crate) enum Answer {
    /// Its versions.
    Versions(BrokerVersions),
    /// It does not know that version of the question; this one it should know.
    AskAt(i16),
    /// It refuses.
    Refused(ErrorCode),
}

/// The question, and the version to ask it at first.
pub(crate) fn question() -> (ApiVersionsRequest, i16) {
    let request = ApiVersionsRequest {
        client_software_name: Str::from_static("barnabas"),
        client_software_version: Str::from_static(env!("CARGO_PKG_VERSION")),
    };
    (request, FIRST_ASKED)
}

/// Reads the answer to a question at `api_version`. "Unsupported version" always comes in the
/// layout of version 0, whatever was asked.
pub(crate) fn read_answer(frame: &Bytes, api_version: i16) -> Result<Answer, DecodeError> {
    let mut source = Source::new(frame);
    ResponseHeader::decode(&mut source, ApiKey::ApiVersions, api_version)?;
    let mut first = Source::new(frame);
    let [_, _, _, _, high, low] = first.read_array()?;
    let code = ErrorCode::from_code(i16::from_be_bytes([high, low]));
    let refused = code == ErrorCode::UnsupportedVersion && api_version > 0;
    let layout_version = if refused { 0 } else { api_version };
    let response = ApiVersionsResponse::decode(&mut source, layout_version)?;
    let versions = BrokerVersions::from_response(&response);
    if refused {
        // A broker from before KIP-511 says nothing about what it knows.
        let known = versions
            .of(ApiKey::ApiVersions)
            .map_or(0, |versions| versions.max);
        return Ok(Answer::AskAt(known.clamp(0, api_version - 1)));
    }
    if code == ErrorCode::None {
        Ok(Answer::Versions(versions))
    } else {
        Ok(Answer::Refused(code))
    }
}

/// Every API that a broker serves, by key, with its versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrokerVersions {
    by_key: BTreeMap<i16, Versions>,
}

impl BrokerVersions {
    fn from_response(response: &ApiVersionsResponse) -> Self {
        let range = |api: &barnabas_wire::message::api_versions::ApiVersion| {
            (
                api.api_key,
                Versions {
                    min: api.min_version,
                    max: api.max_version,
                },
            )
        };
        Self {
            by_key: response.api_keys.iter().map(range).collect(),
        }
    }

    /// The versions of one API; none if the broker does not serve it.
    #[must_use]
    pub fn of(&self, api: ApiKey) -> Option<Versions> {
        self.by_key.get(&api.key()).copied()
    }

    /// All of them by key, those unknown here included.
    pub fn iter(&self) -> impl Iterator<Item = (i16, Versions)> {
        self.by_key
            .iter()
            .map(|(&api_key, &versions)| (api_key, versions))
    }

    /// The highest version that lies in `ours` too.
    #[must_use]
    pub fn common(&self, api: ApiKey, ours: Versions) -> Option<i16> {
        self.of(api)?.agree(ours)
    }
}
