//! The partition log on disk: mapped segments, indexes, checkpoints, recovery.

pub mod checkpoint;
pub mod directory;
pub mod files;
pub mod leader_epoch_cache;
pub mod producer_snapshot;
pub mod producer_state;
