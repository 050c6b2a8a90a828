//! A broker lost a log directory: asks it which replicas are gone with it.
//!
//! The question is `LeaderAndIsr` for all it keeps; what is in a lost directory is answered with a
//! storage error. Source: kafka 2.8 `controller/KafkaController.scala`
//! (`processLogDirEventNotification`), KIP-112.

use std::collections::{BTreeMap, BTreeSet};

use barnabas_wire::id::{BrokerId, TopicPartition};
use barnabas_zk_schema::log_dir_event::{LogDirEventZnode, LogDirEventsZnode};
use barnabas_zk_schema::{ControllerOp, Outcome, ZkPath, ZkRead, Znode};

use crate::context::{Cause, Context};
use crate::failover::children;
use crate::operation::{Operation, Turn};
use crate::removal::{Removal, Removing};
use crate::request::{ControlReply, PartitionLeadership, ReplicaFailure};

/// Takes notifications and removes exactly those it took.
#[derive(Debug, Default)]
pub(crate) struct LogDirEvent {
    phase: Phase,
    notifications: Vec<ZkPath>,
}

#[derive(Debug, Default)]
enum Phase {
    #[default]
    List,
    Notifications,
    Removal(Removal),
}

impl Operation for LogDirEvent {
    fn begin(&mut self, context: &mut Context) -> Turn {
        context.dirty.log_dir_events = false;
        Turn::Ask(vec![ControllerOp::read(ZkRead::Children(
            LogDirEventsZnode.path(),
        ))])
    }

    fn resume(&mut self, context: &mut Context, outcomes: Vec<Outcome>) -> Turn {
        match std::mem::take(&mut self.phase) {
            Phase::List => {
                let outcome = outcomes.into_iter().next().unwrap_or(Outcome::Unknown);
                let parent = LogDirEventsZnode.path();
                let names = children(outcome).unwrap_or_default();
                if names.is_empty() {
                    return Turn::Done;
                }
                self.notifications = names.into_iter().map(|name| parent.child(name)).collect();
                self.phase = Phase::Notifications;
                let read = |path: &ZkPath| ControllerOp::read(ZkRead::Data(path.clone()));
                Turn::Ask(self.notifications.iter().map(read).collect())
            }
            Phase::Notifications => {
                let read =
                    |outcome: Outcome| LogDirEventZnode::decode(&outcome.into_data().ok()?.0).ok();
                let brokers: BTreeSet<_> = outcomes.into_iter().filter_map(read).collect();
                for broker in brokers {
                    ask(context, broker);
                }
                let mut removal = Removal::new(std::mem::take(&mut self.notifications));
                let removing = removal.next(&context.fence);
                self.removing(context, removal, removing)
            }
            Phase::Removal(mut removal) => {
                let removing = removal.resume(&context.fence, outcomes.into_iter().next());
                self.removing(context, removal, removing)
            }
        }
    }
}

impl LogDirEvent {
    fn removing(&mut self, context: &mut Context, removal: Removal, removing: Removing) -> Turn {
        match removing {
            Removing::Ask(op) => {
                self.phase = Phase::Removal(removal);
                Turn::Ask(vec![op])
            }
            Removing::Done => Turn::Done,
            Removing::Moved => Turn::Moved,
            Removing::Interrupted => {
                context.dirty.log_dir_events = true;
                Turn::Later
            }
            Removing::Refused(error) => {
                tracing::error!(%error, "cannot remove notifications of log directories");
                Turn::Done
            }
        }
    }
}

fn ask(context: &mut Context, broker: BrokerId) {
    tracing::warn!(%broker, "broker has lost a log directory");
    for partition in context.partitions_on(broker) {
        context.notify_replica(&partition, broker, false);
    }
}

impl Context {
    /// A broker has answered to the leadership of these partitions: those with a storage error are
    /// offline there, the others are not; and what it could not take is told again.
    pub(crate) fn replicas_answered(
        &mut self,
        now_ms: u64,
        broker: BrokerId,
        partitions: &BTreeMap<TopicPartition, PartitionLeadership>,
        reply: &ControlReply,
    ) {
        if reply.refusal.is_some() {
            return;
        }
        for (partition, word) in partitions {
            let failure = reply.failures.get(partition);
            self.replica_found(partition, broker, failure == Some(&ReplicaFailure::Storage));
            if let Some(ReplicaFailure::Other(code)) = failure
                && let Some(known) = self.brokers.get_mut(&broker)
            {
                tracing::warn!(%partition, %broker, code, "a broker could not take a leadership yet");
                known.outbox.not_taken(partition, word.is_new, now_ms);
            }
        }
    }

    fn replica_found(&mut self, partition: &TopicPartition, broker: BrokerId, is_offline: bool) {
        if !self
            .replicas(partition)
            .is_some_and(|replicas| replicas.contains(&broker))
        {
            // The topic has gone since the broker was asked.
            return;
        }
        let offline = self.offline_replicas.entry(broker).or_default();
        let is_changed = if is_offline {
            offline.insert(partition.clone())
        } else {
            offline.remove(partition)
        };
        if is_changed {
            tracing::warn!(
                target: "state_change", %partition, %broker, is_offline,
                "a replica's log directory changed"
            );
            self.notify_metadata(partition);
            self.look_at(partition.clone(), Cause::default());
        }
    }
}
