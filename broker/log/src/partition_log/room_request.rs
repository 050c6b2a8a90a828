//! Work that keeps room ahead of a writer, to be done off its path.

use crate::segment::{Room, Segment};
use std::sync::Arc;

/// Prepares the next step of a segment and writes the index entries that wait. Of one log there is
/// at most one at a time; dropping it undone leaves the work to the appends that need it.
#[derive(Debug)]
#[must_use]
pub struct RoomRequest {
    room: Arc<Room>,
    segment: Arc<Segment>,
}

impl RoomRequest {
    pub(super) fn new(room: Arc<Room>, segment: Arc<Segment>) -> Self {
        Self { room, segment }
    }

    /// Does the work; waits for the disk. An error is not lost: the append that lacks the room, or
    /// the flush that lacks the entries, meets it again and reports it.
    pub fn run(self) {
        let prepared = self.room.prepare();
        let indexes = self
            .segment
            .offset_index
            .write_pending()
            .and_then(|()| self.segment.time_index.write_pending());
        for result in [prepared, indexes] {
            if let Err(error) = result {
                let segment = self.segment.path.display();
                tracing::debug!(%segment, %error, "could not prepare room");
            }
        }
    }
}

impl Drop for RoomRequest {
    fn drop(&mut self) {
        self.room.unask();
    }
}
