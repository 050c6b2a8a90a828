//! `perf produce`: how fast records go in.
//!
//! Records go through the library's producer as any program's would. The latency of a record is
//! the time from handing it over to its acknowledgement; it is taken of a sample, evenly spread.

use std::time::{Duration, Instant, SystemTime};

use barnabas_client::{Delivery, Error, Outgoing, TopicProducer};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::cli::args::PerfProduce;
use crate::cli::caller::Caller;
use crate::cli::ending::{Ending, Failure};
use crate::cli::latency::Latency;
use crate::cli::payload::Payload;
use crate::cli::progress::Progress;
use crate::cli::rate::Rate;
use crate::cli::{explain, lookup};

/// Records between two looks at the clock, the progress and the failures.
const ROUND: u64 = 1_000;
/// Records of a run whose latency is taken, about.
const SAMPLES: u64 = 20_000;

/// Settings that suit a measurement; `-X` changes them.
const BATCH_BYTES: &str = "131072";
const BUFFER_BYTES: &str = "67108864";
const LINGER_MS: &str = "5";
const DELIVERY_MS: &str = "120000";

pub(crate) async fn run(caller: &Caller, typed: &PerfProduce) -> Result<Ending, Failure> {
    let settings = [
        ("acks", typed.acks.as_str()),
        ("compression.type", &typed.compression),
        ("batch.size", BATCH_BYTES),
        ("buffer.memory", BUFFER_BYTES),
        ("linger.ms", LINGER_MS),
        ("delivery.timeout.ms", DELIVERY_MS),
        ("max.block.ms", DELIVERY_MS),
    ];
    let client = caller.connect(&settings).await?;
    caller
        .within(lookup::topic(caller, &client, &typed.topic))
        .await?;
    let explain = |error: Error| explain::error(caller, &error);
    let producer = client.producer().map_err(explain)?;
    let topic = caller
        .within(async { producer.topic(&typed.topic).await.map_err(explain) })
        .await?;

    let progress = Progress::of_records(caller, typed.num_records.0);
    let (samples, latencies) = Samples::start(typed.num_records.0);
    let started = Instant::now();
    let failed = || producer.counts().records_failed;
    let sent = tokio::select! {
        sent = send_all(&topic, typed, samples, failed, &progress) => sent,
        _ = tokio::signal::ctrl_c() => return Ok(Ending::Interrupted),
    };
    producer.flush().await;
    let elapsed = started.elapsed();
    progress.end();
    let (latencies, failure) = latencies.collect().await;
    let counts = producer.counts();
    if let Err(error) = sent {
        return Err(explain(error));
    }
    if counts.records_failed > 0 {
        let message = format!("{} records failed", counts.records_failed);
        let failure = failure.map_or_else(|| Failure::new(Ending::Failed, ""), explain);
        return Err(Failure {
            message: format!("{message}: {}", failure.message),
            ..failure
        });
    }
    let records = counts.records_acked;
    let bytes = records.saturating_mul(u64::try_from(typed.record_size).unwrap_or(u64::MAX));
    let rate = Rate {
        records,
        bytes,
        elapsed,
    };
    if caller.wants_json() {
        caller.print_json(&document(&rate, &latencies))?;
    } else {
        caller.print(&line(&rate, &latencies))?;
    }
    Ok(Ending::Done)
}

async fn send_all(
    topic: &TopicProducer,
    typed: &PerfProduce,
    mut samples: Samples,
    failed: impl Fn() -> u64,
    progress: &Progress,
) -> Result<(), Error> {
    let mut payload = Payload::new(typed.record_size);
    let started = Instant::now();
    let mut sent = 0;
    while sent < typed.num_records.0 && failed() == 0 {
        let round = ROUND.min(typed.num_records.0 - sent);
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let timestamp_ms = i64::try_from(now.as_millis()).ok();
        for _ in 0..round {
            let record = Outgoing {
                value: Some(payload.next()),
                timestamp_ms,
                ..Outgoing::default()
            };
            let is_sample = samples.is_due();
            let at = is_sample.then(Instant::now);
            let delivery = match topic.try_send(&record) {
                Err(Error::BufferFull) => topic.send(&record).await?,
                sent => sent?,
            };
            if let Some(at) = at {
                samples.take(at, delivery);
            }
        }
        sent += round;
        progress.advance(usize::try_from(round).unwrap_or(0));
        if let Some(rate) = typed.throughput {
            let due = started + Duration::from_secs(1).mul_f64(ratio(sent, rate.0));
            tokio::time::sleep_until(due.into()).await;
        }
    }
    Ok(())
}

