//! Leaders changed in-sync replicas: reads the states and tells every broker.
//!
//! Source: kafka 2.8 `controller/KafkaController.scala` (`processIsrChangeNotification`).

use std::collections::BTreeSet;

use barnabas_wire::id::TopicPartition;
use barnabas_zk_schema::isr_change::{IsrChangeZnode, IsrChangesZnode};
use barnabas_zk_schema::partition::PartitionStateZnode;
use barnabas_zk_schema::{ControllerOp, Outcome, ZkPath, ZkRead, Znode};

use crate::context::{Cause, Context, Leadership};
use crate::failover::children;
use crate::operation::{Operation, Turn};
use crate::removal::{Removal, Removing};

/// Takes notifications and removes exactly those it took (KAFKA-5879).
#[derive(Debug, Default)]
pub(crate) struct IsrChange {
    phase: Phase,
    notifications: Vec<ZkPath>,
}

#[derive(Debug, Default)]
enum Phase {
    #[default]
    List,
    Notifications,
    States(Vec<TopicPartition>),
    Removal(Removal),
}

impl Operation for IsrChange {
    fn begin(&mut self, context: &mut Context) -> Turn {
        context.dirty.isr_changes = false;
        Turn::Ask(vec![ControllerOp::read(ZkRead::Children(
            IsrChangesZnode.path(),
        ))])
    }

    fn resume(&mut self, context: &mut Context, outcomes: Vec<Outcome>) -> Turn {
        match std::mem::take(&mut self.phase) {
            Phase::List => self.listed(outcomes),
            Phase::Notifications => self.notified(context, outcomes),
            Phase::States(partitions) => {
                for (partition, outcome) in partitions.into_iter().zip(outcomes) {
                    take(context, partition, outcome);
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

impl IsrChange {
    fn listed(&mut self, outcomes: Vec<Outcome>) -> Turn {
        let outcome = outcomes.into_iter().next().unwrap_or(Outcome::Unknown);
        let names = children(outcome).unwrap_or_default();
        if names.is_empty() {
            return Turn::Done;
        }
        let parent = IsrChangesZnode.path();
        self.notifications = names.into_iter().map(|name| parent.child(name)).collect();
        self.phase = Phase::Notifications;
        let read = |path: &ZkPath| ControllerOp::read(ZkRead::Data(path.clone()));
        Turn::Ask(self.notifications.iter().map(read).collect())
    }

    fn notified(&mut self, context: &Context, outcomes: Vec<Outcome>) -> Turn {
        let mut changed = BTreeSet::new();
        for (path, outcome) in self.notifications.iter().zip(outcomes) {
            let Ok((data, _)) = outcome.into_data() else {
                continue;
            };
            match IsrChangeZnode::decode(&data) {
                Ok(partitions) => changed.extend(partitions),
                Err(error) => tracing::warn!(%path, %error, "cannot read an ISR notification"),
            }
        }
        let is_known = |partition: &TopicPartition| context.leadership(partition).is_some();
        let partitions: Vec<_> = changed.into_iter().filter(is_known).collect();
        let read = |partition: &TopicPartition| {
            ControllerOp::read(PartitionStateZnode(partition.clone()).read())
        };
        let ops = partitions.iter().map(read).collect();
        self.phase = Phase::States(partitions);
        Turn::Ask(ops)
    }

    fn removing(&mut self, context: &mut Context, removal: Removal, removing: Removing) -> Turn {
        match removing {
            Removing::Ask(op) => {
                self.phase = Phase::Removal(removal);
                Turn::Ask(vec![op])
            }
            Removing::Done => Turn::Done,
            Removing::Moved => Turn::Moved,
            Removing::Interrupted => {
                context.dirty.isr_changes = true;
                Turn::Later
            }
            Removing::Refused(error) => {
                tracing::error!(%error, "cannot remove ISR notifications");
                Turn::Done
            }
        }
    }
}

/// Takes over what a leader wrote, and looks at it: it may have taken in a replica that is gone.
fn take(context: &mut Context, partition: TopicPartition, outcome: Outcome) {
    let Ok((data, stat)) = outcome.into_data() else {
        return;
    };
    let Ok(state) = PartitionStateZnode::decode(&data) else {
        return;
    };
    context.set_leadership(
        &partition,
        Some(Leadership {
            state,
            zk_version: stat.version,
        }),
    );
    context.notify_metadata(&partition);
    context.look_at(partition, Cause::default());
}
