//! The producers of a log, from the newest snapshot and the batch headers behind it.

use super::PartitionLog;
use super::producer::{end_marker, producer_batch};
use crate::error::ReadError;
use crate::producer_snapshot::decode_snapshot;
use crate::producer_state::ProducerStates;
use crate::segment::{HeaderAt, HeaderWalk, Segment, SegmentFile, io_error};
use barnabas_wire::id::Offset;
use barnabas_wire::record::Batch;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// Bytes of headers read at once.
const WALK_SIZE_BYTES: usize = 64 << 10;

impl PartitionLog {
    /// Forgets the producers that have written nothing for `expiration_ms`, by the timestamps of their
    /// batches. Waits for a writer.
    pub fn expire_producers(&self, now_ms: i64, expiration_ms: i64) {
        self.lock_writer().producers.expire(now_ms, expiration_ms);
    }
}

/// The newest snapshot in `directory` that can be read and is not above `limit`.
pub(super) fn newest_snapshot(directory: &Path, limit: Offset) -> Option<ProducerStates> {
    let mut offsets = snapshot_offsets(directory);
    offsets.retain(|offset| *offset <= limit);
    offsets.sort_unstable();
    offsets.into_iter().rev().find_map(|offset| {
        let path = SegmentFile::ProducerSnapshot.path(directory, offset);
        let bytes = fs::read(&path).ok()?;
        decode_snapshot(&bytes, offset)
            .inspect_err(|error| {
                tracing::warn!(path = %path.display(), %error, "producer snapshot is of no use");
            })
            .ok()
    })
}

/// The offsets of all snapshots in `directory`.
pub(super) fn snapshot_offsets(directory: &Path) -> Vec<Offset> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let files = names.filter_map(|name| SegmentFile::parse(&name));
    files
        .filter(|(_, file)| *file == SegmentFile::ProducerSnapshot)
        .map(|(offset, _)| offset)
        .collect()
}

/// Takes the batches from the states' end offset up to `end` in; returns the bytes read. `end` is a
/// batch boundary; the segments are sound up to there.
pub(super) fn replay(
    states: &mut ProducerStates,
    segments: &[Arc<Segment>],
    end: Offset,
) -> Result<u64, ReadError> {
    let mut read_bytes = 0;
    for (index, segment) in segments.iter().enumerate() {
        let next_base = segments.get(index + 1).map(|next| next.base_offset);
        let from = states.end_offset();
        if from >= end || next_base.is_some_and(|next| next <= from) {
            continue;
        }
        let Some(first) = segment.find(from, segment.size_bytes())? else {
            continue;
        };
        let mut buffer = vec![0; WALK_SIZE_BYTES];
        let size_bytes = segment.size_bytes();
        let mut walk = HeaderWalk::new(segment.file(), first.position, size_bytes, &mut buffer);
        while let Some(at) = segment.step(&mut walk)? {
            if segment.header(&at)?.base_offset() >= end {
                break;
            }
            take_in(states, segment, &at)?;
        }
        read_bytes += walk.read_bytes();
    }
    states.advance_end_offset(end);
    Ok(read_bytes)
}

/// Takes one batch in.
pub(super) fn take_in(
    states: &mut ProducerStates,
    segment: &Segment,
    at: &HeaderAt,
) -> Result<(), ReadError> {
    let header = segment.header(at)?;
    let offset = header.base_offset();
    if offset < states.end_offset() {
        return Ok(());
    }
    if header.attributes().is_control() {
        let mut bytes = vec![0; usize::try_from(at.size_bytes()).unwrap_or(0)];
        let read = segment.file().read_exact_at(&mut bytes, at.position);
        read.map_err(|cause| io_error(&segment.path, at.position, cause))?;
        let batch = Batch::parse(&bytes).map_err(|cause| segment.damaged(at.position, cause))?;
        if let Some(marker) = end_marker(&batch, offset) {
            states.record_end(&marker);
        }
    } else if let Some(batch) = producer_batch(header, offset, header.last_offset()) {
        states.record(&batch);
    }
    states.advance_end_offset(header.next_offset());
    Ok(())
}
