//! Appending batches.

use super::producer::{end_marker, producer_batch};
use super::roll::WriterGuard;
use super::writer::{NextBatch, Writer};
use super::{PartitionLog, room_request::RoomRequest};
use crate::error::{AppendError, LogError};
use crate::producer_state::{AppendOrigin, EndMarker, ProducerBatch, Verdict};
use crate::segment::is_full;
use barnabas_wire::id::{LeaderEpoch, Offset};
use barnabas_wire::record::{
    Batch, BatchHeader, BatchMut, Batches, LENGTH_END, NO_TIMESTAMP_MS, TimestampType, Validated,
};
use std::borrow::Cow;
use std::io;

/// Bytes of the base offset, the first field of a batch.
const BASE_OFFSET_SIZE: usize = 8;
/// Where the leader epoch ends, which stands behind the length.
const LEADER_EPOCH_END: usize = LENGTH_END + 4;

/// A producer's or coordinator's batch for the leader's log.
#[derive(Clone, Copy, Debug)]
pub struct LeaderAppend<'a> {
    /// The batch, checked by `check_produced`.
    pub batch: &'a Validated<'a>,
    /// Epoch of the leader that appends.
    pub leader_epoch: LeaderEpoch,
    /// From whom the batch is.
    pub origin: AppendOrigin,
    /// The clock, ms since 1970.
    pub now_ms: i64,
}

/// What became of a batch.
#[derive(Debug)]
#[must_use]
pub struct Appended {
    /// Offset of the first record.
    pub first_offset: Offset,
    /// Offset of the last record.
    pub last_offset: Offset,
    /// The append time in ms since 1970, where the topic's records carry it; else -1.
    pub log_append_time_ms: i64,
    /// First offset of the log.
    pub log_start_offset: Offset,
    /// The batch was there already: these are its offsets, and nothing was written.
    pub is_duplicate: bool,
    /// `flush.messages` is reached: call [`PartitionLog::flush`] before acknowledging.
    pub is_flush_due: bool,
    /// To be run soon by a thread that may block.
    pub room: Option<RoomRequest>,
}

/// The outcome of an attempt to append without blocking.
#[derive(Debug)]
#[must_use]
pub enum TryAppend {
    /// It is done.
    Done(Appended),
    /// Not without blocking: hand the batch to a thread that may block, and let it call `append`.
    /// Later batches of the same producer must not overtake it.
    NeedsRoom,
}

/// Who numbers the records.
#[derive(Clone, Copy, Debug)]
enum Numbering {
    /// We do, as leader.
    Ours { leader_epoch: LeaderEpoch },
    /// The leader did.
    Theirs,
}

/// A batch on its way into the log.
struct Incoming<'a> {
    header: BatchHeader<'a>,
    bytes: &'a [u8],
    numbering: Numbering,
    origin: AppendOrigin,
    first_offset: Offset,
    last_offset: Offset,
    now_ms: i64,
}

impl PartitionLog {
    /// Appends a batch if that needs neither the disk nor a page that is not in memory.
    ///
    /// The records can be read, up to [`super::ReadBound::LogEnd`], when this returns. They are
    /// durable when the recovery point has passed them.
    ///
    /// # Errors
    /// As [`PartitionLog::append`], but for a full disk, which only `append` finds.
    pub fn try_append(&self, append: &LeaderAppend<'_>) -> Result<TryAppend, AppendError> {
        let bytes = leader_bytes(append)?;
        let Some(mut writer) = self.try_lock_writer() else {
            return Ok(TryAppend::NeedsRoom);
        };
        if writer.settings.flushes_every_append() || writer.index_is_overdue {
            return Ok(TryAppend::NeedsRoom);
        }
        let incoming = incoming(&writer, &bytes, append)?;
        if let Some(duplicate) = self.check(&writer, &incoming)? {
            return Ok(TryAppend::Done(duplicate));
        }
        let end = writer.position + incoming.bytes.len() as u64;
        let has_place = writer.map.is_some() && writer.wants_map() && writer.room.reaches(end);
        if !has_place || writer.must_roll(&incoming.next()) {
            return Ok(TryAppend::NeedsRoom);
        }
        self.write(&mut writer, &incoming).map(TryAppend::Done)
    }

