//! The machine: dispatch only. What is decided is decided elsewhere.

use barnabas_wire::id::{BrokerId, ControllerEpoch};
use barnabas_zk_schema::controller::{ControllerHolder, ControllerZnode};
use barnabas_zk_schema::{Fence, Outcome, SessionId, ZkPath, Znode};

use crate::bugs::Bugs;
use crate::call::{Answer, Call, CallError};
use crate::candidacy::{Candidacy, Running};
use crate::context::Context;
use crate::desk::{Desk, Replied, Work};
use crate::dirty::watched_paths;
use crate::effect::{Announcement, Effect};
use crate::event::Event;
use crate::failover::Failover;
use crate::operation::{Operation, Turn};
use crate::outbox::Letter;
use crate::request::{ControlReply, Refusal};
use crate::settings::Settings;
use crate::{CallId, RequestId};

/// Most calls that wait; further ones are refused.
pub const CALLS_WAITING_COUNT_MAX: usize = 1000;

/// Wait before unfinished work is taken up again, ms.
const RETRY_BACK_OFF_MS: u64 = 100;

/// Wait before this broker runs again after it gave the controller away, ms: others go first.
const CANDIDACY_BACK_OFF_MS: u64 = 1000;

/// The controller of one broker, active or standing by.
#[derive(Debug)]
pub struct Controller {
    settings: Settings,
    bugs: Bugs,
    session: Option<Session>,
    is_suspended: bool,
    /// The broker that holds `/controller`, as last read.
    holder: Option<BrokerId>,
    /// Whether that has to be read again.
    is_holder_dirty: bool,
    /// Invariant: `Some` only with a session.
    active: Option<Context>,
    desk: Desk,
    last_request: RequestId,
    /// No new work before this.
    pause_until_ms: Option<u64>,
    /// As of the last time that no work was at hand.
    counts: Counts,
    /// Whether something may have changed since.
    is_recount_due: bool,
}

#[derive(Clone, Copy, Debug)]
struct Session {
    id: SessionId,
    /// Wall clock at 0 of the monotonic clock, ms since the Unix epoch.
    wall_clock_base_ms: i64,
}

