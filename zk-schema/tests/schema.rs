//! The tree as Kafka knows it, and decoding that takes whatever it is given.

use std::collections::BTreeMap;

use barnabas_wire::id::{
    BrokerId, ControllerEpoch, LeaderEpoch, PartitionId, TopicName, TopicPartition,
};
use barnabas_zk_schema::broker::{
    BrokerIdZnode, BrokerIdsZnode, BrokerRegistration, BrokerSeqIdZnode, Endpoint, SecurityProtocol,
};
use barnabas_zk_schema::cluster::ClusterIdZnode;
use barnabas_zk_schema::config::{ConfigEntity, ConfigZnode};
use barnabas_zk_schema::config_change::{ConfigChangeZnode, ConfigChangesZnode};
use barnabas_zk_schema::consumer::ConsumersZnode;
use barnabas_zk_schema::controller::{ControllerEpochZnode, ControllerZnode};
use barnabas_zk_schema::isr_change::{IsrChangeZnode, IsrChangesZnode};
use barnabas_zk_schema::log_dir_event::{LogDirEventZnode, LogDirEventsZnode};
use barnabas_zk_schema::partition::{
    PartitionState, PartitionStateZnode, PartitionZnode, PartitionsZnode,
};
use barnabas_zk_schema::preferred_election::PreferredElectionZnode;
use barnabas_zk_schema::producer_id::ProducerIdBlockZnode;
use barnabas_zk_schema::reassignment::ReassignmentZnode;
use barnabas_zk_schema::topic::{TopicAssignment, TopicZnode, TopicsZnode};
use barnabas_zk_schema::topic_deletion::{TopicDeletionZnode, TopicDeletionsZnode};
use barnabas_zk_schema::{CreateMode, PERSISTENT_PATHS, Role, Znode};
use proptest::prelude::*;

#[track_caller]
fn check<Z: Znode>(znode: &Z, path: &str, mode: CreateMode, writers: &[Role], watchers: &[Role]) {
    assert_eq!(znode.path().as_str(), path);
    assert_eq!(
        (Z::MODE, Z::WRITERS, Z::WATCHERS),
        (mode, writers, watchers),
        "{path}"
    );
}

const PERSISTENT: CreateMode = CreateMode::Persistent;
const BROKER: &[Role] = &[Role::Broker];
const CONTROLLER: &[Role] = &[Role::Controller];
const ADMIN_OR_CONTROLLER: &[Role] = &[Role::Admin, Role::Controller];

/// S4: brokers and the controller are where Kafka has them.
#[test]
fn brokers_and_the_controller_are_where_kafka_has_them() {
    check(
        &BrokerIdsZnode,
        "/brokers/ids",
        PERSISTENT,
        BROKER,
        CONTROLLER,
    );
    let znode = BrokerIdZnode(BrokerId(1));
    check(
        &znode,
        "/brokers/ids/1",
        CreateMode::Ephemeral,
        BROKER,
        CONTROLLER,
    );
    check(&BrokerSeqIdZnode, "/brokers/seqid", PERSISTENT, BROKER, &[]);
    check(
        &ControllerZnode,
        "/controller",
        CreateMode::Ephemeral,
        BROKER,
        BROKER,
    );
    check(
        &ControllerEpochZnode,
        "/controller_epoch",
        PERSISTENT,
        BROKER,
        &[],
    );
    check(&ClusterIdZnode, "/cluster/id", PERSISTENT, BROKER, &[]);
    let path = "/latest_producer_id_block";
    check(&ProducerIdBlockZnode, path, PERSISTENT, BROKER, &[]);
    check(
        &ConsumersZnode,
        "/consumers",
        PERSISTENT,
        BROKER,
        &[Role::Consumer],
    );
}

