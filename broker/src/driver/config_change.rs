//! Follows `/config/changes`: whoever changes settings leaves a notification there, and every broker reads
//! the settings it names again.
//!
//! Notifications are numbered. A broker handles those above the last it has handled, beginning with all
//! that are there, and removes those that are older than 15 minutes. Source: kafka 2.8
//! common/ZkNodeChangeNotificationListener.scala.

use std::collections::BTreeSet;

use barnabas_config::TopicSettings;
use barnabas_wire::id::TopicName;
use barnabas_zk_schema::config::ConfigEntity;
use barnabas_zk_schema::config_change::{ConfigChangeZnode, ConfigChangesZnode, RETENTION_MS};
use barnabas_zk_schema::{Expected, Outcome, Stat, ZkOp, ZkPath, ZkRead, ZkWrite, Znode};
use barnabas_zk_session::{Established, Session};
use tokio::sync::mpsc;
use tracing::{debug, info, warn};

use crate::clock;
use crate::topic_config;

/// Takes the new settings of a topic.
pub(crate) type TopicSink = Box<dyn Fn(&TopicName, TopicSettings) + Send + Sync>;

/// Follows the notifications of settings.
pub(crate) struct ConfigChanges {
    pub(crate) session: Session,
    /// Settings of topics without their own.
    pub(crate) topic_defaults: TopicSettings,
    pub(crate) sink: TopicSink,
    /// The last notification that was handled.
    pub(crate) last: Option<u64>,
}

/// One notification.
struct Notification {
    number: u64,
    path: ZkPath,
}

impl ConfigChanges {
    /// Looks whenever it is told to, until nobody is left to tell.
    pub(crate) async fn run(mut self, mut looks: mpsc::Receiver<Established>) {
        while let Some(established) = looks.recv().await {
            if let Err(outcome) = self.look(established).await {
                // After a reconnection comes the next look.
                debug!(?outcome, "could not read the changes of settings");
            }
        }
    }

    async fn look(&mut self, established: Established) -> Result<(), Outcome> {
        let changes = ConfigChangesZnode.path();
        let list = ZkOp::Read(ZkRead::Children(changes.clone()));
        let outcome = self.session.execute_one(established.generation, list).await;
        let mut all: Vec<_> = outcome
            .into_children()?
            .iter()
            .filter_map(|name| {
                let number = name.rsplit_once('_')?.1.parse().ok()?;
                Some(Notification {
                    number,
                    path: changes.child(name),
                })
            })
            .collect();
        all.sort_by_key(|notification| notification.number);
        let read =
            |notification: &Notification| ZkOp::Read(ZkRead::Data(notification.path.clone()));
        let reads = all.iter().map(read).collect();
        let outcomes = self.session.execute(established.generation, reads).await;
        let mut topics = BTreeSet::new();
        let mut old = Vec::new();
        let mut last = self.last;
        for (notification, outcome) in all.iter().zip(outcomes) {
            let (data, stat) = match outcome.into_data() {
                Ok(found) => found,
                // Another broker has removed it; it was old.
                Err(outcome) if outcome.is_no_node() => continue,
                Err(outcome) => return Err(outcome),
            };
            if self.last.is_none_or(|last| notification.number > last) {
                topics.extend(topic_of(&data));
                last = Some(notification.number);
            }
            if is_old(&stat) {
                old.push(notification.path.clone());
            }
        }
        for topic in topics {
            self.apply(&topic).await?;
        }
        // What failed above is looked at again.
        self.last = last;
        self.remove(established, old).await;
        Ok(())
    }

    async fn apply(&self, topic: &TopicName) -> Result<(), Outcome> {
        match topic_config::settings(&self.session, topic, &self.topic_defaults).await {
            Ok(settings) => {
                info!(%topic, "settings changed");
                (self.sink)(topic, settings);
                Ok(())
            }
            Err(topic_config::TopicConfigError::NoAnswer(outcome)) => Err(outcome),
            Err(topic_config::TopicConfigError::NoSession) => Err(Outcome::Unknown),
            Err(error @ topic_config::TopicConfigError::Decode(_)) => {
                warn!(%topic, %error, "settings cannot be understood; the old ones stay");
                Ok(())
            }
        }
    }

    /// Whoever comes first removes them.
    async fn remove(&self, established: Established, old: Vec<ZkPath>) {
        let delete = |path| {
            ZkOp::Write(ZkWrite::Delete {
                path,
                expected: Expected::Any,
            })
        };
        let deletes = old.into_iter().map(delete).collect();
        drop(self.session.execute(established.generation, deletes).await);
    }
}

/// The topic that a notification names. Settings of brokers, clients and users do not change while this
/// broker runs.
fn topic_of(data: &[u8]) -> Option<TopicName> {
    match ConfigChangeZnode::decode(data) {
        Ok(Some(ConfigEntity::Topic(topic))) => Some(topic),
        Ok(Some(
            entity @ (ConfigEntity::Broker(_)
            | ConfigEntity::BrokerDefault
            | ConfigEntity::Client(_)
            | ConfigEntity::User(_)
            | ConfigEntity::Ip(_)),
        )) => {
            debug!(
                entity = entity.entity_path(),
                "settings that take no effect here changed"
            );
            None
        }
        Ok(None) | Err(_) => {
            debug!("a notification of changed settings makes no sense");
            None
        }
    }
}

fn is_old(stat: &Stat) -> bool {
    stat.ctime_ms.saturating_add(RETENTION_MS) < clock::wall_ms()
}
