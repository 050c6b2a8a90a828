//! `/isr_change_notification`: leaders tell the controller that they changed in-sync replicas.

use barnabas_wire::id::TopicPartition;

use crate::json::{DecodeError, encode};
use crate::operation::CreateMode;
use crate::path::ZkPath;
use crate::preferred_election::{PartitionList, partitions};
use crate::znode::{Role, Znode, empty_znode};

/// `/isr_change_notification`: one child for each notification.
#[derive(Clone, Copy, Debug)]
pub struct IsrChangesZnode;

empty_znode!(
    IsrChangesZnode,
    CreateMode::Persistent,
    &[Role::Broker],
    &[Role::Controller],
    |_this| ZkPath::from("/isr_change_notification")
);

/// `/isr_change_notification/isr_change_`, numbered by the server: partitions whose ISR changed. The
/// controller reads their state, tells every broker and removes the notification.
#[derive(Clone, Copy, Debug)]
pub struct IsrChangeZnode;

impl Znode for IsrChangeZnode {
    type Payload = Vec<TopicPartition>;
    const MODE: CreateMode = CreateMode::PersistentSequential;
    const WRITERS: &'static [Role] = &[Role::Leader];
    const WATCHERS: &'static [Role] = &[Role::Controller];

    fn path(&self) -> ZkPath {
        IsrChangesZnode.path().child("isr_change_")
    }

    fn encode(payload: &Vec<TopicPartition>) -> Vec<u8> {
        encode(&PartitionList::new(payload))
    }

    fn decode(data: &[u8]) -> Result<Vec<TopicPartition>, DecodeError> {
        partitions("a notification of an ISR change", data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use barnabas_wire::id::PartitionId;

    #[test]
    fn a_notification_has_the_bytes_of_version_1() {
        let payload = vec![
            TopicPartition::new("t", PartitionId(0)),
            TopicPartition::new("u", PartitionId(2)),
        ];
        let json = r#"{"version":1,"partitions":[{"topic":"t","partition":0},{"topic":"u","partition":2}]}"#;
        assert_eq!(
            String::from_utf8(IsrChangeZnode::encode(&payload)).unwrap(),
            json
        );
        assert_eq!(IsrChangeZnode::decode(json.as_bytes()), Ok(payload));
        assert_eq!(
            IsrChangeZnode.path().as_str(),
            "/isr_change_notification/isr_change_"
        );
    }
}
