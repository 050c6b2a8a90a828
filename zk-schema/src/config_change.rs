//! `/config/changes`: somebody changed settings.

use serde::Serialize;

use crate::config::ConfigEntity;
use crate::json::{DecodeError, Object, encode};
use crate::operation::CreateMode;
use crate::path::ZkPath;
use crate::znode::{Role, Znode, empty_znode};

/// `/config/changes`: one child for each notification.
#[derive(Clone, Copy, Debug)]
pub struct ConfigChangesZnode;

empty_znode!(
    ConfigChangesZnode,
    CreateMode::Persistent,
    &[Role::Broker],
    &[Role::Broker],
    |_this| ZkPath::from("/config/changes")
);

/// `/config/changes/config_change_`, numbered by the server, written after the settings themselves.
/// Names whose settings to read again; any broker removes it after [`RETENTION_MS`].
#[derive(Clone, Copy, Debug)]
pub struct ConfigChangeZnode;

/// Age at which a notification is removed, ms.
/// Source: kafka 2.8 `common/ZkNodeChangeNotificationListener.scala`.
pub const RETENTION_MS: i64 = 15 * 60 * 1000;

#[derive(Serialize)]
struct Document {
    version: i32,
    entity_path: String,
}

impl Znode for ConfigChangeZnode {
    /// `None`: an entity that we know nothing of.
    type Payload = Option<ConfigEntity>;
    const MODE: CreateMode = CreateMode::PersistentSequential;
    const WRITERS: &'static [Role] = &[Role::Admin];
    const WATCHERS: &'static [Role] = &[Role::Broker];

    fn path(&self) -> ZkPath {
        ConfigChangesZnode.path().child("config_change_")
    }

    fn encode(payload: &Option<ConfigEntity>) -> Vec<u8> {
        let entity_path = payload
            .as_ref()
            .map(ConfigEntity::entity_path)
            .unwrap_or_default();
        encode(&Document {
            version: 2,
            entity_path,
        })
    }

    fn decode(data: &[u8]) -> Result<Option<ConfigEntity>, DecodeError> {
        let object = Object::parse("a notification of a settings change", data)?;
        if object.int("version")? == 1 {
            let path = format!(
                "{}/{}",
                object.text("entity_type")?,
                object.text("entity_name")?
            );
            return Ok(ConfigEntity::from_entity_path(&path));
        }
        Ok(ConfigEntity::from_entity_path(object.text("entity_path")?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_has_the_bytes_of_version_2() {
        let payload = Some(ConfigEntity::Topic("foo".into()));
        let json = br#"{"version":2,"entity_path":"topics/foo"}"#;
        assert_eq!(ConfigChangeZnode::encode(&payload), json);
        assert_eq!(ConfigChangeZnode::decode(json), Ok(payload));
    }

    #[test]
    fn version_1_is_read_and_noise_is_refused() {
        let json = br#"{"version":1,"entity_type":"topics","entity_name":"foo"}"#;
        assert_eq!(
            ConfigChangeZnode::decode(json),
            Ok(Some(ConfigEntity::Topic("foo".into())))
        );
        assert!(ConfigChangeZnode::decode(b"hello").is_err());
    }
}
