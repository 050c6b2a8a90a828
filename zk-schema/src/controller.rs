//! `/controller` and `/controller_epoch`: which broker is the controller, and how many there were.

use barnabas_wire::id::{BrokerId, ControllerEpoch};
use serde::Serialize;
use serde_json::Value;

use crate::json::{DecodeError, Object, encode};
use crate::operation::CreateMode;
use crate::path::ZkPath;
use crate::znode::{Role, Znode};

/// `/controller`, ephemeral: its creator is the controller. Created only together with the raise of
/// the epoch ([`ControllerOp::elect`](crate::ControllerOp::elect)).
#[derive(Clone, Copy, Debug)]
pub struct ControllerZnode;

/// `/controller_epoch`: plain decimal text. Its *version* is what every write of a controller checks.
#[derive(Clone, Copy, Debug)]
pub struct ControllerEpochZnode;

/// Who is the controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControllerHolder {
    /// The broker.
    pub broker: BrokerId,
    /// When it was elected, ms since the Unix epoch. Only told, never used.
    pub timestamp_ms: i64,
}

#[derive(Serialize)]
struct Document {
    version: i32,
    brokerid: i32,
    timestamp: String,
}

impl Znode for ControllerZnode {
    type Payload = ControllerHolder;
    const MODE: CreateMode = CreateMode::Ephemeral;
    const WRITERS: &'static [Role] = &[Role::Broker];
    const WATCHERS: &'static [Role] = &[Role::Broker];

    fn path(&self) -> ZkPath {
        ZkPath::from("/controller")
    }

    fn encode(payload: &ControllerHolder) -> Vec<u8> {
        encode(&Document {
            version: 1,
            brokerid: payload.broker.0,
            timestamp: payload.timestamp_ms.to_string(),
        })
    }

    fn decode(data: &[u8]) -> Result<ControllerHolder, DecodeError> {
        let object = Object::parse("/controller", data)?;
        Ok(ControllerHolder {
            broker: BrokerId(object.int("brokerid")?),
            timestamp_ms: object.long_text("timestamp").unwrap_or(-1),
        })
    }
}

impl Znode for ControllerEpochZnode {
    type Payload = ControllerEpoch;
    const MODE: CreateMode = CreateMode::Persistent;
    const WRITERS: &'static [Role] = &[Role::Broker];
    const WATCHERS: &'static [Role] = &[];

    fn path(&self) -> ZkPath {
        ZkPath::from("/controller_epoch")
    }

    fn encode(payload: &ControllerEpoch) -> Vec<u8> {
        payload.to_string().into_bytes()
    }

    fn decode(data: &[u8]) -> Result<ControllerEpoch, DecodeError> {
        let text = String::from_utf8_lossy(data);
        text.trim()
            .parse()
            .ok()
            .map(ControllerEpoch)
            .ok_or_else(|| DecodeError::Malformed {
                znode: "/controller_epoch",
                field: "epoch",
                got: Value::from(text.chars().take(20).collect::<String>()).to_string(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_has_the_bytes_of_version_1() {
        let payload = ControllerHolder {
            broker: BrokerId(1),
            timestamp_ms: 1_695_000_000_000,
        };
        let json = r#"{"version":1,"brokerid":1,"timestamp":"1695000000000"}"#;
        assert_eq!(
            String::from_utf8(ControllerZnode::encode(&payload)).unwrap(),
            json
        );
        assert_eq!(ControllerZnode::decode(json.as_bytes()), Ok(payload));
    }

    #[test]
    fn the_holder_of_version_2_is_read() {
        let json = r#"{"version":2,"brokerid":4,"timestamp":"1","kraftControllerEpoch":-1}"#;
        assert_eq!(
            ControllerZnode::decode(json.as_bytes()).unwrap().broker,
            BrokerId(4)
        );
    }

    #[test]
    fn the_epoch_is_plain_text() {
        assert_eq!(ControllerEpochZnode::encode(&ControllerEpoch(42)), b"42");
        assert_eq!(ControllerEpochZnode::decode(b"42"), Ok(ControllerEpoch(42)));
        for text in [&b""[..], b"x", b"\xff", b"99999999999"] {
            assert!(ControllerEpochZnode::decode(text).is_err());
        }
    }
}
