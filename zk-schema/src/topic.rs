//! `/brokers/topics` and `/brokers/topics/T`: which topics there are, and who keeps their replicas.

use std::collections::BTreeMap;

use barnabas_wire::id::{BrokerId, PartitionId, TopicName};
use serde::Serialize;
use serde_json::Value;

use crate::json::{DecodeError, Object, brokers, encode, numbers};
use crate::operation::CreateMode;
use crate::path::ZkPath;
use crate::znode::{Role, Znode, empty_znode};

/// `/brokers/topics`: one child for each topic.
#[derive(Clone, Copy, Debug)]
pub struct TopicsZnode;

empty_znode!(
    TopicsZnode,
    CreateMode::Persistent,
    &[Role::Broker],
    &[Role::Controller],
    |_this| ZkPath::from("/brokers/topics")
);

/// `/brokers/topics/T`: the topic's assignment. Its czxid is the topic's identity: a topic of the
/// same name created later has another one.
#[derive(Clone, Debug)]
pub struct TopicZnode(pub TopicName);

/// Replicas by partition; the first replica of a list is the preferred leader.
pub type ReplicaLists = BTreeMap<PartitionId, Vec<BrokerId>>;

/// Which brokers keep which partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicAssignment {
    /// Assigned replicas of each partition. During a reassignment: target first, then what leaves.
    pub partitions: ReplicaLists,
    /// Replicas that a reassignment adds (KIP-455).
    pub adding_replicas: ReplicaLists,
    /// Replicas that a reassignment removes (KIP-455).
    pub removing_replicas: ReplicaLists,
    /// The id that Kafka 2.8 and later at a newer inter-broker protocol gave the topic; kept when
    /// we rewrite the znode, used for nothing.
    pub topic_id: Option<String>,
}

const ZNODE: &str = "a topic's assignment";

/// Version 2 as Kafka 2.4 to 2.7 writes it.
#[derive(Serialize)]
struct Document {
    version: i32,
    partitions: BTreeMap<i32, Vec<i32>>,
    adding_replicas: BTreeMap<i32, Vec<i32>>,
    removing_replicas: BTreeMap<i32, Vec<i32>>,
}

/// Version 3 as Kafka 2.8 writes it where the topic has an id.
#[derive(Serialize)]
struct DocumentWithId<'a> {
    removing_replicas: BTreeMap<i32, Vec<i32>>,
    partitions: BTreeMap<i32, Vec<i32>>,
    topic_id: &'a str,
    adding_replicas: BTreeMap<i32, Vec<i32>>,
    version: i32,
}

impl Znode for TopicZnode {
    type Payload = TopicAssignment;
    const MODE: CreateMode = CreateMode::Persistent;
    const WRITERS: &'static [Role] = &[Role::Admin, Role::Controller];
    const WATCHERS: &'static [Role] = &[Role::Controller];

    fn path(&self) -> ZkPath {
        TopicsZnode.path().child(&self.0)
    }

    fn encode(payload: &TopicAssignment) -> Vec<u8> {
        let partitions = lists(&payload.partitions);
        let adding_replicas = lists(&payload.adding_replicas);
        let removing_replicas = lists(&payload.removing_replicas);
        match payload.topic_id.as_deref() {
            None => encode(&Document {
                version: 2,
                partitions,
                adding_replicas,
                removing_replicas,
            }),
            Some(topic_id) => encode(&DocumentWithId {
                removing_replicas,
                partitions,
                topic_id,
                adding_replicas,
                version: 3,
            }),
        }
    }

    fn decode(data: &[u8]) -> Result<TopicAssignment, DecodeError> {
        let object = Object::parse(ZNODE, data)?;
        Ok(TopicAssignment {
            partitions: replica_lists(&object, "partitions")?,
            adding_replicas: replica_lists(&object, "adding_replicas")?,
            removing_replicas: replica_lists(&object, "removing_replicas")?,
            topic_id: object
                .get("topic_id")
                .and_then(Value::as_str)
                .map(str::to_owned),
        })
    }
}

fn lists(lists: &ReplicaLists) -> BTreeMap<i32, Vec<i32>> {
    lists
        .iter()
        .map(|(partition, replicas)| (partition.0, numbers(replicas)))
        .collect()
}

fn replica_lists(object: &Object, field: &'static str) -> Result<ReplicaLists, DecodeError> {
    let Some(fields) = object.object(field)? else {
        return Ok(ReplicaLists::new());
    };
    let list = |(name, value): (&String, &Value)| {
        let partition = name.parse().ok().filter(|index: &i32| *index >= 0)?;
        Some((PartitionId(partition), brokers(value)?))
    };
    fields
        .iter()
        .map(|entry| {
            list(entry).ok_or_else(|| object.malformed(field, &Value::from(fields.clone())))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assignment(lists: &[(i32, &[i32])]) -> TopicAssignment {
        let list = |(partition, ids): &(i32, &[i32])| {
            (
                PartitionId(*partition),
                ids.iter().copied().map(BrokerId).collect(),
            )
        };
        TopicAssignment {
            partitions: lists.iter().map(list).collect(),
            ..TopicAssignment::default()
        }
    }

    #[track_caller]
    fn check(json: &str, expected: &TopicAssignment) {
        assert_eq!(TopicZnode::decode(json.as_bytes()).as_ref(), Ok(expected));
    }

    /// S18: a topic's znode has the bytes that Kafka gives it.
    #[test]
    fn an_assignment_has_the_bytes_of_version_2() {
        let payload = assignment(&[(0, &[1, 2]), (1, &[2, 1])]);
        let json = r#"{"version":2,"partitions":{"0":[1,2],"1":[2,1]},"adding_replicas":{},"removing_replicas":{}}"#;
        assert_eq!(
            String::from_utf8(TopicZnode::encode(&payload)).unwrap(),
            json
        );
        check(json, &payload);
    }

    #[test]
    fn partitions_are_written_in_numeric_order() {
        let payload = assignment(&[(10, &[1]), (9, &[1])]);
        let json = String::from_utf8(TopicZnode::encode(&payload)).unwrap();
        assert!(
            json.contains(r#""partitions":{"9":[1],"10":[1]}"#),
            "{json}"
        );
    }

    #[test]
    fn versions_1_and_3_are_read_and_the_id_survives_a_rewrite() {
        check(
            r#"{"version":1,"partitions":{"0":[1,2]}}"#,
            &assignment(&[(0, &[1, 2])]),
        );
        let json = r#"{"removing_replicas":{},"partitions":{"0":[0]},"topic_id":"AAAAAAAAAAAAAAAAAAAAAg","adding_replicas":{},"version":3}"#;
        let payload = TopicZnode::decode(json.as_bytes()).unwrap();
        assert_eq!(
            String::from_utf8(TopicZnode::encode(&payload)).unwrap(),
            json
        );
    }

    #[test]
    fn a_topic_without_partitions_is_a_topic() {
        check("{}", &TopicAssignment::default());
    }

    #[test]
    fn bad_numbers_are_refused() {
        for partitions in [
            r#"{"x":[1]}"#,
            r#"{"-1":[1]}"#,
            r#"{"0":["1"]}"#,
            r#"{"0":[1.5]}"#,
            "[]",
        ] {
            let json = format!(r#"{{"version":2,"partitions":{partitions}}}"#);
            assert!(TopicZnode::decode(json.as_bytes()).is_err(), "{json}");
        }
    }
}
