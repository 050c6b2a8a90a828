//! The partition log on disk: mapped segments, indexes, checkpoints, recovery.
