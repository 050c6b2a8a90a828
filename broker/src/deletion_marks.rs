//! Which topics are marked for deletion: the children of `/admin/delete_topics`, for those who ask.
//!
//! Only the controller watches the marks, and any broker may be asked. So they are read when somebody
//! asks, which only our own tool does. Source: kafka 2.8 admin/TopicCommand.scala
//! (`ZookeeperTopicService.listTopics`).

use std::collections::BTreeSet;
use std::time::Duration;

use barnabas_wire::id::TopicName;
use barnabas_zk_schema::topic_deletion::TopicDeletionsZnode;
use barnabas_zk_schema::{ZkOp, ZkRead, Znode};
use barnabas_zk_session::Session;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tracing::debug;

/// How long a question for topics is held up by ZooKeeper at most.
const PATIENCE: Duration = Duration::from_secs(2);

/// Reads the marks. One reading is under way at a time, however many ask.
#[derive(Debug, Default)]
pub struct DeletionMarks(Mutex<()>);

impl DeletionMarks {
    /// Names of the topics that are marked now; none where ZooKeeper does not tell in time.
    pub(crate) async fn read(&self, session: &Session) -> BTreeSet<TopicName> {
        timeout(PATIENCE, self.read_at_leisure(session))
            .await
            .unwrap_or_else(|_elapsed| {
                debug!("ZooKeeper does not tell the marks of deletion in time");
                BTreeSet::new()
            })
    }

    async fn read_at_leisure(&self, session: &Session) -> BTreeSet<TopicName> {
        let _one_at_a_time = self.0.lock().await;
        let Some(established) = session.current() else {
            debug!("no ZooKeeper session to read the marks of deletion with");
            return BTreeSet::new();
        };
        let read = ZkOp::Read(ZkRead::Children(TopicDeletionsZnode.path()));
        let outcome = session.execute_one(established.generation, read).await;
        match outcome.into_children() {
            Ok(names) => names.into_iter().map(TopicName::from).collect(),
            Err(outcome) => {
                debug!(?outcome, "the marks of deletion cannot be read");
                BTreeSet::new()
            }
        }
    }
}