/// S4: topics, partitions and their states are where Kafka has them.
#[test]
fn topics_and_partitions_are_where_kafka_has_them() {
    let topic = TopicName::from("t");
    let partition = TopicPartition::new("t", PartitionId(3));
    check(
        &TopicsZnode,
        "/brokers/topics",
        PERSISTENT,
        BROKER,
        CONTROLLER,
    );
    let znode = TopicZnode(topic.clone());
    check(
        &znode,
        "/brokers/topics/t",
        PERSISTENT,
        ADMIN_OR_CONTROLLER,
        CONTROLLER,
    );
    let path = "/brokers/topics/t/partitions";
    check(
        &PartitionsZnode(topic.clone()),
        path,
        PERSISTENT,
        CONTROLLER,
        &[],
    );
    let path = "/brokers/topics/t/partitions/3";
    check(
        &PartitionZnode(partition.clone()),
        path,
        PERSISTENT,
        CONTROLLER,
        &[],
    );
    let path = "/brokers/topics/t/partitions/3/state";
    let writers = [Role::Controller, Role::Leader];
    check(
        &PartitionStateZnode(partition),
        path,
        PERSISTENT,
        &writers,
        &[],
    );
    let znode = ConfigZnode(ConfigEntity::Topic(topic));
    check(
        &znode,
        "/config/topics/t",
        PERSISTENT,
        ADMIN_OR_CONTROLLER,
        &[],
    );
}

/// S18: what tools write for the controller, and what brokers tell it, is where Kafka has it.
#[test]
fn wishes_and_notifications_are_where_kafka_has_them() {
    let sequential = CreateMode::PersistentSequential;
    check(
        &TopicDeletionsZnode,
        "/admin/delete_topics",
        PERSISTENT,
        BROKER,
        CONTROLLER,
    );
    let znode = TopicDeletionZnode("t".into());
    check(
        &znode,
        "/admin/delete_topics/t",
        PERSISTENT,
        ADMIN_OR_CONTROLLER,
        CONTROLLER,
    );
    let path = "/admin/preferred_replica_election";
    check(
        &PreferredElectionZnode,
        path,
        PERSISTENT,
        ADMIN_OR_CONTROLLER,
        CONTROLLER,
    );
    let path = "/admin/reassign_partitions";
    check(
        &ReassignmentZnode,
        path,
        PERSISTENT,
        ADMIN_OR_CONTROLLER,
        CONTROLLER,
    );
    check(
        &IsrChangesZnode,
        "/isr_change_notification",
        PERSISTENT,
        BROKER,
        CONTROLLER,
    );
    let path = "/isr_change_notification/isr_change_";
    check(
        &IsrChangeZnode,
        path,
        sequential,
        &[Role::Leader],
        CONTROLLER,
    );
    check(
        &LogDirEventsZnode,
        "/log_dir_event_notification",
        PERSISTENT,
        BROKER,
        CONTROLLER,
    );
    let path = "/log_dir_event_notification/log_dir_event_";
    check(&LogDirEventZnode, path, sequential, BROKER, CONTROLLER);
    check(
        &ConfigChangesZnode,
        "/config/changes",
        PERSISTENT,
        BROKER,
        BROKER,
    );
    let path = "/config/changes/config_change_";
    check(&ConfigChangeZnode, path, sequential, &[Role::Admin], BROKER);
}

/// Every parent that is never created by whoever writes below it is made at a broker's start.
#[test]
fn brokers_make_sure_of_every_parent() {
    let parents = [
        ConsumersZnode.path(),
        BrokerIdsZnode.path(),
        BrokerSeqIdZnode.path(),
        TopicsZnode.path(),
        ConfigChangesZnode.path(),
        TopicDeletionsZnode.path(),
        IsrChangesZnode.path(),
        LogDirEventsZnode.path(),
        ProducerIdBlockZnode.path(),
    ];
    for parent in parents {
        assert!(PERSISTENT_PATHS.contains(&parent.as_str()), "{parent}");
    }
}

/// What `decode` makes of bytes and of JSON of about the right shape: an answer, never a panic.
fn decode_all(data: &[u8]) {
    drop(BrokerIdZnode::decode(data));
    drop(TopicZnode::decode(data));
    drop(PartitionStateZnode::decode(data));
    drop(ControllerZnode::decode(data));
    drop(ControllerEpochZnode::decode(data));
    drop(PreferredElectionZnode::decode(data));
    drop(IsrChangeZnode::decode(data));
    drop(LogDirEventZnode::decode(data));
    drop(ConfigZnode::decode(data));
    drop(ConfigChangeZnode::decode(data));
    drop(ClusterIdZnode::decode(data));
    drop(ProducerIdBlockZnode::decode(data));
}

