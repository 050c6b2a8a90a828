//! Everything between ZooKeeper, controllers and brokers.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use barnabas_controller::call::{Answer, Call};
use barnabas_controller::request::ControlRequest;
use barnabas_controller::{
    Announcement, AssignmentPolicy, BatchId, Bugs, CallId, Controller, Effect, Event, RequestId,
    Settings,
};
use barnabas_wire::id::{BrokerEpoch, BrokerId, ControllerEpoch};
use barnabas_zk_schema::broker::{BrokerIdZnode, BrokerRegistration, Endpoint, SecurityProtocol};
use barnabas_zk_schema::{Outcome, SessionId, ZkOp, ZkPath, ZkWrite, Znode};

use super::broker::FakeBroker;
use super::check::{Checker, Writer};
use super::zookeeper::ZooKeeper;

/// How long [`World::settle`] waits for rest, ms of virtual time.
const SETTLE_MS: u64 = 20_000;

/// A random number generator (xorshift64*): small, and the same everywhere.
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    /// One stream of `seed`; streams of one seed have nothing to do with each other.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mixed = (seed ^ stream.rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Self((mixed ^ (mixed >> 29)) | 1)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % bound
    }

    /// True once in `odds` times; never for 0.
    pub(crate) fn one_in(&mut self, odds: u64) -> bool {
        odds != 0 && self.below(odds) == 0
    }
}

/// How often what goes wrong; each is once in so many, 0 never.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    /// Delay of anything on any link, up to so many ms.
    pub(crate) delay_ms: u64,
    /// A connection to ZooKeeper is cut in the middle of a batch.
    pub(crate) cut: u64,
    /// A request to a broker, or its answer, is lost.
    pub(crate) lost_request: u64,
}

#[derive(Debug)]
enum Action {
    Deliver {
        node: BrokerId,
        life: u32,
        event: Event,
    },
    Execute {
        node: BrokerId,
        life: u32,
        session: SessionId,
        batch: BatchId,
        ops: Vec<ZkOp>,
        epoch: Option<ControllerEpoch>,
    },
    Reconnect {
        node: BrokerId,
        life: u32,
        session: SessionId,
    },
    Request {
        from: BrokerId,
        life: u32,
        channel: u64,
        to: BrokerId,
        request: RequestId,
        message: ControlRequest,
    },
    Answer {
        from: BrokerId,
        life: u32,
        channel: u64,
        event: Event,
    },
}

/// One broker process.
#[derive(Debug)]
pub(crate) struct Node {
    /// `None` while the process is dead.
    pub(crate) controller: Option<Controller>,
    pub(crate) broker: FakeBroker,
    life: u32,
    session: Option<SessionId>,
    is_cut: bool,
    watches: Vec<ZkPath>,
    channels: BTreeMap<BrokerId, u64>,
    pub(crate) answers: BTreeMap<CallId, Answer>,
    pub(crate) announcements: Vec<Announcement>,
}

/// The whole cluster.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) zookeeper: ZooKeeper,
    pub(crate) nodes: BTreeMap<BrokerId, Node>,
    pub(crate) checker: Checker,
    pub(crate) settings: Settings,
    pub(crate) bugs: Bugs,
    pub(crate) faults: Faults,
    /// Brokers that nobody reaches.
    pub(crate) unreachable: BTreeSet<BrokerId>,
    /// What every broker was sent, in the order of arrival, with the sender.
    pub(crate) sent: Vec<(BrokerId, BrokerId, ControlRequest)>,
    /// Operations that ZooKeeper was sent.
    pub(crate) executed: Vec<ZkOp>,
    /// Batches of operations that ZooKeeper was sent.
    pub(crate) batches: usize,
    /// A hash of everything that happened.
    pub(crate) trace: u64,
    rng: Rng,
    pub(crate) now_ms: u64,
    sequence: u64,
    actions: BTreeMap<u64, Action>,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    /// Nothing on a link overtakes what is before it.
    links: BTreeMap<(u8, BrokerId, BrokerId), u64>,
    last_call: u64,
}

pub(crate) fn settings() -> Settings {
    Settings {
        broker: BrokerId(0),
        inter_broker_listener: "PLAINTEXT".to_owned(),
        delete_topic_enable: true,
        unclean_leader_election_enable: false,
        num_partitions: 1,
        default_replication_factor: 1,
        assignment_policy: AssignmentPolicy::Modulo,
    }
}

impl World {
    /// A cluster without brokers.
    pub(crate) fn new(settings: Settings, seed: u64) -> Self {
        Self {
            zookeeper: ZooKeeper::new(),
            nodes: BTreeMap::new(),
            checker: Checker::default(),
            settings,
            bugs: Bugs::default(),
            faults: Faults::default(),
            unreachable: BTreeSet::new(),
            sent: Vec::new(),
            executed: Vec::new(),
            batches: 0,
            trace: 0,
            rng: Rng::new(seed, 1),
            now_ms: 0,
            sequence: 0,
            actions: BTreeMap::new(),
            queue: BinaryHeap::new(),
            links: BTreeMap::new(),
            last_call: 0,
        }
    }

