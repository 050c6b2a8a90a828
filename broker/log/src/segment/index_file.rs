//! One index of a segment: sorted entries, the newest in memory, the others in a file.
//!
//! ```text
//!   entry   0 .............. warm_from ........ written ........ total
//!   file    |==================================|
//!   memory                   |==================================|
//! ```
//!
//! An entry is pushed into memory and reaches the file later, on a thread that may block: an append
//! never waits for an index, and a file never holds space that is not used. Look-ups near the end,
//! which are most of them, need no system call; the others read the file. Indexes can be rebuilt
//! from the segment, so their writes are synced only when the segment is sealed or checkpointed.

use super::entry::Entry;
use crate::files::{Files, Open, OpenFile};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Entries kept in memory although the file has them.
const WARM_COUNT: usize = 512;

/// Entries that may wait for the file before an append has to wait for them. With a file that takes
/// them in time there are never so many.
const PENDING_MAX: u64 = 8192;

/// Entries that are worth a write of their own: 4 KiB of the offset index.
const PENDING_WORTHWHILE: u64 = 512;

/// Entries that a look-up reads at once, when its search has come down to so many.
const BLOCK_COUNT: usize = 256;

/// How full an index is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fill {
    /// Bytes of all entries.
    pub(crate) size_bytes: u64,
    pending: u64,
}

impl Fill {
    /// Whether so many entries wait for the file that the writer has to wait for it too.
    pub(crate) const fn is_overdue(self) -> bool {
        self.pending >= PENDING_MAX
    }

    /// Whether [`IndexFile::write_pending`] has something to do that is worth a system call.
    pub(crate) const fn is_worth_writing(self) -> bool {
        self.pending >= PENDING_WORTHWHILE
    }
}

/// An index file. All methods may be called by several threads; pushing is the log's writer's.
#[derive(Debug)]
pub(crate) struct IndexFile<E> {
    path: PathBuf,
    files: Arc<dyn Files>,
    /// Held by whoever writes to the file, before `entries`.
    file: Mutex<Option<Arc<dyn OpenFile>>>,
    entries: Mutex<Entries<E>>,
}

/// Invariant: while the index is written, `warm` holds at least the last entry, if there is one.
#[derive(Debug)]
struct Entries<E> {
    /// Whether the file has been looked at. A file that nobody asks for is never opened.
    is_loaded: bool,
    /// Index of the first entry in `warm`.
    warm_from: u64,
    warm: VecDeque<E>,
    written: u64,
}

impl<E: Copy> Entries<E> {
    fn total(&self) -> u64 {
        self.warm_from + self.warm.len() as u64
    }

    fn pending(&self) -> u64 {
        self.total() - self.written
    }
}

impl<E: Entry> IndexFile<E> {
    /// An index without entries; a file that is there is emptied when the first ones are written.
    pub(crate) fn empty(files: Arc<dyn Files>, path: PathBuf) -> Self {
        Self::with(files, path, true)
    }

    /// The index in a file, which is opened when it is first asked for something.
    pub(crate) fn existing(files: Arc<dyn Files>, path: PathBuf) -> Self {
        Self::with(files, path, false)
    }

    fn with(files: Arc<dyn Files>, path: PathBuf, is_loaded: bool) -> Self {
        let entries = Entries {
            is_loaded,
            warm_from: 0,
            warm: VecDeque::new(),
            written: 0,
        };
        Self {
            path,
            files,
            file: Mutex::new(None),
            entries: Mutex::new(entries),
        }
    }

    /// Where the file is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Number of entries.
    fn count(&self) -> io::Result<u64> {
        self.load()?;
        Ok(self.entries.lock().total())
    }

    /// Adds an entry if it may stand behind the others; says how full the index is then.
    pub(crate) fn push(&self, entry: E) -> Fill {
        let mut entries = self.entries.lock();
        debug_assert!(entries.is_loaded, "only a writer that has loaded pushes");
        if entry.follows(entries.warm.back().copied()) {
            entries.warm.push_back(entry);
        }
        Fill {
            size_bytes: entries.total() * E::SIZE as u64,
            pending: entries.pending(),
        }
    }

    /// How full the index is.
    pub(crate) fn fill(&self) -> io::Result<Fill> {
        self.load()?;
        let entries = self.entries.lock();
        Ok(Fill {
            size_bytes: entries.total() * E::SIZE as u64,
            pending: entries.pending(),
        })
    }

    /// The last entry.
    pub(crate) fn last(&self) -> io::Result<Option<E>> {
        let count = self.count()?;
        count
            .checked_sub(1)
            .map_or(Ok(None), |index| self.get(index))
    }