impl Controller {
    /// A controller that stands by until the first session.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self::with_bugs(settings, Bugs::default())
    }

    /// The same with known bugs brought back.
    #[must_use]
    pub fn with_bugs(settings: Settings, bugs: Bugs) -> Self {
        Self {
            settings,
            bugs,
            session: None,
            is_suspended: false,
            holder: None,
            is_holder_dirty: false,
            active: None,
            desk: Desk::default(),
            last_request: RequestId::default(),
            pause_until_ms: None,
            counts: Counts::default(),
            is_recount_due: false,
        }
    }

    /// Takes one event, appending what is to be done to `effects`.
    ///
    /// `now_ms` is a monotonic clock of the driver's choice, ms, never lower than in the step before.
    pub fn step(&mut self, now_ms: u64, event: Event, effects: &mut Vec<Effect>) {
        match event {
            Event::SessionEstablished {
                session,
                wall_clock_ms,
            } => {
                let now = i64::try_from(now_ms).unwrap_or(i64::MAX);
                let wall_clock_base_ms = wall_clock_ms.saturating_sub(now);
                self.begin_session(
                    Session {
                        id: session,
                        wall_clock_base_ms,
                    },
                    effects,
                );
            }
            Event::SessionSuspended => self.is_suspended = true,
            Event::SessionResumed => {
                self.is_suspended = false;
                self.is_holder_dirty = true;
                if let Some(context) = &mut self.active {
                    context.dirty.mark_everything();
                }
            }
            Event::SessionExpired => {
                self.resign(effects);
                self.hold(None, effects);
                self.session = None;
            }
            Event::ZnodesChanged(paths) => self.changed(&paths, false),
            Event::ZnodesUncertain(paths) => self.changed(&paths, true),
            Event::ZkReplied { batch, outcomes } => {
                match self
                    .desk
                    .take(batch, outcomes, now_ms.saturating_add(RETRY_BACK_OFF_MS))
                {
                    Replied::Go(work, outcomes) => self.resume(now_ms, work, outcomes, effects),
                    Replied::Wait => {}
                }
            }
            Event::BrokerReplied {
                broker,
                request,
                reply,
            } => {
                self.answered(now_ms, broker, request, &reply);
            }
            Event::RequestFailed { broker, request } => {
                let context = self.active.as_mut();
                if let Some(known) = context.and_then(|context| context.brokers.get_mut(&broker)) {
                    known.outbox.failed(request, now_ms);
                }
            }
            Event::Called { id, call } => self.called(id, call, effects),
            Event::TimeReached => {}
        }
        self.proceed(now_ms, effects);
    }

    /// When to send [`Event::TimeReached`] at the latest, by the clock of [`Self::step`]; `None`
    /// while nothing waits for time. May change with every step.
    #[must_use]
    pub fn next_deadline(&self) -> Option<u64> {
        if self.is_suspended || self.session.is_none() {
            return None;
        }
        let brokers = self
            .active
            .iter()
            .flat_map(|context| context.brokers.values());
        let outboxes = brokers.filter_map(|broker| broker.outbox.deadline_ms());
        outboxes
            .chain(self.desk.deadline_ms())
            .chain(self.pause_until_ms)
            .min()
    }

    fn begin_session(&mut self, session: Session, effects: &mut Vec<Effect>) {
        self.resign(effects);
        self.session = Some(session);
        self.is_suspended = false;
        self.is_holder_dirty = true;
        self.pause_until_ms = None;
        effects.push(Effect::Watch(vec![ControllerZnode.path()]));
    }

    fn changed(&mut self, paths: &[ZkPath], is_uncertain: bool) {
        let holder = ControllerZnode.path();
        for path in paths {
            if path.is_at_or_below(&holder) || holder.is_at_or_below(path) {
                self.is_holder_dirty = true;
            }
            if let Some(context) = &mut self.active {
                if is_uncertain {
                    context.dirty.mark_all(path);
                } else {
                    context.dirty.mark(path);
                }
            }
        }
    }

    fn called(&mut self, id: CallId, call: Call, effects: &mut Vec<Effect>) {
        let refusal = match &mut self.active {
            None => CallError::NotController,
            Some(context) if context.calls.len() >= CALLS_WAITING_COUNT_MAX => CallError::Busy {
                waiting_count: context.calls.len(),
            },
            Some(context) => return context.calls.push_back((id, call)),
        };
        effects.push(Effect::Answer {
            id,
            answer: Answer::Refused(refusal),
        });
    }

    fn answered(
        &mut self,
        now_ms: u64,
        broker: BrokerId,
        request: RequestId,
        reply: &ControlReply,
    ) {
        self.is_recount_due = true;
        let Some(context) = &mut self.active else {
            return;
        };
        let Some(known) = context.brokers.get_mut(&broker) else {
            return;
        };
        let Some(letter) = known.outbox.answered(request) else {
            return;
        };
        match reply.refusal {
            None => {}
            Some(Refusal::StaleControllerEpoch) => self.is_holder_dirty = true,
            Some(Refusal::StaleBrokerEpoch) => context.dirty.brokers = true,
            Some(Refusal::Other(code)) => {
                tracing::warn!(%broker, code, "a broker refused a request of the controller");
            }
        }
        match letter {
            Letter::Leaderships(partitions) => {
                context.replicas_answered(now_ms, broker, &partitions, reply);
            }
            Letter::Metadata(partitions) => context.metadata_dropped(broker, &partitions),
            Letter::Stops(partitions) => {
                let deleted = partitions.iter().filter(|(_, word)| word.delete);
                context.replicas_stopped(broker, deleted.map(|(partition, _)| partition), reply);
            }
        }
    }

    /// Takes up work until some is outstanding or none is left, then sends what brokers wait for.
    fn proceed(&mut self, now_ms: u64, effects: &mut Vec<Effect>) {
        if self.is_suspended {
            return;
        }
        self.desk.ask_again(now_ms, effects);
        if self.pause_until_ms.is_some_and(|until| until <= now_ms) {
            self.pause_until_ms = None;
        }
        while self.desk.is_free() && self.pause_until_ms.is_none() {
            let Some(session) = self.session else { break };
            if self.is_holder_dirty {
                self.is_holder_dirty = false;
                let now = i64::try_from(now_ms).unwrap_or(i64::MAX);
                let timestamp_ms = session.wall_clock_base_ms.saturating_add(now);
                let holder = ControllerHolder {
                    broker: self.settings.broker,
                    timestamp_ms,
                };
                let mut candidacy = Candidacy::new(session.id, holder);
                let running = candidacy.look();
                self.ran(now_ms, candidacy, running, effects);
            } else {
                let Some(context) = &mut self.active else {
                    break;
                };
                let Some(operation) = context.next_operation() else {
                    break;
                };
                self.begin(now_ms, operation, effects);
            }
        }
        if let Some(context) = &mut self.active {
            effects.append(&mut context.effects);
            context.post(now_ms, effects);
        }
        if self.is_recount_due && self.desk.is_free() {
            self.is_recount_due = false;
            self.counts = self
                .active
                .as_ref()
                .map_or_else(Counts::default, Context::counts);
        }
    }

    fn begin(&mut self, now_ms: u64, mut operation: Box<dyn Operation>, effects: &mut Vec<Effect>) {
        let Some(context) = &mut self.active else {
            return;
        };
        let turn = operation.begin(context);
        self.turned(now_ms, operation, turn, effects);
    }

    fn resume(
        &mut self,
        now_ms: u64,
        work: Work,
        outcomes: Vec<Outcome>,
        effects: &mut Vec<Effect>,
    ) {
        match work {
            Work::Candidacy(mut candidacy) => {
                let running = candidacy.resume(outcomes);
                self.ran(now_ms, candidacy, running, effects);
            }
            Work::Operation(mut operation) => {
                let Some(context) = &mut self.active else {
                    return;
                };
                let turn = operation.resume(context, outcomes);
                self.turned(now_ms, operation, turn, effects);
            }
        }
    }

    fn turned(
        &mut self,
        now_ms: u64,
        mut operation: Box<dyn Operation>,
        turn: Turn,
        effects: &mut Vec<Effect>,
    ) {
        self.is_recount_due = true;
        let Some(context) = &mut self.active else {
            return;
        };
        let mut turn = turn;
        while matches!(&turn, Turn::Ask(ops) if ops.is_empty()) {
            turn = operation.resume(context, Vec::new());
        }
        effects.append(&mut context.effects);
        match turn {
            Turn::Ask(ops) => self.desk.ask(Work::Operation(operation), ops, effects),
            Turn::Done => {}
            Turn::Later => self.pause(now_ms, RETRY_BACK_OFF_MS),
            Turn::Moved => {
                // The operation is not at the desk: what it owes is answered here.
                let call = operation.call();
                effects.extend(call.map(not_controller));
                self.resign(effects);
                self.is_holder_dirty = true;
                // A state of a later epoch than there is would lead here at once again.
                self.pause(now_ms, RETRY_BACK_OFF_MS);
            }
            Turn::Resign => {
                self.pause(now_ms, CANDIDACY_BACK_OFF_MS);
                self.begin(now_ms, Box::new(crate::resignation::Resignation), effects);
            }
            Turn::Answer(answer) => {
                effects.extend(operation.call().map(|id| Effect::Answer { id, answer }));
            }
        }
    }

    fn ran(
        &mut self,
        now_ms: u64,
        candidacy: Candidacy,
        running: Running,
        effects: &mut Vec<Effect>,
    ) {
        match running {
            Running::Ask(ops) => self.desk.ask(Work::Candidacy(candidacy), ops, effects),
            Running::Won(fence) => self.won(now_ms, fence, effects),
            Running::Lost(holder) => {
                self.resign(effects);
                self.hold(Some(holder), effects);
            }
            Running::Unclear => {
                self.is_holder_dirty = true;
                self.pause(now_ms, CANDIDACY_BACK_OFF_MS);
            }
        }
    }

    fn won(&mut self, now_ms: u64, fence: Fence, effects: &mut Vec<Effect>) {
        let epoch = fence.epoch();
        if self.active_epoch() == Some(epoch) {
            return;
        }
        self.resign(effects);
        self.hold(Some(self.settings.broker), effects);
        tracing::info!(target: "state_change", controller_epoch = %epoch, "elected as controller");
        effects.push(Effect::Announce(Announcement::Elected { epoch }));
        effects.push(Effect::Watch(watched_paths()));
        let fence = self.bugs.fence(fence);
        let settings = self.settings.clone();
        self.active = Some(Context::new(settings, self.bugs, fence, self.last_request));
        self.begin(now_ms, Box::new(Failover::default()), effects);
    }

    fn hold(&mut self, holder: Option<BrokerId>, effects: &mut Vec<Effect>) {
        if self.holder != holder {
            self.holder = holder;
            effects.push(Effect::Announce(Announcement::Holder(holder)));
        }
    }

    fn pause(&mut self, now_ms: u64, back_off_ms: u64) {
        let until = now_ms.saturating_add(back_off_ms);
        self.pause_until_ms = self.pause_until_ms.max(Some(until));
    }

    /// Ends being active, if it was, and whatever is outstanding. Harmless to repeat.
    fn resign(&mut self, effects: &mut Vec<Effect>) {
        self.counts = Counts::default();
        let call = self.desk.clear();
        effects.extend(call.map(not_controller));
        let Some(context) = self.active.take() else {
            return;
        };
        self.last_request = context.last_request();
        let epoch = context.fence.epoch();
        tracing::info!(target: "state_change", controller_epoch = %epoch, "controller no longer");
        effects.push(Effect::Unwatch(watched_paths()));
        effects.extend(
            context
                .brokers
                .keys()
                .map(|broker| Effect::Disconnect { broker: *broker }),
        );
        let calls = context.calls.into_iter().map(|(id, _)| id);
        let shutdowns = context.shutdown_calls.into_iter().map(|(id, _)| id);
        effects.extend(calls.chain(shutdowns).map(not_controller));
        effects.push(Effect::Announce(Announcement::Resigned { epoch }));
    }

    /// The epoch of this broker as the active controller; `None` while it is not.
    #[must_use]
    pub fn active_epoch(&self) -> Option<ControllerEpoch> {
        self.active.as_ref().map(|context| context.fence.epoch())
    }

    /// The broker that holds `/controller`, as last read.
    #[must_use]
    pub const fn holder(&self) -> Option<BrokerId> {
        self.holder
    }

    /// How much there is, as of the last time that no work was at hand. Costs nothing to ask.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }
}

const fn not_controller(id: CallId) -> Effect {
    Effect::Answer {
        id,
        answer: Answer::Refused(CallError::NotController),
    }
}

/// How much there is, for metrics. All 0 while another broker is the controller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Brokers that are registered.
    pub live_brokers: usize,
    /// Topics, with those being deleted.
    pub topics: usize,
    /// Partitions of all topics.
    pub partitions: usize,
    /// Partitions without a live leader, but for topics being deleted.
    pub offline_partitions: usize,
    /// Partitions not led by their preferred replica, but for topics being deleted.
    pub preferred_replica_imbalance: usize,
    /// Topics marked for deletion.
    pub topics_to_delete: usize,
    /// Of these, topics that wait for a broker to come back.
    pub topics_ineligible_to_delete: usize,
}
