//! Files on a disk with a volatile cache, in a machine whose power is cut.
//!
//! What was not synced is there afterwards or is not, change by change, whatever their order; a
//! write may be there in part. A name is durable when its directory was synced. Contents are kept in
//! real files as well, for reading.

use barnabas_log::files::{DiskFiles, Files, Map, Open, OpenFile, Pages};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// A small source of chance: the same seed, the same power cut.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    /// A number below `limit`.
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

#[derive(Debug)]
enum Change {
    Write { position: u64, bytes: Vec<u8> },
    SetLen(u64),
}

impl Change {
    fn apply(&self, contents: &mut Vec<u8>, share: (usize, usize)) {
        match self {
            Self::SetLen(length) => contents.resize(usize::try_from(*length).unwrap(), 0),
            Self::Write { position, bytes } => {
                let start = usize::try_from(*position).unwrap();
                let part = &bytes[..bytes.len() * share.0 / share.1];
                contents.resize(contents.len().max(start + part.len()), 0);
                contents[start..start + part.len()].copy_from_slice(part);
            }
        }
    }
}

#[derive(Debug, Default)]
struct Inode {
    durable: Vec<u8>,
    changes: Vec<Change>,
}

#[derive(Debug)]
struct Disk {
    operations_left: u64,
    loses_syncs: bool,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    inodes: Vec<Inode>,
}

impl Disk {
    /// Counts an operation; none works after the power is gone.
    fn pass(&mut self) -> io::Result<()> {
        match self.operations_left.checked_sub(1) {
            Some(left) => self.operations_left = left,
            None => return Err(io::Error::from_raw_os_error(libc::EIO)),
        }
        Ok(())
    }
}

/// The files; clones are the same disk.
#[derive(Clone, Debug)]
pub(crate) struct VolatileFiles {
    disk: Arc<Mutex<Disk>>,
}

impl VolatileFiles {
    pub(crate) fn new(operations: u64, loses_syncs: bool) -> Self {
        let disk = Disk {
            operations_left: operations,
            loses_syncs,
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            inodes: Vec::new(),
        };
        Self {
            disk: Arc::new(Mutex::new(disk)),
        }
    }

    /// Puts what is left of `from` after the power was cut into `to`.
    pub(crate) fn cut_power(&self, from: &Path, to: &Path, chance: &mut Chance) {
        fs::create_dir(to).unwrap();
        let disk = self.disk.lock().unwrap();
        let mut names = disk.durable_names.clone();
        // Changes of names that were not synced: all up to some point of the directory's history are
        // there. Here: those of each file on its own, which is harsher.
        for (path, inode) in &disk.names {
            if names.get(path) != Some(inode) && chance.below(2) == 0 {
                names.insert(path.clone(), *inode);
            }
        }
        names.retain(|path, _| disk.names.contains_key(path) || chance.below(2) == 0);
        for (path, inode) in names {
            let inode = &disk.inodes[inode];
            let mut contents = inode.durable.clone();
            for change in &inode.changes {
                match chance.below(3) {
                    0 => {}
                    1 => change.apply(&mut contents, (1, 1)),
                    _ => change.apply(&mut contents, (1, 2)),
                }
            }
            fs::write(to.join(path.strip_prefix(from).unwrap()), contents).unwrap();
        }
    }
}

impl Files for VolatileFiles {
    fn open(&self, path: &Path, how: Open) -> io::Result<Arc<dyn OpenFile>> {
        let mut disk = self.disk.lock().unwrap();
        disk.pass()?;
        let inner = DiskFiles.open(path, how)?;
        let inode = match disk.names.get(path) {
            Some(inode) => *inode,
            None => {
                disk.inodes.push(Inode::default());
                let inode = disk.inodes.len() - 1;
                disk.names.insert(path.to_owned(), inode);
                inode
            }
        };
        let disk = self.disk.clone();
        Ok(Arc::new(VolatileFile(Arc::new(Handle {
            inner,
            inode,
            disk,
        }))))
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        DiskFiles.create_directory(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.disk.lock().unwrap();
        disk.pass()?;
        DiskFiles.rename(from, to)?;
        let inode = disk.names.remove(from).unwrap();
        disk.names.insert(to.to_owned(), inode);
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk.lock().unwrap();
        disk.pass()?;
        DiskFiles.remove_file(path)?;
        disk.names.remove(path);
        Ok(())
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        DiskFiles.remove_directory(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk.lock().unwrap();
        disk.pass()?;
        let is_here = |name: &Path| name.parent() == Some(path);
        let present: Vec<_> = disk
            .names
            .iter()
            .filter(|(name, _)| is_here(name))
            .collect();
        let present: Vec<_> = present
            .into_iter()
            .map(|(name, inode)| (name.clone(), *inode))
            .collect();
        disk.durable_names.retain(|name, _| !is_here(name));
        disk.durable_names.extend(present);
        Ok(())
    }
}

#[derive(Debug)]
struct Handle {
    inner: Arc<dyn OpenFile>,
    inode: usize,
    disk: Arc<Mutex<Disk>>,
}

impl Handle {
    fn change(&self, change: Change) -> io::Result<()> {
        let mut disk = self.disk.lock().unwrap();
        disk.pass()?;
        disk.inodes[self.inode].changes.push(change);
        Ok(())
    }

    fn write(&self, parts: &[&[u8]], position: u64) -> io::Result<()> {
        self.change(Change::Write {
            position,
            bytes: parts.concat(),
        })?;
        self.inner.write_at(parts, position)
    }
}

#[derive(Debug)]
struct VolatileFile(Arc<Handle>);

impl OpenFile for VolatileFile {
    fn file(&self) -> &Arc<File> {
        self.0.inner.file()
    }

    fn write_at(&self, parts: &[&[u8]], position: u64) -> io::Result<()> {
        self.0.write(parts, position)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.0.change(Change::SetLen(length))?;
        self.0.inner.set_len(length)
    }

    fn allocate(&self, position: u64, length: u64) -> io::Result<()> {
        self.0.change(Change::SetLen(position + length))?;
        self.0.inner.allocate(position, length)
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut disk = self.0.disk.lock().unwrap();
        disk.pass()?;
        if disk.loses_syncs {
            return Ok(());
        }
        let inode = &mut disk.inodes[self.0.inode];
        for change in inode.changes.drain(..) {
            change.apply(&mut inode.durable, (1, 1));
        }
        Ok(())
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn map(&self, capacity: u64) -> io::Result<Box<dyn Map>> {
        Ok(Box::new(VolatileMap {
            file: self.0.clone(),
            capacity,
        }))
    }
}

/// A map of which every store is a change of its own.
#[derive(Debug)]
struct VolatileMap {
    file: Arc<Handle>,
    capacity: u64,
}

impl Map for VolatileMap {
    fn write(&mut self, parts: &[&[u8]], position: u64) -> io::Result<()> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        assert!(position + length as u64 <= self.capacity);
        let allocated = self.file.inner.file().metadata()?.len();
        assert!(
            position + length as u64 <= allocated,
            "a store beyond what is allocated"
        );
        self.file.write(parts, position)
    }

    fn pages(&self) -> Arc<dyn Pages> {
        Arc::new(NoPages)
    }
}

#[derive(Debug)]
struct NoPages;

impl Pages for NoPages {
    fn populate(&self, _position: u64, _length: u64) -> io::Result<()> {
        Ok(())
    }

    fn release(&self, _position: u64, _length: u64) -> io::Result<()> {
        Ok(())
    }
}
