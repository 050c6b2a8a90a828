//! `produce`: a record for every line.

use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::time::{Duration, Instant, SystemTime};

use barnabas_client::{
    Client, ConfigResource, Error, ErrorCode, Header, Outgoing, Producer, TopicProducer,
};
use serde_json::json;

use crate::cli::args::Produce;
use crate::cli::caller::Caller;
use crate::cli::ending::{Ending, Failure, say};
use crate::cli::line;
use crate::cli::outcomes::Outcomes;
use crate::cli::progress::Progress;
use crate::cli::{explain, lookup};

/// Batches as large as a topic takes them by default with room to spare: a file goes in fast.
const BATCH_BYTES: &str = "131072";
/// How long a record may wait for company in its batch, where it comes from a file or a pipe.
const LINGER_MS: &str = "5";
/// How long to wait in silence for the last acknowledgements.
const TELL_AFTER: Duration = Duration::from_secs(5);
/// How long a record is tried. Longer than a command waits for an answer: a cluster that comes
/// back loses nothing.
const DELIVERY_MS: &str = "120000";

pub(crate) async fn run(caller: &Caller, typed: &Produce) -> Result<Ending, Failure> {
    let source = Source::open(typed)?;
    let client = caller.connect(&settings(typed, source.is_typed)).await?;
    let topic = caller.within(find(caller, &client, &typed.topic)).await?;
    if let Some(count) = topic
        && typed
            .partition
            .is_some_and(|wanted| !(0..count).contains(&wanted))
    {
        let message = format!("topic {} has partitions 0 to {}", typed.topic, count - 1);
        return Err(Failure::kafka(ErrorCode::UnknownTopicOrPartition, message));
    }
    let explain = |error: Error| explain::error(caller, &error);
    let producer = client.producer().map_err(explain)?;
    let open = async { producer.topic(&typed.topic).await.map_err(explain) };
    let topic = caller.within(open).await?;
    if source.is_typed {
        caller.note("one record a line; Ctrl-D ends");
    }
    let started = Instant::now();
    let mut run = Run {
        typed,
        topic,
        outcomes: Outcomes::default(),
        bytes: 0,
        lines: 0,
    };
    let mut interrupt = std::pin::pin!(tokio::signal::ctrl_c());
    let read = tokio::select! {
        read = run.send_all(caller, source) => read,
        _ = &mut interrupt => Err(Failure::new(Ending::Interrupted, "interrupted")),
    };
    let waited = tokio::select! {
        () = run.settle(caller, &producer) => Ok(()),
        _ = interrupt_of(&read, interrupt) => Err(Failure::new(Ending::Interrupted, "interrupted")),
    };
    run.report(caller, started, read.and(waited))
}

/// Ctrl-C; once more if it was pressed already.
async fn interrupt_of(
    read: &Result<(), Failure>,
    first: std::pin::Pin<&mut impl Future<Output = io::Result<()>>>,
) -> io::Result<()> {
    match read {
        Err(failure) if failure.ending == Ending::Interrupted => tokio::signal::ctrl_c().await,
        Ok(()) | Err(_) => first.await,
    }
}

/// Settings that suit the source.
fn settings(typed: &Produce, is_typed: bool) -> Vec<(&str, &str)> {
    vec![
        ("acks", &typed.acks),
        ("compression.type", &typed.compression),
        ("batch.size", BATCH_BYTES),
        ("linger.ms", if is_typed { "0" } else { LINGER_MS }),
        ("delivery.timeout.ms", DELIVERY_MS),
        ("max.block.ms", DELIVERY_MS),
    ]
}

/// The topic's number of partitions; none if it will be created by being written to.
async fn find(caller: &Caller, client: &Client, name: &str) -> Result<Option<i32>, Failure> {
    let failure = match lookup::topic(caller, client, name).await {
        Ok(found) => return Ok(i32::try_from(found.topic.partitions.len()).ok()),
        Err(failure) => failure,
    };
    let is_unknown = failure.code == Some(ErrorCode::UnknownTopicOrPartition);
    if is_unknown && creates_topics(client).await {
        caller.note(&format!(
            "topic {name} is new: the cluster creates it (auto.create.topics.enable)"
        ));
        return Ok(None);
    }
    Err(failure)
}

/// Whether the cluster creates topics that are written to, as far as one broker tells.
async fn creates_topics(client: &Client) -> bool {
    let Some(&broker) = client.cluster().brokers.keys().next() else {
        return false;
    };
    let settings = client
        .admin()
        .describe_configs(ConfigResource::Broker(broker))
        .await;
    settings.is_ok_and(|settings| {
        settings.iter().any(|entry| {
            entry.name == "auto.create.topics.enable" && entry.value.as_deref() == Some("true")
        })
    })
}

/// Where the lines come from.
struct Source {
    input: Box<dyn io::Read + Send>,
    /// For error messages.
    name: String,
    /// In bytes, where it is known.
    size: Option<u64>,
    /// Whether a person types them.
    is_typed: bool,
}