    /// Appends a batch, waiting for room where there is none: for the disk, and for other writers.
    ///
    /// # Errors
    /// [`AppendError`]; nothing was appended then. `NoSpace` passes when there is space again.
    pub fn append(&self, append: &LeaderAppend<'_>) -> Result<Appended, AppendError> {
        let bytes = leader_bytes(append)?;
        let mut writer = self.lock_writer();
        let incoming = incoming(&writer, &bytes, append)?;
        if let Some(duplicate) = self.check(&writer, &incoming)? {
            return Ok(duplicate);
        }
        self.make_place(&mut writer, &incoming)?;
        self.write(&mut writer, &incoming)
    }

    /// Appends batches as the leader numbered them, checked by `check_replicated`. Waits for the
    /// disk. The answer is that of the last batch, with the first offset of the first one; `None` if
    /// there is no whole batch.
    ///
    /// # Errors
    /// [`AppendError`]; the batches before the one that failed are appended.
    pub fn append_replicated(
        &self,
        batches: &[u8],
        now_ms: i64,
    ) -> Result<Option<Appended>, AppendError> {
        let mut writer = self.lock_writer();
        let mut answer: Option<Appended> = None;
        for batch in Batches::new(batches) {
            let batch = match batch {
                Ok(batch) => batch,
                Err(error) if error.is_incomplete() => break,
                Err(error) => return Err(error.into()),
            };
            let incoming = Incoming {
                header: batch.header(),
                bytes: batch.bytes(),
                numbering: Numbering::Theirs,
                origin: AppendOrigin::Replication,
                first_offset: batch.base_offset(),
                last_offset: batch.last_offset(),
                now_ms,
            };
            self.check(&writer, &incoming)?;
            self.make_place(&mut writer, &incoming)?;
            let mut appended = self.write(&mut writer, &incoming)?;
            if let Some(before) = answer {
                appended.first_offset = before.first_offset;
                appended.room = before.room.or(appended.room);
            }
            answer = Some(appended);
        }
        Ok(answer)
    }

    /// Checks what can be said before anything is written; answers a batch that is there already.
    fn check(
        &self,
        writer: &Writer,
        incoming: &Incoming<'_>,
    ) -> Result<Option<Appended>, AppendError> {
        if writer.is_closed {
            return Err(LogError::Closed.into());
        }
        self.health.check().map_err(LogError::from)?;
        if incoming.first_offset < writer.log_end || incoming.last_offset < incoming.first_offset {
            return Err(AppendError::OffsetOutOfOrder {
                first_offset: incoming.first_offset,
                log_end_offset: writer.log_end,
            });
        }
        let size_bytes = incoming.bytes.len() as u64;
        let segment_size_bytes = writer.settings.segment_size_bytes;
        if size_bytes > segment_size_bytes && incoming.origin != AppendOrigin::Replication {
            return Err(AppendError::LargerThanSegment {
                size_bytes,
                segment_size_bytes,
            });
        }
        if let Some(marker) = incoming.end_marker() {
            writer.producers.check_end(&marker, incoming.origin)?;
            return Ok(None);
        }
        let Some(batch) = incoming.producer_batch() else {
            return Ok(None);
        };
        Ok(match writer.producers.check(&batch, incoming.origin)? {
            Verdict::Append => None,
            Verdict::Duplicate(stored) => Some(Appended {
                first_offset: stored.first_offset(),
                last_offset: stored.last_offset,
                log_append_time_ms: match writer.settings.timestamp_type {
                    TimestampType::LogAppendTime => stored.timestamp_ms,
                    TimestampType::CreateTime => NO_TIMESTAMP_MS,
                },
                log_start_offset: self.published.lock().log_start,
                is_duplicate: true,
                is_flush_due: false,
                room: None,
            }),
        })
    }

