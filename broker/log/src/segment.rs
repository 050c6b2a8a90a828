//! One segment of a log: a file of batches and its two indexes.
//!
//! What is here is shared by the writer and all readers. Who writes has a [`Room`] beside it.

mod entry;
mod index_file;
mod name;
mod room;
mod walk;

use crate::error::ReadError;
use crate::files::{Files, Open, OpenFile};
use barnabas_wire::id::Offset;
use barnabas_wire::record::{BatchError, BatchHeader};
use parking_lot::Mutex;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Release};

pub(crate) use entry::{OffsetEntry, TimeEntry};
pub(crate) use index_file::{Fill, IndexFile};
pub(crate) use name::SegmentFile;
pub(crate) use room::{Room, is_full};
pub(crate) use walk::{GLANCE_SIZE_BYTES, HeaderAt, HeaderWalk, WalkError};

use entry::Entry as _;

/// The files of one base offset.
#[derive(Debug)]
pub(crate) struct Segment {
    /// Offset of the first record, or of what would be the first.
    pub(crate) base_offset: Offset,
    /// The batches.
    pub(crate) log: Arc<dyn OpenFile>,
    /// Where they are.
    pub(crate) path: PathBuf,
    /// Offset to position.
    pub(crate) offset_index: IndexFile<OffsetEntry>,
    /// Timestamp to offset.
    pub(crate) time_index: IndexFile<TimeEntry>,
    /// When the file was created or opened, ms since 1970: for rolling where records have no time.
    pub(crate) created_ms: i64,
    /// Bytes of whole batches.
    size_bytes: AtomicU64,
    /// The largest timestamp, once it is known.
    newest: Mutex<Option<TimeEntry>>,
}

impl Segment {
    /// Creates an empty segment; files that a crash left under its names are emptied. Not durable.
    pub(crate) fn create(
        files: &Arc<dyn Files>,
        directory: &Path,
        base_offset: Offset,
        now_ms: i64,
    ) -> io::Result<Self> {
        let path = SegmentFile::Log.path(directory, base_offset);
        let log = files.open(&path, Open::OrCreate)?;
        log.set_len(0)?;
        let index = |file: SegmentFile| file.path(directory, base_offset);
        Ok(Self {
            base_offset,
            log,
            path,
            offset_index: IndexFile::empty(files.clone(), index(SegmentFile::OffsetIndex)),
            time_index: IndexFile::empty(files.clone(), index(SegmentFile::TimeIndex)),
            created_ms: now_ms,
            size_bytes: AtomicU64::new(0),
            newest: Mutex::new(None),
        })
    }

    /// Opens the segment that is there. All its bytes count as batches until
    /// [`Segment::set_size_bytes`] says otherwise.
    pub(crate) fn open(
        files: &Arc<dyn Files>,
        directory: &Path,
        base_offset: Offset,
        now_ms: i64,
    ) -> io::Result<Self> {
        let path = SegmentFile::Log.path(directory, base_offset);
        let log = files.open(&path, Open::Existing)?;
        let size_bytes = log.file().metadata()?.len();
        let index = |file: SegmentFile| file.path(directory, base_offset);
        Ok(Self {
            base_offset,
            log,
            path,
            offset_index: IndexFile::existing(files.clone(), index(SegmentFile::OffsetIndex)),
            time_index: IndexFile::existing(files.clone(), index(SegmentFile::TimeIndex)),
            created_ms: now_ms,
            size_bytes: AtomicU64::new(size_bytes),
            newest: Mutex::new(None),
        })
    }

