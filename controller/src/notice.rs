//! What brokers are told: from the context into the outboxes, and from there into requests.

use std::collections::BTreeMap;

use barnabas_wire::id::{BrokerId, LeaderEpoch, TopicName, TopicPartition};

use crate::context::{Context, Leadership};
use crate::effect::Effect;
use crate::outbox::Letter;
use crate::request::{
    ControlBody, ControlRequest, LEADER_DURING_DELETE, LEADER_EPOCH_DURING_DELETE, LeaderAddress,
    LeaderAndIsr, LiveBroker, PartitionLeadership, PartitionMetadata, PartitionStop, StopReplica,
    UpdateMetadata,
};

impl Context {
    /// Tells every replica of a partition who leads it, and every broker what clients are told.
    pub(crate) fn notify_leadership(&mut self, partition: &TopicPartition, is_new: bool) {
        let replicas = self.replicas(partition).unwrap_or_default().to_vec();
        for replica in replicas {
            self.notify_replica(partition, replica, is_new);
        }
        self.notify_metadata(partition);
    }

    /// Tells one replica who leads the partition, if anything is known.
    pub(crate) fn notify_replica(
        &mut self,
        partition: &TopicPartition,
        replica: BrokerId,
        is_new: bool,
    ) {
        let Some(word) = self.leadership_word(partition, is_new) else {
            return;
        };
        if let Some(broker) = self.brokers.get_mut(&replica) {
            broker.outbox.lead(partition, word);
        }
    }

    /// Tells every broker what clients are told of a partition.
    pub(crate) fn notify_metadata(&mut self, partition: &TopicPartition) {
        let Some(word) = self.metadata_word(partition) else {
            return;
        };
        for broker in self.brokers.values_mut() {
            broker.outbox.tell([(partition.clone(), word.clone())]);
        }
    }

    /// Tells every broker who is live.
    pub(crate) fn notify_live_brokers(&mut self) {
        for broker in self.brokers.values_mut() {
            broker.outbox.tell([]);
        }
    }

    /// Tells one broker of every partition, and first of all who is live: it must know that before
    /// it hears of leaders (KAFKA-4443).
    pub(crate) fn notify_newcomer(&mut self, newcomer: BrokerId) {
        let words: Vec<_> = self
            .topics
            .keys()
            .flat_map(|topic| self.partitions_of(topic))
            .filter_map(|partition| Some((partition.clone(), self.metadata_word(&partition)?)))
            .collect();
        if let Some(broker) = self.brokers.get_mut(&newcomer) {
            broker.outbox.tell(words);
            broker.outbox.begin_round();
        }
    }

    /// Tells every broker to drop a topic from its metadata.
    pub(crate) fn notify_topic_going(&mut self, topic: &TopicName) {
        for partition in self.partitions_of(topic) {
            let word = PartitionMetadata {
                controller_epoch: self.fence.epoch(),
                leader: LEADER_DURING_DELETE,
                leader_epoch: LEADER_EPOCH_DURING_DELETE,
                isr: Vec::new(),
                zk_version: barnabas_zk_schema::ZkVersion(0),
                replicas: self.replicas(&partition).unwrap_or_default().to_vec(),
                offline_replicas: Vec::new(),
            };
            for broker in self.brokers.values_mut() {
                broker.outbox.tell([(partition.clone(), word.clone())]);
            }
        }
    }

    /// Tells one replica to stop and keep its log.
    pub(crate) fn notify_stop(&mut self, partition: &TopicPartition, replica: BrokerId) {
        let leader_epoch = self
            .leadership(partition)
            .map_or(LeaderEpoch::NONE, |leadership| {
                leadership.state.leader_epoch
            });
        if let Some(broker) = self.brokers.get_mut(&replica) {
            broker.outbox.stop(
                partition,
                PartitionStop {
                    leader_epoch,
                    delete: false,
                },
            );
        }
    }

    /// Tells every replica of a topic to stop, whatever epoch it knows, and to keep its log.
    pub(crate) fn notify_topic_gone(&mut self, topic: &TopicName) {
        let word = PartitionStop {
            leader_epoch: LEADER_EPOCH_DURING_DELETE,
            delete: false,
        };
        for partition in self.partitions_of(topic) {
            for replica in self.replicas(&partition).unwrap_or_default().to_vec() {
                if let Some(broker) = self.brokers.get_mut(&replica) {
                    broker.outbox.stop(&partition, word);
                }
            }
        }
    }

    /// Tells one replica to stop and delete its log.
    pub(crate) fn notify_delete(&mut self, partition: &TopicPartition, replica: BrokerId) {
        let word = PartitionStop {
            leader_epoch: LEADER_EPOCH_DURING_DELETE,
            delete: true,
        };
        if let Some(broker) = self.brokers.get_mut(&replica) {
            broker.outbox.stop(partition, word);
        }
    }

    pub(crate) fn partitions_of(&self, topic: &TopicName) -> Vec<TopicPartition> {
        let partitions = self
            .topics
            .get(topic)
            .map(|topic| topic.assignment.partitions.keys());
        let name = |partition| TopicPartition::new(topic.clone(), partition);
        partitions
            .into_iter()
            .flatten()
            .copied()
            .map(name)
            .collect()
    }

    pub(crate) fn is_deletion_begun(&self, topic: &TopicName) -> bool {
        self.deletions
            .get(topic)
            .is_some_and(|deletion| deletion.is_begun)
    }

