//! Which leader epoch wrote which offsets of one partition.
//!
//! ```text
//!   leader epoch   0        2    5
//!   start offset   0       40   41          log end
//!                  |--------|----|-------------|
//! ```
//!
//! Both columns only grow. Epochs without an entry wrote nothing. Source: KIP-101, KIP-279;
//! `LeaderEpochFileCache` of Kafka 2.8.
//!
//! An entry counts from the moment it is in memory. Its file, `leader-epoch-checkpoint`, is written
//! behind and off the log's lock, and must be durable before the recovery point passes the start of
//! an epoch: [`LeaderEpochCache::unwritten`] and [`LeaderEpochCache::mark_written`] are for whoever
//! writes it.

use barnabas_wire::id::{LeaderEpoch, Offset};

/// One leader epoch and the first offset that its leader wrote, or would have written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochEntry {
    /// The epoch, 0 or more.
    pub leader_epoch: LeaderEpoch,
    /// First offset of the epoch, 0 or more.
    pub start_offset: Offset,
}

/// The answer to "where does this epoch end?".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochEnd {
    /// Largest known epoch that is not above the one asked for; or that one itself when every epoch
    /// up to it has left the log.
    pub leader_epoch: LeaderEpoch,
    /// First offset that is not of this epoch: the next epoch's start, or the log end.
    pub end_offset: Offset,
}

/// A copy of the entries together with the state of the cache it was taken at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnwrittenEpochs {
    /// What the file must contain.
    pub entries: Vec<EpochEntry>,
    /// To be handed to [`LeaderEpochCache::mark_written`] once the file is durable.
    pub change_count: u64,
}

/// The entries of one partition, oldest first.
///
/// Its size is bounded by the leader changes whose records are still in the log.
#[derive(Clone, Debug, Default)]
pub struct LeaderEpochCache {
    entries: Vec<EpochEntry>,
    change_count: u64,
    written_change_count: u64,
}

impl LeaderEpochCache {
    /// A cache that knows of no epoch.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A cache with the entries of a file. They count as written, unless some had to be dropped
    /// because they contradict a later line: then the last line wins, as in Kafka.
    pub fn from_entries(entries: impl IntoIterator<Item = EpochEntry>) -> Self {
        let mut cache = Self::new();
        let mut given_count = 0;
        for entry in entries {
            given_count += 1;
            cache.assign(entry.leader_epoch, entry.start_offset);
        }
        if cache.entries.len() == given_count {
            cache.written_change_count = cache.change_count;
        }
        cache
    }

    /// All entries, oldest first.
    #[must_use]
    pub fn entries(&self) -> &[EpochEntry] {
        &self.entries
    }

    /// The newest entry.
    #[must_use]
    pub fn latest(&self) -> Option<EpochEntry> {
        self.entries.last().copied()
    }

    /// The newest epoch.
    #[must_use]
    pub fn latest_epoch(&self) -> Option<LeaderEpoch> {
        self.latest().map(|entry| entry.leader_epoch)
    }

    /// The oldest entry.
    #[must_use]
    pub fn earliest(&self) -> Option<EpochEntry> {
        self.entries.first().copied()
    }

    /// Says that `leader_epoch` begins at `start_offset`; returns whether that changed anything.
    ///
    /// Nothing happens for the newest epoch with a start at or above its own. Otherwise the entries
    /// that contradict the new one (a higher or equal epoch, or a start at or above it) go first.
    /// Negative epochs and offsets stand for "unknown" and are never entered.
    pub fn assign(&mut self, leader_epoch: LeaderEpoch, start_offset: Offset) -> bool {
        if leader_epoch.0 < 0 || start_offset.0 < 0 {
            return false;
        }
        if let Some(latest) = self.latest()
            && latest.leader_epoch == leader_epoch
            && start_offset >= latest.start_offset
        {
            return false;
        }
        while let Some(latest) = self.latest()
            && (latest.leader_epoch >= leader_epoch || latest.start_offset >= start_offset)
        {
            self.entries.pop();
        }
        self.entries.push(EpochEntry {
            leader_epoch,
            start_offset,
        });
        self.change_count += 1;
        true
    }

    /// Drops every epoch that starts at or above `end_offset`; returns whether there was one.
    ///
    /// To be called with the log end after every truncation, even one that removed no record: an
    /// epoch may have begun without a record (KAFKA-10706).
    pub fn truncate_from_end(&mut self, end_offset: Offset) -> bool {
        let kept_count = self
            .entries
            .partition_point(|entry| entry.start_offset < end_offset);
        if kept_count == self.entries.len() {
            return false;
        }
        self.entries.truncate(kept_count);
        self.change_count += 1;
        true
    }

    /// Drops the epochs that end at or below `start_offset` and lets the first one that is left
    /// begin there; returns whether anything changed. For a log start that has moved up.
    pub fn truncate_from_start(&mut self, start_offset: Offset) -> bool {
        let passed_count = self
            .entries
            .partition_point(|entry| entry.start_offset <= start_offset);
        let Some(last_passed_index) = passed_count.checked_sub(1) else {
            return false;
        };
        let starts_there = self
            .earliest()
            .is_some_and(|first| first.start_offset == start_offset);
        if last_passed_index == 0 && starts_there {
            return false;
        }
        self.entries.drain(..last_passed_index);
        if let Some(first) = self.entries.first_mut() {
            first.start_offset = start_offset;
        }
        self.change_count += 1;
        true
    }

    /// Forgets everything: the log starts anew, or its records carry no epochs.
    pub fn clear(&mut self) {
        if !self.entries.is_empty() {
            self.entries.clear();
            self.change_count += 1;
        }
    }

    /// Where `leader_epoch` ends in a log that ends at `log_end_offset`.
    ///
    /// `None` if nothing can be said: no epoch was asked for, or one beyond the newest. If all
    /// epochs up to the one asked for have left the log, the answer is that epoch and the start of
    /// the first one that is left: whoever asked begins there.
    #[must_use]
    pub fn end_offset_for(
        &self,
        leader_epoch: LeaderEpoch,
        log_end_offset: Offset,
    ) -> Option<EpochEnd> {
        if leader_epoch.0 < 0 {
            return None;
        }
        if self.latest_epoch() == Some(leader_epoch) {
            return Some(EpochEnd {
                leader_epoch,
                end_offset: log_end_offset,
            });
        }
        let higher_index = self
            .entries
            .partition_point(|entry| entry.leader_epoch <= leader_epoch);
        let higher = self.entries.get(higher_index)?;
        let floor = higher_index
            .checked_sub(1)
            .and_then(|index| self.entries.get(index));
        Some(EpochEnd {
            leader_epoch: floor.map_or(leader_epoch, |entry| entry.leader_epoch),
            end_offset: higher.start_offset,
        })
    }

    /// What has to be written to the file, if anything has changed since it was last written.
    #[must_use]
    pub fn unwritten(&self) -> Option<UnwrittenEpochs> {
        (self.change_count != self.written_change_count).then(|| UnwrittenEpochs {
            entries: self.entries.clone(),
            change_count: self.change_count,
        })
    }

    /// Says that the file is durable as it was at `change_count`. An older write that comes late
    /// changes nothing.
    pub fn mark_written(&mut self, change_count: u64) {
        self.written_change_count = self.written_change_count.max(change_count);
    }
}

#[cfg(test)]
#[path = "leader_epoch_cache/tests.rs"]
mod tests;
