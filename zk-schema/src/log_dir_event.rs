//! `/log_dir_event_notification`: brokers tell the controller that a log directory failed.

use barnabas_wire::id::BrokerId;
use serde::Serialize;

use crate::json::{DecodeError, Object, encode};
use crate::operation::CreateMode;
use crate::path::ZkPath;
use crate::znode::{Role, Znode, empty_znode};

/// `/log_dir_event_notification`: one child for each notification.
#[derive(Clone, Copy, Debug)]
pub struct LogDirEventsZnode;

empty_znode!(
    LogDirEventsZnode,
    CreateMode::Persistent,
    &[Role::Broker],
    &[Role::Controller],
    |_this| ZkPath::from("/log_dir_event_notification")
);

/// `/log_dir_event_notification/log_dir_event_`, numbered by the server: the broker that lost a log
/// directory. The controller asks it with `LeaderAndIsr` which replicas are gone.
#[derive(Clone, Copy, Debug)]
pub struct LogDirEventZnode;

#[derive(Serialize)]
struct Document {
    version: i32,
    broker: i32,
    event: i32,
}

impl Znode for LogDirEventZnode {
    type Payload = BrokerId;
    const MODE: CreateMode = CreateMode::PersistentSequential;
    const WRITERS: &'static [Role] = &[Role::Broker];
    const WATCHERS: &'static [Role] = &[Role::Controller];

    fn path(&self) -> ZkPath {
        LogDirEventsZnode.path().child("log_dir_event_")
    }

    fn encode(payload: &BrokerId) -> Vec<u8> {
        encode(&Document {
            version: 1,
            broker: payload.0,
            event: 1,
        })
    }

    fn decode(data: &[u8]) -> Result<BrokerId, DecodeError> {
        Object::parse("a notification of a failed log directory", data)?
            .int("broker")
            .map(BrokerId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_has_the_bytes_of_version_1() {
        let json = br#"{"version":1,"broker":1,"event":1}"#;
        assert_eq!(LogDirEventZnode::encode(&BrokerId(1)), json);
        assert_eq!(LogDirEventZnode::decode(json), Ok(BrokerId(1)));
    }
}