fn json_value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| format!("{number:e}")),
        "\"[a-zA-Z0-9:/._-]{0,12}\"",
        Just("null".to_owned()),
        Just("true".to_owned()),
    ];
    let field = prop_oneof![
        Just("version"),
        Just("partitions"),
        Just("endpoints"),
        Just("leader"),
        Just("isr"),
        Just("config"),
        Just("entity_path"),
        Just("block_end"),
        Just("topic"),
        Just("0"),
    ];
    leaf.prop_recursive(3, 24, 5, move |inner| {
        let pair = (field.clone(), inner.clone());
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(|it| format!("[{}]", it.join(","))),
            proptest::collection::vec(pair, 0..6).prop_map(|pairs| {
                let fields: Vec<_> = pairs
                    .iter()
                    .map(|(name, value)| format!("\"{name}\":{value}"))
                    .collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

fn broker() -> impl Strategy<Value = BrokerId> {
    (0..i32::MAX).prop_map(BrokerId)
}

fn replicas() -> impl Strategy<Value = BTreeMap<PartitionId, Vec<BrokerId>>> {
    let lists = proptest::collection::vec(broker(), 0..4);
    proptest::collection::btree_map((0..i32::MAX).prop_map(PartitionId), lists, 0..6)
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    let protocol = prop_oneof![
        Just(SecurityProtocol::Plaintext),
        Just(SecurityProtocol::Ssl),
        Just(SecurityProtocol::SaslPlaintext),
        Just(SecurityProtocol::SaslSsl),
    ];
    let host = prop_oneof!["[a-z0-9.-]{1,20}", "[0-9a-f:]{2,20}:"];
    ("[A-Z_]{1,10}", protocol, host, any::<u16>()).prop_map(
        |(listener, security_protocol, host, port)| Endpoint {
            listener,
            security_protocol,
            host,
            port,
        },
    )
}

proptest! {
    #[test]
    fn any_bytes_are_decoded_or_refused(data in proptest::collection::vec(any::<u8>(), 0..200)) {
        decode_all(&data);
    }

    #[test]
    fn any_json_is_decoded_or_refused(text in json_value()) {
        decode_all(text.as_bytes());
    }

    #[test]
    fn assignments_come_back_as_they_were(
        partitions in replicas(),
        adding_replicas in replicas(),
        removing_replicas in replicas(),
        topic_id in proptest::option::of("[A-Za-z0-9_-]{22}"),
    ) {
        let payload = TopicAssignment { partitions, adding_replicas, removing_replicas, topic_id };
        prop_assert_eq!(TopicZnode::decode(&TopicZnode::encode(&payload)), Ok(payload));
    }

    #[test]
    fn states_come_back_as_they_were(
        epochs in (any::<i32>(), any::<i32>()),
        leader in proptest::option::of(broker()),
        isr in proptest::collection::vec(broker(), 0..5),
    ) {
        let payload = PartitionState {
            controller_epoch: ControllerEpoch(epochs.0),
            leader,
            leader_epoch: LeaderEpoch(epochs.1),
            isr,
        };
        let data = PartitionStateZnode::encode(&payload);
        prop_assert_eq!(PartitionStateZnode::decode(&data), Ok(payload));
    }

    /// Listeners have distinct names, as settings demand.
    #[test]
    fn registrations_come_back_as_they_were(
        endpoints in proptest::collection::btree_map("[A-Z_]{1,10}", endpoint(), 0..4),
        rack in proptest::option::of("\\PC{0,10}"),
        jmx_port in any::<i32>(),
        timestamp_ms in any::<i64>(),
    ) {
        let named = |(listener, endpoint)| Endpoint { listener, ..endpoint };
        let endpoints = endpoints.into_iter().map(named).collect();
        let payload = BrokerRegistration { endpoints, rack, jmx_port, timestamp_ms };
        prop_assert_eq!(BrokerIdZnode::decode(&BrokerIdZnode::encode(&payload)), Ok(payload));
    }
}
