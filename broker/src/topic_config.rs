//! What a topic's own configuration is: `/config/topics/T`.

use barnabas_config::TopicSettings;
use barnabas_wire::id::TopicName;
use barnabas_zk_schema::config::{ConfigEntity, ConfigValues, ConfigZnode};
use barnabas_zk_schema::{DecodeError, Outcome, ZkOp, ZkRead, Znode};
use barnabas_zk_session::Session;
use tracing::warn;

/// A topic's configuration could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TopicConfigError {
    /// There is no session with ZooKeeper at the moment.
    #[error("there is no ZooKeeper session")]
    NoSession,
    /// ZooKeeper did not answer.
    #[error("ZooKeeper gave no answer: {0:?}")]
    NoAnswer(Outcome),
    /// The znode cannot be understood.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// Reads a topic's own configuration; empty where it has none.
///
/// # Errors
/// [`TopicConfigError`].
pub async fn read(session: &Session, topic: &str) -> Result<ConfigValues, TopicConfigError> {
    let established = session.current().ok_or(TopicConfigError::NoSession)?;
    let path = ConfigZnode(ConfigEntity::Topic(TopicName::from(topic))).path();
    let read = ZkOp::Read(ZkRead::Data(path));
    match session
        .execute_one(established.generation, read)
        .await
        .into_data()
    {
        Ok((data, _)) => Ok(ConfigZnode::decode(&data)?),
        Err(outcome) if outcome.is_no_node() => Ok(ConfigValues::new()),
        Err(outcome) => Err(TopicConfigError::NoAnswer(outcome)),
    }
}

/// The settings that a topic is run with: its own over `defaults`. What is wrong with its own is told in
/// the log and left out.
///
/// # Errors
/// [`TopicConfigError`].
pub async fn settings(
    session: &Session,
    topic: &TopicName,
    defaults: &TopicSettings,
) -> Result<TopicSettings, TopicConfigError> {
    let values = read(session, topic.as_str()).await?;
    let overrides = values
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()));
    let (settings, warnings) = defaults.with_overrides(topic.as_str(), overrides);
    for warning in warnings {
        warn!(%topic, key = warning.key, reason = warning.reason, "a setting of a topic");
    }
    Ok(settings)
}