    /// A cluster of these brokers, at rest; the first is the controller.
    pub(crate) fn with_brokers(ids: &[i32]) -> Self {
        Self::with_settings(settings(), ids)
    }

    pub(crate) fn with_settings(settings: Settings, ids: &[i32]) -> Self {
        let mut world = Self::new(settings, 0);
        for id in ids {
            world.start(BrokerId(*id));
            world.settle();
        }
        world
    }

    fn push(&mut self, link: (u8, BrokerId, BrokerId), action: Action) {
        let delay = if self.faults.delay_ms == 0 {
            0
        } else {
            self.rng.below(self.faults.delay_ms)
        };
        let last = self.links.get(&link).copied().unwrap_or(0);
        let due = last.max(self.now_ms + delay);
        self.links.insert(link, due);
        self.sequence += 1;
        self.actions.insert(self.sequence, action);
        self.queue.push(Reverse((due, self.sequence)));
    }

    fn deliver(&mut self, node: BrokerId, event: Event) {
        let life = self.nodes[&node].life;
        self.push((0, node, node), Action::Deliver { node, life, event });
    }

    /// Starts a broker's process, with a session in which it is registered.
    pub(crate) fn start(&mut self, id: BrokerId) {
        let settings = Settings {
            broker: id,
            ..self.settings.clone()
        };
        let controller = Controller::with_bugs(settings, self.bugs);
        let node = self.nodes.entry(id).or_insert_with(|| Node {
            controller: None,
            broker: FakeBroker::default(),
            life: 0,
            session: None,
            is_cut: false,
            watches: Vec::new(),
            channels: BTreeMap::new(),
            answers: BTreeMap::new(),
            announcements: Vec::new(),
        });
        node.life += 1;
        node.broker.restart();
        node.controller = Some(controller);
        node.channels.clear();
        self.open_session(id);
    }

    /// Kills a broker's process. Its session lives on until [`Self::expire`].
    pub(crate) fn kill(&mut self, id: BrokerId) {
        let node = self.nodes.get_mut(&id).unwrap();
        node.controller = None;
        node.life += 1;
    }

    /// Ends a broker's session in ZooKeeper; a live process does not know yet.
    pub(crate) fn expire(&mut self, id: BrokerId) {
        let Some(session) = self.nodes.get_mut(&id).unwrap().session.take() else {
            return;
        };
        self.zookeeper.expire(session);
        self.spread(Writer::Other);
    }

    /// Tells a live process that its session has ended, and gives it a new one.
    pub(crate) fn renew(&mut self, id: BrokerId) {
        self.deliver(id, Event::SessionExpired);
        self.open_session(id);
    }

    /// The broker's process dies, and with it at once its session.
    pub(crate) fn stop(&mut self, id: i32) {
        self.kill(BrokerId(id));
        self.expire(BrokerId(id));
    }

    fn open_session(&mut self, id: BrokerId) {
        // A process that comes back closes what its predecessor left.
        self.expire(id);
        let session = self.zookeeper.open_session();
        let writes = BrokerIdZnode(id).register(&registration(id));
        let outcome = self.zookeeper.execute(session, &ZkOp::Multi(writes));
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
        let stat = self.zookeeper.stat(&BrokerIdZnode(id).path()).unwrap();
        let node = self.nodes.get_mut(&id).unwrap();
        node.broker.epoch = BrokerEpoch(stat.czxid.0);
        node.broker.is_registered_anew = true;
        node.session = Some(session);
        node.watches.clear();
        node.is_cut = false;
        self.spread(Writer::Other);
        let wall_clock_ms = 1_700_000_000_000;
        self.deliver(
            id,
            Event::SessionEstablished {
                session,
                wall_clock_ms,
            },
        );
    }

    /// Tells the checker and whoever watches what has changed.
    pub(crate) fn spread(&mut self, writer: Writer) {
        let changes = self.zookeeper.take_changes();
        self.checker.changed(&self.zookeeper, writer, &changes);
        let ids: Vec<_> = self.nodes.keys().copied().collect();
        for id in ids {
            let node = &self.nodes[&id];
            if node.is_cut || node.controller.is_none() {
                continue;
            }
            let is_watched =
                |path: &ZkPath| node.watches.iter().any(|watch| path.is_at_or_below(watch));
            let paths: Vec<_> = changes
                .iter()
                .map(|change| change.path.clone())
                .filter(is_watched)
                .collect();
            if !paths.is_empty() {
                self.deliver(id, Event::ZnodesChanged(paths));
            }
        }
    }

