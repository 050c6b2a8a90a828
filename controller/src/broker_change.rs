//! Brokers come, go and bounce.
//!
//! A broker that registered anew faster than anyone noticed has another broker epoch (KIP-380). It is
//! treated as gone and come back: it leaves every ISR that has another member, and the leader epoch
//! of every partition assigned to it rises, also where it is not in the ISR, so that nothing its
//! earlier incarnation has under way counts any more (KIP-903 in ZooKeeper mode).
//! Source: kafka 2.8 `controller/KafkaController.scala` (`processBrokerChange`).

use std::collections::{BTreeMap, BTreeSet};

use barnabas_wire::id::{BrokerEpoch, BrokerId};
use barnabas_zk_schema::broker::{BrokerIdZnode, BrokerIdsZnode};
use barnabas_zk_schema::{ControllerOp, Outcome, ZkError, ZkRead, Znode};

use crate::context::{Broker, Cause, Context};
use crate::effect::Effect;
use crate::failover::children;
use crate::operation::{Operation, Turn};
use crate::outbox::Outbox;

/// Reads who is registered.
#[derive(Debug, Default)]
pub(crate) struct BrokerChange {
    ids: Option<Vec<BrokerId>>,
}

impl Operation for BrokerChange {
    fn begin(&mut self, _: &mut Context) -> Turn {
        Turn::Ask(vec![ControllerOp::read(ZkRead::Children(
            BrokerIdsZnode.path(),
        ))])
    }

    fn resume(&mut self, context: &mut Context, outcomes: Vec<Outcome>) -> Turn {
        let turn = match self.ids.take() {
            None => self.listed(outcomes),
            Some(ids) => read(context, &ids, outcomes),
        };
        turn.unwrap_or_else(|error| {
            tracing::error!(%error, "cannot read who is registered, giving the controller away");
            Turn::Resign
        })
    }
}

impl BrokerChange {
    fn listed(&mut self, outcomes: Vec<Outcome>) -> Result<Turn, ZkError> {
        let outcome = outcomes.into_iter().next().unwrap_or(Outcome::Unknown);
        let ids = read_ids(&children(outcome)?);
        let ops = ids
            .iter()
            .map(|id| ControllerOp::read(BrokerIdZnode(*id).read()))
            .collect();
        self.ids = Some(ids);
        Ok(Turn::Ask(ops))
    }
}

fn read(context: &mut Context, ids: &[BrokerId], outcomes: Vec<Outcome>) -> Result<Turn, ZkError> {
    let mut registered = BTreeMap::new();
    for (id, outcome) in ids.iter().zip(outcomes) {
        if let Some(broker) = read_broker(*id, outcome)? {
            registered.insert(*id, broker);
        }
    }
    apply(context, registered);
    Ok(Turn::Done)
}

/// Takes over who is registered now.
fn apply(context: &mut Context, registered: BTreeMap<BrokerId, Broker>) {
    let known: BTreeSet<_> = context.brokers.keys().copied().collect();
    let mut is_changed = false;
    for id in known.iter().filter(|id| !registered.contains_key(id)) {
        tracing::info!(target: "state_change", broker = %id, "broker is gone");
        lose(context, *id);
        context.brokers.remove(id);
        look_at_all(context, *id, &Cause::default());
        is_changed = true;
    }
    let mut newcomers = Vec::new();
    for (id, broker) in registered {
        match context.brokers.get(&id).map(|known| known.epoch) {
            Some(epoch) if epoch == broker.epoch => is_changed |= update(context, id, broker),
            earlier => {
                tracing::info!(
                    target: "state_change", broker = %id, broker_epoch = %broker.epoch,
                    has_bounced = earlier.is_some(), "broker has come"
                );
                come(context, id, broker, earlier.is_some());
                newcomers.push(id);
            }
        }
    }
    if is_changed || !newcomers.is_empty() {
        context.notify_live_brokers();
    }
    for id in newcomers {
        tell(context, id);
    }
}

