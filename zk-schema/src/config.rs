//! `/config/...`: settings of topics, brokers, clients, users and addresses.

use std::collections::BTreeMap;

use barnabas_wire::id::{BrokerId, TopicName};
use serde::Serialize;
use serde_json::Value;

use crate::json::{DecodeError, Object, encode};
use crate::operation::CreateMode;
use crate::path::ZkPath;
use crate::znode::{Role, Znode};

/// Whose settings: the last part of the path below `/config`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConfigEntity {
    /// `topics/T`.
    Topic(TopicName),
    /// `brokers/N`.
    Broker(BrokerId),
    /// `brokers/<default>`: all brokers without a value of their own.
    BrokerDefault,
    /// `clients/C`, the name sanitized.
    Client(String),
    /// `users/U` or `users/U/clients/C`, names sanitized; the text after `users/`.
    User(String),
    /// `ips/A`.
    Ip(String),
}

/// `/config/<entity>`: read whenever a [change](crate::config_change) names it.
#[derive(Clone, Debug)]
pub struct ConfigZnode(pub ConfigEntity);

/// Settings by name; all values are text.
pub type ConfigValues = BTreeMap<String, String>;

#[derive(Serialize)]
struct Document<'a> {
    version: i32,
    config: &'a ConfigValues,
}

impl ConfigEntity {
    /// The path below `/config`, as notifications carry it.
    #[must_use]
    pub fn entity_path(&self) -> String {
        match self {
            Self::Topic(topic) => format!("topics/{topic}"),
            Self::Broker(broker) => format!("brokers/{broker}"),
            Self::BrokerDefault => "brokers/<default>".to_owned(),
            Self::Client(client) => format!("clients/{client}"),
            Self::User(user) => format!("users/{user}"),
            Self::Ip(address) => format!("ips/{address}"),
        }
    }

    /// The entity that `path`, relative to `/config`, belongs to; `None` if it is no entity's.
    #[must_use]
    pub fn from_entity_path(path: &str) -> Option<Self> {
        let (kind, name) = path.split_once('/')?;
        if name.is_empty() {
            return None;
        }
        match kind {
            "topics" => {
                crate::topic_name::validate(name).ok()?;
                Some(Self::Topic(name.into()))
            }
            "brokers" if name == "<default>" => Some(Self::BrokerDefault),
            "brokers" => name.parse().ok().map(|id| Self::Broker(BrokerId(id))),
            "clients" => Some(Self::Client(name.to_owned())),
            "users" => Some(Self::User(name.to_owned())),
            "ips" => Some(Self::Ip(name.to_owned())),
            _ => None,
        }
    }
}

impl Znode for ConfigZnode {
    type Payload = ConfigValues;
    const MODE: CreateMode = CreateMode::Persistent;
    const WRITERS: &'static [Role] = &[Role::Admin, Role::Controller];
    const WATCHERS: &'static [Role] = &[];

    fn path(&self) -> ZkPath {
        ZkPath::from("/config").child(self.0.entity_path())
    }

    fn encode(payload: &ConfigValues) -> Vec<u8> {
        encode(&Document {
            version: 1,
            config: payload,
        })
    }

    fn decode(data: &[u8]) -> Result<ConfigValues, DecodeError> {
        if data.is_empty() {
            return Ok(ConfigValues::new());
        }
        let object = Object::parse("an entity's settings", data)?;
        let Some(fields) = object.object("config")? else {
            return Ok(ConfigValues::new());
        };
        let value = |(name, value): (&String, &Value)| match value {
            Value::String(text) => Ok((name.clone(), text.clone())),
            Value::Number(_) | Value::Bool(_) => Ok((name.clone(), value.to_string())),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                Err(object.malformed("config", value))
            }
        };
        fields.iter().map(value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_have_the_bytes_of_version_1() {
        let payload = ConfigValues::from([("retention.ms".to_owned(), "60000".to_owned())]);
        let json = br#"{"version":1,"config":{"retention.ms":"60000"}}"#;
        assert_eq!(ConfigZnode::encode(&payload), json);
        assert_eq!(ConfigZnode::decode(json), Ok(payload));
        assert_eq!(
            ConfigZnode::encode(&ConfigValues::new()),
            br#"{"version":1,"config":{}}"#
        );
    }

    #[test]
    fn no_data_is_no_settings() {
        assert_eq!(ConfigZnode::decode(b""), Ok(ConfigValues::new()));
        assert_eq!(ConfigZnode::decode(b"{}"), Ok(ConfigValues::new()));
    }

    #[test]
    fn entity_paths_lead_there_and_back() {
        for path in [
            "topics/foo",
            "brokers/1",
            "brokers/<default>",
            "clients/c",
            "users/u/clients/c",
            "ips/::1",
        ] {
            let entity = ConfigEntity::from_entity_path(path).unwrap();
            assert_eq!(entity.entity_path(), path);
        }
        for path in [
            "topics",
            "topics/",
            "topics/a/b",
            "brokers/x",
            "planets/mars",
        ] {
            assert_eq!(ConfigEntity::from_entity_path(path), None, "{path}");
        }
        let znode = ConfigZnode(ConfigEntity::Topic("t".into()));
        assert_eq!(znode.path().as_str(), "/config/topics/t");
    }
}