/// How many times `rate` goes into `sent`.
#[expect(
    clippy::cast_precision_loss,
    reason = "a time to sleep needs no 53 bits"
)]
fn ratio(sent: u64, rate: u64) -> f64 {
    sent as f64 / rate.max(1) as f64
}

/// What became of a sampled record, and how long that took.
type Sampled = Result<Duration, Error>;

/// Takes every so-manieth record.
struct Samples {
    every: u64,
    count: u64,
    outcomes: mpsc::UnboundedSender<Sampled>,
}

/// The other end of [`Samples`].
struct Sampling(mpsc::UnboundedReceiver<Sampled>);

impl Samples {
    fn start(num_records: u64) -> (Self, Sampling) {
        let (outcomes, receiver) = mpsc::unbounded_channel();
        let every = (num_records / SAMPLES).max(1);
        (
            Self {
                every,
                count: 0,
                outcomes,
            },
            Sampling(receiver),
        )
    }

    const fn is_due(&mut self) -> bool {
        self.count += 1;
        self.count.is_multiple_of(self.every)
    }

    fn take(&self, at: Instant, delivery: Delivery) {
        let outcomes = self.outcomes.clone();
        tokio::spawn(async move {
            let outcome = delivery.await.map(|_acked| at.elapsed());
            // The other end goes only when nobody needs it.
            drop(outcomes.send(outcome));
        });
    }
}

impl Sampling {
    /// All of them, and the first failure. Waits for those that are open.
    async fn collect(mut self) -> (Latency, Option<Error>) {
        let (mut all, mut failure) = (Vec::new(), None);
        while let Some(outcome) = self.0.recv().await {
            match outcome {
                Ok(latency) => all.push(latency),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        (Latency::of(all), failure)
    }
}

/// The last line of Kafka's kafka-producer-perf-test.
fn line(rate: &Rate, latency: &Latency) -> String {
    let Latency {
        mean,
        p50,
        p95,
        p99,
        p999,
        max,
    } = latency;
    format!(
        "{} records sent, {:.1} records/sec ({:.2} MB/sec), {mean:.1} ms avg latency, {max:.1} ms \
         max latency, {p50:.0} ms 50th, {p95:.0} ms 95th, {p99:.0} ms 99th, {p999:.0} ms 99.9th.\n",
        rate.records,
        rate.records_per_second(),
        rate.megabytes_per_second(),
    )
}

fn document(rate: &Rate, latency: &Latency) -> Value {
    json!({
        "records": rate.records,
        "bytes": rate.bytes,
        "elapsedMs": rate.elapsed_ms(),
        "recordsPerSecond": rate.records_per_second(),
        "megabytesPerSecond": rate.megabytes_per_second(),
        "latencyMs": {
            "mean": latency.mean,
            "p50": latency.p50,
            "p95": latency.p95,
            "p99": latency.p99,
            "p999": latency.p999,
            "max": latency.max,
        },
    })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn the_result_reads_like_that_of_kafkas_tool() {
        let rate = Rate {
            records: 5_000_000,
            bytes: 500_000_000,
            elapsed: Duration::from_secs(2),
        };
        let latency = Latency {
            mean: 1.25,
            p50: 1.0,
            p95: 2.4,
            p99: 3.6,
            p999: 8.2,
            max: 9.04,
        };
        expect![[r"
            5000000 records sent, 2500000.0 records/sec (238.42 MB/sec), 1.2 ms avg latency, 9.0 ms max latency, 1 ms 50th, 2 ms 95th, 4 ms 99th, 8 ms 99.9th.
        "]]
        .assert_eq(&line(&rate, &latency));
        let document = document(&rate, &latency);
        assert_eq!(document["recordsPerSecond"], 2_500_000.0);
        assert_eq!(document["latencyMs"]["p999"], 8.2);
    }

    #[test]
    fn samples_are_spread_over_the_run() {
        let (mut few, _) = Samples::start(10);
        assert!((0..10).all(|_| few.is_due()));
        let (mut many, _) = Samples::start(SAMPLES * 4);
        assert_eq!((0..SAMPLES * 4).filter(|_| many.is_due()).count(), 20_000);
    }
}
