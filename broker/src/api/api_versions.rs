//! `ApiVersions`: what this broker speaks. Source: KIP-35, KIP-511.

use barnabas_wire::ErrorCode;
use barnabas_wire::api::ApiKey;
use barnabas_wire::message::api_versions::ApiVersion;
use barnabas_wire::message::{ApiVersionsRequest, ApiVersionsResponse};

use super::{Context, Outcome};

/// Longest name or version of a client's software that is taken as one. Source: kafka 2.8
/// `ApiVersionsRequest` (its pattern has no limit; a limit is ours).
const SOFTWARE_SIZE_MAX: usize = 256;

pub(super) fn handle(
    context: &Context<'_>,
    request: ApiVersionsRequest,
) -> Outcome<ApiVersionsResponse> {
    let names = [
        &request.client_software_name,
        &request.client_software_version,
    ];
    if context.api_version() >= 3 && !names.iter().all(|name| is_software(name)) {
        return answer(ErrorCode::InvalidRequest, vec![]).into();
    }
    answer(ErrorCode::None, table()).into()
}

/// The answer, in version 0, to a version that is not served: what is served of this API.
pub(super) fn unsupported() -> ApiVersionsResponse {
    let own = table()
        .into_iter()
        .filter(|api| api.api_key == ApiKey::ApiVersions.key());
    answer(ErrorCode::UnsupportedVersion, own.collect())
}

fn answer(error: ErrorCode, api_keys: Vec<ApiVersion>) -> ApiVersionsResponse {
    ApiVersionsResponse {
        error_code: error.code(),
        api_keys,
        ..ApiVersionsResponse::default()
    }
}

fn table() -> Vec<ApiVersion> {
    let row = |api: &ApiKey| {
        let served = api.row().served;
        ApiVersion {
            api_key: api.key(),
            min_version: served.min,
            max_version: served.max,
        }
    };
    ApiKey::ALL.iter().map(row).collect()
}

/// Letters, digits, `-` and `.`, beginning and ending with a letter or digit.
fn is_software(name: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let is_outer = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    name.len() <= SOFTWARE_SIZE_MAX
        && name.chars().all(is_inner)
        && is_outer(name.chars().next())
        && is_outer(name.chars().last())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_software_are_what_kafka_takes() {
        for name in ["librdkafka", "apache-kafka-java", "2.0.2", "a"] {
            assert!(is_software(name), "{name}");
        }
        for name in [
            "",
            "-a",
            "a.",
            "a b",
            "ä",
            &"a".repeat(SOFTWARE_SIZE_MAX + 1),
        ] {
            assert!(!is_software(name), "{name}");
        }
    }

    /// librdkafka stops compressing otherwise (KAFKA-18659).
    #[test]
    fn produce_and_fetch_are_advertised_from_version_0() {
        for api in table().iter().filter(|api| api.api_key <= 1) {
            assert_eq!(api.min_version, 0);
        }
        assert_eq!(unsupported().error_code, 35);
        assert_eq!(unsupported().api_keys.len(), 1);
    }
}
