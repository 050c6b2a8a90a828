//! The answer to a fetch: all that was read, or in a session what is news.

use barnabas_log::leader_epoch_cache::EpochEnd;
use barnabas_log::partition_log::LogSlice;
use barnabas_wire::ErrorCode;
use barnabas_wire::FileRegion;
use barnabas_wire::message::FetchResponse;
use barnabas_wire::message::fetch::{
    EpochEndOffset, FetchableTopicResponse, PartitionData, Records,
};
use bytes::Bytes;

use super::plan::{Item, Place};
use super::read::{Found, Reading};
use crate::chance;
use crate::clock::wall_ms;
use crate::fetch_session::{FetchContext, News};

impl Reading {
    /// Makes the answer, and notes in the session what the reader now knows.
    pub(super) fn answer(self, found: Vec<Found>) -> FetchResponse {
        self.count(&found);
        match &self.plan.context {
            FetchContext::Sessionless => self.full(found, 0),
            FetchContext::Opening => {
                let partitions = self.plan.items.iter().zip(&found);
                let partitions =
                    partitions.map(|(item, found)| (item.key.clone(), item.wanted, news(found)));
                let random = || i32::from_be_bytes(chance::bytes());
                let id = self.node.fetch_sessions.open(partitions, wall_ms(), random);
                self.full(found, id)
            }
            FetchContext::Incremental { .. } => self.incremental(found),
        }
    }

    fn count(&self, found: &[Found]) {
        let topics = &self.node.metrics.topics;
        for (item, found) in self.plan.items.iter().zip(found) {
            let counters = match &item.place {
                Place::Here(_) => topics.of(item.key.topic.as_str()),
                // The name may be anything that a client has made up.
                Place::Elsewhere | Place::Unknown => topics.of_nothing_here(),
            };
            match found {
                Found::Log { .. } => counters.fetched(found.size_bytes()),
                Found::Error(_) => counters.fetch_failed(),
            }
        }
    }

    fn full(&self, found: Vec<Found>, session_id: i32) -> FetchResponse {
        let partitions = self.plan.items.iter().zip(found);
        FetchResponse {
            session_id,
            responses: self.by_topic(partitions),
            ..FetchResponse::default()
        }
    }

    fn incremental(&self, found: Vec<Found>) -> FetchResponse {
        let FetchContext::Incremental {
            session,
            expected_epoch,
            id,
        } = &self.plan.context
        else {
            return FetchResponse::default();
        };
        let mut session = session.lock();
        if session.epoch() != *expected_epoch {
            return FetchResponse {
                error_code: ErrorCode::InvalidFetchSessionEpoch.code(),
                session_id: *id,
                ..FetchResponse::default()
            };
        }
        let partitions = self.plan.items.iter().zip(found);
        let news: Vec<_> = partitions
            .filter(|(item, found)| session.tell(&item.key, &news(found)))
            .collect();
        drop(session);
        FetchResponse {
            session_id: *id,
            responses: self.by_topic(news),
            ..FetchResponse::default()
        }
    }

    /// Partitions in order, neighbours of one topic together.
    fn by_topic<'a>(
        &self,
        partitions: impl IntoIterator<Item = (&'a Item, Found)>,
    ) -> Vec<FetchableTopicResponse> {
        let mut topics: Vec<FetchableTopicResponse> = Vec::new();
        for (item, found) in partitions {
            let data = self.partition_data(item, found);
            let name = item.key.topic.as_str();
            match topics.last_mut() {
                Some(last) if last.topic.as_str() == name => last.partitions.push(data),
                _ => topics.push(FetchableTopicResponse {
                    topic: name.into(),
                    partitions: vec![data],
                    ..FetchableTopicResponse::default()
                }),
            }
        }
        topics
    }

    fn partition_data(&self, item: &Item, found: Found) -> PartitionData {
        let partition_index = item.key.partition.0;
        match found {
            Found::Error(code) => PartitionData {
                partition_index,
                error_code: code.code(),
                high_watermark: -1,
                records: Records::Bytes(Bytes::new()),
                ..PartitionData::default()
            },
            Found::Log {
                offsets,
                records,
                diverging,
            } => PartitionData {
                partition_index,
                high_watermark: offsets.high_watermark.0,
                last_stable_offset: offsets.last_stable.0,
                log_start_offset: offsets.log_start.0,
                diverging_epoch: diverging.map(diverging_epoch).unwrap_or_default(),
                aborted_transactions: self.plan.reads_committed.then(Vec::new),
                records: records.map_or_else(|| Records::Bytes(Bytes::new()), region),
                ..PartitionData::default()
            },
        }
    }
}

fn diverging_epoch(end: EpochEnd) -> EpochEndOffset {
    EpochEndOffset {
        epoch: end.leader_epoch.0,
        end_offset: end.end_offset.0,
    }
}

fn region(slice: LogSlice) -> Records {
    match u32::try_from(slice.length) {
        Ok(length @ 1..) => Records::File(FileRegion {
            file: slice.file,
            position: slice.position,
            length,
        }),
        // A slice is never larger than an i32 of the request allowed.
        Ok(0) | Err(_) => Records::Bytes(Bytes::new()),
    }
}

fn news(found: &Found) -> News {
    match found {
        Found::Log {
            offsets, diverging, ..
        } => News {
            high_watermark: offsets.high_watermark.0,
            log_start_offset: offsets.log_start.0,
            has_records: found.size_bytes() > 0,
            is_urgent: diverging.is_some(),
        },
        Found::Error(_) => News {
            high_watermark: -1,
            log_start_offset: -1,
            has_records: false,
            is_urgent: true,
        },
    }
}