/// What belonged to an incarnation that is no more.
fn lose(context: &mut Context, id: BrokerId) {
    context.leaving.remove(&id);
    context.offline_replicas.remove(&id);
    for deletion in context.deletions.values_mut() {
        deletion.lose(id);
    }
    context.effects.push(Effect::Disconnect { broker: id });
}

fn come(context: &mut Context, id: BrokerId, broker: Broker, has_bounced: bool) {
    let cause = if has_bounced {
        lose(context, id);
        Cause {
            bounced: BTreeSet::from([id]),
            is_epoch_raised: true,
            ..Cause::default()
        }
    } else {
        Cause::default()
    };
    context.brokers.insert(id, broker);
    context.connect(id);
    look_at_all(context, id, &cause);
    let hosted: BTreeSet<_> = context
        .partitions_on(id)
        .into_iter()
        .map(|partition| partition.topic)
        .collect();
    for topic in hosted {
        if let Some(deletion) = context.deletions.get_mut(&topic) {
            deletion.resume();
        }
    }
}

/// The newcomer hears who is live, then what it keeps. What is about to change it hears afterwards.
fn tell(context: &mut Context, id: BrokerId) {
    context.notify_newcomer(id);
    for partition in context.partitions_on(id) {
        match context.pending.get(&partition).cloned() {
            Some(cause) if !context.is_settled(&partition, &cause) => {
                let is_notice_owed = true;
                context.look_at(
                    partition,
                    Cause {
                        is_notice_owed,
                        ..Cause::default()
                    },
                );
            }
            Some(_) | None => context.notify_replica(&partition, id, false),
        }
    }
}

/// The same incarnation says something else about itself.
fn update(context: &mut Context, id: BrokerId, broker: Broker) -> bool {
    let before = context.address(id);
    let Some(known) = context.brokers.get_mut(&id) else {
        return false;
    };
    if known.registration == broker.registration {
        return false;
    }
    known.registration = broker.registration;
    if context.address(id) != before {
        // What was outstanding on the old channel is never answered.
        if let Some(known) = context.brokers.get_mut(&id) {
            known.outbox.reopen();
        }
        context.connect(id);
    }
    true
}

fn look_at_all(context: &mut Context, id: BrokerId, cause: &Cause) {
    for partition in context.partitions_on(id) {
        context.look_at(partition, cause.clone());
    }
}

/// Broker ids among the children; others are nobody's we know.
pub(crate) fn read_ids(names: &[String]) -> Vec<BrokerId> {
    names
        .iter()
        .filter_map(|name| name.parse().ok().map(BrokerId))
        .collect()
}

/// A registration; `None` if it is gone, or says nothing that could be used.
pub(crate) fn read_broker(id: BrokerId, outcome: Outcome) -> Result<Option<Broker>, ZkError> {
    let (data, stat) = match outcome.into_data() {
        Ok(read) => read,
        Err(Outcome::Failed(ZkError::NoNode)) => return Ok(None),
        Err(Outcome::Failed(error)) => return Err(error),
        Err(Outcome::Done(_) | Outcome::Unknown) => return Err(ZkError::Refused { code: 0 }),
    };
    match BrokerIdZnode::decode(&data) {
        Ok(registration) if !registration.endpoints.is_empty() => {
            let epoch = BrokerEpoch(stat.czxid.0);
            Ok(Some(Broker {
                epoch,
                registration,
                outbox: Outbox::default(),
            }))
        }
        Ok(_) => {
            tracing::warn!(broker = %id, "a broker without endpoints counts as not there");
            Ok(None)
        }
        Err(error) => {
            tracing::warn!(broker = %id, %error, "a broker that cannot be read counts as not there");
            Ok(None)
        }
    }
}

impl Context {
    /// Opens the channel to a registered broker.
    pub(crate) fn connect(&mut self, broker: BrokerId) {
        let Some(broker_epoch) = self.brokers.get(&broker).map(|broker| broker.epoch) else {
            return;
        };
        if let Some((host, port)) = self.address(broker) {
            self.effects.push(Effect::Connect {
                broker,
                broker_epoch,
                host,
                port,
            });
        }
    }
}
