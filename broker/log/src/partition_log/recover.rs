//! Finding the end of a log after a shutdown that was not clean.
//!
//! ```text
//!   flushed: taken on trust           | every batch verified          | dropped
//!   ------------------ recovery point | ------------ first bad batch  | zeros or a torn write
//! ```
//!
//! Below the recovery point only the headers between the last index entry and the point itself are
//! looked at, so what a start reads does not grow with what was flushed. The first batch above that
//! is not whole, has the wrong checksum or the wrong offset ends the log: everything from there on is
//! cut off. The same below the recovery point is damage, which is reported and not cut.

use super::open::RecoveryReport;
use super::producers::take_in;
use crate::error::OpenError;
use crate::leader_epoch_cache::LeaderEpochCache;
use crate::producer_state::ProducerStates;
use crate::segment::{HeaderAt, HeaderWalk, Segment, TimeEntry, WalkError, io_error};
use barnabas_wire::id::Offset;
use barnabas_wire::record::{Batch, BatchError};
use std::os::unix::fs::FileExt;

/// Bytes read at once.
const SCAN_SIZE_BYTES: usize = 1 << 20;

/// What recovery builds up on its way through the segments.
#[derive(Debug)]
pub(super) struct Recovery<'a> {
    pub(super) recovery_point: Offset,
    pub(super) cut_below_recovery_point: bool,
    pub(super) index_interval_bytes: u64,
    pub(super) epochs: &'a mut LeaderEpochCache,
    pub(super) producers: &'a mut ProducerStates,
    pub(super) report: &'a mut RecoveryReport,
}

/// Where a segment turned out to end.
#[derive(Clone, Copy, Debug)]
pub(super) struct SegmentEnd {
    /// Offset after the last batch.
    pub(super) next_offset: Offset,
    /// Whether something was cut off behind it.
    pub(super) is_cut: bool,
}

/// Why a scan ended before its segment did.
#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error(transparent)]
    NoBatch(#[from] BatchError),
    #[error("a batch with the offsets {first} to {last} stands where {expected} belongs")]
    Offsets {
        expected: Offset,
        first: Offset,
        last: Offset,
    },
}

/// One way through one segment.
struct Scan<'s> {
    segment: &'s Segment,
    length: u64,
    position: u64,
    next_offset: Offset,
    unindexed_bytes: u64,
    newest: Option<TimeEntry>,
}

