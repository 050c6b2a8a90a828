//! The upkeep of the logs: what has to be done now and then, whether anybody asks or not.
//!
//! One round at a time; a round that takes longer than its interval delays the next one.

use std::sync::Arc;
use std::time::Duration;

use barnabas_log::checkpoint::OffsetTable;
use barnabas_zk_schema::log_dir_event::LogDirEventZnode;
use barnabas_zk_schema::{Outcome, ZkOp, Znode};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::clock::wall_ms;
use crate::log_store::LogStore;
use crate::node::Node;

/// How often deletions that are due and directories that failed are looked for.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// How often each thing is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Intervals {
    /// Flush logs whose `flush.ms` has passed: `log.flush.scheduler.interval.ms`.
    pub(crate) flush_check: Duration,
    /// Make logs durable and write recovery points: `log.flush.offset.checkpoint.interval.ms`.
    pub(crate) recovery_checkpoint: Duration,
    /// Write log starts: `log.flush.start.offset.checkpoint.interval.ms`.
    pub(crate) start_offset_checkpoint: Duration,
    /// Write high watermarks: `replica.high.watermark.checkpoint.interval.ms`.
    pub(crate) high_watermark_checkpoint: Duration,
}

/// Runs until it is aborted.
pub(crate) async fn run(node: Arc<Node>, intervals: Intervals) {
    let mut flush_check = every(intervals.flush_check);
    let mut recovery_checkpoint = every(intervals.recovery_checkpoint);
    let mut start_offset_checkpoint = every(intervals.start_offset_checkpoint);
    let mut high_watermark_checkpoint = every(intervals.high_watermark_checkpoint);
    let mut look = every(LOOK_INTERVAL);
    // What is offline at the start the controller learns from the answers to its requests.
    let mut told_count = node.partitions.store().offline_directories().len();
    loop {
        tokio::select! {
            _ = flush_check.tick() => in_pool(&node, |store| store.flush_due()).await,
            _ = recovery_checkpoint.tick() => {
                in_pool(&node, |store| store.checkpoint_logs()).await;
            }
            _ = start_offset_checkpoint.tick() => {
                in_pool(&node, |store| store.write_tables(OffsetTable::LogStart)).await;
            }
            _ = high_watermark_checkpoint.tick() => {
                in_pool(&node, |store| store.write_tables(OffsetTable::HighWatermark)).await;
            }
            _ = look.tick() => {
                in_pool(&node, |store| store.delete_due(wall_ms())).await;
                tell_of_failures(&node, &mut told_count).await;
            }
        }
    }
}

/// Tells the partitions and the controller of log directories that have failed since `told_count` of
/// them had. What cannot be told now is told at the next look.
async fn tell_of_failures(node: &Node, told_count: &mut usize) {
    let failed_count = node.partitions.store().offline_directories().len();
    if failed_count == *told_count {
        return;
    }
    node.partitions.notice_failed_directories();
    let Some(established) = node.session.current() else {
        return;
    };
    let event = ZkOp::Write(LogDirEventZnode.create(&node.broker));
    match node
        .session
        .execute_one(established.generation, event)
        .await
    {
        Outcome::Done(_) => *told_count = failed_count,
        // Telling twice does no harm.
        outcome @ (Outcome::Failed(_) | Outcome::Unknown) => {
            tracing::warn!(
                ?outcome,
                "could not tell the controller of a failed log directory"
            );
        }
    }
}

/// Ticks for the first time one period from now. Settings above a century mean "never".
fn every(period: Duration) -> Interval {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    let period = period.clamp(Duration::from_millis(1), CENTURY);
    let mut ticks = interval(period);
    ticks.reset();
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

async fn in_pool(node: &Node, work: impl FnOnce(&LogStore) + Send + 'static) {
    let store = Arc::clone(node.partitions.store());
    if node
        .partitions
        .pool()
        .run(move || work(&store))
        .await
        .is_none()
    {
        tracing::error!("a round of upkeep failed");
    }
}