    /// Rolls, extends and maps, as the batch needs it. Waits for the disk.
    fn make_place(
        &self,
        writer: &mut WriterGuard<'_>,
        incoming: &Incoming<'_>,
    ) -> Result<(), LogError> {
        if writer.must_roll(&incoming.next()) {
            self.roll(writer, incoming.first_offset, incoming.now_ms)?;
        }
        let end = writer.position + incoming.bytes.len() as u64;
        if end > writer.room.capacity() {
            // Only an empty segment is asked for more than it was made for: by a leader whose
            // segments are larger than ours.
            self.enlarge(writer, end)?;
        }
        if !writer.room.reaches(end) {
            writer
                .room
                .extend_to(end)
                .map_err(|error| self.failed(writer, "extend", &error))?;
        }
        if writer.index_is_overdue {
            write_indexes(writer)
                .map_err(|error| self.failed(writer, "write indexes of", &error))?;
            writer.index_is_overdue = false;
        }
        if writer.map.is_none() && writer.wants_map() {
            match writer.room.map() {
                Ok(map) => writer.map = Some(map),
                // Too many maps, for one: the file takes the bytes all the same.
                Err(error) => tracing::debug!(%error, "segment is written without a map"),
            }
        }
        Ok(())
    }

    /// Writes a batch, for which there is place, and lets it be seen.
    fn write(&self, writer: &mut Writer, incoming: &Incoming<'_>) -> Result<Appended, AppendError> {
        let written = match incoming.numbering {
            Numbering::Theirs => writer.write(&[incoming.bytes]),
            Numbering::Ours { leader_epoch } => {
                let base_offset = incoming.first_offset.0.to_be_bytes();
                let (head, rest) = incoming
                    .bytes
                    .split_at(LEADER_EPOCH_END.min(incoming.bytes.len()));
                let length = head.get(BASE_OFFSET_SIZE..LENGTH_END).unwrap_or_default();
                writer.write(&[&base_offset, length, &leader_epoch.0.to_be_bytes(), rest])
            }
        };
        written.map_err(|error| self.failed(writer, "write", &error))?;
        self.take_in(writer, incoming);
        Ok(self.publish(writer, incoming))
    }

    /// Brings the writer's own state up to the batch that was just written.
    fn take_in(&self, writer: &mut Writer, incoming: &Incoming<'_>) {
        let position = writer.position;
        let size_bytes = incoming.bytes.len() as u64;
        writer.position += size_bytes;
        writer.log_end = Offset(incoming.last_offset.0 + 1);
        if let Some(marker) = incoming.end_marker() {
            writer.producers.record_end(&marker);
        } else if let Some(batch) = incoming.producer_batch() {
            writer.producers.record(&batch);
        }
        writer.producers.advance_end_offset(writer.log_end);
        let leader_epoch = match incoming.numbering {
            Numbering::Ours { leader_epoch } => leader_epoch,
            Numbering::Theirs => incoming.header.partition_leader_epoch(),
        };
        if writer.latest_epoch != Some(leader_epoch) {
            let mut epochs = self.epochs.lock();
            epochs.assign(leader_epoch, incoming.first_offset);
            writer.remember_epoch(&epochs);
        }
        let max_timestamp_ms = incoming.header.max_timestamp_ms();
        if writer.first_timestamp_ms.is_none() && max_timestamp_ms >= 0 {
            writer.first_timestamp_ms = Some(max_timestamp_ms);
        }
        writer.note_timestamp(max_timestamp_ms, incoming.last_offset);
        writer.note_index(position, size_bytes, incoming.last_offset);
    }