    /// Bytes of whole batches.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.size_bytes.load(Acquire)
    }

    /// Says how many bytes are whole batches.
    pub(crate) fn set_size_bytes(&self, size_bytes: u64) {
        self.size_bytes.store(size_bytes, Release);
    }

    /// The file, for reading.
    pub(crate) fn file(&self) -> &Arc<File> {
        self.log.file()
    }

    /// `offset` minus the base offset, if an index can hold it.
    pub(crate) fn relative(&self, offset: Offset) -> Option<u32> {
        let relative = offset.0.checked_sub(self.base_offset.0)?;
        i32::try_from(relative)
            .ok()
            .and_then(|relative| u32::try_from(relative).ok())
    }

    /// The absolute form of an index's offset.
    pub(crate) fn absolute(&self, relative_offset: u32) -> Offset {
        Offset(
            self.base_offset
                .0
                .saturating_add(i64::from(relative_offset)),
        )
    }

    /// Position of a batch at or before the one that holds `offset`, as the index knows it.
    pub(crate) fn position_before(&self, offset: Offset) -> Result<u64, ReadError> {
        let Some(target) = offset
            .0
            .checked_sub(self.base_offset.0)
            .filter(|target| *target > 0)
        else {
            return Ok(0);
        };
        let holds = |entry: OffsetEntry| i64::from(entry.relative_offset) <= target;
        let found = self.offset_index.last_where(holds);
        let found = found.map_err(|cause| io_error(self.offset_index.path(), 0, cause))?;
        Ok(found.map_or(0, |entry| u64::from(entry.position)))
    }

    /// First batch below `end` (bytes) whose last offset is not below `offset`.
    pub(crate) fn find(&self, offset: Offset, end: u64) -> Result<Option<HeaderAt>, ReadError> {
        let position = self.position_before(offset)?;
        match self.find_from(position, offset, end) {
            // An index that a crash or another broker left may lead astray: the batches decide.
            Ok(Found::Astray) | Err(ReadError::Damaged { .. }) if position > 0 => {
                self.find_from(0, offset, end).map(Found::batch)
            }
            found => found.map(Found::batch),
        }
    }

    fn find_from(&self, position: u64, offset: Offset, end: u64) -> Result<Found, ReadError> {
        if position > end {
            return Ok(Found::Astray);
        }
        let mut buffer = [0; GLANCE_SIZE_BYTES];
        let mut walk = HeaderWalk::new(self.file(), position, end, &mut buffer);
        while let Some(at) = self.step(&mut walk)? {
            let header = self.header(&at)?;
            let base_offset = header.base_offset();
            // What an index entry leads to lies below the offset that was asked for.
            let is_below = base_offset >= self.base_offset && base_offset <= offset;
            if at.position == position && position > 0 && !is_below {
                return Ok(Found::Astray);
            }
            if header.last_offset() >= offset {
                return Ok(Found::Batch(at));
            }
        }
        Ok(Found::Nothing)
    }

    /// The next header of a walk through this segment.
    pub(crate) fn step(&self, walk: &mut HeaderWalk<'_>) -> Result<Option<HeaderAt>, ReadError> {
        let position = walk.position();
        walk.next().map_err(|error| match error {
            WalkError::Batch(cause) => self.damaged(position, cause),
            WalkError::Io(cause) => io_error(&self.path, position, cause),
        })
    }

    /// A header that a walk through this segment has found.
    pub(crate) fn header<'h>(&self, at: &'h HeaderAt) -> Result<BatchHeader<'h>, ReadError> {
        at.header()
            .map_err(|cause| self.damaged(at.position, cause))
    }

    /// The error for a place where no batch is.
    pub(crate) fn damaged(&self, position: u64, cause: BatchError) -> ReadError {
        ReadError::Damaged {
            path: self.path.clone(),
            position,
            cause,
        }
    }

    /// Builds both indexes anew from the batch headers; returns the bytes read. Where a batch cannot
    /// be read the indexes end: who reads that far will say so.
    pub(crate) fn rebuild_indexes(&self, interval_bytes: u64) -> Result<u64, ReadError> {
        let failed = |cause| io_error(self.offset_index.path(), 0, cause);
        self.truncate_indexes(self.base_offset, 0).map_err(failed)?;
        let mut buffer = vec![0; 64 * 1024];
        let mut walk = HeaderWalk::new(self.file(), 0, self.size_bytes(), &mut buffer);
        let (mut newest, mut unindexed_bytes) = (None, 0);
        while let Ok(Some(at)) = self.step(&mut walk) {
            let header = self.header(&at)?;
            newest = self.newer(newest, &header);
            if unindexed_bytes > interval_bytes {
                self.push_index(header.last_offset(), at.position, newest);
                unindexed_bytes = 0;
            }
            unindexed_bytes += at.size_bytes();
        }
        self.push_time(newest);
        self.offset_index.write_exact().map_err(failed)?;
        self.time_index.write_exact().map_err(failed)?;
        self.offset_index.cool();
        self.time_index.cool();
        Ok(walk.read_bytes())
    }

    /// Enters a batch into both indexes: the one that begins at `position` and ends with
    /// `last_offset`; `newest` is the largest timestamp so far. Says how full they are then.
    pub(crate) fn push_index(
        &self,
        last_offset: Offset,
        position: u64,
        newest: Option<TimeEntry>,
    ) -> Option<IndexFill> {
        // Both conversions hold: the log rolls before an offset or a position gets too large.
        let relative_offset = self.relative(last_offset)?;
        let position = u32::try_from(position).ok()?;
        let offsets = self.offset_index.push(OffsetEntry {
            relative_offset,
            position,
        });
        Some(IndexFill {
            offsets,
            times: newest.map(|newest| self.time_index.push(newest)),
        })
    }

    /// How full the indexes are.
    pub(crate) fn index_fill(&self) -> io::Result<IndexFill> {
        Ok(IndexFill {
            offsets: self.offset_index.fill()?,
            times: Some(self.time_index.fill()?),
        })
    }

    /// Enters the largest timestamp into the time index, if it is larger than the last one there.
    pub(crate) fn push_time(&self, newest: Option<TimeEntry>) {
        if let Some(newest) = newest {
            self.time_index.push(newest);
        }
    }

    /// The last batch below `end` (bytes), found from the last index entry on.
    pub(crate) fn last_batch(&self, end: u64) -> Result<Option<HeaderAt>, ReadError> {
        let position = self.position_before(Offset(i64::MAX))?;
        match self.last_batch_from(position, end) {
            Err(ReadError::Damaged { .. }) if position > 0 => self.last_batch_from(0, end),
            found => found,
        }
    }

    fn last_batch_from(&self, position: u64, end: u64) -> Result<Option<HeaderAt>, ReadError> {
        let mut buffer = [0; GLANCE_SIZE_BYTES];
        let mut walk = HeaderWalk::new(self.file(), position, end, &mut buffer);
        let mut last = None;
        while let Some(at) = self.step(&mut walk)? {
            last = Some(at);
        }
        Ok(last)
    }

    /// The largest timestamp of the first batch, if there is one below `end` and it has one.
    pub(crate) fn first_timestamp_ms(&self, end: u64) -> Result<Option<i64>, ReadError> {
        let mut buffer = [0; 128];
        let mut walk = HeaderWalk::new(self.file(), 0, end, &mut buffer);
        let Some(first) = self.step(&mut walk)? else {
            return Ok(None);
        };
        let timestamp_ms = self.header(&first)?.max_timestamp_ms();
        Ok((timestamp_ms >= 0).then_some(timestamp_ms))
    }

    /// Whether a look-up of `offset` finds its way without the index file.
    pub(crate) fn is_warm(&self, offset: Offset) -> bool {
        let holds = |entry: OffsetEntry| self.absolute(entry.relative_offset) <= offset;
        self.offset_index.is_warm(holds)
    }

    /// Says what the largest timestamp is.
    pub(crate) fn set_newest(&self, newest: Option<TimeEntry>) {
        *self.newest.lock() = newest;
    }

    /// The largest timestamp, as far as [`Segment::set_newest`] has told.
    pub(crate) fn newest_known(&self) -> Option<TimeEntry> {
        *self.newest.lock()
    }

    /// The largest timestamp of a segment that is not written any more, and the last offset of its
    /// batch; `None` if no record has one. Found once: in the time index, or in the batches where
    /// the index says nothing that can be believed.
    pub(crate) fn newest(&self) -> Result<Option<TimeEntry>, ReadError> {
        if let Some(known) = *self.newest.lock() {
            return Ok(Some(known));
        }
        let indexed = self
            .time_index
            .last()
            .map_err(|cause| io_error(self.time_index.path(), 0, cause))?;
        let newest = match indexed.filter(|entry| entry.timestamp_ms > 0) {
            Some(entry) => Some(entry),
            None => self.newest_of_batches(0, None)?,
        };
        *self.newest.lock() = newest;
        Ok(newest)
    }

    /// The largest timestamp in the batches from `position` on, or `newest` if that is larger.
    pub(crate) fn newest_of_batches(
        &self,
        position: u64,
        mut newest: Option<TimeEntry>,
    ) -> Result<Option<TimeEntry>, ReadError> {
        let mut buffer = vec![0; 64 * 1024];
        let mut walk = HeaderWalk::new(self.file(), position, self.size_bytes(), &mut buffer);
        while let Some(at) = self.step(&mut walk)? {
            newest = self.newer(newest, &self.header(&at)?);
        }
        Ok(newest)
    }

    /// The larger of a timestamp and that of a batch; the older one if they are equal.
    pub(crate) fn newer(
        &self,
        newest: Option<TimeEntry>,
        header: &BatchHeader<'_>,
    ) -> Option<TimeEntry> {
        let timestamp_ms = header.max_timestamp_ms();
        if timestamp_ms < 0 || newest.is_some_and(|newest| newest.timestamp_ms >= timestamp_ms) {
            return newest;
        }
        let relative_offset = self.relative(header.last_offset())?;
        Some(TimeEntry {
            timestamp_ms,
            relative_offset,
        })
    }
}

