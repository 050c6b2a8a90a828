//! Runs the controller machine: feeds it events, carries out its effects.
//!
//! One task owns the machine. Everything else sends it [`Event`]s and keeps a [`ControllerHandle`].
//! The queue of events has no bound of its own, for those who fill it have theirs: the machine has one
//! batch and one request for each broker outstanding, the session tells each change once, and calls come
//! from requests, of which each connection has a limited number in flight.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

use barnabas_controller::call::{Answer, Call, CallError};
use barnabas_controller::{
    Announcement, BatchId, CallId, Controller, Effect, Event, RequestId, Settings,
};
use barnabas_wire::id::{BrokerId, ControllerEpoch};
use barnabas_zk_schema::{ControllerOp, ZkPath};
use barnabas_zk_session::{Established, Session, SessionGeneration};
use parking_lot::Mutex;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Duration, Instant, sleep_until};
use tracing::{debug, info};

use super::controller_channel::ControllerChannel;
use crate::metrics::ControllerMetrics;
use crate::peer::Asker;

const NOBODY: i32 = -1;

/// What the rest of the broker knows of its controller, and how it asks it. Clones are the same.
#[derive(Clone, Debug)]
pub struct ControllerHandle {
    events: mpsc::UnboundedSender<Input>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Epoch of this broker as the active controller, or [`NOBODY`].
    active_epoch: AtomicI32,
    /// Who holds `/controller`, or [`NOBODY`].
    holder: watch::Sender<i32>,
    calls: Mutex<BTreeMap<u64, oneshot::Sender<Answer>>>,
    next_call: AtomicU64,
}

/// What the driver needs besides its settings.
#[derive(Debug)]
pub struct ControllerParts {
    /// Settings of the machine.
    pub settings: Settings,
    /// The session.
    pub session: Session,
    /// For the channels to the brokers.
    pub asker: Asker,
    /// What is counted.
    pub metrics: ControllerMetrics,
}

struct Driver {
    machine: Controller,
    /// The session that the machine was told of last.
    generation: Option<SessionGeneration>,
    asker: Asker,
    metrics: ControllerMetrics,
    events: mpsc::UnboundedSender<Input>,
    channels: BTreeMap<BrokerId, ControllerChannel>,
    shared: Arc<Shared>,
    effects: Vec<Effect>,
    epoch_of_time: Instant,
    batches: mpsc::UnboundedSender<Step>,
}

/// What comes to the driver.
#[derive(Debug)]
pub(super) enum Input {
    /// An event for the machine.
    Event(Event),
    /// The broker is registered in this session, at this wall clock time, ms.
    Established(Established, i64),
    /// The broker has stopped.
    Stop,
}

impl From<Event> for Input {
    fn from(event: Event) -> Self {
        Self::Event(event)
    }
}

/// What goes to ZooKeeper, in this order.
#[derive(Debug)]
enum Step {
    Watch(SessionGeneration, ZkPath),
    Unwatch(SessionGeneration, ZkPath),
    Batch(SessionGeneration, BatchId, Vec<ControllerOp>),
}

impl ControllerHandle {
    /// Starts the driver.
    #[must_use]
    pub fn start(parts: ControllerParts) -> Self {
        let ControllerParts {
            settings,
            session,
            asker,
            metrics,
        } = parts;
        let (events, inbox) = mpsc::unbounded_channel();
        let (batches, outbox) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            active_epoch: AtomicI32::new(NOBODY),
            holder: watch::Sender::new(NOBODY),
            calls: Mutex::default(),
            next_call: AtomicU64::new(0),
        });
        let driver = Driver {
            machine: Controller::new(settings),
            generation: None,
            asker,
            metrics,
            events: events.clone(),
            channels: BTreeMap::new(),
            shared: Arc::clone(&shared),
            effects: Vec::new(),
            epoch_of_time: Instant::now(),
            batches,
        };
        tokio::spawn(carry_batches(session, outbox, events.downgrade()));
        tokio::spawn(driver.run(inbox));
        Self { events, shared }
    }

    /// Tells the machine of something that happened. Nothing happens after the driver has ended.
    pub fn tell(&self, event: Event) {
        // Without a driver there is nobody to be told.
        drop(self.events.send(event.into()));
    }

    /// Tells the machine that this broker is registered in a session.
    pub(super) fn establish(&self, established: Established, wall_clock_ms: i64) {
        drop(
            self.events
                .send(Input::Established(established, wall_clock_ms)),
        );
    }

    /// Ends the driver; calls that wait are answered by no one and give up.
    pub(crate) fn stop(&self) {
        drop(self.events.send(Input::Stop));
        self.shared.calls.lock().clear();
    }

    /// Asks the active controller, if that is this broker.
    pub async fn call(&self, call: Call) -> Answer {
        let id = self.shared.next_call.fetch_add(1, Ordering::Relaxed);
        let (promise, answer) = oneshot::channel();
        self.shared.calls.lock().insert(id, promise);
        self.tell(Event::Called {
            id: CallId(id),
            call,
        });
        let answer = answer.await;
        self.shared.calls.lock().remove(&id);
        answer.unwrap_or(Answer::Refused(CallError::NotController))
    }

    /// The epoch of this broker as the active controller; None while it is not.
    #[must_use]
    pub fn active_epoch(&self) -> Option<ControllerEpoch> {
        let epoch = self.shared.active_epoch.load(Ordering::Acquire);
        (epoch != NOBODY).then_some(ControllerEpoch(epoch))
    }

    /// Whether this broker is the active controller.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.active_epoch().is_some()
    }

    /// Wakes whenever `/controller` is held by another broker than before, or by none.
    #[must_use]
    pub fn holder_changes(&self) -> watch::Receiver<i32> {
        self.shared.holder.subscribe()
    }

    /// The broker that holds `/controller`, as last read.
    #[must_use]
    pub fn holder(&self) -> Option<BrokerId> {
        let holder = *self.shared.holder.borrow();
        (holder != NOBODY).then_some(BrokerId(holder))
    }
}

