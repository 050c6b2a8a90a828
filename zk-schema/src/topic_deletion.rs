//! `/admin/delete_topics`: topics that shall go.

use barnabas_wire::id::TopicName;

use crate::operation::CreateMode;
use crate::path::ZkPath;
use crate::znode::{Role, empty_znode};

/// `/admin/delete_topics`: one child for each topic marked for deletion.
#[derive(Clone, Copy, Debug)]
pub struct TopicDeletionsZnode;

empty_znode!(
    TopicDeletionsZnode,
    CreateMode::Persistent,
    &[Role::Broker],
    &[Role::Controller],
    |_this| ZkPath::from("/admin/delete_topics")
);

/// `/admin/delete_topics/T`, without data: the topic is marked. The controller takes the mark away
/// last of all, so that an interrupted deletion goes on.
#[derive(Clone, Debug)]
pub struct TopicDeletionZnode(pub TopicName);

empty_znode!(
    TopicDeletionZnode,
    CreateMode::Persistent,
    &[Role::Admin, Role::Controller],
    &[Role::Controller],
    |this| TopicDeletionsZnode.path().child(&this.0)
);
