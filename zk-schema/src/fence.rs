//! What a controller may send: questions, its election, and writes behind the fence.
//!
//! A controller that was paused while another took over must not write. So every write of a
//! controller is a multi that begins with a check of `/controller_epoch`'s version, which each
//! election raises; there is no other way to make a [`ControllerOp`] that writes (KAFKA-6082).

use barnabas_wire::id::ControllerEpoch;

use crate::controller::{ControllerEpochZnode, ControllerHolder, ControllerZnode};
use crate::operation::{Expected, ZkOp, ZkRead, ZkWrite};
use crate::reply::{Outcome, ZkError, ZkReply};
use crate::stat::{Stat, ZkVersion};
use crate::znode::Znode;

/// An operation that a controller may send. Made by this module only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControllerOp(ZkOp);

/// The right to write as the controller of one epoch, for as long as nobody else was elected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fence {
    epoch: ControllerEpoch,
    version: ZkVersion,
    #[cfg(feature = "bugs")]
    open: bool,
}

/// How a fenced write ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FencedOutcome {
    /// All of its changes were made: one reply for each, without the fence's.
    Applied(Vec<ZkReply>),
    /// None was made: another controller was elected.
    Moved,
    /// None was made, for a reason of its own.
    Refused {
        /// Which change, from 0, without the fence.
        index: usize,
        /// Why.
        error: ZkError,
    },
    /// No reply came; what is in ZooKeeper tells.
    Unknown,
}

impl ControllerOp {
    /// A question.
    #[must_use]
    pub const fn read(read: ZkRead) -> Self {
        Self(ZkOp::Read(read))
    }

    /// Creates `/controller_epoch` with epoch 0, for the first election of a cluster.
    #[must_use]
    pub fn create_epoch() -> Self {
        Self(ZkOp::Write(
            ControllerEpochZnode.create(&ControllerEpoch(0)),
        ))
    }

    /// The election: creates `/controller` and raises the epoch from what was read, both or none.
    /// [`Fence::elected`] reads the answer. Source: kafka 2.8 `zk/KafkaZkClient.scala`.
    #[must_use]
    pub fn elect(holder: &ControllerHolder, epoch: ControllerEpoch, version: ZkVersion) -> Self {
        Self(ZkOp::Multi(vec![
            ControllerZnode.create(holder),
            ControllerEpochZnode.set(&epoch.next(), Expected::Version(version)),
        ]))
    }

    /// What is to be sent.
    #[must_use]
    pub const fn op(&self) -> &ZkOp {
        &self.0
    }

    /// What is to be sent.
    #[must_use]
    pub fn into_op(self) -> ZkOp {
        self.0
    }
}

impl Fence {
    /// The fence of epoch `epoch`, with the version that `/controller_epoch` got with it.
    #[must_use]
    pub const fn new(epoch: ControllerEpoch, version: ZkVersion) -> Self {
        Self {
            epoch,
            version,
            #[cfg(feature = "bugs")]
            open: false,
        }
    }

    /// The fence that a successful election gives; `None` if this is no answer to one.
    #[must_use]
    pub fn elected(read: ControllerEpoch, reply: &ZkReply) -> Option<Self> {
        let ZkReply::Multi(replies) = reply else {
            return None;
        };
        let [_, ZkReply::Set(Stat { version, .. })] = replies.as_slice() else {
            return None;
        };
        Some(Self::new(read.next(), *version))
    }

    /// The epoch it stands for.
    #[must_use]
    pub const fn epoch(&self) -> ControllerEpoch {
        self.epoch
    }

    /// These changes, all or none, and only while nobody else was elected.
    #[must_use]
    pub fn write(&self, writes: impl IntoIterator<Item = ZkWrite>) -> ControllerOp {
        let version = self.version;
        // ZooKeeper takes version -1 for any: a check that a zombie passes as well.
        #[cfg(feature = "bugs")]
        let version = if self.open { ZkVersion(-1) } else { version };
        let check = ZkWrite::Check {
            path: ControllerEpochZnode.path(),
            version,
        };
        ControllerOp(ZkOp::Multi(std::iter::once(check).chain(writes).collect()))
    }

