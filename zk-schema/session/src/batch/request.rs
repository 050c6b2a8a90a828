//! One request, and what its end means for the operations it carries.

use barnabas_zk_schema::{Outcome, ZkError, ZkOp, ZkPath, ZkRead, ZkReply, ZkWrite};

use crate::command::too_large;
use crate::engine::{Engine, EngineError, Read, Reply};

/// ZooKeeper's code of [`EngineError::Unimplemented`].
const UNIMPLEMENTED: i32 = -6;

/// ZooKeeper's code of [`EngineError::Unreadable`].
const MARSHALLING_ERROR: i32 = -5;

/// What is sent at once, with the places in the batch of the operations it carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    One {
        place: usize,
        op: ZkOp,
    },
    /// Reads of data of neighbouring places.
    MultiRead {
        first_place: usize,
        paths: Vec<ZkPath>,
    },
    /// Multis of neighbouring places that begin with the same check.
    Pack {
        first_place: usize,
        multis: Vec<Vec<ZkWrite>>,
    },
}

/// The end of a request: the outcome of each operation by its place, and what is to be sent again.
#[derive(Debug, Default)]
pub(super) struct Settled {
    pub(super) outcomes: Vec<(usize, Outcome)>,
    pub(super) again: Vec<Request>,
}

impl Request {
    pub(super) const fn first_place(&self) -> usize {
        match self {
            Self::One {
                place: first_place, ..
            }
            | Self::MultiRead { first_place, .. }
            | Self::Pack { first_place, .. } => *first_place,
        }
    }

    pub(super) const fn len(&self) -> usize {
        match self {
            Self::One { .. } => 1,
            Self::MultiRead { paths, .. } => paths.len(),
            Self::Pack { multis, .. } => multis.len(),
        }
    }

    pub(super) const fn is_multi_read(&self) -> bool {
        matches!(self, Self::MultiRead { .. })
    }

    /// Why it must not be sent, if so. Bundles are made far below the limit.
    pub(super) fn too_large(&self, chroot_size_bytes: usize) -> Option<ZkError> {
        match self {
            Self::One { op, .. } => too_large(op, chroot_size_bytes),
            Self::MultiRead { .. } | Self::Pack { .. } => None,
        }
    }

    /// The same outcome for every operation of it.
    pub(super) fn all(&self, outcome: &Outcome) -> Vec<(usize, Outcome)> {
        let places = self.first_place()..self.first_place().saturating_add(self.len());
        places.map(|place| (place, outcome.clone())).collect()
    }

    /// Sends it now; the future waits for the reply.
    pub(super) fn send<E: Engine>(&self, engine: &E) -> Reply<Settled> {
        match self {
            Self::One { place, op } => one(*place, send_one(engine, op)),
            Self::MultiRead { first_place, paths } => {
                many(*first_place, engine.multi_read(paths.clone()))
            }
            Self::Pack {
                first_place,
                multis,
            } => {
                let lengths = multis.iter().map(Vec::len).collect();
                pack(*first_place, lengths, engine.multi(join(multis)))
            }
        }
    }

    pub(super) fn unknown(&self) -> Settled {
        Settled {
            outcomes: self.all(&Outcome::Unknown),
            again: Vec::new(),
        }
    }

    /// What an error means for its operations.
    pub(super) fn failed(&self, error: EngineError) -> Settled {
        match error {
            EngineError::Refused(error) => self.refused(error),
            EngineError::Unimplemented => self.refused(ZkError::Refused {
                code: UNIMPLEMENTED,
            }),
            EngineError::Unreadable => self.refused(ZkError::Refused {
                code: MARSHALLING_ERROR,
            }),
            EngineError::Lost(_) | EngineError::Expired | EngineError::Closed(_) => self.unknown(),
        }
    }

    fn refused(&self, error: ZkError) -> Settled {
        match (self, error) {
            // One of them spoils the others. The check at index 0 would have failed for each.
            (
                Self::Pack {
                    first_place,
                    multis,
                },
                ZkError::InMulti { index: 1.., .. },
            ) => {
                let ones = multis.iter().enumerate().map(|(index, writes)| Self::One {
                    place: first_place.saturating_add(index),
                    op: ZkOp::Multi(writes.clone()),
                });
                Settled {
                    outcomes: Vec::new(),
                    again: ones.collect(),
                }
            }
            (_, error) => Settled {
                outcomes: self.all(&Outcome::Failed(error)),
                again: Vec::new(),
            },
        }
    }
}

fn send_one<E: Engine>(engine: &E, op: &ZkOp) -> Reply<ZkReply> {
    match op {
        ZkOp::Read(ZkRead::Data(path)) => engine.data(path.clone()),
        ZkOp::Read(ZkRead::Exists(path)) => engine.exists(path.clone()),
        ZkOp::Read(ZkRead::Children(path)) => engine.children(path.clone()),
        ZkOp::Write(write) => engine.write(write.clone()),
        ZkOp::Multi(writes) => engine.multi(writes.clone()),
    }
}

fn one(place: usize, reply: Reply<ZkReply>) -> Reply<Settled> {
    Box::pin(async move { Ok(Settled::done(vec![(place, Outcome::Done(reply.await?))])) })
}

fn many(first_place: usize, reply: Reply<Vec<Read>>) -> Reply<Settled> {
    Box::pin(async move {
        let outcomes = reply.await?.into_iter().map(|read| match read {
            Ok((data, stat)) => Outcome::Done(ZkReply::Data { data, stat }),
            Err(error) => Outcome::Failed(error),
        });
        Ok(Settled::done((first_place..).zip(outcomes).collect()))
    })
}

/// Divides the reply among the multis, which are so long.
fn pack(first_place: usize, lengths: Vec<usize>, reply: Reply<ZkReply>) -> Reply<Settled> {
    let short = || EngineError::Lost("a pack was answered in part".into());
    Box::pin(async move {
        let ZkReply::Multi(replies) = reply.await? else {
            return Err(short());
        };
        let mut replies = replies.into_iter().skip(1);
        let mut outcomes = Vec::with_capacity(lengths.len());
        for (place, length) in (first_place..).zip(lengths) {
            let own = replies.by_ref().take(length.saturating_sub(1));
            let own: Vec<ZkReply> = std::iter::once(ZkReply::Checked).chain(own).collect();
            if own.len() != length {
                return Err(short());
            }
            outcomes.push((place, Outcome::Done(ZkReply::Multi(own))));
        }
        Ok(Settled::done(outcomes))
    })
}

/// The check once, then what each multi has behind its own.
fn join(multis: &[Vec<ZkWrite>]) -> Vec<ZkWrite> {
    let check = multis.first().and_then(|writes| writes.first());
    let rest = multis.iter().flat_map(|writes| writes.iter().skip(1));
    check.into_iter().chain(rest).cloned().collect()
}

impl Settled {
    const fn done(outcomes: Vec<(usize, Outcome)>) -> Self {
        Self {
            outcomes,
            again: Vec::new(),
        }
    }
}
