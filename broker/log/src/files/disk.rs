//! The real files.

use super::{Files, Map, Open, OpenFile, map, system};
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// The operating system's files.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiskFiles;

impl Files for DiskFiles {
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn OpenFile>> {
        let mut options = File::options();
        options.read(true).write(true);
        match how {
            Open::Existing => {}
            Open::OrCreate => {
                options.create(true).truncate(false);
            }
            Open::New => {
                options.create_new(true);
            }
        }
        Ok(Arc::new(DiskFile {
            file: Arc::new(options.open(path)?),
        }))
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }
}

/// A real file. The descriptor that wrote is the one that syncs: a fresh one would hide an error.
#[derive(Debug)]
struct DiskFile {
    file: Arc<File>,
}

impl OpenFile for DiskFile {
    fn file(&self) -> &Arc<File> {
        &self.file
    }

    fn write_at(&self, parts: &[&[u8]], position: u64) -> io::Result<()> {
        system::write_all_at(&self.file, parts, position)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    fn allocate(&self, position: u64, length: u64) -> io::Result<()> {
        system::allocate(&self.file, position, length).inspect_err(|_| {
            // ext4 keeps what it could get before it ran out; a failing undo leaves only that.
            let undone = self.file.set_len(position);
            if let Err(error) = undone {
                tracing::warn!(%error, position, "could not give back half-allocated space");
            }
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn sync_all(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    fn map(&self, capacity: u64) -> io::Result<Box<dyn Map>> {
        map::map(&self.file, capacity)
    }
}
