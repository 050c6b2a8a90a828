//! The first work of a new controller: read all there is, and tell it to every broker.
//!
//! Order matters. The watches stand before anything is read. Notifications are listed before the
//! states are read and removed after that, exactly those that were listed (KAFKA-5879). Every broker
//! hears who is live before it hears of leaders (KAFKA-4443).
//! Source: kafka 2.8 `controller/KafkaController.scala` (`onControllerFailover`).

use std::collections::{BTreeMap, BTreeSet};

use barnabas_wire::id::{BrokerId, TopicName, TopicPartition};
use barnabas_zk_schema::broker::{BrokerIdZnode, BrokerIdsZnode};
use barnabas_zk_schema::isr_change::IsrChangesZnode;
use barnabas_zk_schema::log_dir_event::LogDirEventsZnode;
use barnabas_zk_schema::partition::PartitionStateZnode;
use barnabas_zk_schema::topic::{TopicZnode, TopicsZnode};
use barnabas_zk_schema::topic_deletion::TopicDeletionsZnode;
use barnabas_zk_schema::{ControllerOp, Outcome, ZkError, ZkPath, ZkRead, Znode, Zxid};

use crate::broker_change::{read_broker, read_ids};
use crate::context::{Cause, Context, Leadership};
use crate::operation::{Operation, Turn};
use crate::removal::{Removal, Removing};
use crate::replica_state::Deletion;
use crate::topic_change::{TopicRead, read_topic, valid_names};

/// Reads everything.
#[derive(Debug, Default)]
pub(crate) struct Failover {
    phase: Phase,
    notifications: Vec<ZkPath>,
    deletions: Vec<TopicName>,
}

#[derive(Debug, Default)]
enum Phase {
    #[default]
    Lists,
    Nodes {
        brokers: Vec<BrokerId>,
        topics: Vec<TopicName>,
    },
    States(Vec<TopicPartition>),
    Notifications(Removal),
}

fn lists() -> [ZkPath; 5] {
    [
        IsrChangesZnode.path(),
        LogDirEventsZnode.path(),
        BrokerIdsZnode.path(),
        TopicsZnode.path(),
        TopicDeletionsZnode.path(),
    ]
}

impl Operation for Failover {
    fn begin(&mut self, _: &mut Context) -> Turn {
        Turn::Ask(
            lists()
                .map(|path| ControllerOp::read(ZkRead::Children(path)))
                .into(),
        )
    }

    fn resume(&mut self, context: &mut Context, outcomes: Vec<Outcome>) -> Turn {
        let turn = match std::mem::take(&mut self.phase) {
            Phase::Lists => self.listed(outcomes),
            Phase::Nodes { brokers, topics } => self.read(context, &brokers, &topics, outcomes),
            Phase::States(partitions) => return self.loaded(context, partitions, outcomes),
            Phase::Notifications(mut removal) => {
                let removing = removal.resume(&context.fence, outcomes.into_iter().next());
                return self.removing(context, removal, removing);
            }
        };
        turn.unwrap_or_else(|error| {
            tracing::error!(%error, "cannot read the cluster's state, giving the controller away");
            Turn::Resign
        })
    }
}

impl Failover {
    fn listed(&mut self, outcomes: Vec<Outcome>) -> Result<Turn, ZkError> {
        let mut names = Vec::new();
        for outcome in outcomes {
            names.push(children(outcome)?);
        }
        let mut names = names.into_iter();
        for parent in [IsrChangesZnode.path(), LogDirEventsZnode.path()] {
            let notifications = names.next().unwrap_or_default();
            self.notifications
                .extend(notifications.into_iter().map(|name| parent.child(name)));
        }
        let brokers = read_ids(&names.next().unwrap_or_default());
        let topics = valid_names(names.next().unwrap_or_default());
        self.deletions = valid_names(names.next().unwrap_or_default());
        let ops = brokers.iter().map(|id| BrokerIdZnode(*id).read());
        let ops = ops.chain(topics.iter().map(|topic| TopicZnode(topic.clone()).read()));
        let ops = ops.map(ControllerOp::read).collect();
        self.phase = Phase::Nodes { brokers, topics };
        Ok(Turn::Ask(ops))
    }

    fn read(
        &mut self,
        context: &mut Context,
        brokers: &[BrokerId],
        topics: &[TopicName],
        outcomes: Vec<Outcome>,
    ) -> Result<Turn, ZkError> {
        let mut outcomes = outcomes.into_iter();
        for (id, outcome) in brokers.iter().zip(outcomes.by_ref()) {
            if let Some(broker) = read_broker(*id, outcome)? {
                context.brokers.insert(*id, broker);
            }
        }
        for (name, outcome) in topics.iter().zip(outcomes) {
            if let TopicRead::Found(topic) = read_topic(name, outcome)? {
                context.topics.insert(name.clone(), topic);
            }
        }
        let partitions: Vec<_> = context
            .partitions()
            .map(|(partition, _)| partition)
            .collect();
        let read = |partition: &TopicPartition| {
            ControllerOp::read(PartitionStateZnode(partition.clone()).read())
        };
        let ops = partitions.iter().map(read).collect();
        self.phase = Phase::States(partitions);
        Ok(Turn::Ask(ops))
    }