    /// The last entry of those at the start for which `holds` is true; it must be true for some at
    /// the start and false from there on.
    pub(crate) fn last_where(&self, holds: impl Fn(E) -> bool) -> io::Result<Option<E>> {
        let count = self.count_where(holds)?;
        count
            .checked_sub(1)
            .map_or(Ok(None), |index| self.get(index))
    }

    /// Whether [`IndexFile::last_where`] finds its answer in memory.
    pub(crate) fn is_warm(&self, holds: impl Fn(E) -> bool) -> bool {
        let entries = self.entries.lock();
        entries.is_loaded
            && (entries.total() == 0 || entries.warm.front().is_some_and(|first| holds(*first)))
    }

    /// Number of entries at the start for which `holds` is true.
    fn count_where(&self, holds: impl Fn(E) -> bool) -> io::Result<u64> {
        self.load()?;
        let mut high = {
            let entries = self.entries.lock();
            if entries.warm.front().is_some_and(|first| holds(*first)) {
                let warm = entries.warm.partition_point(|entry| holds(*entry));
                return Ok(entries.warm_from + warm as u64);
            }
            entries.warm_from
        };
        if high == 0 {
            return Ok(0);
        }
        let file = self.open_file()?;
        let mut low = 0;
        while high - low > BLOCK_COUNT as u64 {
            let middle = low + (high - low) / 2;
            let [entry] = read_entries::<E, 1>(&*file, middle, 1)?;
            match entry {
                Some(entry) if holds(entry) => low = middle + 1,
                _ => high = middle,
            }
        }
        let block = read_entries::<E, BLOCK_COUNT>(&*file, low, high - low)?;
        let held = block.iter().take_while(|entry| entry.is_some_and(&holds));
        Ok(low + held.count() as u64)
    }

    /// The entry at `index`, if there is one.
    fn get(&self, index: u64) -> io::Result<Option<E>> {
        {
            let entries = self.entries.lock();
            if let Some(at) = index.checked_sub(entries.warm_from) {
                let at = usize::try_from(at).map_err(io::Error::other)?;
                return Ok(entries.warm.get(at).copied());
            }
        }
        let [entry] = read_entries::<E, 1>(&*self.open_file()?, index, 1)?;
        Ok(entry)
    }

    /// Writes what waits for the file. Waits for the disk.
    pub(crate) fn write_pending(&self) -> io::Result<()> {
        self.load()?;
        let mut file = self.file.lock();
        let (written, bytes) = {
            let entries = self.entries.lock();
            let skipped = usize::try_from(entries.written - entries.warm_from);
            let skipped = skipped.map_err(io::Error::other)?;
            let mut bytes = Vec::new();
            for entry in entries.warm.iter().skip(skipped) {
                entry.encode(&mut bytes);
            }
            (entries.written, bytes)
        };
        if bytes.is_empty() {
            return Ok(());
        }
        let open = self.ensure_open(&mut file)?;
        if written == 0 {
            open.set_len(0)?;
        }
        open.write_at(&[&bytes], written * E::SIZE as u64)?;
        let mut entries = self.entries.lock();
        entries.written += (bytes.len() / E::SIZE) as u64;
        while entries.warm.len() > WARM_COUNT && entries.warm_from < entries.written {
            entries.warm.pop_front();
            entries.warm_from += 1;
        }
        Ok(())
    }

    /// Makes the file exist, hold every entry and nothing else. Waits for the disk; durable after
    /// [`IndexFile::sync`].
    pub(crate) fn write_exact(&self) -> io::Result<()> {
        self.write_pending()?;
        let mut file = self.file.lock();
        let total = self.entries.lock().total();
        self.ensure_open(&mut file)?.set_len(total * E::SIZE as u64)
    }

