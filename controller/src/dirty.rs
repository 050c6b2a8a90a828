//! What has to be read again.

use std::collections::BTreeSet;

use barnabas_wire::id::TopicName;
use barnabas_zk_schema::broker::BrokerIdsZnode;
use barnabas_zk_schema::isr_change::IsrChangesZnode;
use barnabas_zk_schema::log_dir_event::LogDirEventsZnode;
use barnabas_zk_schema::preferred_election::PreferredElectionZnode;
use barnabas_zk_schema::topic::TopicsZnode;
use barnabas_zk_schema::topic_deletion::TopicDeletionsZnode;
use barnabas_zk_schema::topic_name;
use barnabas_zk_schema::{ZkPath, Znode};

/// What watches have hinted at since it was last read. Bounded by the number of topics: hints about
/// one thing fall together.
#[derive(Debug, Default)]
pub(crate) struct Dirty {
    /// `/brokers/ids` and its children.
    pub(crate) brokers: bool,
    /// Every topic.
    pub(crate) all_topics: bool,
    /// These topics.
    pub(crate) topics: BTreeSet<TopicName>,
    /// `/admin/delete_topics`.
    pub(crate) deletions: bool,
    /// `/isr_change_notification`.
    pub(crate) isr_changes: bool,
    /// `/log_dir_event_notification`.
    pub(crate) log_dir_events: bool,
    /// `/admin/preferred_replica_election`.
    pub(crate) preferred_election: bool,
}

/// What only the active controller watches, each path with all below it.
pub(crate) fn watched_paths() -> Vec<ZkPath> {
    vec![
        BrokerIdsZnode.path(),
        TopicsZnode.path(),
        TopicDeletionsZnode.path(),
        IsrChangesZnode.path(),
        LogDirEventsZnode.path(),
        PreferredElectionZnode.path(),
    ]
}

impl Dirty {
    /// Something happened at `path`.
    pub(crate) fn mark(&mut self, path: &ZkPath) {
        let topics = TopicsZnode.path();
        if let Some(rest) = path.below(&topics) {
            // Below a topic only this controller and the leaders write; leaders tell by notification.
            if !rest.contains('/') && topic_name::validate(rest).is_ok() {
                self.topics.insert(rest.into());
            }
        } else {
            self.mark_all(path);
        }
    }

    /// Anything may have happened at `path` and below.
    pub(crate) fn mark_all(&mut self, path: &ZkPath) {
        let concerns = |znode: ZkPath| path.is_at_or_below(&znode) || znode.is_at_or_below(path);
        self.brokers |= concerns(BrokerIdsZnode.path());
        self.all_topics |= concerns(TopicsZnode.path());
        self.deletions |= concerns(TopicDeletionsZnode.path());
        self.isr_changes |= concerns(IsrChangesZnode.path());
        self.log_dir_events |= concerns(LogDirEventsZnode.path());
        self.preferred_election |= concerns(PreferredElectionZnode.path());
    }

    /// Anything may have happened anywhere.
    pub(crate) fn mark_everything(&mut self) {
        for path in watched_paths() {
            self.mark_all(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_read_again_for_its_own_znode_only() {
        let mut dirty = Dirty::default();
        dirty.mark(&"/brokers/topics/t/partitions/0/state".into());
        assert!(dirty.topics.is_empty() && !dirty.all_topics);
        dirty.mark(&"/brokers/topics/t".into());
        assert!(dirty.topics.contains("t") && !dirty.all_topics);
        dirty.mark(&"/brokers/topics".into());
        assert!(dirty.all_topics && !dirty.brokers);
    }

    #[test]
    fn a_hint_below_a_watched_path_is_a_hint_at_it() {
        let mut dirty = Dirty::default();
        dirty.mark(&"/admin/delete_topics/t".into());
        assert!(dirty.deletions && !dirty.preferred_election);
        dirty.mark(&"/isr_change_notification/isr_change_0000000001".into());
        assert!(dirty.isr_changes);
    }
}
