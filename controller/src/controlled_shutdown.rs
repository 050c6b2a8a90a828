//! A broker is about to stop: its leaderships move before it is gone.
//!
//! A broker that is leaving counts in every election as one that should not lead and should not be
//! in sync while another is; so it is enough to note it and to look at its partitions. It goes on
//! hearing of everything (KAFKA-7482). Source: kafka 2.8 `controller/KafkaController.scala`
//! (`doControlledShutdown`).

use barnabas_wire::id::{BrokerEpoch, BrokerId, TopicPartition};

use crate::CallId;
use crate::call::{Answer, CallError};
use crate::context::{Cause, Context};
use crate::effect::Effect;

impl Context {
    /// Notes that `broker` is leaving. The answer follows when its partitions have been looked at.
    pub(crate) fn begin_shutdown(
        &mut self,
        id: CallId,
        broker: BrokerId,
        broker_epoch: BrokerEpoch,
    ) {
        let refusal = match self.brokers.get(&broker) {
            None => Some(CallError::UnknownBroker { broker }),
            Some(known) if broker_epoch != BrokerEpoch::NONE && broker_epoch < known.epoch => {
                Some(CallError::StaleBrokerEpoch { broker })
            }
            Some(_) => None,
        };
        if let Some(refusal) = refusal {
            self.effects.push(Effect::Answer {
                id,
                answer: Answer::Refused(refusal),
            });
            return;
        }
        tracing::info!(target: "state_change", %broker, "broker is leaving");
        self.leaving.insert(broker);
        for partition in self.partitions_on(broker) {
            self.look_at(partition, Cause::default());
        }
        self.shutdown_calls.push_back((id, broker));
    }

    /// Its partitions have been looked at: what it only follows it stops fetching, and what it still
    /// leads although others keep it too is the answer.
    pub(crate) fn finish_shutdown(&mut self, id: CallId, broker: BrokerId) {
        let mut remaining = Vec::new();
        for partition in self.shared_partitions_on(broker) {
            let Some(leadership) = self.leadership(&partition) else {
                continue;
            };
            if leadership.state.leader == Some(broker) {
                remaining.push(partition);
            } else if leadership.state.leader.is_some() {
                self.notify_stop(&partition, broker);
            }
        }
        self.effects.push(Effect::Answer {
            id,
            answer: Answer::Remaining(remaining),
        });
    }

    /// Partitions on `broker` that others keep too and whose topic stays.
    fn shared_partitions_on(&self, broker: BrokerId) -> Vec<TopicPartition> {
        let is_shared = |partition: &TopicPartition| {
            self.replicas(partition)
                .is_some_and(|replicas| replicas.len() > 1)
                && !self.deletions.contains_key(&partition.topic)
        };
        self.partitions_on(broker)
            .into_iter()
            .filter(is_shared)
            .collect()
    }
}
