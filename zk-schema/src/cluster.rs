//! `/cluster/id`: which cluster this is.

use serde::Serialize;

use crate::json::{DecodeError, Object, encode};
use crate::operation::CreateMode;
use crate::path::ZkPath;
use crate::znode::{Role, Znode};

/// `/cluster/id`: 22 characters of URL-safe base64, the first broker's random choice. Created if it
/// is not there, never changed.
#[derive(Clone, Copy, Debug)]
pub struct ClusterIdZnode;

/// The version is text here, unlike anywhere else.
#[derive(Serialize)]
struct Document<'a> {
    version: &'static str,
    id: &'a str,
}

impl Znode for ClusterIdZnode {
    type Payload = String;
    const MODE: CreateMode = CreateMode::Persistent;
    const WRITERS: &'static [Role] = &[Role::Broker];
    const WATCHERS: &'static [Role] = &[];

    fn path(&self) -> ZkPath {
        ZkPath::from("/cluster/id")
    }

    fn encode(payload: &String) -> Vec<u8> {
        encode(&Document {
            version: "1",
            id: payload,
        })
    }

    fn decode(data: &[u8]) -> Result<String, DecodeError> {
        Object::parse("/cluster/id", data)?
            .text("id")
            .map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_text() {
        let json = br#"{"version":"1","id":"AAAAAAAAAAAAAAAAAAAAAg"}"#;
        let id = "AAAAAAAAAAAAAAAAAAAAAg".to_owned();
        assert_eq!(ClusterIdZnode::encode(&id), json);
        assert_eq!(ClusterIdZnode::decode(json), Ok(id));
        assert!(ClusterIdZnode::decode(b"{}").is_err());
    }
}
