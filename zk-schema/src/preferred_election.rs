//! `/admin/preferred_replica_election`: the wish of a tool that preferred replicas lead again.

use barnabas_wire::id::{PartitionId, TopicPartition};
use serde::Serialize;

use crate::json::{DecodeError, Object, encode};
use crate::operation::CreateMode;
use crate::path::ZkPath;
use crate::znode::{Role, Znode};

/// `/admin/preferred_replica_election`: written by Kafka 2.x tools, removed by the controller.
#[derive(Clone, Copy, Debug)]
pub struct PreferredElectionZnode;

/// A list of partitions as several znodes hold it.
#[derive(Serialize)]
pub(crate) struct PartitionList<'a> {
    version: i32,
    partitions: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    topic: &'a str,
    partition: i32,
}

impl Znode for PreferredElectionZnode {
    type Payload = Vec<TopicPartition>;
    const MODE: CreateMode = CreateMode::Persistent;
    const WRITERS: &'static [Role] = &[Role::Admin, Role::Controller];
    const WATCHERS: &'static [Role] = &[Role::Controller];

    fn path(&self) -> ZkPath {
        ZkPath::from("/admin/preferred_replica_election")
    }

    fn encode(payload: &Vec<TopicPartition>) -> Vec<u8> {
        encode(&PartitionList::new(payload))
    }

    fn decode(data: &[u8]) -> Result<Vec<TopicPartition>, DecodeError> {
        partitions("the wish for preferred leaders", data)
    }
}

impl<'a> PartitionList<'a> {
    pub(crate) fn new(partitions: &'a [TopicPartition]) -> Self {
        let entry = |partition: &'a TopicPartition| Entry {
            topic: partition.topic.as_str(),
            partition: partition.partition.0,
        };
        Self {
            version: 1,
            partitions: partitions.iter().map(entry).collect(),
        }
    }
}

pub(crate) fn partitions(
    znode: &'static str,
    data: &[u8],
) -> Result<Vec<TopicPartition>, DecodeError> {
    let object = Object::parse(znode, data)?;
    object
        .objects("partitions")?
        .iter()
        .map(|entry| {
            Ok(TopicPartition::new(
                entry.text("topic")?,
                PartitionId(entry.int("partition")?),
            ))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wish_has_the_bytes_of_version_1() {
        let payload = vec![TopicPartition::new("t", PartitionId(0))];
        let json = r#"{"version":1,"partitions":[{"topic":"t","partition":0}]}"#;
        assert_eq!(
            String::from_utf8(PreferredElectionZnode::encode(&payload)).unwrap(),
            json
        );
        assert_eq!(PreferredElectionZnode::decode(json.as_bytes()), Ok(payload));
    }

    #[test]
    fn a_wish_without_partitions_is_refused() {
        for json in [
            "",
            "{}",
            r#"{"partitions":[1]}"#,
            r#"{"partitions":[{"topic":"t"}]}"#,
        ] {
            assert!(
                PreferredElectionZnode::decode(json.as_bytes()).is_err(),
                "{json}"
            );
        }
    }
}
