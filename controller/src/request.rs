//! What the controller tells brokers, and what they say to it.
//!
//! Domain structs: the broker's driver turns them into `LeaderAndIsr` v4, `UpdateMetadata` v6 and
//! `StopReplica` v3 (inter-broker protocol 2.6) and their answers back. Source: classic Kafka 2.8
//! `controller/ControllerChannelManager.scala`.

use std::collections::BTreeMap;

use barnabas_wire::id::{BrokerEpoch, BrokerId, ControllerEpoch, LeaderEpoch, TopicPartition};
use barnabas_zk_schema::ZkVersion;
use barnabas_zk_schema::broker::Endpoint;

/// The leader that `UpdateMetadata` names for a partition that is being deleted: brokers drop it from
/// their metadata.
pub const LEADER_DURING_DELETE: BrokerId = BrokerId(-2);

/// The leader epoch that `StopReplica` names for a partition that is being deleted: brokers stop it
/// whatever epoch they know (KIP-570).
pub const LEADER_EPOCH_DURING_DELETE: LeaderEpoch = LeaderEpoch(-2);

/// One request to one broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlRequest {
    /// Who sends it: this broker.
    pub controller: BrokerId,
    /// The epoch it sends with; brokers refuse a lower one than they have seen.
    pub controller_epoch: ControllerEpoch,
    /// Which registration of the receiver is meant; a later incarnation ignores the request
    /// (KIP-380).
    pub broker_epoch: BrokerEpoch,
    /// What is said.
    pub body: ControlBody,
}

/// What a request says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlBody {
    /// What to lead and what to follow.
    LeaderAndIsr(LeaderAndIsr),
    /// What clients are told.
    UpdateMetadata(UpdateMetadata),
    /// What to stop.
    StopReplica(StopReplica),
}

/// Replicas that the receiver keeps, and who leads them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaderAndIsr {
    /// Each partition's leadership.
    pub partitions: BTreeMap<TopicPartition, PartitionLeadership>,
    /// Where the leaders among them are, on the inter-broker listener.
    pub live_leaders: Vec<LeaderAddress>,
}

/// A partition's leadership as a broker needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionLeadership {
    /// The controller that decided it.
    pub controller_epoch: ControllerEpoch,
    /// The leader; `None` is -1 on the wire.
    pub leader: Option<BrokerId>,
    /// Its epoch.
    pub leader_epoch: LeaderEpoch,
    /// In-sync replicas.
    pub isr: Vec<BrokerId>,
    /// Version of the `state` znode, which the leader's next change of the ISR must name.
    pub zk_version: ZkVersion,
    /// Assigned replicas, preferred leader first.
    pub replicas: Vec<BrokerId>,
    /// Those that a reassignment adds.
    pub adding_replicas: Vec<BrokerId>,
    /// Those that a reassignment removes.
    pub removing_replicas: Vec<BrokerId>,
    /// Whether the partition was just created, so that a missing log is no loss.
    pub is_new: bool,
}

/// Where a leader is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaderAddress {
    /// Which broker.
    pub broker: BrokerId,
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// What brokers tell clients. The list of brokers replaces what was known, partitions are merged into
/// it; but **the first one for a new registration of the receiver replaces partitions too**, since it
/// has all there are: topics may have gone while the broker was not registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateMetadata {
    /// Partitions that changed; others stay as they are, but for the first time (see above).
    pub partitions: BTreeMap<TopicPartition, PartitionMetadata>,
    /// All live brokers.
    pub live_brokers: Vec<LiveBroker>,
}

/// A partition as clients see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionMetadata {
    /// The controller that decided it.
    pub controller_epoch: ControllerEpoch,
    /// The leader; [`BrokerId::NONE`] without one, [`LEADER_DURING_DELETE`] to drop the partition.
    pub leader: BrokerId,
    /// Its epoch.
    pub leader_epoch: LeaderEpoch,
    /// In-sync replicas.
    pub isr: Vec<BrokerId>,
    /// Version of the `state` znode.
    pub zk_version: ZkVersion,
    /// Assigned replicas, preferred leader first.
    pub replicas: Vec<BrokerId>,
    /// Those of them that are not to be had: broker not live, or log directory offline.
    pub offline_replicas: Vec<BrokerId>,
}

/// A live broker as clients see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveBroker {
    /// Its id.
    pub broker: BrokerId,
    /// All of its listeners.
    pub endpoints: Vec<Endpoint>,
    /// Its rack.
    pub rack: Option<String>,
}

/// Replicas that the receiver no longer keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StopReplica {
    /// Each partition's end.
    pub partitions: BTreeMap<TopicPartition, PartitionStop>,
}

/// How a replica ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionStop {
    /// The leader epoch that it is stopped in; [`LEADER_EPOCH_DURING_DELETE`] for a topic that goes,
    /// [`LeaderEpoch::NONE`] if none is known.
    pub leader_epoch: LeaderEpoch,
    /// Whether its log is deleted too.
    pub delete: bool,
}

/// A broker's answer to any of the requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ControlReply {
    /// Why the whole request was refused: the error code of the answer, or `None` for 0.
    pub refusal: Option<Refusal>,
    /// Partitions whose own error code is not 0.
    pub failures: BTreeMap<TopicPartition, ReplicaFailure>,
}

/// Why a broker refused a whole request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It was meant for an earlier incarnation (`STALE_BROKER_EPOCH`).
    StaleBrokerEpoch,
    /// A later controller has spoken (`STALE_CONTROLLER_EPOCH`).
    StaleControllerEpoch,
    /// Anything else, with its wire code.
    Other(i16),
}

/// Why a broker refused one partition. A leadership that failed for another reason than those named
/// is told again after a while; a deletion that failed, when the broker starts anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplicaFailure {
    /// Its log directory is offline (`KAFKA_STORAGE_ERROR`).
    Storage,
    /// It knows this leader epoch or a later one already (`STALE_CONTROLLER_EPOCH`,
    /// `FENCED_LEADER_EPOCH`).
    Stale,
    /// It does not keep the partition (`UNKNOWN_TOPIC_OR_PARTITION`).
    NotAssigned,
    /// Anything else, with its wire code.
    Other(i16),
}
