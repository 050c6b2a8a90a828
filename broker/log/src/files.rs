//! The seam between the log and the disk: every operation that changes a file comes from outside.
//!
//! [`DiskFiles`] is the real one. A test puts [`FailingFiles`] in between, or one of its own that
//! remembers what was synced and what was not. Reading is no part of the seam: whatever is behind
//! it keeps its present contents in real files, so `std::fs` reads them and `sendfile` sends them.

mod disk;
mod failing;
mod guard;
mod map;
mod system;

use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

pub use disk::DiskFiles;
pub use failing::{FailingFiles, Fault, Operation};

/// What [`Files::open`] does about a file that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// It must exist.
    Existing,
    /// It is created empty if it does not exist.
    OrCreate,
    /// It must not exist, and is created empty.
    New,
}

/// Changes directories and opens files. Nothing here is durable before the sync that says so.
pub trait Files: fmt::Debug + Send + Sync {
    /// Opens `path` for reading and writing.
    ///
    /// # Errors
    /// What the system says; `NotFound` and `AlreadyExists` as [`Open`] asks.
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn OpenFile>>;

    /// Creates one directory, whose parent must exist. Durable after [`Files::sync_directory`] of the
    /// parent.
    ///
    /// # Errors
    /// What the system says.
    fn create_directory(&self, path: &Path) -> io::Result<()>;

    /// Renames a file or directory; an existing file of that name is replaced in one step. Durable
    /// after [`Files::sync_directory`] of the parent.
    ///
    /// # Errors
    /// What the system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file. Who has it open keeps its contents until they close it.
    ///
    /// # Errors
    /// What the system says.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes an empty directory.
    ///
    /// # Errors
    /// What the system says.
    fn remove_directory(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a directory durable: creations, renames and removals.
    ///
    /// # Errors
    /// What the system says. After an error nothing may be assumed durable.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;

    /// Replaces the contents of `path` in one durable step: `path` with `.tmp` behind it is written
    /// and synced, renamed over `path`, and the directory synced.
    ///
    /// # Errors
    /// What the system says; `path` then holds the old contents or the new, never a mixture.
    fn replace(&self, path: &Path, contents: &[u8]) -> io::Result<()> {
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(".tmp");
        let temporary = Path::new(&temporary);
        let file = self.open(temporary, Open::OrCreate)?;
        file.set_len(0)?;
        file.write_at(&[contents], 0)?;
        file.sync_all()?;
        self.rename(temporary, path)?;
        path.parent()
            .map_or(Ok(()), |parent| self.sync_directory(parent))
    }
}

/// One open file.
pub trait OpenFile: fmt::Debug + Send + Sync {
    /// The file itself, for `pread` and `sendfile`. Never to be written through.
    fn file(&self) -> &Arc<File>;

    /// Writes `parts` one behind the other from `position` (bytes) on, all of them or an error. The
    /// file grows where it must.
    ///
    /// # Errors
    /// What the system says; a part of the bytes may then be in the file.
    fn write_at(&self, parts: &[&[u8]], position: u64) -> io::Result<()>;

    /// Cuts the file to `length` bytes, or extends it by a hole.
    ///
    /// # Errors
    /// What the system says.
    fn set_len(&self, length: u64) -> io::Result<()>;

    /// Extends the file from `position`, its present end, by `length` bytes that have blocks and read
    /// as zeros.
    ///
    /// # Errors
    /// `StorageFull` when there is no room, `Unsupported` where the file system cannot do it; the
    /// file then ends at `position` as before.
    fn allocate(&self, position: u64, length: u64) -> io::Result<()>;

    /// Makes contents and length durable (`fdatasync`), stores through a map included.
    ///
    /// # Errors
    /// What the system says. An error is final: a second call may report success although data is
    /// lost, so whoever sees one must give up the directory.
    fn sync_data(&self) -> io::Result<()>;

    /// As [`OpenFile::sync_data`], times and rights included (`fsync`).
    ///
    /// # Errors
    /// As [`OpenFile::sync_data`].
    fn sync_all(&self) -> io::Result<()>;

    /// Reserves address space for the first `capacity` bytes of the file and shows the file in it,
    /// what it will grow by included.
    ///
    /// # Errors
    /// What the system says, such as `OutOfMemory` when the process has too many maps.
    fn map(&self, capacity: u64) -> io::Result<Box<dyn Map>>;
}

/// A file's bytes in memory, for the one who writes them.
pub trait Map: fmt::Debug + Send + Sync {
    /// Copies `parts` one behind the other to `position` (bytes). The range must lie within the file:
    /// that is the caller's to know, since asking costs a system call.
    ///
    /// # Errors
    /// `InvalidInput` beyond the capacity; any other error when the file did not take the bytes (the
    /// medium failed, or the file ends before). Such an error is final for the directory.
    fn write(&mut self, parts: &[&[u8]], position: u64) -> io::Result<()>;

    /// The handle by which other threads prepare pages and let go of them.
    fn pages(&self) -> Arc<dyn Pages>;
}

/// The pages of a [`Map`].
pub trait Pages: fmt::Debug + Send + Sync {
    /// Brings the pages of a range of the file into memory, ready to be written, so that a later
    /// [`Map::write`] does not wait for them. Waits itself, possibly for the disk.
    ///
    /// # Errors
    /// What the system says.
    fn populate(&self, position: u64, length: u64) -> io::Result<()>;

    /// Lets go of the page-table entries of a range that will not be written again soon. The bytes
    /// stay in the file and the page cache.
    ///
    /// # Errors
    /// What the system says.
    fn release(&self, position: u64, length: u64) -> io::Result<()>;
}
