//! Files that a broker was about to remove or to put in place when it died.
//!
//! | suffix | what it is | what becomes of it |
//! |---|---|---|
//! | `.deleted` | on its way out | removed |
//! | `.cleaned` | half written by compaction, or by the split of a segment | removed |
//! | `.swap` | finished, to replace the segments of its range | put in place |
//!
//! A `.swap` at or above a `.cleaned` belongs to a split of which other parts are missing: it is
//! removed, the segment that was to be split is still there (KAFKA-6264). The segments that a
//! `.swap` replaces may be `.deleted` already, so it must never be lost. Source: `Log.scala` of
//! Kafka 2.8.

use super::open::OpenLog;
use crate::error::OpenError;
use crate::error::ReadError;
use crate::segment::{HeaderWalk, SegmentFile, WalkError, io_error};
use barnabas_wire::id::Offset;
use std::fs::{self, File};
use std::io;
use std::path::Path;

const DELETED: &str = ".deleted";
const CLEANED: &str = ".cleaned";
const SWAP: &str = ".swap";

/// Bytes of headers read at once.
const WALK_SIZE_BYTES: usize = 64 << 10;

/// Finishes what was begun; returns the base offsets of the segments that are there then, sorted.
pub(super) fn finish(open: &OpenLog) -> Result<Vec<Offset>, OpenError> {
    let names = names(&open.directory)?;
    let first_cleaned = names
        .iter()
        .filter_map(|name| stem(name, CLEANED))
        .map(|(base, _)| base)
        .min();
    let mut base_offsets: Vec<Offset> = names
        .iter()
        .filter_map(|name| SegmentFile::parse(name))
        .filter(|(_, file)| *file == SegmentFile::Log)
        .map(|(base_offset, _)| base_offset)
        .collect();
    let swaps = names.iter().filter_map(|name| stem(name, SWAP));
    for (base_offset, file) in swaps {
        let is_whole = first_cleaned.is_none_or(|cleaned| base_offset < cleaned);
        if file == SegmentFile::Log && is_whole {
            put_in_place(open, base_offset, &mut base_offsets)?;
        } else {
            remove(
                open,
                &with_suffix(&file.path(&open.directory, base_offset), SWAP),
            )?;
        }
    }
    for name in names
        .iter()
        .filter(|name| name.ends_with(CLEANED) || name.ends_with(DELETED))
    {
        remove(open, &open.directory.join(name))?;
    }
    base_offsets.sort_unstable();
    Ok(base_offsets)
}

/// Lets a finished segment replace those of its range. If we die on the way, it is still there.
fn put_in_place(
    open: &OpenLog,
    base_offset: Offset,
    base_offsets: &mut Vec<Offset>,
) -> Result<(), OpenError> {
    let target = SegmentFile::Log.path(&open.directory, base_offset);
    let swap = with_suffix(&target, SWAP);
    let end = end_of(&swap)?.unwrap_or(base_offset);
    tracing::info!(swap = %swap.display(), %end, "finishes the replacement of segments");
    let is_replaced = |base: Offset| base >= base_offset && (base < end || base == base_offset);
    let replaced = base_offsets
        .iter()
        .copied()
        .filter(|base| is_replaced(*base));
    for replaced in replaced.chain([base_offset]) {
        for file in SegmentFile::ALL {
            if file != SegmentFile::ProducerSnapshot {
                remove(open, &file.path(&open.directory, replaced))?;
            }
        }
    }
    base_offsets.retain(|base| !is_replaced(*base));
    let renamed = open
        .files
        .rename(&swap, &target)
        .and_then(|()| open.files.sync_directory(&open.directory));
    renamed.map_err(|cause| OpenError::io("put in place", &swap, cause))?;
    base_offsets.push(base_offset);
    Ok(())
}

/// Offset after the last batch of a segment file; `None` if it holds none.
fn end_of(path: &Path) -> Result<Option<Offset>, OpenError> {
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
    let (length, file) = opened.map_err(|cause| OpenError::io("open", path, cause))?;
    let mut buffer = vec![0; WALK_SIZE_BYTES];
    let mut walk = HeaderWalk::new(&file, 0, length, &mut buffer);
    let mut end = None;
    loop {
        let position = walk.position();
        let damaged = |cause| ReadError::Damaged {
            path: path.to_owned(),
            position,
            cause,
        };
        match walk.next() {
            Ok(None) => return Ok(end),
            Ok(Some(at)) => end = Some(at.header().map_err(damaged)?.next_offset()),
            Err(WalkError::Batch(cause)) => return Err(damaged(cause).into()),
            Err(WalkError::Io(cause)) => return Err(io_error(path, position, cause).into()),
        }
    }
}

/// The segment file that a name with `suffix` stands for.
fn stem(name: &str, suffix: &str) -> Option<(Offset, SegmentFile)> {
    SegmentFile::parse(name.strip_suffix(suffix)?)
}

fn with_suffix(path: &Path, suffix: &str) -> std::path::PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

fn names(directory: &Path) -> Result<Vec<String>, OpenError> {
    let entries = fs::read_dir(directory).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let entries = entries.map_err(|cause| OpenError::io("list", directory, cause))?;
    Ok(entries
        .into_iter()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect())
}

fn remove(open: &OpenLog, path: &Path) -> Result<(), OpenError> {
    match open.files.remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            Err(OpenError::io("remove", path, cause))
        }
        _ => Ok(()),
    }
}
