//! Reading for consumers and followers, and answering where things are.

use std::sync::Arc;

use barnabas_log::error::ReadError;
use barnabas_log::leader_epoch_cache::EpochEnd;
use barnabas_log::partition_log::{
    LogOffsets, LogSlice, PartitionLog, Read, ReadBound, TimestampedOffset,
};
use barnabas_replica::ReadRefusal;
use barnabas_wire::id::{LeaderEpoch, Offset};

use super::Partition;

/// What a reader wants.
#[derive(Clone, Copy, Debug)]
pub struct ReadRequest {
    /// The leader epoch that the reader knows, if it says.
    pub leader_epoch: Option<LeaderEpoch>,
    /// Leader epoch of the reader's last record, if it says: its log may have parted from this one.
    pub last_fetched_epoch: Option<LeaderEpoch>,
    /// Which records.
    pub read: Read,
}

/// What a reader gets.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The log's offsets, taken before the records.
    pub offsets: LogOffsets,
    /// The records, if there are any.
    pub records: Option<LogSlice>,
    /// Where the reader's log parts from this one; there are no records then.
    pub diverging: Option<EpochEnd>,
}

/// Why there is no reading.
#[derive(Debug, thiserror::Error)]
pub enum ReadFailure {
    /// The replica does not serve it.
    #[error(transparent)]
    Refused(#[from] ReadRefusal),
    /// The log has not got it.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// The reader's last leader epoch is unknown here.
    #[error("offset {offset} of leader epoch {leader_epoch}, which this log does not have")]
    UnknownEpoch {
        /// The offset asked for.
        offset: Offset,
        /// The epoch named.
        leader_epoch: LeaderEpoch,
    },
}

/// How far a question about offsets looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OffsetBound {
    /// The first offset that the asker does not see.
    pub end: Offset,
    /// Whether the leader cannot tell yet what is committed: the high watermark has not come to where
    /// its epoch begins.
    pub is_unsettled: bool,
    /// The leader's epoch.
    pub leader_epoch: LeaderEpoch,
    /// First offset of the log.
    pub log_start: Offset,
}

impl Partition {
    /// Whether [`Partition::read`] from there may be done on a thread that must not block. What cannot be
    /// read anyway may.
    #[must_use]
    pub fn is_read_near_end(&self, offset: Offset) -> bool {
        self.log().is_none_or(|log| log.is_near_end(offset))
    }

    /// Reads. May wait for the disk unless [`Partition::is_read_near_end`].
    ///
    /// # Errors
    /// [`ReadFailure`].
    pub fn read(&self, request: &ReadRequest) -> Result<Reading, ReadFailure> {
        let log = self.readable_log(request.leader_epoch)?;
        if let Some(last_fetched_epoch) = request.last_fetched_epoch
            && let Some(end) = check_divergence(&log, last_fetched_epoch, request.read.from)?
        {
            return Ok(Reading {
                offsets: log.offsets(),
                records: None,
                diverging: Some(end),
            });
        }
        let read = log.read(&request.read)?;
        Ok(Reading {
            offsets: read.offsets,
            records: read.records,
            diverging: None,
        })
    }

    /// The offsets at which a question of this kind of asker ends and begins.
    ///
    /// # Errors
    /// [`ReadFailure::Refused`].
    pub fn offset_bound(
        &self,
        leader_epoch: Option<LeaderEpoch>,
        bound: ReadBound,
    ) -> Result<OffsetBound, ReadFailure> {
        let state = self.lock();
        state.replica.check_reader(leader_epoch)?;
        let offsets = state.log.as_ref().ok_or(ReadRefusal::NotLeader)?.offsets();
        Ok(OffsetBound {
            end: match bound {
                ReadBound::LogEnd => offsets.log_end,
                ReadBound::HighWatermark => offsets.high_watermark,
                ReadBound::LastStable => offsets.last_stable,
            },
            is_unsettled: bound != ReadBound::LogEnd
                && offsets.high_watermark < state.replica.leader_epoch_start(),
            leader_epoch: state.replica.leader_epoch(),
            log_start: offsets.log_start,
        })
    }

    /// First record at or after `timestamp_ms`. May wait for the disk.
    ///
    /// # Errors
    /// [`ReadFailure`].
    pub fn offset_at_timestamp(
        &self,
        leader_epoch: Option<LeaderEpoch>,
        timestamp_ms: i64,
    ) -> Result<Option<TimestampedOffset>, ReadFailure> {
        Ok(self
            .readable_log(leader_epoch)?
            .offset_at_timestamp(timestamp_ms)?)
    }

    /// Where `asked` ends in this log.
    ///
    /// # Errors
    /// [`ReadFailure::Refused`].
    pub fn end_of_epoch(
        &self,
        leader_epoch: Option<LeaderEpoch>,
        asked: LeaderEpoch,
    ) -> Result<Option<EpochEnd>, ReadFailure> {
        Ok(self.readable_log(leader_epoch)?.end_offset_for_epoch(asked))
    }

    /// The log, if this reader may read it.
    fn readable_log(
        &self,
        leader_epoch: Option<LeaderEpoch>,
    ) -> Result<Arc<PartitionLog>, ReadFailure> {
        let state = self.lock();
        state.replica.check_reader(leader_epoch)?;
        Ok(state.log.clone().ok_or(ReadRefusal::NotLeader)?)
    }
}

/// Whether a reader whose last record is of `last_fetched_epoch` has something else before `from` than
/// this log; if so, where they part. Source: `Partition.readRecords` of Kafka 2.8.
fn check_divergence(
    log: &PartitionLog,
    last_fetched_epoch: LeaderEpoch,
    from: Offset,
) -> Result<Option<EpochEnd>, ReadFailure> {
    let Some(end) = log.end_offset_for_epoch(last_fetched_epoch) else {
        return Err(ReadFailure::UnknownEpoch {
            offset: from,
            leader_epoch: last_fetched_epoch,
        });
    };
    let offsets = log.offsets();
    if from < offsets.log_start {
        // The log start comes first: what lies before it is gone, and cannot be compared (KAFKA-12996).
        return Err(ReadFailure::Log(ReadError::OffsetOutOfRange {
            offset: from,
            log_start_offset: offsets.log_start,
            log_end_offset: offsets.log_end,
        }));
    }
    let parts = end.leader_epoch < last_fetched_epoch || end.end_offset < from;
    Ok(parts.then_some(end))
}
