//! Waiting until every partition of a produce is answered.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::one::Slot;
use crate::partition::Waiting;

/// Waits for appends that are queued, then at most `timeout` for replicas and disks. Afterwards every
/// slot is answered.
pub(super) async fn until_answered(mut slots: Vec<&mut Slot>, timeout: Duration) {
    let deadline = Instant::now() + timeout;
    for slot in &mut slots {
        slot.dequeue().await;
    }
    let partitions = slots
        .iter()
        .filter_map(|slot| slot.waits_for().cloned())
        .collect();
    let waiting = Waiting::register(partitions);
    loop {
        for slot in &mut slots {
            slot.look(false);
        }
        if slots.iter().all(|slot| slot.is_answered()) {
            return;
        }
        if timeout_at(deadline, waiting.changed()).await.is_err() {
            for slot in &mut slots {
                slot.look(true);
            }
            return;
        }
    }
}