    /// Shows readers what was written.
    fn publish(&self, writer: &mut Writer, incoming: &Incoming<'_>) -> Appended {
        let is_short = writer.room.advance(writer.position);
        let wants_work = is_short || writer.index_wants_writing;
        let room = (wants_work && writer.room.ask()).then(|| {
            writer.index_wants_writing = false;
            RoomRequest::new(writer.room.clone(), writer.active.clone())
        });
        let mut published = self.published.lock();
        published.log_end = writer.log_end;
        published.end_position = writer.position;
        published.newest = writer.newest;
        published.first_undecided = writer.producers.first_undecided_offset();
        let unflushed = writer.log_end.0 - published.recovery_point.0;
        Appended {
            first_offset: incoming.first_offset,
            last_offset: incoming.last_offset,
            log_append_time_ms: match incoming.header.timestamp_type() {
                TimestampType::LogAppendTime => incoming.header.max_timestamp_ms(),
                TimestampType::CreateTime => NO_TIMESTAMP_MS,
            },
            log_start_offset: published.log_start,
            is_duplicate: false,
            is_flush_due: u64::try_from(unflushed)
                .is_ok_and(|unflushed| unflushed >= writer.settings.flush_messages),
            room,
        }
    }

    /// What an error of the active segment's files means: a full disk passes, all else is final.
    pub(super) fn failed(&self, writer: &Writer, operation: &str, error: &io::Error) -> LogError {
        let path = &writer.active.path;
        if is_full(error) {
            return LogError::NoSpace { path: path.clone() };
        }
        self.health
            .fail(&format!("{operation} {}", path.display()), error)
            .into()
    }
}

/// The bytes of a leader's batch with the timestamps that the topic wants.
fn leader_bytes<'a>(append: &LeaderAppend<'a>) -> Result<Cow<'a, [u8]>, AppendError> {
    let validated = append.batch;
    if validated.rebuild.is_some() {
        return Err(AppendError::NeedsRebuild);
    }
    let bytes = validated.batch.bytes();
    if validated.has_right_timestamp() {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut changed = bytes.to_vec();
    BatchMut::parse(&mut changed)?
        .assign_max_timestamp(validated.timestamp_type, validated.max_timestamp_ms);
    Ok(Cow::Owned(changed))
}

/// Writes what waits for the index files.
pub(super) fn write_indexes(writer: &Writer) -> io::Result<()> {
    writer.active.offset_index.write_pending()?;
    writer.active.time_index.write_pending()
}

/// A leader's batch, numbered from the log end on.
fn incoming<'a>(
    writer: &Writer,
    bytes: &'a [u8],
    append: &LeaderAppend<'_>,
) -> Result<Incoming<'a>, AppendError> {
    let batch = Batch::parse(bytes)?;
    let (size_bytes, limit_bytes) = (bytes.len(), writer.settings.batch_size_max_bytes);
    if size_bytes > limit_bytes {
        return Err(AppendError::BatchTooLarge {
            size_bytes,
            limit_bytes,
        });
    }
    let last_offset = Offset(
        writer
            .log_end
            .0
            .saturating_add(i64::from(batch.last_offset_delta())),
    );
    Ok(Incoming {
        header: batch.header(),
        bytes: batch.bytes(),
        numbering: Numbering::Ours {
            leader_epoch: append.leader_epoch,
        },
        origin: append.origin,
        first_offset: writer.log_end,
        last_offset,
        now_ms: append.now_ms,
    })
}

impl Incoming<'_> {
    fn next(&self) -> NextBatch {
        NextBatch {
            size_bytes: self.bytes.len() as u64,
            last_offset: self.last_offset,
            max_timestamp_ms: self.header.max_timestamp_ms(),
            now_ms: self.now_ms,
        }
    }

    fn producer_batch(&self) -> Option<ProducerBatch> {
        producer_batch(self.header, self.first_offset, self.last_offset)
    }

    fn end_marker(&self) -> Option<EndMarker> {
        if !self.header.attributes().is_control() {
            return None;
        }
        end_marker(&Batch::parse(self.bytes).ok()?, self.first_offset)
    }
}
