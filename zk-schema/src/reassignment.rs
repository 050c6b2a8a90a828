//! `/admin/reassign_partitions`: the wish of a tool that replicas move. Only its path is here; what
//! is in it comes with the reassignment itself.

use crate::operation::CreateMode;
use crate::path::ZkPath;
use crate::znode::{Role, empty_znode};

/// `/admin/reassign_partitions`.
#[derive(Clone, Copy, Debug)]
pub struct ReassignmentZnode;

empty_znode!(
    ReassignmentZnode,
    CreateMode::Persistent,
    &[Role::Admin, Role::Controller],
    &[Role::Controller],
    |_this| ZkPath::from("/admin/reassign_partitions")
);
