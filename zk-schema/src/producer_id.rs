//! `/latest_producer_id_block`: which producer ids are taken.

use barnabas_wire::id::BrokerId;
use serde::Serialize;

use crate::json::{DecodeError, Object, encode};
use crate::operation::CreateMode;
use crate::path::ZkPath;
use crate::znode::{Role, Znode};

/// `/latest_producer_id_block`: the block that was taken last. Written only at the version read. A
/// lost reply is resolved by reading: if the block in ZooKeeper is the one we wanted and names us,
/// it is ours.
#[derive(Clone, Copy, Debug)]
pub struct ProducerIdBlockZnode;

/// How many ids a broker takes at once.
pub const BLOCK_SIZE_COUNT: i64 = 1000;

/// Consecutive producer ids that one broker may hand out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerIdBlock {
    /// Whose they are.
    pub broker: BrokerId,
    /// The first.
    pub first: i64,
    /// The last, inclusive.
    pub last: i64,
}

impl ProducerIdBlock {
    /// The block for `broker` after `latest`; `None` if there are no more ids.
    #[must_use]
    pub fn after(latest: Option<&Self>, broker: BrokerId) -> Option<Self> {
        let first = latest.map_or(Some(0), |block| block.last.checked_add(1))?;
        let last = first.checked_add(BLOCK_SIZE_COUNT - 1)?;
        Some(Self {
            broker,
            first,
            last,
        })
    }
}

/// The bounds are text.
#[derive(Serialize)]
struct Document {
    version: i32,
    broker: i32,
    block_start: String,
    block_end: String,
}

impl Znode for ProducerIdBlockZnode {
    /// `None`: no block was taken yet.
    type Payload = Option<ProducerIdBlock>;
    const MODE: CreateMode = CreateMode::Persistent;
    const WRITERS: &'static [Role] = &[Role::Broker];
    const WATCHERS: &'static [Role] = &[];

    fn path(&self) -> ZkPath {
        ZkPath::from("/latest_producer_id_block")
    }

    fn encode(payload: &Option<ProducerIdBlock>) -> Vec<u8> {
        let Some(block) = payload else {
            return Vec::new();
        };
        encode(&Document {
            version: 1,
            broker: block.broker.0,
            block_start: block.first.to_string(),
            block_end: block.last.to_string(),
        })
    }

    fn decode(data: &[u8]) -> Result<Option<ProducerIdBlock>, DecodeError> {
        if data.is_empty() {
            return Ok(None);
        }
        let object = Object::parse("/latest_producer_id_block", data)?;
        Ok(Some(ProducerIdBlock {
            broker: BrokerId(object.int("broker")?),
            first: object.long_text("block_start")?,
            last: object.long_text("block_end")?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_are_text_and_inclusive() {
        let first = ProducerIdBlock::after(None, BrokerId(1));
        let json = br#"{"version":1,"broker":1,"block_start":"0","block_end":"999"}"#;
        assert_eq!(ProducerIdBlockZnode::encode(&first), json);
        assert_eq!(ProducerIdBlockZnode::decode(json), Ok(first));
        let second = ProducerIdBlock::after(first.as_ref(), BrokerId(2)).unwrap();
        assert_eq!((second.first, second.last), (1000, 1999));
    }

    #[test]
    fn ids_end_rather_than_wrap() {
        let last = ProducerIdBlock {
            broker: BrokerId(1),
            first: 0,
            last: i64::MAX - 500,
        };
        assert_eq!(ProducerIdBlock::after(Some(&last), BrokerId(1)), None);
    }

    #[test]
    fn no_data_is_no_block() {
        assert_eq!(ProducerIdBlockZnode::decode(b""), Ok(None));
        assert!(ProducerIdBlockZnode::decode(b"{}").is_err());
    }
}
