//! From a place in a partition to an offset.

use std::collections::BTreeMap;

use barnabas_wire::id::TopicPartition;

use crate::admin::OffsetAt;
use crate::client::Client;
use crate::error::Result;

/// Where to begin reading a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the first record there is.
    Beginning,
    /// At the end: only what is written from now on.
    End,
    /// At this offset.
    Offset(i64),
    /// This many offsets before the end, or at the beginning if there are fewer.
    BeforeEnd(i64),
    /// At the first record with this timestamp or a later one, ms since the Unix epoch; at the end
    /// if there is none.
    TimestampMs(i64),
}

/// The offset of each partition's place. Asks the brokers where that is needed.
pub(super) async fn resolve(
    client: &Client,
    wanted: &BTreeMap<TopicPartition, Start>,
) -> Result<BTreeMap<TopicPartition, i64>> {
    let mut offsets = BTreeMap::new();
    let mut questions: Vec<OffsetAt> = Vec::new();
    for (partition, start) in wanted {
        if let Start::Offset(offset) = start {
            offsets.insert(partition.clone(), *offset);
        }
        for &question in questions_of(*start) {
            if !questions.contains(&question) {
                questions.push(question);
            }
        }
    }
    let timestamps = wanted.values().filter_map(|start| match start {
        Start::TimestampMs(timestamp_ms) => Some(OffsetAt::TimestampMs(*timestamp_ms)),
        Start::Beginning | Start::End | Start::Offset(_) | Start::BeforeEnd(_) => None,
    });
    for question in timestamps {
        if !questions.contains(&question) {
            questions.push(question);
        }
    }
    // The topics have to exist also where nothing is asked.
    for partition in wanted.keys() {
        client
            .metadata()
            .topic(&partition.topic, false, client.api_timeout())
            .await?;
    }
    let mut answers = Vec::new();
    for question in questions {
        let asked: Vec<TopicPartition> = wanted
            .iter()
            .filter(|(_, start)| is_asked(**start, question))
            .map(|(partition, _)| partition.clone())
            .collect();
        answers.push((
            question,
            client.admin().list_offsets(&asked, question).await?,
        ));
    }
    let answer = |question: OffsetAt, partition: &TopicPartition| {
        let found = answers.iter().find(|(asked, _)| *asked == question);
        found
            .and_then(|(_, offsets)| *offsets.get(partition)?)
            .map(|found| found.offset)
    };
    for (partition, start) in wanted {
        let end = || answer(OffsetAt::End, partition).unwrap_or(0);
        let begin = || answer(OffsetAt::Start, partition).unwrap_or(0);
        let offset = match *start {
            Start::Offset(offset) => offset,
            Start::Beginning => begin(),
            Start::End => end(),
            Start::BeforeEnd(count) => end().saturating_sub(count).max(begin()),
            Start::TimestampMs(timestamp_ms) => {
                answer(OffsetAt::TimestampMs(timestamp_ms), partition).unwrap_or_else(end)
            }
        };
        offsets.insert(partition.clone(), offset);
    }
    Ok(offsets)
}

const fn questions_of(start: Start) -> &'static [OffsetAt] {
    match start {
        Start::Offset(_) => &[],
        Start::Beginning => &[OffsetAt::Start],
        Start::End | Start::TimestampMs(_) => &[OffsetAt::End],
        Start::BeforeEnd(_) => &[OffsetAt::Start, OffsetAt::End],
    }
}

fn is_asked(start: Start, question: OffsetAt) -> bool {
    questions_of(start).contains(&question)
        || matches!((start, question),
            (Start::TimestampMs(start), OffsetAt::TimestampMs(question)) if start == question)
}