/// Carries watches and batches to the session in the order of the effects, and outcomes back. A batch is
/// awaited apart: one that a dying session keeps must not hold up the first of the next session.
async fn carry_batches(
    session: Session,
    mut outbox: mpsc::UnboundedReceiver<Step>,
    events: mpsc::WeakUnboundedSender<Input>,
) {
    while let Some(step) = outbox.recv().await {
        match step {
            Step::Watch(generation, path) => session.watch(generation, path).await,
            Step::Unwatch(generation, path) => session.unwatch(generation, path).await,
            Step::Batch(generation, batch, ops) => {
                let (session, events) = (session.clone(), events.clone());
                tokio::spawn(async move {
                    let ops = ops.into_iter().map(ControllerOp::into_op).collect();
                    let outcomes = session.execute(generation, ops).await;
                    if let Some(events) = events.upgrade() {
                        drop(events.send(Event::ZkReplied { batch, outcomes }.into()));
                    }
                });
            }
        }
    }
}

impl Driver {
    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Input>) {
        loop {
            let deadline = self.machine.next_deadline();
            let deadline = deadline.map(|ms| self.epoch_of_time + Duration::from_millis(ms));
            let event = tokio::select! {
                biased;
                input = inbox.recv() => match input {
                    Some(Input::Event(event)) => event,
                    Some(Input::Established(established, wall_clock_ms)) => {
                        self.generation = Some(established.generation);
                        Event::SessionEstablished { session: established.session, wall_clock_ms }
                    }
                    Some(Input::Stop) | None => return,
                },
                () = sleep_until(deadline.unwrap_or(self.epoch_of_time)), if deadline.is_some() => {
                    Event::TimeReached
                }
            };
            self.step(event);
        }
    }

    fn step(&mut self, event: Event) {
        let now_ms = u64::try_from(self.epoch_of_time.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut effects = std::mem::take(&mut self.effects);
        self.machine.step(now_ms, event, &mut effects);
        let epoch = self.machine.active_epoch().map_or(NOBODY, |epoch| epoch.0);
        self.shared.active_epoch.store(epoch, Ordering::Release);
        self.count();
        for effect in effects.drain(..) {
            self.carry_out(effect);
        }
        self.effects = effects;
    }

    fn count(&self) {
        let counts = self.machine.counts();
        let set = |gauge: &Gauge, count: usize| {
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        };
        set(
            &self.metrics.active_count,
            usize::from(self.machine.active_epoch().is_some()),
        );
        set(
            &self.metrics.offline_partition_count,
            counts.offline_partitions,
        );
        set(
            &self.metrics.preferred_imbalance_count,
            counts.preferred_replica_imbalance,
        );
        set(&self.metrics.topic_count, counts.topics);
        set(&self.metrics.partition_count, counts.partitions);
        set(&self.metrics.topic_deletion_count, counts.topics_to_delete);
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Zk { batch, ops } => {
                if let Some(generation) = self.generation {
                    drop(self.batches.send(Step::Batch(generation, batch, ops)));
                }
            }
            Effect::Watch(paths) => self.watch(paths, Step::Watch),
            Effect::Unwatch(paths) => self.watch(paths, Step::Unwatch),
            Effect::Connect {
                broker, host, port, ..
            } => {
                let events = self.events.clone();
                let asker = self.asker.clone();
                let channel = ControllerChannel::open(broker, (host, port), asker, events);
                self.channels.insert(broker, channel);
            }
            Effect::Disconnect { broker } => drop(self.channels.remove(&broker)),
            Effect::Send {
                broker,
                request,
                message,
            } => self.send(broker, request, message),
            Effect::Answer { id, answer } => {
                if let Some(promise) = self.shared.calls.lock().remove(&id.0) {
                    // A caller that has gone needs no answer.
                    drop(promise.send(answer));
                }
            }
            Effect::Announce(announcement) => self.announce(&announcement),
        }
    }

    fn watch(&self, paths: Vec<ZkPath>, step: impl Fn(SessionGeneration, ZkPath) -> Step) {
        let Some(generation) = self.generation else {
            return;
        };
        for path in paths {
            drop(self.batches.send(step(generation, path)));
        }
    }

    fn send(
        &self,
        broker: BrokerId,
        request: RequestId,
        message: barnabas_controller::request::ControlRequest,
    ) {
        let channel = self.channels.get(&broker);
        if !channel.is_some_and(|channel| channel.send(request, message)) {
            debug!(%broker, "there is no channel for a request of the controller");
            drop(
                self.events
                    .send(Event::RequestFailed { broker, request }.into()),
            );
        }
    }

    fn announce(&self, announcement: &Announcement) {
        match announcement {
            Announcement::Elected { epoch } => {
                info!(controller_epoch = %epoch, "this broker is the controller");
            }
            Announcement::Resigned { epoch } => {
                info!(controller_epoch = %epoch, "this broker is the controller no longer");
            }
            Announcement::Holder(holder) => {
                let holder = holder.map_or(NOBODY, |holder| holder.0);
                self.shared.holder.send_replace(holder);
            }
        }
    }
}
