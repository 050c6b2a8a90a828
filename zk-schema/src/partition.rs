//! `/brokers/topics/T/partitions/P/state`: leader and in-sync replicas of a partition.

use barnabas_wire::id::{BrokerId, ControllerEpoch, LeaderEpoch, TopicName, TopicPartition};
use serde::Serialize;

use crate::json::{DecodeError, Object, encode, numbers};
use crate::operation::CreateMode;
use crate::path::ZkPath;
use crate::topic::TopicZnode;
use crate::znode::{Role, Znode, empty_znode};

/// `/brokers/topics/T/partitions`.
#[derive(Clone, Debug)]
pub struct PartitionsZnode(pub TopicName);

empty_znode!(
    PartitionsZnode,
    CreateMode::Persistent,
    &[Role::Controller],
    &[],
    |this| TopicZnode(this.0.clone()).path().child("partitions")
);

/// `/brokers/topics/T/partitions/P`.
#[derive(Clone, Debug)]
pub struct PartitionZnode(pub TopicPartition);

empty_znode!(
    PartitionZnode,
    CreateMode::Persistent,
    &[Role::Controller],
    &[],
    |this| {
        PartitionsZnode(this.0.topic.clone())
            .path()
            .child(this.0.partition)
    }
);

/// `/brokers/topics/T/partitions/P/state`.
///
/// Every write names the version it replaces. The controller's writes are fenced besides; a leader's
/// carry the controller epoch that it was given with its leadership, not the current one.
#[derive(Clone, Debug)]
pub struct PartitionStateZnode(pub TopicPartition);

/// Who leads a partition, and who has all that is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionState {
    /// The controller that last decided about the leader.
    pub controller_epoch: ControllerEpoch,
    /// The leader; `None` (-1 in ZooKeeper) while nobody may lead.
    pub leader: Option<BrokerId>,
    /// Raised by every decision of a controller, left alone by a leader's change of the ISR.
    pub leader_epoch: LeaderEpoch,
    /// In-sync replicas. Never empty; keeps its last member when that one dies, so that it is known
    /// who holds the committed records.
    pub isr: Vec<BrokerId>,
}

const ZNODE: &str = "a partition's state";

/// Fields in the order in which Kafka's encoder writes them.
#[derive(Serialize)]
struct Document {
    controller_epoch: i32,
    leader: i32,
    version: i32,
    leader_epoch: i32,
    isr: Vec<i32>,
}

impl Znode for PartitionStateZnode {
    type Payload = PartitionState;
    const MODE: CreateMode = CreateMode::Persistent;
    const WRITERS: &'static [Role] = &[Role::Controller, Role::Leader];
    const WATCHERS: &'static [Role] = &[];

    fn path(&self) -> ZkPath {
        PartitionZnode(self.0.clone()).path().child("state")
    }

    fn encode(payload: &PartitionState) -> Vec<u8> {
        encode(&Document {
            controller_epoch: payload.controller_epoch.0,
            leader: payload.leader.unwrap_or(BrokerId::NONE).0,
            version: 1,
            leader_epoch: payload.leader_epoch.0,
            isr: numbers(&payload.isr),
        })
    }

    fn decode(data: &[u8]) -> Result<PartitionState, DecodeError> {
        let object = Object::parse(ZNODE, data)?;
        let leader = BrokerId(object.int("leader")?);
        Ok(PartitionState {
            controller_epoch: ControllerEpoch(object.int("controller_epoch")?),
            leader: (leader.0 >= 0).then_some(leader),
            leader_epoch: LeaderEpoch(object.int("leader_epoch")?),
            isr: object.brokers("isr")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S4: leader and ISR have the bytes that Kafka gives them.
    #[test]
    fn a_state_has_the_bytes_of_version_1() {
        let payload = PartitionState {
            controller_epoch: ControllerEpoch(7),
            leader: Some(BrokerId(1)),
            leader_epoch: LeaderEpoch(3),
            isr: vec![BrokerId(1), BrokerId(2)],
        };
        let json = r#"{"controller_epoch":7,"leader":1,"version":1,"leader_epoch":3,"isr":[1,2]}"#;
        assert_eq!(
            String::from_utf8(PartitionStateZnode::encode(&payload)).unwrap(),
            json
        );
        assert_eq!(PartitionStateZnode::decode(json.as_bytes()), Ok(payload));
    }

    #[test]
    fn no_leader_is_minus_one() {
        let json = r#"{"controller_epoch":7,"leader":-1,"version":1,"leader_epoch":4,"isr":[1],"leader_recovery_state":1}"#;
        let payload = PartitionStateZnode::decode(json.as_bytes()).unwrap();
        assert_eq!(payload.leader, None);
        let written = String::from_utf8(PartitionStateZnode::encode(&payload)).unwrap();
        assert!(written.contains(r#""leader":-1"#), "{written}");
    }

    #[test]
    fn a_state_without_leader_or_epoch_is_refused() {
        for json in [
            "{}",
            r#"{"leader":1}"#,
            r#"{"leader":"1","leader_epoch":0,"controller_epoch":0,"isr":[]}"#,
        ] {
            assert!(
                PartitionStateZnode::decode(json.as_bytes()).is_err(),
                "{json}"
            );
        }
    }

    #[test]
    fn the_path_names_topic_and_partition() {
        let path =
            PartitionStateZnode(TopicPartition::new("t", barnabas_wire::id::PartitionId(3))).path();
        assert_eq!(path.as_str(), "/brokers/topics/t/partitions/3/state");
    }
}
