//! Waiting until a fetch finds enough, or its time is over.

use std::time::Duration;

use barnabas_wire::message::FetchResponse;
use tokio::time::{Instant, timeout_at};

use super::read::{Found, Reading};
use crate::partition::Waiting;

/// The first read may wait for the disk: it is done on a log thread.
pub(super) async fn read_and_wait(reading: Reading, wait: Duration) -> FetchResponse {
    let deadline = Instant::now() + wait;
    let (reading, found) = read_off_thread(reading).await;
    match reading {
        Some(reading) if wait.is_zero() || reading.is_enough(&found) => reading.answer(found),
        Some(reading) => wait_until(reading, deadline).await,
        None => FetchResponse::default(),
    }
}

/// What was there was not enough.
pub(super) async fn until_enough(reading: Reading, wait: Duration) -> FetchResponse {
    wait_until(reading, Instant::now() + wait).await
}

async fn wait_until(mut reading: Reading, deadline: Instant) -> FetchResponse {
    let waiting = Waiting::register(reading.partitions());
    loop {
        let found;
        if reading.may_wait_for_the_disk() {
            let (back, read) = read_off_thread(reading).await;
            found = read;
            match back {
                Some(back) => reading = back,
                None => return FetchResponse::default(),
            }
        } else {
            found = reading.read();
        }
        if reading.is_enough(&found) || timeout_at(deadline, waiting.changed()).await.is_err() {
            return reading.answer(found);
        }
    }
}

/// `None` only if the read panicked, which closes nothing but this answer.
async fn read_off_thread(reading: Reading) -> (Option<Reading>, Vec<Found>) {
    let node = reading.node.clone();
    let job = move || {
        let found = reading.read();
        (reading, found)
    };
    match node.partitions.pool().run(job).await {
        Some((reading, found)) => (Some(reading), found),
        None => (None, Vec::new()),
    }
}
