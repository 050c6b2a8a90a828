//! The room that a segment's writer has in front of it.
//!
//! ```text
//!   0 .......... released ........... end ............... ready ........... capacity
//!   batches, no longer in our         batches             allocated and     address space
//!   page tables                                           in memory         only
//! ```
//!
//! The file grows in steps, each as large as the file so far, from 64 KiB up to 16 MiB: a step is
//! allocated (so that a full disk is an error here and not a signal later), and where the segment is
//! mapped its pages are brought into memory, before the writer may go there. Beyond `ready` nobody
//! touches anything. All of it happens on threads that may block; the writer compares two numbers.

use crate::files::{Map, OpenFile, Pages};
use crate::health::DirectoryHealth;
use parking_lot::Mutex;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Release};
use std::sync::atomic::{AtomicBool, AtomicU64};

/// Smallest step, in bytes.
const STEP_MIN_BYTES: u64 = 64 << 10;

/// Largest step, in bytes.
const STEP_MAX_BYTES: u64 = 16 << 20;

/// Bytes behind the writer that stay in our page tables: the large page that it is writing to, and
/// the one before.
const KEPT_BEHIND_BYTES: u64 = 4 << 20;

/// The room of one segment.
#[derive(Debug)]
pub(crate) struct Room {
    file: Arc<dyn OpenFile>,
    health: Arc<DirectoryHealth>,
    capacity: u64,
    end: AtomicU64,
    ready: AtomicU64,
    is_asked: AtomicBool,
    /// The file system cannot allocate: the file grows by being written.
    grows_by_writing: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    pages: Option<Arc<dyn Pages>>,
    headroom_bytes: u64,
    released: u64,
    is_closed: bool,
}

impl Room {
    /// The room of a segment that holds `end` bytes, is exactly that long, and may have `capacity`.
    pub(crate) fn new(
        file: Arc<dyn OpenFile>,
        health: Arc<DirectoryHealth>,
        end: u64,
        capacity: u64,
    ) -> Self {
        let state = State {
            pages: None,
            headroom_bytes: 0,
            released: 0,
            is_closed: false,
        };
        Self {
            file,
            health,
            capacity: capacity.max(end),
            end: AtomicU64::new(end),
            ready: AtomicU64::new(end),
            is_asked: AtomicBool::new(false),
            grows_by_writing: AtomicBool::new(false),
            state: Mutex::new(state),
        }
    }

    /// Bytes that the segment may hold.
    pub(crate) const fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Whether the writer may write up to `end` (bytes).
    pub(crate) fn reaches(&self, end: u64) -> bool {
        end <= self.ready.load(Acquire)
    }

    /// Takes note that the writer has written up to `end`; true if the next step should be prepared
    /// now.
    pub(crate) fn advance(&self, end: u64) -> bool {
        self.end.store(end, Release);
        let ready = self.ready.load(Acquire);
        ready - end < margin(ready) && ready < self.capacity
    }

    /// Whether nobody has been asked to prepare yet: the caller now is.
    pub(crate) fn ask(&self) -> bool {
        !self.is_asked.swap(true, AcqRel)
    }

    /// Lets somebody else be asked.
    pub(crate) fn unask(&self) {
        self.is_asked.store(false, Release);
    }

    /// Maps the segment for its writer. Waits for the disk.
    pub(crate) fn map(&self) -> io::Result<Box<dyn Map>> {
        let map = self.file.map(self.capacity)?;
        let pages = map.pages();
        let mut state = self.state.lock();
        let end = self.end.load(Acquire);
        if let Some(ahead) = self
            .ready
            .load(Acquire)
            .checked_sub(end)
            .filter(|ahead| *ahead > 0)
        {
            pages.populate(end, ahead)?;
        }
        state.released = end;
        state.pages = Some(pages);
        Ok(map)
    }

