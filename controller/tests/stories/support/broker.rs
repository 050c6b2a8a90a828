//! What a broker makes of the controller's requests.
//!
//! Source: kafka 2.8 `server/KafkaApis.scala`, `server/ReplicaManager.scala`.

use std::collections::{BTreeMap, BTreeSet};

use barnabas_controller::request::{
    ControlBody, ControlReply, ControlRequest, LEADER_DURING_DELETE, LeaderAndIsr,
    PartitionLeadership, PartitionMetadata, Refusal, ReplicaFailure, StopReplica,
};
use barnabas_wire::id::{BrokerEpoch, BrokerId, ControllerEpoch, TopicPartition};

/// `UNKNOWN_SERVER_ERROR`.
const UNKNOWN_SERVER_ERROR: i16 = -1;

/// One incarnation of a broker, and the logs that outlive it.
#[derive(Debug, Default)]
pub(crate) struct FakeBroker {
    pub(crate) epoch: BrokerEpoch,
    controller_epoch: ControllerEpoch,
    /// The next metadata replaces what is known.
    pub(crate) is_registered_anew: bool,
    /// What it leads or follows.
    pub(crate) replicas: BTreeMap<TopicPartition, PartitionLeadership>,
    /// What it tells clients.
    pub(crate) metadata: BTreeMap<TopicPartition, PartitionMetadata>,
    /// Brokers it tells clients of.
    pub(crate) live: BTreeSet<BrokerId>,
    /// Logs on its disk.
    pub(crate) logs: BTreeSet<TopicPartition>,
    /// Logs that it says it cannot delete.
    pub(crate) undeletable: BTreeSet<TopicPartition>,
    /// Leaderships that it says it cannot take, once each.
    pub(crate) untakeable: BTreeSet<TopicPartition>,
    /// Partitions in a log directory that it lost.
    pub(crate) lost: BTreeSet<TopicPartition>,
    /// Something that no controller may ask.
    pub(crate) complaint: Option<String>,
    /// Whether it has heard who is live before it heard of leaders.
    pub(crate) heard_leaders_first: bool,
}

impl FakeBroker {
    /// The next incarnation: only the logs are left.
    pub(crate) fn restart(&mut self) {
        let logs = std::mem::take(&mut self.logs);
        *self = Self {
            logs,
            ..Self::default()
        };
    }

    pub(crate) fn handle(&mut self, own: BrokerId, request: &ControlRequest) -> ControlReply {
        let refused = |refusal| ControlReply {
            refusal: Some(refusal),
            ..ControlReply::default()
        };
        if request.broker_epoch < self.epoch {
            return refused(Refusal::StaleBrokerEpoch);
        }
        if request.controller_epoch < self.controller_epoch {
            return refused(Refusal::StaleControllerEpoch);
        }
        self.controller_epoch = request.controller_epoch;
        match &request.body {
            ControlBody::LeaderAndIsr(body) => self.lead(own, body),
            ControlBody::UpdateMetadata(body) => {
                if std::mem::take(&mut self.is_registered_anew) {
                    self.metadata.clear();
                }
                self.live = body
                    .live_brokers
                    .iter()
                    .map(|broker| broker.broker)
                    .collect();
                for (partition, word) in &body.partitions {
                    if word.leader == LEADER_DURING_DELETE {
                        self.metadata.remove(partition);
                    } else {
                        self.metadata.insert(partition.clone(), word.clone());
                    }
                }
                ControlReply::default()
            }
            ControlBody::StopReplica(body) => self.stop(body),
        }
    }

    fn lead(&mut self, own: BrokerId, body: &LeaderAndIsr) -> ControlReply {
        self.heard_leaders_first |= self.live.is_empty();
        let mut reply = ControlReply::default();
        for (partition, word) in &body.partitions {
            if !word.replicas.contains(&own) {
                self.complaint = Some(format!("{own} was told of {partition} without keeping it"));
            }
            let known = self.replicas.get(partition);
            if self.untakeable.remove(partition) {
                let failure = ReplicaFailure::Other(UNKNOWN_SERVER_ERROR);
                reply.failures.insert(partition.clone(), failure);
            } else if self.lost.contains(partition) {
                reply
                    .failures
                    .insert(partition.clone(), ReplicaFailure::Storage);
            } else if known.is_some_and(|known| known.leader_epoch >= word.leader_epoch) {
                reply
                    .failures
                    .insert(partition.clone(), ReplicaFailure::Stale);
            } else {
                self.replicas.insert(partition.clone(), word.clone());
                self.logs.insert(partition.clone());
            }
        }
        reply
    }

    fn stop(&mut self, body: &StopReplica) -> ControlReply {
        let mut reply = ControlReply::default();
        for (partition, word) in &body.partitions {
            let known = self.replicas.get(partition);
            let is_stale = word.leader_epoch.0 >= 0
                && known.is_some_and(|known| known.leader_epoch > word.leader_epoch);
            if is_stale {
                reply
                    .failures
                    .insert(partition.clone(), ReplicaFailure::Stale);
            } else if word.delete && self.undeletable.contains(partition) {
                let failure = ReplicaFailure::Other(UNKNOWN_SERVER_ERROR);
                reply.failures.insert(partition.clone(), failure);
            } else {
                self.replicas.remove(partition);
                if word.delete {
                    self.logs.remove(partition);
                }
            }
        }
        reply
    }
}
