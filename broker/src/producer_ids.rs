//! Producer ids for idempotent producers: taken from ZooKeeper in blocks of a thousand.
//!
//! A block is this broker's once `/latest_producer_id_block` names it; what is left of it at a restart is
//! never used again, so no id is given out twice. Source: KIP-98; kafka 2.8
//! coordinator/transaction/ProducerIdManager.scala.

use std::time::Duration;

use barnabas_wire::id::{BrokerId, ProducerId};
use barnabas_zk_schema::producer_id::{ProducerIdBlock, ProducerIdBlockZnode};
use barnabas_zk_schema::{
    DecodeError, Expected, Outcome, Stat, ZkError, ZkOp, ZkRead, ZkReply, ZkWrite, Znode,
};
use barnabas_zk_session::Session;
use parking_lot::Mutex;
use tokio::time::sleep;
use tracing::{debug, warn};

/// How often a block is tried for: other brokers may come first.
const TRIES_MAX: usize = 20;

/// Rest after ZooKeeper gave no answer.
const REST: Duration = Duration::from_millis(100);

/// No block could be taken.
#[derive(Debug, thiserror::Error)]
pub enum ProducerIdError {
    /// ZooKeeper gave no answer, or other brokers always came first.
    #[error("no block of producer ids could be taken in {TRIES_MAX} tries")]
    NoBlock,
    /// ZooKeeper refused.
    #[error("ZooKeeper refused a block of producer ids: {0}")]
    Refused(ZkError),
    /// The znode cannot be understood; nothing is guessed about ids that are taken.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// All ids are taken.
    #[error("there are no producer ids left")]
    Exhausted,
}

/// The ids that are left of this broker's block.
#[derive(Debug, Default)]
pub struct ProducerIds {
    left: Mutex<std::ops::Range<i64>>,
    refilling: tokio::sync::Mutex<()>,
}

impl ProducerIds {
    /// The next id of the block, if one is left.
    #[must_use]
    pub fn try_next(&self) -> Option<ProducerId> {
        self.left.lock().next().map(ProducerId)
    }

    /// The next id; takes a new block when the last is used up.
    ///
    /// # Errors
    /// [`ProducerIdError`].
    pub async fn next(
        &self,
        session: &Session,
        broker: BrokerId,
    ) -> Result<ProducerId, ProducerIdError> {
        loop {
            if let Some(id) = self.try_next() {
                return Ok(id);
            }
            self.fill(session, broker).await?;
        }
    }

    /// Takes a new block if none is left. Done at the start, so that a broker can give ids to
    /// producers that come while ZooKeeper is away.
    ///
    /// # Errors
    /// [`ProducerIdError`].
    pub async fn fill(&self, session: &Session, broker: BrokerId) -> Result<(), ProducerIdError> {
        let _refilling = self.refilling.lock().await;
        if !self.left.lock().is_empty() {
            return Ok(());
        }
        let block = take_block(session, broker).await?;
        debug!(
            first = block.first,
            last = block.last,
            "took a block of producer ids"
        );
        *self.left.lock() = block.first..block.last.saturating_add(1);
        Ok(())
    }
}

async fn take_block(
    session: &Session,
    broker: BrokerId,
) -> Result<ProducerIdBlock, ProducerIdError> {
    let path = ProducerIdBlockZnode.path();
    // A block whose write was not answered: it is ours if the znode holds it.
    let mut unanswered = None;
    for _ in 0..TRIES_MAX {
        let Some((latest, stat)) = read(session).await? else {
            sleep(REST).await;
            continue;
        };
        if latest.is_some() && latest == unanswered {
            return latest.ok_or(ProducerIdError::NoBlock);
        }
        let block = ProducerIdBlock::after(latest.as_ref(), broker);
        let block = block.ok_or(ProducerIdError::Exhausted)?;
        let write = ZkOp::Write(ZkWrite::Set {
            path: path.clone(),
            data: ProducerIdBlockZnode::encode(&Some(block)),
            expected: Expected::Version(stat.version),
        });
        match send(session, write).await {
            Outcome::Done(ZkReply::Set(_)) => return Ok(block),
            Outcome::Failed(ZkError::BadVersion) => unanswered = None,
            Outcome::Done(_) | Outcome::Unknown => {
                warn!("ZooKeeper did not say whether a block of producer ids was taken");
                unanswered = Some(block);
            }
            Outcome::Failed(ZkError::StaleSession) => sleep(REST).await,
            Outcome::Failed(error) => return Err(ProducerIdError::Refused(error)),
        }
    }
    Err(ProducerIdError::NoBlock)
}

async fn read(
    session: &Session,
) -> Result<Option<(Option<ProducerIdBlock>, Stat)>, ProducerIdError> {
    let read = ZkOp::Read(ZkRead::Data(ProducerIdBlockZnode.path()));
    match send(session, read).await.into_data() {
        Ok((data, stat)) => Ok(Some((ProducerIdBlockZnode::decode(&data)?, stat))),
        Err(Outcome::Failed(error)) if error != ZkError::StaleSession => {
            Err(ProducerIdError::Refused(error))
        }
        Err(_) => Ok(None),
    }
}

async fn send(session: &Session, op: ZkOp) -> Outcome {
    match session.current() {
        Some(established) => session.execute_one(established.generation, op).await,
        None => Outcome::Failed(ZkError::StaleSession),
    }
}