    fn loaded(
        &mut self,
        context: &mut Context,
        partitions: Vec<TopicPartition>,
        outcomes: Vec<Outcome>,
    ) -> Turn {
        let mut written = BTreeMap::new();
        for (partition, outcome) in partitions.into_iter().zip(outcomes) {
            let Ok((data, stat)) = outcome.into_data() else {
                continue;
            };
            let state = match PartitionStateZnode::decode(&data) {
                Ok(state) => state,
                Err(error) => {
                    tracing::error!(%partition, %error, "cannot read a partition's state");
                    continue;
                }
            };
            if state.controller_epoch > context.fence.epoch() {
                return Turn::Moved;
            }
            let leadership = Leadership {
                state,
                zk_version: stat.version,
            };
            context.set_leadership(&partition, Some(leadership));
            written.insert(partition, stat.mzxid);
        }
        self.tell(context, &written);
        let mut removal = Removal::new(std::mem::take(&mut self.notifications));
        let removing = removal.next(&context.fence);
        self.removing(context, removal, removing)
    }

    /// Everything is known: marks what has to be looked at and tells the rest.
    fn tell(&self, context: &mut Context, written: &BTreeMap<TopicPartition, Zxid>) {
        let brokers: Vec<_> = context.brokers.keys().copied().collect();
        for broker in brokers {
            context.connect(broker);
        }
        context.notify_live_brokers();
        for broker in context.brokers.values_mut() {
            broker.outbox.begin_round();
        }
        self.resume_deletions(context);
        let partitions: Vec<_> = context
            .partitions()
            .map(|(partition, _)| partition)
            .collect();
        for partition in partitions {
            let mut cause = missed_bounces(context, &partition, written.get(&partition).copied());
            match context.deletions.get(&partition.topic) {
                // It goes now: nobody has to begin with it.
                Some(deletion) if !deletion.is_ineligible => continue,
                None if !context.is_settled(&partition, &cause) => cause.is_notice_owed = true,
                Some(_) | None => context.notify_leadership(&partition, false),
            }
            context.look_at(partition, cause);
        }
        context.dirty.deletions = true;
        context.dirty.preferred_election = true;
        let (brokers, topics) = (context.brokers.len(), context.topics.len());
        tracing::info!(
            brokers,
            topics,
            partitions = written.len(),
            "read the cluster's state"
        );
    }

    /// Topics that are marked go on being deleted; one with a replica that is not to be had waits,
    /// and serves meanwhile.
    fn resume_deletions(&self, context: &mut Context) {
        if !context.settings.delete_topic_enable {
            return;
        }
        for name in self
            .deletions
            .iter()
            .filter(|name| context.topics.contains_key(*name))
        {
            let is_ineligible = context.partitions_of(name).iter().any(|partition| {
                let replicas = context.replicas(partition).unwrap_or_default();
                replicas
                    .iter()
                    .any(|replica| !context.is_online(partition, *replica))
            });
            let deletion = Deletion {
                is_ineligible,
                ..Deletion::default()
            };
            context.deletions.insert(name.clone(), deletion);
        }
    }

    fn removing(&mut self, context: &mut Context, removal: Removal, removing: Removing) -> Turn {
        match removing {
            Removing::Ask(op) => {
                self.phase = Phase::Notifications(removal);
                Turn::Ask(vec![op])
            }
            Removing::Done => Turn::Done,
            Removing::Moved => Turn::Moved,
            // They are only hints: what is left is read once more as news.
            Removing::Interrupted | Removing::Refused(_) => {
                context.dirty.isr_changes = true;
                context.dirty.log_dir_events = true;
                Turn::Done
            }
        }
    }
}

/// Members of the ISR that registered after the state was last written: no controller has seen that
/// they bounced (what KIP-903 is about).
fn missed_bounces(context: &Context, partition: &TopicPartition, written: Option<Zxid>) -> Cause {
    let (Some(written), Some(leadership)) = (written, context.leadership(partition)) else {
        return Cause::default();
    };
    let has_bounced = |member: &&BrokerId| {
        context
            .brokers
            .get(member)
            .is_some_and(|broker| broker.epoch.0 > written.0)
    };
    let bounced: BTreeSet<_> = leadership
        .state
        .isr
        .iter()
        .filter(has_bounced)
        .copied()
        .collect();
    Cause {
        bounced,
        ..Cause::default()
    }
}

/// The names of a list; none where the parent is not there.
pub(crate) fn children(outcome: Outcome) -> Result<Vec<String>, ZkError> {
    match outcome.into_children() {
        Ok(names) => Ok(names),
        Err(Outcome::Failed(ZkError::NoNode)) => Ok(Vec::new()),
        Err(Outcome::Failed(error)) => Err(error),
        Err(Outcome::Done(_) | Outcome::Unknown) => Err(ZkError::Refused { code: 0 }),
    }
}