    /// Makes what was written durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.open_file()?.sync_data()
    }

    /// Lets go of the memory of an index that is complete.
    pub(crate) fn cool(&self) {
        let mut entries = self.entries.lock();
        if entries.pending() == 0 {
            entries.warm_from = entries.written;
            entries.warm = VecDeque::new();
        }
    }

    /// Drops all entries but those at the start for which `holds` is true. The file is cut at once.
    pub(crate) fn truncate(&self, holds: impl Fn(E) -> bool) -> io::Result<()> {
        let kept = self.count_where(holds)?;
        let mut file = self.file.lock();
        {
            let mut entries = self.entries.lock();
            let kept_warm = kept.saturating_sub(entries.warm_from);
            let kept_warm = usize::try_from(kept_warm).map_err(io::Error::other)?;
            entries.warm.truncate(kept_warm);
            entries.warm_from = entries.warm_from.min(kept);
            if entries.written <= kept {
                return Ok(());
            }
            entries.written = kept;
        }
        let open = self.ensure_open(&mut file)?;
        open.set_len(kept * E::SIZE as u64)?;
        let last = last_of::<E>(&*open, kept)?;
        let mut entries = self.entries.lock();
        if entries.warm.is_empty() && last.is_some() {
            entries.warm_from -= 1;
            entries.warm.extend(last);
        }
        Ok(())
    }

    /// Looks at the file, once: entries behind the last one that makes sense are not counted.
    fn load(&self) -> io::Result<()> {
        if self.entries.lock().is_loaded {
            return Ok(());
        }
        // A file that is not there is not created before it has something to hold.
        let (count, last) = if self.path.try_exists()? {
            let open = self.open_file()?;
            let length = open.file().metadata()?.len();
            let count = sound_count::<E>(&*open, length / E::SIZE as u64)?;
            (count, last_of::<E>(&*open, count)?)
        } else {
            (0, None)
        };
        let mut entries = self.entries.lock();
        if !entries.is_loaded {
            entries.is_loaded = true;
            entries.written = count;
            entries.warm_from = count - u64::from(last.is_some());
            entries.warm = last.into_iter().collect();
        }
        Ok(())
    }

    fn open_file(&self) -> io::Result<Arc<dyn OpenFile>> {
        self.ensure_open(&mut self.file.lock())
    }

    fn ensure_open(&self, file: &mut Option<Arc<dyn OpenFile>>) -> io::Result<Arc<dyn OpenFile>> {
        if let Some(open) = file {
            return Ok(open.clone());
        }
        let open = self.files.open(&self.path, Open::OrCreate)?;
        *file = Some(open.clone());
        Ok(open)
    }
}

/// The last of `count` entries.
fn last_of<E: Entry>(file: &dyn OpenFile, count: u64) -> io::Result<Option<E>> {
    let Some(index) = count.checked_sub(1) else {
        return Ok(None);
    };
    let [entry] = read_entries::<E, 1>(file, index, 1)?;
    entry.map_or_else(
        || Err(io::ErrorKind::UnexpectedEof.into()),
        |entry| Ok(Some(entry)),
    )
}

/// Number of entries before the zeros that a crash may have left at the end of the file. Entries in
/// between are taken on trust: who follows one checks the batch that it leads to.
fn sound_count<E: Entry>(file: &dyn OpenFile, count: u64) -> io::Result<u64> {
    let mut count = count;
    while count >= 2 {
        let [previous, last] = read_entries::<E, 2>(file, count - 2, 2)?;
        if let (Some(previous), Some(last)) = (previous, last)
            && last.follows(Some(previous))
        {
            return Ok(count);
        }
        // Zeros come in long rows: halve, then walk up again.
        count = first_unsound::<E>(file, count - 1)?;
    }
    Ok(count)
}

/// Index of the first entry that does not follow the very first one, if the file is sound up to some
/// point and zeros behind; at most `limit`.
fn first_unsound<E: Entry>(file: &dyn OpenFile, limit: u64) -> io::Result<u64> {
    let [first] = read_entries::<E, 1>(file, 0, 1)?;
    let (mut low, mut high) = (1, limit);
    while low < high {
        let middle = low + (high - low) / 2;
        let [entry] = read_entries::<E, 1>(file, middle, 1)?;
        if entry.is_some_and(|entry| entry.follows(first)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low.min(limit))
}

/// Reads up to `N` entries from the file; those beyond `count` or its end are `None`.
fn read_entries<E: Entry, const N: usize>(
    file: &dyn OpenFile,
    index: u64,
    count: u64,
) -> io::Result<[Option<E>; N]> {
    let mut entries = [None; N];
    let mut bytes = [0; 12 * BLOCK_COUNT];
    let wanted = usize::try_from(count).map_or(N, |count| count.min(N)) * E::SIZE;
    let mut have = 0;
    let position = index * E::SIZE as u64;
    while let Some(rest) = bytes.get_mut(have..wanted).filter(|rest| !rest.is_empty()) {
        match file.file().read_at(rest, position + have as u64) {
            Ok(0) => break,
            Ok(read) => have += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let bytes = bytes.get(..have).unwrap_or_default();
    for (entry, bytes) in entries.iter_mut().zip(bytes.chunks_exact(E::SIZE)) {
        *entry = E::decode(bytes);
    }
    Ok(entries)
}

#[cfg(test)]
#[path = "index_file/tests.rs"]
mod tests;
