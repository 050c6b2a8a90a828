//! `DescribeConfigs`: every value in force, and where it came from.
//!
//! Source: KIP-133, KIP-226, KIP-569; kafka 2.8 server/ConfigHelper.scala.

use std::sync::Arc;

use barnabas_config::describe::{self, Described};
use barnabas_config::{Kind, Source};
use barnabas_wire::message::describe_configs::{
    DescribeConfigsResource, DescribeConfigsResourceResult, DescribeConfigsResult,
    DescribeConfigsSynonym,
};
use barnabas_wire::message::{DescribeConfigsRequest, DescribeConfigsResponse};
use barnabas_wire::{ErrorCode, Str};
use barnabas_zk_schema::topic_name;

use super::topic_error::Refused;
use super::{Context, Outcome, config_source};
use crate::node::Node;
use crate::topic_config;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const BROKER_LOGGER: i8 = 8;

pub(super) fn handle(
    context: &Context<'_>,
    request: DescribeConfigsRequest,
) -> Outcome<DescribeConfigsResponse> {
    let node = Arc::clone(context.node);
    let api_version = context.api_version();
    Outcome::spawn(async move {
        let mut results = Vec::new();
        for resource in &request.resources {
            let (refused, described) = match describe(&node, resource).await {
                Ok(described) => (Refused::code(ErrorCode::None), described),
                Err(refused) => (refused, vec![]),
            };
            let wanted = |one: &Described| {
                let keys = resource.configuration_keys.as_ref();
                keys.is_none_or(|keys| keys.iter().any(|key| *key == one.key))
            };
            let one = |one: Described| entry(one, &request, api_version);
            results.push(DescribeConfigsResult {
                error_code: refused.code.code(),
                error_message: refused.message.map(Str::from),
                resource_type: resource.resource_type,
                resource_name: resource.resource_name.clone(),
                configs: described.into_iter().filter(wanted).map(one).collect(),
            });
        }
        DescribeConfigsResponse {
            results,
            ..DescribeConfigsResponse::default()
        }
    })
}

async fn describe(
    node: &Node,
    resource: &DescribeConfigsResource,
) -> Result<Vec<Described>, Refused> {
    let name = resource.resource_name.as_str();
    match resource.resource_type {
        TOPIC => {
            topic_name::validate(name).map_err(|error| {
                Refused::new(ErrorCode::InvalidTopicException, error.to_string())
            })?;
            if !node.metadata.snapshot().topics.contains_key(name) {
                return Err(Refused::code(ErrorCode::UnknownTopicOrPartition));
            }
            let values = topic_config::read(&node.session, name)
                .await
                .map_err(|error| Refused::new(ErrorCode::UnknownServerError, error.to_string()))?;
            let overrides = values
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str()));
            Ok(describe::topic(&node.effective, name, overrides))
        }
        BROKER if name.parse() == Ok(node.broker.0) => Ok(describe::broker(&node.effective)),
        BROKER => {
            let message = format!("ask broker {name} itself; this is broker {}", node.broker);
            Err(Refused::new(ErrorCode::InvalidRequest, message))
        }
        BROKER_LOGGER => {
            let message = "loggers cannot be changed while the broker runs";
            Err(Refused::new(ErrorCode::InvalidRequest, message))
        }
        other => {
            let message = format!("there are no resources of type {other}");
            Err(Refused::new(ErrorCode::InvalidRequest, message))
        }
    }
}

fn entry(
    one: Described,
    request: &DescribeConfigsRequest,
    api_version: i16,
) -> DescribeConfigsResourceResult {
    let synonym = |synonym: describe::Synonym| DescribeConfigsSynonym {
        name: synonym.key.into(),
        value: synonym.value.map(Str::from),
        source: config_source(&synonym.source),
    };
    let synonyms = if request.include_synonyms {
        one.synonyms
    } else {
        vec![]
    };
    DescribeConfigsResourceResult {
        name: one.key.into(),
        value: one.value.map(Str::from),
        read_only: one.is_read_only,
        is_default: api_version == 0 && one.source == Source::Default,
        config_source: config_source(&one.source),
        is_sensitive: one.is_sensitive,
        synonyms: synonyms.into_iter().map(synonym).collect(),
        config_type: kind(one.kind),
        documentation: request.include_documentation.then(|| one.doc.into()),
    }
}

/// Kafka's numbers of kinds. Source: kafka 2.8 `DescribeConfigsResponse.ConfigType`.
const fn kind(kind: Kind) -> i8 {
    match kind {
        Kind::Boolean => 1,
        Kind::Text | Kind::Choice(_) => 2,
        Kind::Int(..) => 3,
        Kind::Short(..) => 4,
        Kind::Long(..) => 5,
        Kind::Double(..) => 6,
        Kind::List(_) => 7,
        Kind::Class => 8,
        Kind::Password => 9,
    }
}
