//! One file for each command.

pub(super) mod cluster_describe;
pub(super) mod consume;
pub(super) mod perf_consume;
pub(super) mod perf_produce;
pub(super) mod produce;
pub(super) mod topic_create;
pub(super) mod topic_delete;
pub(super) mod topic_describe;
pub(super) mod topic_list;
