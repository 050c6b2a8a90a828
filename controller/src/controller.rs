//! The machine: dispatch only.

use barnabas_wire::id::{BrokerId, ControllerEpoch};

use crate::effect::Effect;
use crate::event::Event;
use crate::settings::Settings;

/// The controller of one broker, active or standing by.
#[derive(Debug)]
pub struct Controller {
    settings: Settings,
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
    /// Partitions without a live leader.
    pub offline_partitions: usize,
    /// Partitions not led by their preferred replica.
    pub preferred_replica_imbalance: usize,
    /// Topics marked for deletion.
    pub topics_to_delete: usize,
    /// Of these, topics that wait for a broker to come back.
    pub topics_ineligible_to_delete: usize,
}

impl Controller {
    /// A controller that stands by until the first session.
    #[must_use]
    pub const fn new(settings: Settings) -> Self {
        Self { settings }
    }

    /// Takes one event, appending what is to be done to `effects`.
    ///
    /// `now_ms` is a monotonic clock of the driver's choice, ms, never lower than in the step before.
    pub fn step(&mut self, now_ms: u64, event: Event, effects: &mut Vec<Effect>) {
        let _ = (now_ms, event, effects, &self.settings);
    }

    /// When to send [`Event::TimeReached`] at the latest, by the clock of [`Self::step`]; `None`
    /// while nothing waits for time. May change with every step.
    #[must_use]
    pub const fn next_deadline(&self) -> Option<u64> {
        None
    }

    /// The epoch of this broker as the active controller; `None` while it is not.
    #[must_use]
    pub const fn active_epoch(&self) -> Option<ControllerEpoch> {
        None
    }

    /// The broker that holds `/controller`, as last read.
    #[must_use]
    pub const fn holder(&self) -> Option<BrokerId> {
        None
    }

    /// How much there is.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts::default()
    }
}