    fn leadership_word(
        &self,
        partition: &TopicPartition,
        is_new: bool,
    ) -> Option<PartitionLeadership> {
        let leadership = self.present_leadership(partition)?;
        let assignment = &self.topics.get(&partition.topic)?.assignment;
        let list = |lists: &BTreeMap<_, Vec<BrokerId>>| {
            lists.get(&partition.partition).cloned().unwrap_or_default()
        };
        Some(PartitionLeadership {
            controller_epoch: leadership.state.controller_epoch,
            leader: leadership.state.leader,
            leader_epoch: leadership.state.leader_epoch,
            isr: leadership.state.isr.clone(),
            zk_version: leadership.zk_version,
            replicas: list(&assignment.partitions),
            adding_replicas: list(&assignment.adding_replicas),
            removing_replicas: list(&assignment.removing_replicas),
            is_new,
        })
    }

    /// The leadership of a partition, unless brokers were told that its topic is going: nothing of it
    /// is said after that.
    fn present_leadership(&self, partition: &TopicPartition) -> Option<&Leadership> {
        self.leadership(partition)
            .filter(|_| !self.is_deletion_begun(&partition.topic))
    }

    fn metadata_word(&self, partition: &TopicPartition) -> Option<PartitionMetadata> {
        let leadership = self.present_leadership(partition)?;
        let replicas = self.replicas(partition)?;
        let is_offline = |replica: &&BrokerId| !self.is_online(partition, **replica);
        Some(PartitionMetadata {
            controller_epoch: leadership.state.controller_epoch,
            leader: leadership.state.leader.unwrap_or(BrokerId::NONE),
            leader_epoch: leadership.state.leader_epoch,
            isr: leadership.state.isr.clone(),
            zk_version: leadership.zk_version,
            replicas: replicas.to_vec(),
            offline_replicas: replicas.iter().filter(is_offline).copied().collect(),
        })
    }

    /// Sends to every broker what it can be sent now.
    pub(crate) fn post(&mut self, now_ms: u64, effects: &mut Vec<Effect>) {
        let ids: Vec<_> = self.brokers.keys().copied().collect();
        for id in ids {
            self.tell_untaken(id, now_ms);
            let Some(broker) = self.brokers.get_mut(&id) else {
                continue;
            };
            let Some(letter) = broker.outbox.next(now_ms).cloned() else {
                continue;
            };
            let broker_epoch = broker.epoch;
            let request = self.next_request();
            if let Some(broker) = self.brokers.get_mut(&id) {
                broker.outbox.sent(request);
            }
            let message = ControlRequest {
                controller: self.settings.broker,
                controller_epoch: self.fence.epoch(),
                broker_epoch,
                body: self.body(letter),
            };
            effects.push(Effect::Send {
                broker: id,
                request,
                message,
            });
        }
    }

    /// Tells a broker again what it could not take when it was told.
    fn tell_untaken(&mut self, id: BrokerId, now_ms: u64) {
        let Some(broker) = self.brokers.get_mut(&id) else {
            return;
        };
        for (partition, is_new) in broker.outbox.take_untaken(now_ms) {
            // Another topic of the same name may have come meanwhile.
            let is_kept = self
                .replicas(&partition)
                .is_some_and(|replicas| replicas.contains(&id));
            if is_kept {
                self.notify_replica(&partition, id, is_new);
            }
        }
    }

    fn body(&self, letter: Letter) -> ControlBody {
        match letter {
            Letter::Leaderships(partitions) => {
                let live_leaders = self.leader_addresses(&partitions);
                ControlBody::LeaderAndIsr(LeaderAndIsr {
                    partitions,
                    live_leaders,
                })
            }
            Letter::Metadata(partitions) => {
                let live_brokers = self.live_brokers();
                ControlBody::UpdateMetadata(UpdateMetadata {
                    partitions,
                    live_brokers,
                })
            }
            Letter::Stops(partitions) => ControlBody::StopReplica(StopReplica { partitions }),
        }
    }

    fn leader_addresses(
        &self,
        partitions: &BTreeMap<TopicPartition, PartitionLeadership>,
    ) -> Vec<LeaderAddress> {
        let mut leaders: Vec<_> = partitions.values().filter_map(|word| word.leader).collect();
        leaders.sort_unstable();
        leaders.dedup();
        leaders
            .into_iter()
            .filter_map(|broker| {
                let (host, port) = self.address(broker)?;
                Some(LeaderAddress { broker, host, port })
            })
            .collect()
    }

    fn live_brokers(&self) -> Vec<LiveBroker> {
        let live = |(id, broker): (&BrokerId, &crate::context::Broker)| LiveBroker {
            broker: *id,
            endpoints: broker.registration.endpoints.clone(),
            rack: broker.registration.rack.clone(),
        };
        self.brokers.iter().map(live).collect()
    }

    /// Where brokers reach `broker`.
    pub(crate) fn address(&self, broker: BrokerId) -> Option<(String, u16)> {
        let endpoints = &self.brokers.get(&broker)?.registration.endpoints;
        let listener = &self.settings.inter_broker_listener;
        let endpoint = endpoints
            .iter()
            .find(|endpoint| endpoint.listener == *listener)
            .or_else(|| endpoints.first())?;
        Some((endpoint.host.clone(), endpoint.port))
    }
}
