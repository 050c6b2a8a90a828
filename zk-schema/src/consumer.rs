//! `/consumers`: where consumers of the 0.8 generation keep groups. Brokers only make sure of it.

use crate::operation::CreateMode;
use crate::path::ZkPath;
use crate::znode::{Role, empty_znode};

/// `/consumers`: one child for each group.
#[derive(Clone, Copy, Debug)]
pub struct ConsumersZnode;

empty_znode!(
    ConsumersZnode,
    CreateMode::Persistent,
    &[Role::Broker],
    &[Role::Consumer],
    |_this| ZkPath::from("/consumers")
);
