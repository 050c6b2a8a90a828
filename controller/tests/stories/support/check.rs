//! What must be true after every step, whatever happened. Costs no random draws.

use std::collections::{BTreeMap, BTreeSet};

use barnabas_wire::id::{
    BrokerId, ControllerEpoch, LeaderEpoch, PartitionId, TopicName, TopicPartition,
};
use barnabas_zk_schema::controller::ControllerEpochZnode;
use barnabas_zk_schema::partition::{PartitionState, PartitionStateZnode};
use barnabas_zk_schema::topic::{TopicZnode, TopicsZnode};
use barnabas_zk_schema::{ZkPath, Znode, Zxid};

use super::broker::FakeBroker;
use super::zookeeper::{Change, ZooKeeper};

/// Who made a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writer {
    /// A controller, with the epoch it had when it sent the change.
    Controller(Option<ControllerEpoch>),
    /// The leader of a partition.
    Leader,
    /// A tool, or the end of a session.
    Other,
}

/// Remembers what must not be undone.
#[derive(Debug, Default)]
pub(crate) struct Checker {
    controller_epoch: ControllerEpoch,
    leader_epochs: BTreeMap<(Zxid, PartitionId), LeaderEpoch>,
    leaders: BTreeMap<(Zxid, PartitionId, LeaderEpoch), BrokerId>,
    /// Topics that a controller deleted.
    deleted: BTreeSet<TopicName>,
    /// The first thing that went wrong.
    pub(crate) violation: Option<String>,
}

impl Checker {
    /// A broker was asked what no controller may ask.
    pub(crate) fn complained(&mut self, complaint: Option<String>) {
        if let Some(complaint) = complaint {
            self.require(false, || complaint);
        }
    }

    fn require(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds && self.violation.is_none() {
            self.violation = Some(what());
        }
    }

    /// These changes were just made.
    pub(crate) fn changed(&mut self, zookeeper: &ZooKeeper, writer: Writer, changes: &[Change]) {
        let epoch = zookeeper.get(&ControllerEpochZnode).unwrap_or_default();
        let last = std::mem::replace(&mut self.controller_epoch, epoch);
        self.require(epoch >= last, || {
            format!("controller epoch fell from {last} to {epoch}")
        });
        let is_election = changes
            .iter()
            .any(|change| change.path == ControllerEpochZnode.path());
        if let Writer::Controller(own) = writer
            && !is_election
            && !changes.is_empty()
        {
            self.require(own == Some(epoch), || {
                format!(
                    "controller of epoch {own:?} wrote {:?} in epoch {epoch}",
                    changes[0].path
                )
            });
        }
        for change in changes {
            self.changed_one(zookeeper, writer, change);
        }
        for topic in self.deleted.clone() {
            let is_gone = !zookeeper.exists(&format!("/brokers/topics/{topic}"))
                && !zookeeper.exists(&format!("/admin/delete_topics/{topic}"));
            let has_settings = zookeeper.exists(&format!("/config/topics/{topic}"));
            self.require(!is_gone || !has_settings, || {
                format!("{topic} is gone, its settings stay")
            });
        }
    }

    fn changed_one(&mut self, zookeeper: &ZooKeeper, writer: Writer, change: &Change) {
        let Some(below) = change.path.below(&TopicsZnode.path()) else {
            return;
        };
        let parts: Vec<_> = below.split('/').collect();
        match (parts.as_slice(), &change.after) {
            ([topic], None) if matches!(writer, Writer::Controller(_)) => {
                self.deleted.insert((*topic).into());
            }
            ([topic], Some(_)) => {
                self.deleted.remove(*topic);
            }
            ([topic, "partitions", partition, "state"], Some(after)) => {
                let partition = PartitionId(partition.parse().unwrap());
                let partition = TopicPartition::new(*topic, partition);
                let after = PartitionStateZnode::decode(after).unwrap();
                let before = change
                    .before
                    .as_ref()
                    .map(|data| PartitionStateZnode::decode(data).unwrap());
                self.state_changed(zookeeper, writer, &partition, before.as_ref(), &after);
            }
            _ => {}
        }
    }