    /// A tool writes.
    pub(crate) fn tool(&mut self, write: &ZkWrite) {
        self.zookeeper.write(write);
        self.spread(Writer::Other);
    }

    /// A call to the controller of broker `id`; its answer is with the node.
    pub(crate) fn call(&mut self, id: BrokerId, call: Call) -> CallId {
        self.last_call += 1;
        let call_id = CallId(self.last_call);
        self.deliver(id, Event::Called { id: call_id, call });
        call_id
    }

    /// A call to the active controller, and its answer.
    pub(crate) fn ask(&mut self, call: Call) -> Answer {
        let id = self.active().expect("no active controller");
        let call = self.call(id, call);
        self.settle();
        self.nodes[&id].answers[&call].clone()
    }

    /// The broker whose controller is active; the one of the highest epoch if several believe so.
    pub(crate) fn active(&self) -> Option<BrokerId> {
        let epoch = |node: &Node| node.controller.as_ref().and_then(Controller::active_epoch);
        let active = self.nodes.iter().filter(|(_, node)| epoch(node).is_some());
        active
            .max_by_key(|(_, node)| epoch(node))
            .map(|(id, _)| *id)
    }

    /// Runs until nothing happens any more.
    pub(crate) fn settle(&mut self) {
        let until = self.now_ms + SETTLE_MS;
        while self.one(until) {}
        assert_eq!(self.checker.violation, None);
    }

    /// Runs for so many ms.
    pub(crate) fn run_for(&mut self, ms: u64) {
        let until = self.now_ms + ms;
        while self.checker.violation.is_none() && self.one(until) {}
        self.now_ms = until;
    }

