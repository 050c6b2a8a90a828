//! Reading the partitions of a fetch, one after the other, within its limits.

use std::sync::Arc;

use barnabas_log::error::ReadError;
use barnabas_log::leader_epoch_cache::EpochEnd;
use barnabas_log::partition_log::{LogOffsets, LogSlice, Read};
use barnabas_replica::ReadRefusal;
use barnabas_wire::ErrorCode;
use barnabas_wire::id::{LeaderEpoch, Offset};

use super::plan::{Item, Place, Plan};
use crate::node::Node;
use crate::partition::{Partition, ReadFailure, ReadRequest};

/// A fetch under way.
pub(super) struct Reading {
    pub(super) node: Arc<Node>,
    pub(super) plan: Plan,
}

/// What one partition gave.
pub(super) enum Found {
    /// The log's offsets, and records if there are any.
    Log {
        offsets: LogOffsets,
        records: Option<LogSlice>,
        diverging: Option<EpochEnd>,
    },
    /// An error.
    Error(ErrorCode),
}

impl Reading {
    pub(super) fn new(node: &Arc<Node>, plan: Plan) -> Self {
        Self {
            node: Arc::clone(node),
            plan,
        }
    }

    /// The partitions that are here.
    pub(super) fn partitions(&self) -> Vec<Arc<Partition>> {
        self.plan
            .items
            .iter()
            .filter_map(|item| match &item.place {
                Place::Here(partition) => Some(Arc::clone(partition)),
                Place::Elsewhere | Place::Unknown => None,
            })
            .collect()
    }

    /// Whether [`Reading::read`] may have to wait for the disk.
    pub(super) fn may_wait_for_the_disk(&self) -> bool {
        self.plan.items.iter().any(|item| match &item.place {
            Place::Here(partition) => !partition.is_read_near_end(Offset(item.wanted.fetch_offset)),
            Place::Elsewhere | Place::Unknown => false,
        })
    }

    /// Reads what is there now: one entry for each partition of the plan.
    pub(super) fn read(&self) -> Vec<Found> {
        let mut left_bytes = self.plan.max_bytes;
        let mut is_empty = true;
        let mut read = |item: &Item| {
            let found = self.read_item(item, left_bytes, is_empty);
            let size_bytes = found.size_bytes();
            left_bytes = left_bytes.saturating_sub(size_bytes);
            is_empty &= size_bytes == 0;
            found
        };
        self.plan.items.iter().map(&mut read).collect()
    }

    /// Whether an answer is due before the time is over.
    pub(super) fn is_enough(&self, found: &[Found]) -> bool {
        let size_bytes: u64 = found.iter().map(Found::size_bytes).sum();
        found.is_empty()
            || size_bytes >= self.plan.min_bytes
            || found.iter().any(|found| match found {
                Found::Log { diverging, .. } => diverging.is_some(),
                Found::Error(_) => true,
            })
    }

    fn read_item(&self, item: &Item, left_bytes: u64, is_empty: bool) -> Found {
        let partition = match &item.place {
            Place::Here(partition) => partition,
            Place::Elsewhere => return Found::Error(ErrorCode::NotLeaderOrFollower),
            Place::Unknown => return Found::Error(ErrorCode::UnknownTopicOrPartition),
        };
        let wanted = &item.wanted;
        let request = ReadRequest {
            leader_epoch: known_epoch(wanted.current_leader_epoch),
            last_fetched_epoch: known_epoch(wanted.last_fetched_epoch),
            read: Read {
                from: Offset(wanted.fetch_offset),
                bound: self.plan.bound,
                size_max_bytes: u64::try_from(wanted.max_bytes).unwrap_or(0).min(left_bytes),
                at_least_one_batch: is_empty,
            },
        };
        match partition.read(&request) {
            Ok(reading) => Found::Log {
                offsets: reading.offsets,
                records: reading.records,
                diverging: reading.diverging,
            },
            Err(failure) => Found::Error(code(&failure)),
        }
    }
}

impl Found {
    /// Bytes of records.
    pub(super) fn size_bytes(&self) -> u64 {
        match self {
            Self::Log { records, .. } => records.as_ref().map_or(0, |records| records.length),
            Self::Error(_) => 0,
        }
    }
}

fn known_epoch(leader_epoch: i32) -> Option<LeaderEpoch> {
    (leader_epoch >= 0).then_some(LeaderEpoch(leader_epoch))
}

/// The code for records that are not to be had. Also for questions about offsets.
pub(in crate::api) fn code(failure: &ReadFailure) -> ErrorCode {
    match failure {
        ReadFailure::Refused(ReadRefusal::NotLeader) => ErrorCode::NotLeaderOrFollower,
        ReadFailure::Refused(ReadRefusal::Fenced { .. }) => ErrorCode::FencedLeaderEpoch,
        ReadFailure::Refused(ReadRefusal::UnknownLeaderEpoch { .. }) => {
            ErrorCode::UnknownLeaderEpoch
        }
        ReadFailure::Refused(ReadRefusal::Offline) => ErrorCode::KafkaStorageError,
        ReadFailure::UnknownEpoch { .. } | ReadFailure::Log(ReadError::OffsetOutOfRange { .. }) => {
            ErrorCode::OffsetOutOfRange
        }
        ReadFailure::Log(error @ (ReadError::Damaged { .. } | ReadError::DamagedRecord { .. })) => {
            tracing::error!(%error, "a segment is damaged");
            ErrorCode::CorruptMessage
        }
        ReadFailure::Log(error @ ReadError::Io { .. }) => {
            tracing::error!(%error, "a segment cannot be read");
            ErrorCode::KafkaStorageError
        }
    }
}
