//! The partition log on disk: mapped segments, indexes, checkpoints, recovery.

pub mod checkpoint;
pub mod directory;
pub mod error;
pub mod files;
pub mod health;
pub mod leader_epoch_cache;
pub mod partition_log;
pub mod producer_snapshot;
pub mod producer_state;
mod segment;
pub mod settings;
pub mod transfer;
