//! What a partition has to know of its topic before it gets a log: settings, and which topic of its name
//! it is. Read from ZooKeeper, for all topics of a request at once.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use barnabas_config::TopicSettings;
use barnabas_log::directory::TopicIdentity;
use barnabas_wire::id::TopicName;
use barnabas_zk_schema::config::{ConfigEntity, ConfigZnode};
use barnabas_zk_schema::topic::TopicZnode;
use barnabas_zk_schema::{Outcome, ZkOp, ZkRead, Znode};
use barnabas_zk_session::Session;
use tokio::time::sleep;
use tracing::warn;

use crate::partition::{FactsByTopic, TopicFacts, TopicFactsSource, TopicFactsUnavailable};

/// How often ZooKeeper is asked while it does not answer.
const TRIES_MAX: usize = 20;

/// Rest between two of them.
const REST: Duration = Duration::from_millis(250);

/// `/config/topics` and `/brokers/topics` as they are now.
#[derive(Debug)]
pub struct ZooKeeperTopicFacts {
    session: Session,
    defaults: TopicSettings,
}

impl ZooKeeperTopicFacts {
    /// Reads through `session`; `defaults` are the settings of topics without their own.
    #[must_use]
    pub fn new(session: Session, defaults: TopicSettings) -> Self {
        Self { session, defaults }
    }

    async fn read(&self, topics: &[TopicName]) -> FactsByTopic {
        let mut facts = BTreeMap::new();
        let mut missing = topics.to_vec();
        for tried in 0..TRIES_MAX {
            if tried > 0 {
                sleep(REST).await;
            }
            self.try_read(&mut missing, &mut facts).await;
            if missing.is_empty() {
                return facts;
            }
            warn!(
                topics = missing.len(),
                "cannot read the settings of topics yet"
            );
        }
        facts.extend(
            missing
                .into_iter()
                .map(|topic| (topic, Err(TopicFactsUnavailable))),
        );
        facts
    }

    /// Moves from `missing` to `facts` what ZooKeeper answers.
    async fn try_read(&self, missing: &mut Vec<TopicName>, facts: &mut FactsByTopic) {
        let Some(established) = self.session.current() else {
            return;
        };
        let config = |topic: &TopicName| {
            let path = ConfigZnode(ConfigEntity::Topic(topic.clone())).path();
            ZkOp::Read(ZkRead::Data(path))
        };
        let znode = |topic: &TopicName| ZkOp::Read(ZkRead::Data(TopicZnode(topic.clone()).path()));
        let ops = missing
            .iter()
            .map(config)
            .chain(missing.iter().map(znode))
            .collect();
        let mut configs = self.session.execute(established.generation, ops).await;
        let znodes = configs.split_off(missing.len().min(configs.len()));
        let answers = std::mem::take(missing)
            .into_iter()
            .zip(configs.into_iter().zip(znodes));
        for (topic, (config, znode)) in answers {
            match self.facts(&topic, config, znode) {
                Some(found) => {
                    facts.insert(topic, Ok(found));
                }
                None => missing.push(topic),
            }
        }
    }

    fn facts(&self, topic: &TopicName, config: Outcome, znode: Outcome) -> Option<TopicFacts> {
        let own = match config.into_data() {
            Ok((data, _)) => ConfigZnode::decode(&data).unwrap_or_else(|error| {
                warn!(%topic, %error, "the topic's own settings are left out");
                BTreeMap::new()
            }),
            Err(outcome) if outcome.is_no_node() => BTreeMap::new(),
            Err(_) => return None,
        };
        // A topic whose znode has gone is about to be stopped; it needs no identity for that.
        let identity = match znode.into_data() {
            Ok((_, stat)) => Some(TopicIdentity(stat.czxid.0)),
            Err(outcome) if outcome.is_no_node() => None,
            Err(_) => return None,
        };
        let own = own
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()));
        let (settings, warnings) = self.defaults.with_overrides(topic.as_str(), own);
        for warning in warnings {
            warn!(%topic, key = warning.key, reason = warning.reason, "a setting of a topic");
        }
        Some(TopicFacts { settings, identity })
    }
}

impl TopicFactsSource for ZooKeeperTopicFacts {
    fn facts_of<'a>(
        &'a self,
        topics: &'a [TopicName],
    ) -> Pin<Box<dyn Future<Output = FactsByTopic> + Send + 'a>> {
        Box::pin(self.read(topics))
    }
}