impl Source {
    fn open(typed: &Produce) -> Result<Self, Failure> {
        let Some(path) = &typed.file else {
            let is_typed = io::stdin().is_terminal();
            let input = Box::new(io::stdin());
            return Ok(Self {
                input,
                name: "standard input".to_owned(),
                size: None,
                is_typed,
            });
        };
        let name = path.display().to_string();
        let wrong = |error: io::Error| Failure::usage(format!("cannot read {name}: {error}"));
        let file = File::open(path).map_err(wrong)?;
        let metadata = file.metadata().map_err(wrong)?;
        if metadata.is_dir() {
            return Err(Failure::usage(format!(
                "cannot read {name}: it is a folder"
            )));
        }
        let size = metadata.is_file().then_some(metadata.len());
        Ok(Self {
            input: Box::new(file),
            name,
            size,
            is_typed: false,
        })
    }
}

/// One run of the command.
struct Run<'a> {
    typed: &'a Produce,
    topic: TopicProducer,
    outcomes: Outcomes,
    /// Bytes of keys and values so far.
    bytes: u64,
    /// Lines read so far.
    lines: u64,
}

impl Run<'_> {
    /// Sends every line; stops at the first that cannot be sent and soon after the first that was
    /// not delivered.
    async fn send_all(&mut self, caller: &Caller, source: Source) -> Result<(), Failure> {
        let progress = Progress::of_bytes(caller, source.size);
        let mut blocks = line::blocks(source.input)?;
        while let Some(block) = blocks.recv().await {
            let block = block.map_err(|error| {
                Failure::new(
                    Ending::Failed,
                    format!("cannot read {}: {error}", source.name),
                )
            })?;
            self.send_block(caller, &block).await?;
            self.outcomes.look();
            if self.outcomes.failed > 0 {
                break;
            }
            progress.advance(block.len());
        }
        progress.end();
        Ok(())
    }

    async fn send_block(&mut self, caller: &Caller, block: &[u8]) -> Result<(), Failure> {
        let typed = self.typed;
        let headers: Vec<Header<'_>> = typed
            .headers
            .iter()
            .map(|(name, value)| Header {
                key: name.as_bytes(),
                value: Some(value.as_bytes()),
            })
            .collect();
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let timestamp_ms = i64::try_from(now.as_millis()).ok();
        for line in line::lines(block) {
            self.lines += 1;
            let (key, value) = match &typed.key_separator {
                None => (typed.key.as_deref().map(str::as_bytes), line),
                Some(separator) => {
                    let split = line::split(line, separator.as_bytes());
                    let (key, value) = split.ok_or_else(|| self.without_key(separator))?;
                    (Some(key), value)
                }
            };
            let record = Outgoing {
                partition: typed.partition,
                key,
                value: Some(value),
                headers: &headers,
                timestamp_ms,
            };
            let sent = match self.topic.try_send(&record) {
                Err(Error::BufferFull) => {
                    self.outcomes.look();
                    self.topic.send(&record).await
                }
                sent => sent,
            };
            let delivery = sent.map_err(|error| {
                let failure = explain::error(caller, &error);
                Failure {
                    message: format!("line {}: {}", self.lines, failure.message),
                    ..failure
                }
            })?;
            self.bytes += u64::try_from(key.map_or(0, <[u8]>::len) + value.len()).unwrap_or(0);
            self.outcomes.sent(delivery);
        }
        Ok(())
    }

    fn without_key(&self, separator: &str) -> Failure {
        Failure::new(
            Ending::Failed,
            format!("line {} has no '{separator}' in it", self.lines),
        )
        .hint(
            "--key-separator says what stands between key and value; without it a line is a value",
        )
    }

    /// Waits until the outcome of every record is known. Cancel safe.
    async fn settle(&mut self, caller: &Caller, producer: &Producer) {
        let mut flush = std::pin::pin!(producer.flush());
        while tokio::time::timeout(TELL_AFTER, &mut flush).await.is_err() {
            let acked = producer.counts().records_acked;
            caller.note(&format!(
                "{acked} of {} records are acknowledged; the others are tried for up to \
                 delivery.timeout.ms (2 minutes unless -X sets it)",
                self.outcomes.count(),
            ));
        }
        while self.outcomes.wait().await {}
    }

    fn report(
        mut self,
        caller: &Caller,
        started: Instant,
        ended: Result<(), Failure>,
    ) -> Result<Ending, Failure> {
        self.outcomes.look();
        let elapsed = started.elapsed();
        let (acked, failed) = (self.outcomes.acked, self.outcomes.failed);
        let open = u64::try_from(self.outcomes.open_count()).unwrap_or(u64::MAX);
        if caller.wants_json() {
            caller.print_json(&json!({
                "topic": self.typed.topic,
                "recordsAcknowledged": acked,
                "recordsFailed": failed,
                "recordsUnknown": open,
                "bytes": self.bytes,
                "elapsedMs": u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            }))?;
        }
        let first = self.outcomes.first_failure.take().map(|(number, error)| {
            let failure = explain::error(caller, &error);
            Failure {
                message: format!("line {number}: {}", failure.message),
                ..failure
            }
        });
        let Some(failure) = first.or_else(|| ended.err()) else {
            caller.note(&format!("{acked} records sent to {}", self.typed.topic));
            return Ok(Ending::Done);
        };
        if acked + failed + open > 0 {
            let unknown = unknown(open);
            say(&format!(
                "{acked} records were acknowledged, {failed} were not{unknown}"
            ));
        }
        if acked > 0 && failure.ending != Ending::Interrupted {
            return Err(Failure {
                ending: Ending::Partly,
                ..failure
            });
        }
        Err(failure)
    }
}

fn unknown(open: u64) -> String {
    match open {
        0 => String::new(),
        open => format!(", and of {open} it is not known"),
    }
}
