//! Files that fail on demand: for tests of what the log does then.

use super::{Files, Map, Open, OpenFile, Pages};
use parking_lot::Mutex;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The kinds of operation that can be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "one each for the methods of Files, OpenFile, Map and Pages"
)]
pub enum Operation {
    Open,
    CreateDirectory,
    Rename,
    RemoveFile,
    RemoveDirectory,
    SyncDirectory,
    Write,
    SetLen,
    Allocate,
    SyncData,
    SyncAll,
    Map,
    MapWrite,
    Populate,
    Release,
}

/// What is to fail, and how.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// Only operations of this kind count and fail; `None` for all.
    pub operation: Option<Operation>,
    /// That many operations still succeed first.
    pub after: u64,
    /// That many operations then fail; `u64::MAX` for all that follow.
    pub times: u64,
    /// The `errno` they fail with, such as `libc::ENOSPC`.
    pub errno: i32,
}

/// Passes everything on to other [`Files`], except what a [`Fault`] says.
///
/// An operation that fails has changed nothing, but for a failing write of two bytes or more: its
/// first half is written, as a full disk does it.
#[derive(Clone, Debug)]
pub struct FailingFiles {
    inner: Arc<dyn Files>,
    plan: Arc<Plan>,
}

impl FailingFiles {
    /// Files that work until [`FailingFiles::fail`].
    #[must_use]
    pub fn new(inner: Arc<dyn Files>) -> Self {
        Self {
            inner,
            plan: Arc::default(),
        }
    }

    /// Makes operations fail from now on, in place of what was asked before.
    pub fn fail(&self, fault: Fault) {
        self.plan.state.lock().fault = Some(fault);
    }

    /// Lets everything succeed again.
    pub fn heal(&self) {
        self.plan.state.lock().fault = None;
    }

    /// Operations seen so far, those that failed included.
    #[must_use]
    pub fn operation_count(&self) -> u64 {
        self.plan.state.lock().seen
    }

    /// Operations of one kind seen so far, those that failed included.
    #[must_use]
    pub fn count_of(&self, operation: Operation) -> u64 {
        let state = self.plan.state.lock();
        state
            .by_kind
            .iter()
            .find(|(kind, _)| *kind == operation)
            .map_or(0, |(_, count)| *count)
    }
}

#[derive(Debug, Default)]
struct Plan {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    fault: Option<Fault>,
    seen: u64,
    by_kind: Vec<(Operation, u64)>,
}

impl Plan {
    /// Counts an operation, and fails it if it is its turn.
    fn pass(&self, operation: Operation) -> io::Result<()> {
        let mut state = self.state.lock();
        state.seen += 1;
        match state
            .by_kind
            .iter_mut()
            .find(|(kind, _)| *kind == operation)
        {
            Some((_, count)) => *count += 1,
            None => state.by_kind.push((operation, 1)),
        }
        let Some(fault) = &mut state.fault else {
            return Ok(());
        };
        if fault.operation.is_some_and(|kind| kind != operation) {
            return Ok(());
        }
        if fault.after > 0 {
            fault.after -= 1;
            return Ok(());
        }
        if fault.times == 0 {
            return Ok(());
        }
        fault.times -= u64::from(fault.times != u64::MAX);
        Err(io::Error::from_raw_os_error(fault.errno))
    }
}

impl Files for FailingFiles {
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn OpenFile>> {
        self.plan.pass(Operation::Open)?;
        let inner = self.inner.open(path, how)?;
        Ok(Arc::new(FailingFile {
            inner,
            plan: self.plan.clone(),
        }))
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        self.plan.pass(Operation::CreateDirectory)?;
        self.inner.create_directory(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.plan.pass(Operation::Rename)?;
        self.inner.rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.plan.pass(Operation::RemoveFile)?;
        self.inner.remove_file(path)
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        self.plan.pass(Operation::RemoveDirectory)?;
        self.inner.remove_directory(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.plan.pass(Operation::SyncDirectory)?;
        self.inner.sync_directory(path)
    }
}

#[derive(Debug)]
struct FailingFile {
    inner: Arc<dyn OpenFile>,
    plan: Arc<Plan>,
}

impl OpenFile for FailingFile {
    fn file(&self) -> &Arc<File> {
        self.inner.file()
    }

    fn write_at(&self, parts: &[&[u8]], position: u64) -> io::Result<()> {
        self.plan.pass(Operation::Write).or_else(|error| {
            let all = parts.concat();
            let (half, _) = all.split_at(all.len() / 2);
            self.inner.write_at(&[half], position)?;
            Err(error)
        })?;
        self.inner.write_at(parts, position)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.plan.pass(Operation::SetLen)?;
        self.inner.set_len(length)
    }

    fn allocate(&self, position: u64, length: u64) -> io::Result<()> {
        self.plan.pass(Operation::Allocate)?;
        self.inner.allocate(position, length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.plan.pass(Operation::SyncData)?;
        self.inner.sync_data()
    }

    fn sync_all(&self) -> io::Result<()> {
        self.plan.pass(Operation::SyncAll)?;
        self.inner.sync_all()
    }

    fn map(&self, capacity: u64) -> io::Result<Box<dyn Map>> {
        self.plan.pass(Operation::Map)?;
        let inner = self.inner.map(capacity)?;
        Ok(Box::new(FailingMap {
            inner,
            plan: self.plan.clone(),
        }))
    }
}

#[derive(Debug)]
struct FailingMap {
    inner: Box<dyn Map>,
    plan: Arc<Plan>,
}

impl Map for FailingMap {
    fn write(&mut self, parts: &[&[u8]], position: u64) -> io::Result<()> {
        self.plan.pass(Operation::MapWrite)?;
        self.inner.write(parts, position)
    }

    fn pages(&self) -> Arc<dyn Pages> {
        Arc::new(FailingPages {
            inner: self.inner.pages(),
            plan: self.plan.clone(),
        })
    }
}

#[derive(Debug)]
struct FailingPages {
    inner: Arc<dyn Pages>,
    plan: Arc<Plan>,
}

impl Pages for FailingPages {
    fn populate(&self, position: u64, length: u64) -> io::Result<()> {
        self.plan.pass(Operation::Populate)?;
        self.inner.populate(position, length)
    }

    fn release(&self, position: u64, length: u64) -> io::Result<()> {
        self.plan.pass(Operation::Release)?;
        self.inner.release(position, length)
    }
}