/// Where a search in a segment ended.
enum Found {
    /// At the batch.
    Batch(HeaderAt),
    /// At the end: there is none.
    Nothing,
    /// At a place to which an index should not have led.
    Astray,
}

impl Found {
    fn batch(self) -> Option<HeaderAt> {
        match self {
            Self::Batch(at) => Some(at),
            Self::Nothing | Self::Astray => None,
        }
    }
}

/// How full the two indexes of a segment are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IndexFill {
    offsets: Fill,
    times: Option<Fill>,
}

impl IndexFill {
    /// Whether one of them takes no more than the entry that sealing adds.
    pub(crate) fn is_full(self, size_max_bytes: u64) -> bool {
        self.offsets.size_bytes + OffsetEntry::SIZE as u64 > size_max_bytes
            || self
                .times
                .is_some_and(|times| times.size_bytes + 2 * TimeEntry::SIZE as u64 > size_max_bytes)
    }

    /// Whether so many entries wait for their file that the next append has to wait too.
    pub(crate) const fn is_overdue(self) -> bool {
        self.offsets.is_overdue()
    }

    /// Whether so many entries wait that writing them is worth a system call.
    pub(crate) const fn is_worth_writing(self) -> bool {
        self.offsets.is_worth_writing()
    }
}

/// The error for a file that could not be read.
pub(crate) fn io_error(path: &Path, position: u64, cause: io::Error) -> ReadError {
    ReadError::Io {
        path: path.to_owned(),
        position,
        cause,
    }
}
