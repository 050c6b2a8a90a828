//! Telling the logs of a topic from those of an earlier topic of the same name.
//!
//! A topic may have been deleted and created anew while this broker was away. The identity is kept in a
//! small file beside the segments, which is written with the upkeep and not when the partition is made:
//! a thousand partitions are made in the time that a hundred of these files take.

use barnabas_log::directory::{Retired, TopicIdentity, read_topic_identity, write_topic_identity};
use barnabas_wire::id::TopicPartition;

use super::{LogStore, StoreError, StoredLog};

impl LogStore {
    /// Whether the log that is there, if one is, may belong to this topic. Notes the identity where none
    /// is kept yet, as with logs that Kafka wrote.
    pub(super) fn is_of_topic(&self, partition: &TopicPartition, identity: TopicIdentity) -> bool {
        let Some(log) = self.log(partition) else {
            return true;
        };
        let mut kept = self
            .content
            .lock()
            .unwritten_identities
            .get(partition)
            .copied();
        if kept.is_none() {
            match read_topic_identity(log.directory()) {
                Ok(read) => kept = read,
                // Whatever is wrong with the file, it is no reason to give up records.
                Err(error) => {
                    tracing::warn!(%partition, %error, "the log is taken for the topic's");
                    return true;
                }
            }
        }
        if kept.is_none() {
            let mut content = self.content.lock();
            content
                .unwritten_identities
                .insert(partition.clone(), identity);
        }
        kept.is_none_or(|kept| kept == identity)
    }

    /// Moves the log of another topic out of the way; its name then ends in `-stray`.
    pub(super) fn set_aside(&self, partition: &TopicPartition) -> Result<(), StoreError> {
        if let Some((path, index)) = self.take_out(partition, Retired::Stray)? {
            let path = path.display().to_string();
            tracing::warn!(
                %partition, path,
                "set a log aside: it belongs to an earlier topic of the same name"
            );
            self.write_all_tables(index);
        }
        Ok(())
    }

    /// Writes the identities that are not kept yet.
    pub(super) fn write_identities(&self) {
        let unwritten = std::mem::take(&mut self.content.lock().unwritten_identities);
        for (partition, identity) in unwritten {
            let stored = self.content.lock().logs.get(&partition).cloned();
            let Some(StoredLog { log, .. }) = stored else {
                continue;
            };
            if log.health().check().is_err() {
                continue;
            }
            let written = write_topic_identity(self.files.as_ref(), log.directory(), identity);
            if let Err(error) = written {
                tracing::warn!(%partition, %error, "will be written later");
                self.content
                    .lock()
                    .unwritten_identities
                    .insert(partition, identity);
            }
        }
    }
}