    /// Makes room up to `end` (bytes), which is within the capacity. Waits for the disk.
    pub(crate) fn extend_to(&self, end: u64) -> io::Result<()> {
        let mut state = self.state.lock();
        while !self.reaches(end) {
            let ready = self.ready.load(Acquire);
            let least = (end - ready)
                .next_multiple_of(4096)
                .min(self.capacity - ready);
            let wanted = step(ready).max(least).min(self.capacity - ready);
            if wanted == 0 {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            let has_headroom = self.take_headroom(&mut state, wanted);
            match self.grow(&mut state, if has_headroom { wanted } else { least }) {
                Err(error) if is_full(&error) && has_headroom && least < wanted => {
                    self.grow(&mut state, least)?;
                }
                result => result?,
            }
        }
        Ok(())
    }

    /// Prepares the next step and lets go of what lies behind. Waits for the disk. An error is kept
    /// for the append that lacks the room.
    pub(crate) fn prepare(&self) -> io::Result<()> {
        let state = &mut *self.state.lock();
        if state.is_closed {
            return Ok(());
        }
        let ready = self.ready.load(Acquire);
        let wanted = step(ready).min(self.capacity - ready);
        let ahead = ready - self.end.load(Acquire);
        let grown = if ahead < wanted && self.take_headroom(state, wanted) {
            self.grow(state, wanted)
        } else {
            Ok(())
        };
        self.release_behind(state)?;
        grown
    }

    /// Lets go of the pages that the writer has left behind.
    fn release_behind(&self, state: &mut State) -> io::Result<()> {
        let behind = self.end.load(Acquire).saturating_sub(KEPT_BEHIND_BYTES);
        let Some(pages) = state.pages.as_ref().filter(|_| behind > state.released) else {
            return Ok(());
        };
        pages.release(state.released, behind - state.released)?;
        state.released = behind;
        Ok(())
    }

    /// Adds `length` bytes of room.
    fn grow(&self, state: &mut State, length: u64) -> io::Result<()> {
        let ready = self.ready.load(Acquire);
        if self.can_map() {
            match self.file.allocate(ready, length) {
                Err(error)
                    if error.kind() == io::ErrorKind::Unsupported && state.pages.is_none() =>
                {
                    self.grows_by_writing.store(true, Release);
                }
                result => result?,
            }
        }
        if let Some(pages) = &state.pages
            && let Err(error) = pages.populate(ready, length)
        {
            self.file.set_len(ready)?;
            return Err(error);
        }
        self.ready.store(ready + length, Release);
        Ok(())
    }

    /// Accounts for what lies ahead of the writer once `wanted` bytes are added; whether the
    /// directory has so much to give.
    fn take_headroom(&self, state: &mut State, wanted: u64) -> bool {
        let ahead = self.ready.load(Acquire) - self.end.load(Acquire);
        let target = ahead + wanted;
        if target <= state.headroom_bytes {
            self.health.give_headroom(state.headroom_bytes - target);
        } else if !self.health.take_headroom(target - state.headroom_bytes) {
            return false;
        }
        state.headroom_bytes = target;
        true
    }

    /// Whether a map is of use: only where space can be allocated.
    pub(crate) fn can_map(&self) -> bool {
        !self.grows_by_writing.load(Acquire)
    }

    /// Cuts the file to `end` bytes, which may be below what was written: nobody may write
    /// meanwhile. Waits for the disk.
    pub(crate) fn cut(&self, end: u64) -> io::Result<()> {
        let mut state = self.state.lock();
        self.cut_locked(&mut state, end)
    }

    /// Gives back what lies ahead of a writer that rests, and the map. Nobody may write meanwhile.
    /// The next append makes room again.
    pub(crate) fn rest(&self) -> io::Result<()> {
        let mut state = self.state.lock();
        let end = self.end.load(Acquire);
        if self.ready.load(Acquire) > end {
            self.cut_locked(&mut state, end)?;
        }
        state.pages = None;
        Ok(())
    }

    /// Ends the room for good: the file is cut to what was written.
    pub(crate) fn close(&self) -> io::Result<()> {
        let mut state = self.state.lock();
        state.is_closed = true;
        let end = self.end.load(Acquire);
        self.cut_locked(&mut state, end)?;
        state.pages = None;
        Ok(())
    }

    fn cut_locked(&self, state: &mut State, end: u64) -> io::Result<()> {
        // In this order: the writer must not find room that is being taken away.
        self.ready.store(end, Release);
        self.end.store(end, Release);
        self.file.set_len(end)?;
        state.released = state.released.min(end);
        self.health
            .give_headroom(std::mem::take(&mut state.headroom_bytes));
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let state = self.state.get_mut();
        self.health
            .give_headroom(std::mem::take(&mut state.headroom_bytes));
    }
}

/// The next step of a file with `ready` bytes.
fn step(ready: u64) -> u64 {
    ready.clamp(STEP_MIN_BYTES, STEP_MAX_BYTES)
}

/// Room that is left when the next step is asked for: a whole step where steps are large, since a
/// fast writer is through it in two milliseconds; a quarter of one in small files, of which there may be
/// many.
fn margin(ready: u64) -> u64 {
    let step = step(ready);
    if step == STEP_MAX_BYTES {
        step
    } else {
        step / 4
    }
}

/// Whether an error says that the disk, or the quota on it, is full.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