    /// The next thing until then; false if there is none.
    fn one(&mut self, until_ms: u64) -> bool {
        let deadline = |(id, node): (&BrokerId, &Node)| {
            Some((
                node.controller.as_ref()?.next_deadline()?.max(self.now_ms),
                *id,
            ))
        };
        let deadline = self.nodes.iter().filter_map(deadline).min();
        let due = self.queue.peek().map(|Reverse((due, _))| *due);
        let next = due.into_iter().chain(deadline.map(|(at, _)| at)).min();
        let Some(next) = next.filter(|next| *next <= until_ms) else {
            return false;
        };
        self.now_ms = self.now_ms.max(next);
        if due.is_some_and(|due| due <= next) {
            let Some(Reverse((_, sequence))) = self.queue.pop() else {
                return false;
            };
            let Some(action) = self.actions.remove(&sequence) else {
                return true;
            };
            self.act(action);
        } else if let Some((_, id)) = deadline {
            self.step(id, Event::TimeReached);
        }
        true
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Deliver { node, life, event } => {
                if self.nodes[&node].life == life {
                    self.step(node, event);
                }
            }
            Action::Execute {
                node,
                life,
                session,
                batch,
                ops,
                epoch,
            } => {
                let outcomes = self.execute(node, life, session, &ops, epoch);
                if self.nodes[&node].life == life {
                    self.deliver(node, Event::ZkReplied { batch, outcomes });
                }
            }
            Action::Reconnect {
                node,
                life,
                session,
            } => {
                let known = self.nodes.get_mut(&node).unwrap();
                if known.life == life && known.session == Some(session) {
                    known.is_cut = false;
                    let watches = known.watches.clone();
                    self.deliver(node, Event::SessionResumed);
                    self.deliver(node, Event::ZnodesUncertain(watches));
                }
            }
            Action::Request {
                from,
                life,
                channel,
                to,
                request,
                message,
            } => {
                let event = self.request(from, to, request, message);
                self.push(
                    (3, from, to),
                    Action::Answer {
                        from,
                        life,
                        channel,
                        event,
                    },
                );
            }
            Action::Answer {
                from,
                life,
                channel,
                event,
            } => {
                let node = &self.nodes[&from];
                let is_open = node.channels.values().any(|open| *open == channel);
                if node.life == life && is_open {
                    self.step(from, event);
                }
            }
        }
    }

    /// Carries out a batch. Where the connection is cut, the operations after it do not happen, and
    /// nothing is heard of some of those that did.
    fn execute(
        &mut self,
        id: BrokerId,
        life: u32,
        session: SessionId,
        ops: &[ZkOp],
        epoch: Option<ControllerEpoch>,
    ) -> Vec<Outcome> {
        self.batches += 1;
        let count = ops.len() as u64;
        let is_cut = self.rng.one_in(self.faults.cut);
        let sent = if is_cut {
            self.rng.below(count + 1)
        } else {
            count
        };
        let heard = if is_cut {
            self.rng.below(sent + 1)
        } else {
            count
        };
        let mut outcomes = Vec::new();
        for (index, op) in (0u64..).zip(ops) {
            let mut outcome = Outcome::Unknown;
            if index < sent {
                outcome = self.zookeeper.execute(session, op);
                self.executed.push(op.clone());
                self.spread(Writer::Controller(epoch));
            }
            outcomes.push(if index < heard {
                outcome
            } else {
                Outcome::Unknown
            });
        }
        let node = self.nodes.get_mut(&id).unwrap();
        if is_cut && node.life == life && node.session == Some(session) {
            node.is_cut = true;
            self.deliver(id, Event::SessionSuspended);
            self.push(
                (1, id, id),
                Action::Reconnect {
                    node: id,
                    life,
                    session,
                },
            );
        }
        outcomes
    }

    fn request(
        &mut self,
        from: BrokerId,
        to: BrokerId,
        request: RequestId,
        message: ControlRequest,
    ) -> Event {
        let failed = Event::RequestFailed {
            broker: to,
            request,
        };
        if self.rng.one_in(self.faults.lost_request) || self.unreachable.contains(&to) {
            return failed;
        }
        let Some(node) = self
            .nodes
            .get_mut(&to)
            .filter(|node| node.controller.is_some())
        else {
            return failed;
        };
        let reply = node.broker.handle(to, &message);
        self.checker.complained(node.broker.complaint.take());
        self.sent.push((from, to, message));
        if self.rng.one_in(self.faults.lost_request) {
            return failed;
        }
        Event::BrokerReplied {
            broker: to,
            request,
            reply,
        }
    }

    fn step(&mut self, id: BrokerId, event: Event) {
        let text = format!("{}{id}{event:?}", self.now_ms);
        for byte in text.bytes() {
            self.trace = (self.trace ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
        let now_ms = self.now_ms;
        let node = self.nodes.get_mut(&id).unwrap();
        let Some(controller) = &mut node.controller else {
            return;
        };
        let mut effects = Vec::new();
        controller.step(now_ms, event, &mut effects);
        let epoch = controller.active_epoch();
        for effect in effects {
            self.perform(id, effect, epoch);
        }
    }

    fn perform(&mut self, id: BrokerId, effect: Effect, epoch: Option<ControllerEpoch>) {
        let node = self.nodes.get_mut(&id).unwrap();
        let life = node.life;
        match effect {
            Effect::Zk { batch, ops } => {
                let ops: Vec<_> = ops.into_iter().map(|op| op.into_op()).collect();
                // A session that ended without the process knowing refuses all.
                let session = node.session.unwrap_or(SessionId(-1));
                let action = Action::Execute {
                    node: id,
                    life,
                    session,
                    batch,
                    ops,
                    epoch,
                };
                self.push((1, id, id), action);
            }
            Effect::Watch(paths) => {
                if node.session.is_some() {
                    node.watches.extend(paths);
                }
            }
            Effect::Unwatch(paths) => node.watches.retain(|watch| !paths.contains(watch)),
            Effect::Connect { broker, .. } => {
                self.sequence += 1;
                node.channels.insert(broker, self.sequence);
            }
            Effect::Disconnect { broker } => {
                node.channels.remove(&broker);
            }
            Effect::Send {
                broker: to,
                request,
                message,
            } => {
                let channel = *node.channels.get(&to).expect("sent without a channel");
                let action = Action::Request {
                    from: id,
                    life,
                    channel,
                    to,
                    request,
                    message,
                };
                self.push((2, id, to), action);
            }
            Effect::Answer { id: call, answer } => {
                let earlier = node.answers.insert(call, answer);
                assert_eq!(earlier, None, "a call was answered twice");
            }
            Effect::Announce(announcement) => node.announcements.push(announcement),
        }
    }

    /// Whether everything is as it should be now that all works.
    pub(crate) fn check_at_rest(&mut self) {
        let brokers = self
            .nodes
            .iter()
            .filter(|(_, node)| node.controller.is_some());
        let brokers = brokers.map(|(id, node)| (*id, &node.broker));
        self.checker.at_rest(&self.zookeeper, brokers);
    }

    pub(crate) fn is_alive(&self, id: BrokerId) -> bool {
        self.nodes[&id].controller.is_some()
    }

    pub(crate) fn has_session(&self, id: BrokerId) -> bool {
        self.nodes[&id].session.is_some()
    }
}

/// What the broker `id` says about itself.
pub(crate) fn registration(id: BrokerId) -> BrokerRegistration {
    BrokerRegistration {
        endpoints: vec![Endpoint {
            listener: "PLAINTEXT".to_owned(),
            security_protocol: SecurityProtocol::Plaintext,
            host: format!("broker-{id}"),
            port: 9092,
        }],
        rack: None,
        jmx_port: -1,
        timestamp_ms: 0,
    }
}
