//! Writers, readers, flushes and the pool, all at once.

use crate::support::*;
use barnabas_log::partition_log::{LeaderAppend, Read, ReadBound, RoomRequest, TryAppend};
use barnabas_log::producer_state::AppendOrigin;
use barnabas_wire::id::{LeaderEpoch, Offset};
use barnabas_wire::record::Batches;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

const WRITERS: i64 = 3;
const BATCHES: i64 = 400;

/// A reader sees whole batches, in order, up to an end that never goes back, while the log is
/// appended to, rolled, flushed and given room.
#[test]
fn readers_see_whole_batches_while_everything_else_goes_on() {
    let place = Place::new(small());
    let (log, _) = place.open(0);
    let (log, is_over) = (&log, &AtomicBool::new(false));
    let (sender, requests) = mpsc::channel::<RoomRequest>();
    thread::scope(|scope| {
        scope.spawn(move || requests.into_iter().for_each(RoomRequest::run));
        let readers: Vec<_> = (0..2)
            .map(|_| scope.spawn(move || read_until(log, is_over)))
            .collect();
        scope.spawn(move || {
            while !is_over.load(Ordering::Acquire) {
                log.checkpoint(NOW_MS).unwrap();
            }
        });
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let sender = sender.clone();
                scope.spawn(move || write(log, writer, &sender))
            })
            .collect();
        writers
            .into_iter()
            .for_each(|writer| writer.join().unwrap());
        is_over.store(true, Ordering::Release);
        drop(sender);
        for reader in readers {
            assert_eq!(reader.join().unwrap(), 2 * WRITERS * BATCHES);
        }
    });
    let records = records_from(log, 0);
    assert_eq!(
        records.len() as u64,
        u64::try_from(2 * WRITERS * BATCHES).unwrap()
    );
    // What one writer wrote is in its order.
    for writer in 0..WRITERS {
        let prefix = format!("{writer}:");
        let of_writer = records
            .iter()
            .filter(|(_, value)| value.starts_with(prefix.as_bytes()));
        let values: Vec<_> = of_writer.map(|(_, value)| value.clone()).collect();
        let expected = (0..2 * BATCHES).map(|index| value(writer, index));
        assert!(values.into_iter().eq(expected), "writer {writer}");
    }
}

fn value(writer: i64, index: i64) -> Vec<u8> {
    format!("{writer}:{index:>500}").into_bytes()
}

fn write(
    log: &barnabas_log::partition_log::PartitionLog,
    writer: i64,
    pool: &mpsc::Sender<RoomRequest>,
) {
    for index in 0..BATCHES {
        let values = [value(writer, 2 * index), value(writer, 2 * index + 1)];
        let bytes = batch(&[(NOW_MS, &values[0]), (NOW_MS, &values[1])]);
        let batch = validated(&bytes);
        let append = LeaderAppend {
            batch: &batch,
            leader_epoch: LeaderEpoch(0),
            origin: AppendOrigin::Client,
            now_ms: NOW_MS,
        };
        let appended = match log.try_append(&append).unwrap() {
            TryAppend::Done(appended) => appended,
            TryAppend::NeedsRoom => log.append(&append).unwrap(),
        };
        assert_eq!(appended.last_offset.0, appended.first_offset.0 + 1);
        if let Some(room) = appended.room {
            pool.send(room).unwrap();
        }
    }
}

/// Follows the log to its last end; returns that.
fn read_until(log: &barnabas_log::partition_log::PartitionLog, is_over: &AtomicBool) -> i64 {
    let mut next = 0;
    loop {
        let was_over = is_over.load(Ordering::Acquire);
        let read = log.read(&Read {
            from: Offset(next),
            bound: ReadBound::LogEnd,
            size_max_bytes: 5000,
            at_least_one_batch: true,
        });
        let read = read.unwrap();
        assert!(read.offsets.log_end.0 >= next);
        let bytes = bytes_of(&read);
        for batch in Batches::new(&bytes) {
            let Ok(batch) = batch else { break };
            batch.verify_checksum().unwrap();
            assert_eq!(batch.base_offset().0, next);
            next = batch.next_offset().0;
        }
        if was_over && bytes.is_empty() {
            return next;
        }
    }
}