    /// The same epoch without the check: what a controller before Kafka 2.2 had. For controls only.
    #[cfg(feature = "bugs")]
    #[must_use]
    pub const fn opened(mut self) -> Self {
        self.open = true;
        self
    }
}

impl From<Outcome> for FencedOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done(ZkReply::Multi(mut replies)) if !replies.is_empty() => {
                replies.remove(0);
                Self::Applied(replies)
            }
            Outcome::Failed(ZkError::InMulti { index: 0, .. }) => Self::Moved,
            Outcome::Failed(ZkError::InMulti { index, error }) => Self::Refused {
                index: index.saturating_sub(1),
                error: *error,
            },
            Outcome::Failed(error) => Self::Refused { index: 0, error },
            // A reply of another shape tells nothing about what happened.
            Outcome::Done(_) | Outcome::Unknown => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topic_deletion::TopicDeletionZnode;
    use barnabas_wire::id::BrokerId;

    /// S15: what a controller writes is checked against the epoch it was elected with.
    #[test]
    fn every_write_of_a_controller_begins_with_the_check_of_its_epoch() {
        let fence = Fence::new(ControllerEpoch(7), ZkVersion(7));
        let op = fence
            .write([TopicDeletionZnode("t".into()).delete(Expected::Any)])
            .into_op();
        let ZkOp::Multi(writes) = op else {
            panic!("not a multi")
        };
        assert_eq!(
            writes.first(),
            Some(&ZkWrite::Check {
                path: "/controller_epoch".into(),
                version: ZkVersion(7)
            })
        );
        assert_eq!(writes.len(), 2);
    }

    /// S15: one broker wins the znode, and the epoch rises with it or not at all.
    #[test]
    fn an_election_is_one_multi() {
        let holder = ControllerHolder {
            broker: BrokerId(1),
            timestamp_ms: 0,
        };
        let op = ControllerOp::elect(&holder, ControllerEpoch(4), ZkVersion(9)).into_op();
        let ZkOp::Multi(writes) = op else {
            panic!("not a multi")
        };
        assert!(matches!(
            &writes[0],
            ZkWrite::Create {
                mode: crate::CreateMode::Ephemeral,
                ..
            }
        ));
        assert_eq!(
            writes[1],
            ZkWrite::Set {
                path: "/controller_epoch".into(),
                data: b"5".to_vec(),
                expected: Expected::Version(ZkVersion(9))
            }
        );
        let stat = Stat {
            version: ZkVersion(10),
            ..Stat::default()
        };
        let created = ZkReply::Created {
            path: "/controller".into(),
            stat: Stat::default(),
        };
        let reply = ZkReply::Multi(vec![created, ZkReply::Set(stat)]);
        let fence = Fence::elected(ControllerEpoch(4), &reply);
        assert_eq!(fence, Some(Fence::new(ControllerEpoch(5), ZkVersion(10))));
    }

    #[test]
    fn a_failed_check_means_that_the_controller_moved() {
        let in_multi = |index, error| {
            Outcome::Failed(ZkError::InMulti {
                index,
                error: Box::new(error),
            })
        };
        assert_eq!(
            FencedOutcome::from(in_multi(0, ZkError::BadVersion)),
            FencedOutcome::Moved
        );
        assert_eq!(
            FencedOutcome::from(in_multi(2, ZkError::NodeExists)),
            FencedOutcome::Refused {
                index: 1,
                error: ZkError::NodeExists
            }
        );
        assert_eq!(
            FencedOutcome::from(Outcome::Unknown),
            FencedOutcome::Unknown
        );
        let done = Outcome::Done(ZkReply::Multi(vec![ZkReply::Checked, ZkReply::Deleted]));
        assert_eq!(
            FencedOutcome::from(done),
            FencedOutcome::Applied(vec![ZkReply::Deleted])
        );
    }
}
