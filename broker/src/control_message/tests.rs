//! What the controller writes is what a broker reads, through the wire at the version that is sent.

use barnabas_controller::request::{
    ControlBody, ControlRequest, LeaderAddress, LeaderAndIsr, LiveBroker, PartitionLeadership,
    PartitionMetadata, PartitionStop, StopReplica, UpdateMetadata,
};
use barnabas_wire::Message;
use barnabas_wire::id::{
    BrokerEpoch, BrokerId, ControllerEpoch, LeaderEpoch, PartitionId, TopicPartition,
};
use barnabas_zk_schema::ZkVersion;
use barnabas_zk_schema::broker::{Endpoint, SecurityProtocol};

use super::*;

/// The same message after a journey over the wire.
fn over_the_wire<M: Message>(message: &M) -> M {
    let version = M::API.row().between_brokers.unwrap();
    let bytes = message.to_pieces(version).unwrap().into_bytes().unwrap();
    M::from_bytes(&bytes, version).unwrap()
}

fn envelope(body: ControlBody) -> ControlRequest {
    ControlRequest {
        controller: BrokerId(3),
        controller_epoch: ControllerEpoch(7),
        broker_epoch: BrokerEpoch(99),
        body,
    }
}

fn partitions<V: Clone>(value: &V) -> BTreeMap<TopicPartition, V> {
    [("a", 0), ("a", 1), ("b", 0)]
        .map(|(topic, index)| {
            (
                TopicPartition::new(topic, PartitionId(index)),
                value.clone(),
            )
        })
        .into()
}

#[test]
fn leadership_arrives_as_it_was_decided() {
    let leadership = PartitionLeadership {
        controller_epoch: ControllerEpoch(6),
        leader: Some(BrokerId(1)),
        leader_epoch: LeaderEpoch(4),
        isr: vec![BrokerId(1), BrokerId(2)],
        zk_version: ZkVersion(11),
        replicas: vec![BrokerId(2), BrokerId(1), BrokerId(0)],
        adding_replicas: vec![BrokerId(0)],
        removing_replicas: vec![BrokerId(2)],
        is_new: true,
    };
    let mut body = LeaderAndIsr {
        partitions: partitions(&leadership),
        live_leaders: vec![LeaderAddress {
            broker: BrokerId(1),
            host: "h".into(),
            port: 9092,
        }],
    };
    let leaderless = TopicPartition::new("c", PartitionId(0));
    body.partitions.insert(
        leaderless,
        PartitionLeadership {
            leader: None,
            ..leadership
        },
    );
    let request = envelope(ControlBody::LeaderAndIsr(body.clone()));
    let arrived = over_the_wire(&write_leader_and_isr(&request, &body));
    assert_eq!(
        (
            arrived.controller_id,
            arrived.controller_epoch,
            arrived.broker_epoch
        ),
        (3, 7, 99)
    );
    assert_eq!(read_leader_and_isr(&arrived), body);
}

#[test]
fn metadata_arrives_as_it_was_told() {
    let metadata = PartitionMetadata {
        controller_epoch: ControllerEpoch(6),
        leader: BrokerId(-2),
        leader_epoch: LeaderEpoch(4),
        isr: vec![BrokerId(1)],
        zk_version: ZkVersion(11),
        replicas: vec![BrokerId(2), BrokerId(1)],
        offline_replicas: vec![BrokerId(2)],
    };
    let endpoint = |listener: &str, security_protocol| Endpoint {
        listener: listener.to_owned(),
        security_protocol,
        host: "host".into(),
        port: 9092,
    };
    let endpoints = vec![
        endpoint("PLAINTEXT", SecurityProtocol::Plaintext),
        endpoint("SAFE", SecurityProtocol::SaslSsl),
    ];
    let body = UpdateMetadata {
        partitions: partitions(&metadata),
        live_brokers: vec![
            LiveBroker {
                broker: BrokerId(1),
                endpoints,
                rack: Some("r".into()),
            },
            LiveBroker {
                broker: BrokerId(2),
                endpoints: vec![],
                rack: None,
            },
        ],
    };
    let request = envelope(ControlBody::UpdateMetadata(body.clone()));
    let arrived = over_the_wire(&write_update_metadata(&request, &body));
    assert_eq!(
        (
            arrived.controller_id,
            arrived.controller_epoch,
            arrived.broker_epoch
        ),
        (3, 7, 99)
    );
    assert_eq!(read_update_metadata(&arrived), body);
}

#[test]
fn the_end_of_replicas_arrives_as_it_was_decided() {
    let stop = PartitionStop {
        leader_epoch: LeaderEpoch(-2),
        delete: true,
    };
    let body = StopReplica {
        partitions: partitions(&stop),
    };
    let request = envelope(ControlBody::StopReplica(body.clone()));
    let arrived = over_the_wire(&write_stop_replica(&request, &body));
    assert_eq!(
        (
            arrived.controller_id,
            arrived.controller_epoch,
            arrived.broker_epoch
        ),
        (3, 7, 99)
    );
    assert_eq!(read_stop_replica(&arrived), body);
}

#[test]
fn error_codes_of_an_answer_have_a_meaning() {
    let partition = TopicPartition::new("a", PartitionId(0));
    let check = |code: i16, partition_code: i16, refusal, failure: Option<ReplicaFailure>| {
        let failures = failure
            .map(|failure| (partition.clone(), failure))
            .into_iter()
            .collect();
        let expected = ControlReply { refusal, failures };
        assert_eq!(reply(code, [(partition.clone(), partition_code)]), expected);
    };
    check(0, 0, None, None);
    check(77, 0, Some(Refusal::StaleBrokerEpoch), None);
    check(11, 0, Some(Refusal::StaleControllerEpoch), None);
    check(42, 0, Some(Refusal::Other(42)), None);
    check(0, 56, None, Some(ReplicaFailure::Storage));
    check(0, 3, None, Some(ReplicaFailure::NotAssigned));
    check(0, 11, None, Some(ReplicaFailure::Stale));
    check(0, 13, None, Some(ReplicaFailure::Other(13)));
}
