//! `consume`: prints the records of a topic.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use barnabas_client::{
    Client, Consumer, Error, ErrorCode, Message, OffsetAt, PartitionId, TopicPartition,
};

use crate::cli::args::Consume;
use crate::cli::caller::Caller;
use crate::cli::ending::{Ending, Failure, say};
use crate::cli::start::Start;
use crate::cli::{explain, lookup, reader, record_json};

/// Records that are taken from the consumer at once.
const RECORDS_AT_ONCE: usize = 4_096;
/// Bytes that are collected before they are written.
const OUT_BYTES: usize = 64 * 1024;
/// How often to look whether the end is reached where no record tells: the last offsets may have
/// been taken away by compaction, or belong to a transaction.
const LOOK_EVERY: Duration = Duration::from_millis(100);

pub(crate) async fn run(caller: &Caller, typed: &Consume) -> Result<Ending, Failure> {
    let start = if typed.from_beginning {
        Start::Beginning
    } else {
        typed.offset
    };
    let client = caller
        .connect(&[("auto.offset.reset", start.reset())])
        .await?;
    let (consumer, ends) = caller.within(begin(caller, &client, typed, start)).await?;
    let mut run = Run {
        caller,
        typed,
        ends,
        out: Vec::new(),
        count: 0,
    };
    if run.is_at_end(&consumer) || run.is_enough() {
        return run.report(Ending::Done);
    }
    if start == Start::End && io::stdout().is_terminal() {
        caller.note("waiting for new records; --from-beginning prints those that are there");
    }
    let mut consumer = consumer;
    let ended = tokio::select! {
        ended = run.print_all(&mut consumer) => ended,
        _ = tokio::signal::ctrl_c() => Ok(Ending::Interrupted),
    };
    match ended {
        Ok(ending) => {
            run.flush()?;
            run.report(ending)
        }
        Err(failure) if failure.message.is_empty() => Err(failure),
        Err(failure) => {
            run.flush()?;
            run.report(Ending::Failed)?;
            Err(failure)
        }
    }
}

/// The consumer, and where it shall end.
async fn begin(
    caller: &Caller,
    client: &Client,
    typed: &Consume,
    start: Start,
) -> Result<(Consumer, BTreeMap<TopicPartition, i64>), Failure> {
    let explain = |error: Error| explain::error(caller, &error);
    let found = lookup::topic(caller, client, &typed.topic).await?;
    let count = i32::try_from(found.topic.partitions.len()).unwrap_or(i32::MAX);
    if let Some(wrong) = typed
        .partition
        .iter()
        .find(|&index| !(0..count).contains(index))
    {
        let message = format!("topic {} has no partition {wrong}", typed.topic);
        return Err(Failure::kafka(ErrorCode::UnknownTopicOrPartition, message)
            .hint(format!("it has {count}, counted from 0")));
    }
    let all: Vec<i32> = (0..count).collect();
    let wanted = if typed.partition.is_empty() {
        &all
    } else {
        &typed.partition
    };
    let partition = |index: &i32| TopicPartition::new(&*typed.topic, PartitionId(*index));
    let partitions: Vec<TopicPartition> = wanted.iter().map(partition).collect();
    let mut ends = BTreeMap::new();
    if typed.exit_at_end {
        let told = client
            .admin()
            .list_offsets(&partitions, OffsetAt::End)
            .await;
        for (partition, end) in told.map_err(explain)? {
            ends.insert(partition, end.map_or(0, |end| end.offset));
        }
    }
    let from = start.of_client();
    let builder = client.consumer().map_err(explain)?;
    let builder = builder.assign(partitions.into_iter().map(|partition| (partition, from)));
    Ok((builder.start().await.map_err(explain)?, ends))
}

/// One run of the command.
struct Run<'a> {
    caller: &'a Caller,
    typed: &'a Consume,
    /// Where each partition ended when the command began; empty where it goes on.
    ends: BTreeMap<TopicPartition, i64>,
    /// Printed and not yet written.
    out: Vec<u8>,
    /// Records printed.
    count: u64,
}

impl Run<'_> {
    /// Prints records until enough is printed or the end is reached; else for ever. Nothing is
    /// lost where this is cancelled: what is printed is in `out`.
    async fn print_all(&mut self, consumer: &mut Consumer) -> Result<Ending, Failure> {
        loop {
            let messages = match consumer.poll(RECORDS_AT_ONCE, LOOK_EVERY).await {
                Ok(messages) => messages,
                Err(error) => return Err(explain::error(self.caller, &error)),
            };
            for message in &messages {
                if self.is_past_end(message) {
                    continue;
                }
                self.print(message)?;
                if self.is_enough() {
                    return Ok(Ending::Done);
                }
            }
            // Idle, or all that was there is taken.
            if messages.len() < RECORDS_AT_ONCE {
                self.flush()?;
            }
            if messages.is_empty() && reader::is_gone() {
                return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
            }
            if self.is_at_end(consumer) {
                return Ok(Ending::Done);
            }
        }
    }

    fn print(&mut self, message: &Message) -> Result<(), Failure> {
        if self.caller.wants_json() {
            record_json::write(&mut self.out, message)?;
        } else {
            self.typed.format.write(&mut self.out, message)?;
        }
        self.count += 1;
        if self.out.len() >= OUT_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Failure> {
        if !self.out.is_empty() {
            let mut stdout = io::stdout().lock();
            let written = stdout.write_all(&self.out).and_then(|()| stdout.flush());
            self.out.clear();
            written?;
        }
        Ok(())
    }

    fn is_enough(&self) -> bool {
        self.typed
            .count
            .is_some_and(|wanted| self.count >= wanted.0)
    }

    fn is_past_end(&self, message: &Message) -> bool {
        self.typed.exit_at_end
            && self
                .ends
                .get(&message.partition)
                .is_some_and(|&end| message.offset >= end)
    }

    /// Whether everything that was there when the command began is printed.
    fn is_at_end(&self, consumer: &Consumer) -> bool {
        let is_read = |(partition, end): (&TopicPartition, &i64)| {
            consumer
                .position(partition)
                .is_some_and(|position| position >= *end)
        };
        self.typed.exit_at_end && self.ends.iter().all(is_read)
    }

    fn report(&self, ending: Ending) -> Result<Ending, Failure> {
        if !self.caller.is_quiet() {
            say(&format!("Processed a total of {} messages", self.count));
        }
        Ok(ending)
    }
}
