//! `ApiVersions` (18): which APIs a broker serves, at which versions. Source: KIP-35, KIP-511.

use crate::{Str, Wire};

/// Asks for the table. A version that the broker does not know is answered in version 0 with
/// `UNSUPPORTED_VERSION`.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(request(ApiVersions))]
pub struct ApiVersionsRequest {
    /// The client's software, such as `librdkafka`.
    #[wire(versions = 3.., ignorable)]
    pub client_software_name: Str,
    /// The version of that software.
    #[wire(versions = 3.., ignorable)]
    pub client_software_version: Str,
}

/// The table.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(response(ApiVersions))]
pub struct ApiVersionsResponse {
    /// Error code, or 0.
    pub error_code: i16,
    /// The APIs.
    pub api_keys: Vec<ApiVersion>,
    /// How long the client is held back for its quota. Unit: ms.
    #[wire(versions = 1.., ignorable)]
    pub throttle_time_ms: i32,
    /// Features that the broker supports. Source: KIP-584.
    #[wire(versions = 3.., tag = 0, ignorable)]
    pub supported_features: Vec<SupportedFeatureKey>,
    /// Epoch of the features agreed on in the cluster; -1 if unknown.
    #[wire(versions = 3.., tag = 1, default = -1, ignorable)]
    pub finalized_features_epoch: i64,
    /// Features agreed on in the cluster.
    #[wire(versions = 3.., tag = 2, ignorable)]
    pub finalized_features: Vec<FinalizedFeatureKey>,
    /// Whether a controller of the newer kind is ready to take over from ZooKeeper.
    #[wire(versions = 3.., tag = 3, ignorable)]
    pub zk_migration_ready: bool,
}

/// The versions of one API.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ApiVersion {
    /// The API's key.
    pub api_key: i16,
    /// Lowest version.
    pub min_version: i16,
    /// Highest version.
    pub max_version: i16,
}

/// A feature that the broker supports.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct SupportedFeatureKey {
    /// The feature's name.
    #[wire(versions = 3..)]
    pub name: Str,
    /// Lowest level.
    #[wire(versions = 3..)]
    pub min_version: i16,
    /// Highest level.
    #[wire(versions = 3..)]
    pub max_version: i16,
}

/// A feature that the cluster has agreed on.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct FinalizedFeatureKey {
    /// The feature's name.
    #[wire(versions = 3..)]
    pub name: Str,
    /// Highest level agreed on.
    #[wire(versions = 3..)]
    pub max_version_level: i16,
    /// Lowest level agreed on.
    #[wire(versions = 3..)]
    pub min_version_level: i16,
}