impl Recovery<'_> {
    /// Finds the end of one segment, cuts the rest off and completes its indexes.
    pub(super) fn recover(&mut self, segment: &Segment) -> Result<SegmentEnd, OpenError> {
        let length = segment.size_bytes();
        let mut scan = self.begin(segment, length)?;
        let stopped = match self.walk_flushed(&mut scan)? {
            None => self.verify(&mut scan)?,
            stopped => stopped,
        };
        if let Some(cause) = &stopped {
            self.judge(&scan, cause)?;
        }
        let is_cut = scan.position < length;
        if is_cut {
            let torn_bytes_before = self.report.torn_bytes;
            let kind = self.measure_tail(&scan)?;
            // Every log that was being written has room ahead after a kill: no news.
            if self.report.torn_bytes == torn_bytes_before {
                tracing::debug!(
                    segment = %segment.path.display(), position = scan.position, length, kind,
                    "cut the end of a segment"
                );
            } else {
                tracing::info!(
                    segment = %segment.path.display(), position = scan.position, length, kind,
                    "cut the end of a segment"
                );
            }
            let cut = segment.log.set_len(scan.position);
            cut.map_err(|cause| OpenError::io("cut", &segment.path, cause))?;
        }
        segment.set_size_bytes(scan.position);
        segment.set_newest(scan.newest);
        Ok(SegmentEnd {
            next_offset: scan.next_offset,
            is_cut,
        })
    }

    /// Where to begin: at the last index entry that leads to a batch below the recovery point.
    fn begin<'s>(&mut self, segment: &'s Segment, length: u64) -> Result<Scan<'s>, OpenError> {
        let mut scan = Scan {
            segment,
            length,
            position: 0,
            next_offset: segment.base_offset,
            unindexed_bytes: 0,
            newest: None,
        };
        // The producers may have to be told of batches before the recovery point.
        let from = self.recovery_point.min(self.producers.end_offset());
        if from > segment.base_offset
            && let Ok(position) = segment.position_before(from)
            && let Some(at) = batch_at(segment, position, length)
            && segment.header(&at)?.base_offset() >= segment.base_offset
        {
            scan.position = position;
            scan.next_offset = segment.header(&at)?.base_offset();
        }
        let truncated = segment.truncate_indexes(scan.next_offset, scan.position);
        truncated.map_err(|cause| OpenError::io("cut the indexes of", &segment.path, cause))?;
        if scan.position == 0 {
            self.report.rebuilt_index_count += 1;
        }
        let newest = segment.time_index.last();
        scan.newest =
            newest.map_err(|cause| OpenError::io("read", segment.time_index.path(), cause))?;
        Ok(scan)
    }

    /// Goes through the headers below the recovery point; why it could not, if it could not.
    fn walk_flushed(&mut self, scan: &mut Scan<'_>) -> Result<Option<Stop>, OpenError> {
        let segment = scan.segment;
        let mut buffer = vec![0; SCAN_SIZE_BYTES / 16];
        let mut walk = HeaderWalk::new(segment.file(), scan.position, scan.length, &mut buffer);
        let mut stopped = None;
        while scan.next_offset < self.recovery_point {
            match walk.next() {
                Ok(None) => break,
                Ok(Some(at)) => match self.accept(scan, &at)? {
                    None => {}
                    bad => {
                        stopped = bad;
                        break;
                    }
                },
                Err(WalkError::Batch(error)) => {
                    stopped = Some(error.into());
                    break;
                }
                Err(WalkError::Io(error)) => {
                    return Err(io_error(&segment.path, scan.position, error).into());
                }
            }
        }
        self.report.scanned_bytes += walk.read_bytes();
        Ok(stopped)
    }

    /// Verifies batch after batch to the end; why it stopped before, if it did.
    fn verify(&mut self, scan: &mut Scan<'_>) -> Result<Option<Stop>, OpenError> {
        let segment = scan.segment;
        let mut buffer = vec![0; SCAN_SIZE_BYTES];
        while scan.position < scan.length {
            let left = usize::try_from(scan.length - scan.position).unwrap_or(usize::MAX);
            let wanted = left.min(buffer.len());
            let chunk = buffer.get_mut(..wanted).unwrap_or_default();
            let read = segment.file().read_exact_at(chunk, scan.position);
            read.map_err(|cause| io_error(&segment.path, scan.position, cause))?;
            self.report.scanned_bytes += chunk.len() as u64;
            match self.verify_chunk(scan, chunk)? {
                // The rest of the batch is behind the chunk. Its size is bounded by the file's.
                Some(Stop::NoBatch(BatchError::Incomplete { needed_bytes, .. }))
                    if wanted < left && needed_bytes <= left =>
                {
                    buffer.resize(needed_bytes.max(buffer.len()), 0);
                }
                None => {}
                stopped => return Ok(stopped),
            }
        }
        Ok(None)
    }

    /// Verifies the whole batches in a chunk that begins at the scan's position.
    fn verify_chunk(
        &mut self,
        scan: &mut Scan<'_>,
        chunk: &[u8],
    ) -> Result<Option<Stop>, OpenError> {
        let mut rest = chunk;
        while !rest.is_empty() {
            let batch = match Batch::parse(rest)
                .and_then(|batch| batch.verify_checksum().map(|()| batch))
            {
                Ok(batch) => batch,
                Err(error) => return Ok(Some(error.into())),
            };
            let at = HeaderAt::of(&batch, scan.position);
            if let Some(bad) = self.accept(scan, &at)? {
                return Ok(Some(bad));
            }
            self.report.verified_batch_count += 1;
            rest = rest.get(batch.bytes().len()..).unwrap_or_default();
        }
        Ok(None)
    }

    /// Takes a batch in if its offsets fit; answers an error that says so if they do not.
    fn accept(&mut self, scan: &mut Scan<'_>, at: &HeaderAt) -> Result<Option<Stop>, OpenError> {
        let segment = scan.segment;
        let header = segment.header(at)?;
        let (first, last) = (header.base_offset(), header.last_offset());
        if first < scan.next_offset || last < first || segment.relative(last).is_none() {
            return Ok(Some(Stop::Offsets {
                expected: scan.next_offset,
                first,
                last,
            }));
        }
        take_in(self.producers, segment, at)?;
        let leader_epoch = header.partition_leader_epoch();
        if self
            .epochs
            .latest_epoch()
            .is_none_or(|latest| leader_epoch > latest)
        {
            self.epochs.assign(leader_epoch, first);
        }
        scan.newest = segment.newer(scan.newest, &header);
        if scan.unindexed_bytes > self.index_interval_bytes {
            segment.push_index(last, at.position, scan.newest);
            scan.unindexed_bytes = 0;
        }
        scan.unindexed_bytes += at.size_bytes();
        scan.next_offset = header.next_offset();
        scan.position = at.end();
        Ok(None)
    }

    /// Whether the rest may be cut off.
    fn judge(&self, scan: &Scan<'_>, cause: &Stop) -> Result<(), OpenError> {
        if scan.next_offset >= self.recovery_point || self.cut_below_recovery_point {
            return Ok(());
        }
        tracing::error!(
            segment = %scan.segment.path.display(), position = scan.position, %cause,
            "flushed records are damaged"
        );
        Err(OpenError::DamagedBelowRecoveryPoint {
            path: scan.segment.path.clone(),
            position: scan.position,
            offset: scan.next_offset,
            recovery_point: self.recovery_point,
        })
    }

    /// Counts what is about to be cut off, and says whether it was room or a torn write. Room is
    /// zeros to the end; only its first part is read.
    fn measure_tail(&mut self, scan: &Scan<'_>) -> Result<&'static str, OpenError> {
        let tail_bytes = scan.length - scan.position;
        let mut glance = [0; 4096];
        let wanted =
            usize::try_from(tail_bytes).map_or(glance.len(), |tail| tail.min(glance.len()));
        let glance = glance.get_mut(..wanted).unwrap_or_default();
        let read = scan.segment.file().read_exact_at(glance, scan.position);
        read.map_err(|cause| io_error(&scan.segment.path, scan.position, cause))?;
        if glance.iter().all(|byte| *byte == 0) {
            self.report.zero_bytes += tail_bytes;
            return Ok("room ahead of the writer");
        }
        self.report.torn_bytes += tail_bytes;
        Ok("torn write")
    }
}

/// The header of the batch at `position`, if there is one.
fn batch_at(segment: &Segment, position: u64, length: u64) -> Option<HeaderAt> {
    let mut buffer = [0; 128];
    HeaderWalk::new(segment.file(), position, length, &mut buffer)
        .next()
        .ok()
        .flatten()
}
