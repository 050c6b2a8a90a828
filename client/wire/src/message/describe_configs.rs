//! `DescribeConfigs` (32). Source: KIP-133, KIP-226, KIP-569.

use crate::{Str, Wire};

/// Asks for settings of topics and brokers.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(request(DescribeConfigs))]
pub struct DescribeConfigsRequest {
    /// Whose settings.
    pub resources: Vec<DescribeConfigsResource>,
    /// Whether to tell every place that gives a value.
    #[wire(versions = 1..)]
    pub include_synonyms: bool,
    /// Whether to tell what each setting means.
    #[wire(versions = 3..)]
    pub include_documentation: bool,
}

/// A topic or broker.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeConfigsResource {
    /// 2 topic, 4 broker, 8 broker logger. Source: Kafka `ConfigResource.Type`.
    pub resource_type: i8,
    /// The topic's name or the broker's id as text.
    pub resource_name: Str,
    /// Which settings; null is all.
    pub configuration_keys: Option<Vec<Str>>,
}

/// The settings.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(response(DescribeConfigs))]
pub struct DescribeConfigsResponse {
    /// How long the client is held back for its quota. Unit: ms.
    pub throttle_time_ms: i32,
    /// One for each resource.
    pub results: Vec<DescribeConfigsResult>,
}

/// Settings of one resource.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeConfigsResult {
    /// Error code, or 0.
    pub error_code: i16,
    /// What is wrong, in words.
    pub error_message: Option<Str>,
    /// As in the request.
    pub resource_type: i8,
    /// As in the request.
    pub resource_name: Str,
    /// The settings.
    pub configs: Vec<DescribeConfigsResourceResult>,
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeConfigsResourceResult {
    /// Its key.
    pub name: Str,
    /// Its value; null if it is sensitive.
    pub value: Option<Str>,
    /// Whether it cannot be changed.
    pub read_only: bool,
    /// Whether nothing but the default gives the value.
    #[wire(versions = 0..=0)]
    pub is_default: bool,
    /// Where the value comes from: 1 topic, 2 this broker, 3 all brokers, 4 the broker's file, 5
    /// default; -1 if not told. Source: Kafka `DescribeConfigsResponse.ConfigSource`.
    #[wire(versions = 1.., default = -1, ignorable)]
    pub config_source: i8,
    /// Whether the value is a secret.
    pub is_sensitive: bool,
    /// Every place that gives a value, the one that counts first.
    #[wire(versions = 1.., ignorable)]
    pub synonyms: Vec<DescribeConfigsSynonym>,
    /// Type of the value: 1 boolean, 2 string, 3 int, 4 short, 5 long, 6 double, 7 list, 8 class,
    /// 9 password; 0 if not told.
    #[wire(versions = 3.., ignorable)]
    pub config_type: i8,
    /// What the setting means.
    #[wire(versions = 3.., ignorable)]
    pub documentation: Option<Str>,
}

/// A place that gives a value.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeConfigsSynonym {
    /// The key there.
    #[wire(versions = 1..)]
    pub name: Str,
    /// The value there.
    #[wire(versions = 1..)]
    pub value: Option<Str>,
    /// The place, numbered as `config_source`.
    #[wire(versions = 1..)]
    pub source: i8,
}