    fn state_changed(
        &mut self,
        zookeeper: &ZooKeeper,
        writer: Writer,
        partition: &TopicPartition,
        before: Option<&PartitionState>,
        after: &PartitionState,
    ) {
        let znode = TopicZnode(partition.topic.clone());
        let (Some(stat), Some(topic)) = (zookeeper.stat(&znode.path()), zookeeper.get(&znode))
        else {
            return;
        };
        let replicas = &topic.partitions[&partition.partition];
        let context = || format!("{partition}: {before:?} -> {after:?}");
        self.require(!after.isr.is_empty(), || {
            format!("empty ISR: {}", context())
        });
        self.require(after.isr.iter().all(|id| replicas.contains(id)), || {
            format!("ISR outside {replicas:?}: {}", context())
        });
        self.require(
            after
                .leader
                .is_none_or(|leader| after.isr.contains(&leader)),
            || format!("leader outside ISR: {}", context()),
        );
        let key = (stat.czxid, partition.partition);
        let last = self
            .leader_epochs
            .insert(key, after.leader_epoch)
            .unwrap_or(LeaderEpoch::NONE);
        if let Writer::Controller(_) = writer {
            self.require(after.leader_epoch > last, || {
                format!("leader epoch did not rise: {}", context())
            });
        } else {
            self.require(after.leader_epoch == last, || {
                format!("leader changed its epoch: {}", context())
            });
        }
        if let (Some(before), Some(leader)) = (before, after.leader) {
            self.require(before.isr.contains(&leader), || {
                format!("elected from outside the ISR: {}", context())
            });
        }
        if let Some(leader) = after.leader {
            let key = (stat.czxid, partition.partition, after.leader_epoch);
            let first = *self.leaders.entry(key).or_insert(leader);
            self.require(first == leader, || {
                format!("two leaders in one epoch: {}", context())
            });
        }
    }

    /// Everything works again and has come to rest: what brokers believe is what ZooKeeper says.
    pub(crate) fn at_rest<'a>(
        &mut self,
        zookeeper: &ZooKeeper,
        brokers: impl Iterator<Item = (BrokerId, &'a FakeBroker)>,
    ) {
        let brokers: BTreeMap<_, _> = brokers.collect();
        for parent in ["/admin/delete_topics", "/isr_change_notification"] {
            let left = zookeeper.children(parent);
            self.require(left.is_empty(), || format!("left below {parent}: {left:?}"));
        }
        let topics: Vec<ZkPath> = zookeeper
            .paths()
            .filter(|path| path.parent() == Some(TopicsZnode.path()))
            .cloned()
            .collect();
        let mut partitions = BTreeSet::new();
        for topic in topics {
            let name = TopicName::from(topic.name());
            let assignment = zookeeper.get(&TopicZnode(name.clone())).unwrap();
            for (partition, replicas) in assignment.partitions {
                let partition = TopicPartition::new(name.clone(), partition);
                self.partition_at_rest(zookeeper, &brokers, &partition, &replicas);
                partitions.insert(partition);
            }
        }
        for (id, broker) in &brokers {
            let known: BTreeSet<_> = broker.metadata.keys().cloned().collect();
            self.require(known == partitions, || {
                format!("broker {id} tells clients of {known:?}, there is {partitions:?}")
            });
            let live: BTreeSet<_> = brokers.keys().copied().collect();
            self.require(broker.live == live, || {
                format!("broker {id} knows {:?}", broker.live)
            });
            let strays: Vec<_> = broker
                .replicas
                .keys()
                .filter(|it| !partitions.contains(it))
                .collect();
            self.require(strays.is_empty(), || {
                format!("broker {id} still keeps {strays:?}")
            });
            self.require(!broker.heard_leaders_first, || {
                format!("broker {id} heard of leaders before it knew who is live")
            });
        }
    }

    fn partition_at_rest(
        &mut self,
        zookeeper: &ZooKeeper,
        brokers: &BTreeMap<BrokerId, &FakeBroker>,
        partition: &TopicPartition,
        replicas: &[BrokerId],
    ) {
        let Some(state) = zookeeper.get(&PartitionStateZnode(partition.clone())) else {
            return self.require(false, || format!("{partition} has no state"));
        };
        self.require(state.leader.is_some(), || {
            format!("{partition} has no leader: {state:?}")
        });
        for id in replicas {
            let Some(known) = brokers[id].replicas.get(partition) else {
                self.require(false, || {
                    format!("broker {id} does not know that it keeps {partition}")
                });
                continue;
            };
            let told = (known.leader, known.leader_epoch);
            self.require(told == (state.leader, state.leader_epoch), || {
                format!("broker {id} was told {told:?} of {partition}, which is {state:?}")
            });
        }
        for (id, broker) in brokers {
            let told = broker
                .metadata
                .get(partition)
                .map(|word| (word.leader, word.isr.clone()));
            let is = Some((state.leader.unwrap_or(BrokerId::NONE), state.isr.clone()));
            self.require(told == is, || {
                format!("broker {id} tells clients {told:?} of {partition}, which is {state:?}")
            });
        }
    }
}
