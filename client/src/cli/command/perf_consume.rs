//! `perf consume`: how fast records come out.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};

use barnabas_client::{
    Client, Consumer, Error, Message, OffsetAt, PartitionId, Start, TopicPartition,
};
use serde_json::{Value, json};

use crate::cli::args::PerfConsume;
use crate::cli::caller::Caller;
use crate::cli::ending::{Ending, Failure};
use crate::cli::progress::Progress;
use crate::cli::rate::Rate;
use crate::cli::{explain, lookup, utc};

/// Records that are taken from the consumer at once.
const RECORDS_AT_ONCE: usize = 8_192;

/// Settings that suit a measurement; `-X` changes them.
const SETTINGS: [(&str, &str); 3] = [
    ("auto.offset.reset", "earliest"),
    ("max.partition.fetch.bytes", "4194304"),
    ("receive.buffer.bytes", "1048576"),
];

pub(crate) async fn run(caller: &Caller, typed: &PerfConsume) -> Result<Ending, Failure> {
    let client = caller.connect(&SETTINGS).await?;
    let explain = |error: Error| explain::error(caller, &error);
    let (partitions, there) = caller
        .within(measure(caller, &client, &typed.topic))
        .await?;
    let wanted = typed.num_records.map_or(there, |count| count.0);
    let started_at = SystemTime::now();
    let started = Instant::now();
    let from = partitions
        .into_iter()
        .map(|partition| (partition, Start::Beginning));
    let start = client.consumer().map_err(explain)?.assign(from).start();
    let mut consumer = caller
        .within(async { start.await.map_err(explain) })
        .await?;
    let progress = Progress::of_records(caller, wanted);
    let (records, bytes) = tokio::select! {
        read = read_all(caller, &mut consumer, wanted, &progress) => read?,
        _ = tokio::signal::ctrl_c() => return Ok(Ending::Interrupted),
    };
    let rate = Rate {
        records,
        bytes,
        elapsed: started.elapsed(),
    };
    progress.end();
    if caller.wants_json() {
        caller.print_json(&document(&rate))?;
    } else {
        caller.print(&lines(started_at, &rate))?;
    }
    if records < wanted {
        let message = format!("{wanted} records were asked for, and {records} came");
        return Err(Failure::new(Ending::Partly, message)
            .hint("--timeout is how long to wait for the next one"));
    }
    Ok(Ending::Done)
}

/// The partitions, and how many records are in them at most: compaction leaves gaps.
async fn measure(
    caller: &Caller,
    client: &Client,
    topic: &str,
) -> Result<(Vec<TopicPartition>, u64), Failure> {
    let explain = |error: Error| explain::error(caller, &error);
    let found = lookup::topic(caller, client, topic).await?;
    let indexes = found
        .topic
        .partitions
        .iter()
        .map(|partition| PartitionId(partition.index));
    let partitions: Vec<TopicPartition> = indexes
        .map(|index| TopicPartition::new(topic, index))
        .collect();
    let admin = client.admin();
    let starts = admin
        .list_offsets(&partitions, OffsetAt::Start)
        .await
        .map_err(explain)?;
    let ends = admin
        .list_offsets(&partitions, OffsetAt::End)
        .await
        .map_err(explain)?;
    let sum = |offsets: BTreeMap<_, Option<barnabas_client::PartitionOffset>>| -> i64 {
        offsets.values().flatten().map(|offset| offset.offset).sum()
    };
    Ok((
        partitions,
        u64::try_from(sum(ends) - sum(starts)).unwrap_or(0),
    ))
}

/// Reads until so many have come, or none comes any more. Returns records and bytes.
async fn read_all(
    caller: &Caller,
    consumer: &mut Consumer,
    wanted: u64,
    progress: &Progress,
) -> Result<(u64, u64), Failure> {
    let (mut records, mut bytes) = (0_u64, 0_u64);
    let length = |bytes: Option<&bytes::Bytes>| bytes.map_or(0, bytes::Bytes::len);
    let size = |message: &Message| length(message.key.as_ref()) + length(message.value.as_ref());
    while records < wanted {
        let left = usize::try_from(wanted - records).unwrap_or(usize::MAX);
        let messages = consumer
            .poll(left.min(RECORDS_AT_ONCE), caller.timeout())
            .await;
        let messages = messages.map_err(|error| explain::error(caller, &error))?;
        if messages.is_empty() {
            break;
        }
        records += u64::try_from(messages.len()).unwrap_or(0);
        bytes += u64::try_from(messages.iter().map(size).sum::<usize>()).unwrap_or(0);
        progress.advance(messages.len());
    }
    Ok((records, bytes))
}

/// The table of Kafka's kafka-consumer-perf-test.
fn lines(started_at: SystemTime, rate: &Rate) -> String {
    let time = |at: SystemTime| {
        let since = at
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        utc::text(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    };
    format!(
        "start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec\n\
         {}, {}, {:.4}, {:.4}, {}, {:.4}\n",
        time(started_at),
        time(started_at + rate.elapsed),
        rate.megabytes(),
        rate.megabytes_per_second(),
        rate.records,
        rate.records_per_second(),
    )
}

fn document(rate: &Rate) -> Value {
    json!({
        "records": rate.records,
        "bytes": rate.bytes,
        "elapsedMs": rate.elapsed_ms(),
        "recordsPerSecond": rate.records_per_second(),
        "megabytesPerSecond": rate.megabytes_per_second(),
    })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn the_result_reads_like_that_of_kafkas_tool() {
        let started_at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
        let rate = Rate {
            records: 3_000_000,
            bytes: 300_000_000,
            elapsed: Duration::from_secs(1),
        };
        expect![[r"
            start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec
            2023-11-14 22:13:20:123, 2023-11-14 22:13:21:123, 286.1023, 286.1023, 3000000, 3000000.0000
        "]]
        .assert_eq(&lines(started_at, &rate));
        assert_eq!(document(&rate)["elapsedMs"], 1_000);
    }
}
