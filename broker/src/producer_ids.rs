//! Producer ids for idempotent producers: taken from ZooKeeper in blocks of a thousand.
//!
//! The first block is taken when the broker starts and the next while half of one is left, so that
//! producers can begin while ZooKeeper is away. A block is this broker's once `/latest_producer_id_block` names it; what is left of it at a restart is
//! never used again, so no id is given out twice. Source: KIP-98; kafka 2.8
//! coordinator/transaction/ProducerIdManager.scala.

use std::collections::VecDeque;
use std::ops::Range;
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

/// With fewer ids left than these, another block is taken.
const LOW_COUNT: i64 = 500;

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

/// The ids that are left of this broker's blocks.
#[derive(Debug, Default)]
pub struct ProducerIds {
    /// Blocks in the order in which they were taken: the one in use, and the next.
    left: Mutex<VecDeque<Range<i64>>>,
    refilling: tokio::sync::Mutex<()>,
}

impl ProducerIds {
    /// The next id, if one is left.
    #[must_use]
    pub fn try_next(&self) -> Option<ProducerId> {
        let mut left = self.left.lock();
        loop {
            match left.front_mut()?.next() {
                Some(id) => return Some(ProducerId(id)),
                None => drop(left.pop_front()),
            }
        }
    }

    /// Whether it is time to take another block.
    #[must_use]
    pub fn is_low(&self) -> bool {
        let left = self.left.lock();
        left.iter()
            .map(|block| block.end - block.start)
            .sum::<i64>()
            < LOW_COUNT
    }

    /// Takes another block if few ids are left.
    ///
    /// # Errors
    /// [`ProducerIdError`]; the ids that are left can still be used.
    pub async fn fill(&self, session: &Session, broker: BrokerId) -> Result<(), ProducerIdError> {
        let _refilling = self.refilling.lock().await;
        if self.is_low() {
            let block = take_block(session, broker).await?;
            debug!(
                first = block.first,
                last = block.last,
                "took a block of producer ids"
            );
            self.left
                .lock()
                .push_back(block.first..block.last.saturating_add(1));
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_several_blocks_come_in_order_and_none_twice() {
        let ids = ProducerIds::default();
        assert!(ids.try_next().is_none() && ids.is_low());
        ids.left.lock().extend([0..2, 1000..2000]);
        let drawn: Vec<i64> = std::iter::from_fn(|| ids.try_next())
            .map(|id| id.0)
            .collect();
        let expected: Vec<i64> = (0..2).chain(1000..2000).collect();
        assert_eq!(drawn, expected);
    }

    #[test]
    fn another_block_is_due_when_half_of_one_is_left() {
        let ids = ProducerIds::default();
        ids.left.lock().push_back(0..1000);
        for _ in 0..500 {
            assert!(!ids.is_low());
            ids.try_next().unwrap();
        }
        ids.try_next().unwrap();
        assert!(ids.is_low());
    }
}
