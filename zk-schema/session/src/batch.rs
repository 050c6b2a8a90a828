//! A batch on its way: operations become requests, requests are sent in order and within limits,
//! replies become outcomes.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use barnabas_zk_schema::{Outcome, ZkError, ZkOp, ZkPath, ZkRead, ZkReply, ZkWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use crate::command::{Batch, REQUEST_SIZE_BYTES_MAX, too_large};
use crate::engine::{Engine, EngineError};
use crate::link::Tenure;

/// Requests of one session under way at once, at most.
pub const IN_FLIGHT_MAX: usize = 512;

/// Paths in one `MultiRead`, at most.
pub const MULTI_READ_PATHS_MAX: usize = 100;

/// `MultiRead`s of one session under way at once, at most: each answer may be large.
pub const MULTI_READS_IN_FLIGHT_MAX: usize = 8;

/// Changes in one pack of multis, at most.
pub const PACK_WRITES_MAX: usize = 100;

/// Limits that the batches of a session share.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    in_flight: Arc<Semaphore>,
    multi_reads: Arc<Semaphore>,
    request_timeout: Duration,
    chroot_size_bytes: usize,
}

impl Limits {
    pub(crate) fn new(request_timeout: Duration, chroot_size_bytes: usize) -> Self {
        Self {
            in_flight: Arc::new(Semaphore::new(IN_FLIGHT_MAX)),
            multi_reads: Arc::new(Semaphore::new(MULTI_READS_IN_FLIGHT_MAX)),
            request_timeout,
            chroot_size_bytes,
        }
    }
}

/// What is sent at once, with the places in the batch of the operations it carries.
#[derive(Debug, PartialEq, Eq)]
enum Request {
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

/// Sends the operations of a batch and answers it.
pub(crate) async fn run<E: Engine>(tenure: Tenure<E>, limits: Limits, batch: Batch) {
    let mut sender = Sender {
        tenure,
        limits,
        under_way: JoinSet::new(),
        outcomes: vec![Outcome::Unknown; batch.ops.len()],
        stopped: None,
    };
    let mut requests = plan(batch.ops, batch.is_packed);
    // Twice at most: what a pack that failed is taken apart into is no pack.
    while !requests.is_empty() {
        for request in requests {
            sender.send(request).await;
        }
        requests = sender.finish().await;
    }
    // The caller may have lost its interest; what was sent is sent.
    drop(batch.reply.send(sender.outcomes));
}

/// Turns operations into requests without changing their order.
fn plan(ops: Vec<ZkOp>, is_packed: bool) -> Vec<Request> {
    let mut requests: Vec<Request> = Vec::new();
    for (place, op) in ops.into_iter().enumerate() {
        match (op, requests.last_mut()) {
            (ZkOp::Read(ZkRead::Data(path)), Some(Request::MultiRead { paths, .. }))
                if paths.len() < MULTI_READ_PATHS_MAX
                    && size_of(paths).saturating_add(path.as_str().len())
                        < REQUEST_SIZE_BYTES_MAX / 4 =>
            {
                paths.push(path);
            }
            (ZkOp::Read(ZkRead::Data(path)), _) => {
                requests.push(Request::MultiRead {
                    first_place: place,
                    paths: vec![path],
                });
            }
            (ZkOp::Multi(writes), Some(Request::Pack { multis, .. })) if fits(multis, &writes) => {
                multis.push(writes);
            }
            (ZkOp::Multi(writes), _) if is_packed && is_packable(&writes) => {
                requests.push(Request::Pack {
                    first_place: place,
                    multis: vec![writes],
                });
            }
            (op @ (ZkOp::Read(_) | ZkOp::Write(_) | ZkOp::Multi(_)), _) => {
                requests.push(Request::One { place, op });
            }
        }
    }
    requests.into_iter().map(unwrap_single).collect()
}

/// A bundle of one is that one.
fn unwrap_single(request: Request) -> Request {
    match request {
        Request::MultiRead {
            first_place,
            mut paths,
        } if paths.len() == 1 => match paths.pop() {
            Some(path) => Request::One {
                place: first_place,
                op: ZkOp::Read(ZkRead::Data(path)),
            },
            None => Request::MultiRead { first_place, paths },
        },
        Request::Pack {
            first_place,
            mut multis,
        } if multis.len() == 1 => match multis.pop() {
            Some(writes) => Request::One {
                place: first_place,
                op: ZkOp::Multi(writes),
            },
            None => Request::Pack {
                first_place,
                multis,
            },
        },
        other @ (Request::One { .. } | Request::MultiRead { .. } | Request::Pack { .. }) => other,
    }
}

fn size_of(paths: &[ZkPath]) -> usize {
    paths.iter().map(|path| path.as_str().len()).sum()
}

fn is_packable(writes: &[ZkWrite]) -> bool {
    matches!(writes, [ZkWrite::Check { .. }, _, ..])
}

/// Whether a multi may join a pack: the same check, and room.
fn fits(multis: &[Vec<ZkWrite>], writes: &[ZkWrite]) -> bool {
    let same_check = multis.first().and_then(|one| one.first()) == writes.first();
    let all = || multis.iter().flatten().chain(writes);
    is_packable(writes)
        && same_check
        && all().count() <= PACK_WRITES_MAX
        // Half of the limit leaves room for the chroot in every path.
        && all().map(ZkWrite::size_bytes).sum::<usize>() < REQUEST_SIZE_BYTES_MAX / 2
}

/// Where a request's outcome goes: each operation's, by its place, and what is to be sent again.
struct Settled {
    outcomes: Vec<(usize, Outcome)>,
    again: Vec<Request>,
}

struct Sender<E> {
    tenure: Tenure<E>,
    limits: Limits,
    under_way: JoinSet<Settled>,
    outcomes: Vec<Outcome>,
    /// Nothing is sent any more, and this is the outcome of what was not.
    stopped: Option<Outcome>,
}

impl<E: Engine> Sender<E> {
    /// Sends a request as soon as there are room and a connection.
    async fn send(&mut self, request: Request) {
        if let Some(outcome) = &self.stopped {
            let outcome = outcome.clone();
            return self.settle(request.all(&outcome));
        }
        if let Some(error) = request.too_large(self.limits.chroot_size_bytes) {
            return self.settle(request.all(&Outcome::Failed(error)));
        }
        let Some(permits) = self.permits(&request).await else {
            // Nobody closes the semaphores; if somebody did, nothing could be sent.
            return self.settle(request.all(&Outcome::Unknown));
        };
        let engine =
            match tokio::time::timeout(self.limits.request_timeout, self.tenure.engine()).await {
                Ok(Some(engine)) => engine,
                Ok(None) => return self.stop(&request, Outcome::Failed(ZkError::StaleSession)),
                Err(_elapsed) => return self.stop(&request, Outcome::Unknown),
            };
        if self.tenure.takes_sync() {
            let (sync, tenure) = (engine.sync(), self.tenure.clone());
            self.under_way.spawn_local(async move {
                if sync.await.is_err() {
                    tenure.reply_was_lost();
                }
                Settled {
                    outcomes: Vec::new(),
                    again: Vec::new(),
                }
            });
        }
        let timeout = self.limits.request_timeout;
        let settling = settle(engine, self.tenure.clone(), request, timeout);
        self.under_way.spawn_local(async move {
            let settled = settling.await;
            drop(permits);
            settled
        });
    }

    async fn permits(&self, request: &Request) -> Option<[Option<OwnedSemaphorePermit>; 2]> {
        let multi_read = match request {
            Request::MultiRead { .. } => Some(
                Arc::clone(&self.limits.multi_reads)
                    .acquire_owned()
                    .await
                    .ok()?,
            ),
            Request::One { .. } | Request::Pack { .. } => None,
        };
        let in_flight = Arc::clone(&self.limits.in_flight)
            .acquire_owned()
            .await
            .ok()?;
        Some([multi_read, Some(in_flight)])
    }

    fn stop(&mut self, request: &Request, outcome: Outcome) {
        self.settle(request.all(&outcome));
        self.stopped = Some(outcome);
    }

    fn settle(&mut self, outcomes: Vec<(usize, Outcome)>) {
        for (place, outcome) in outcomes {
            if let Some(slot) = self.outcomes.get_mut(place) {
                *slot = outcome;
            }
        }
    }

    /// Waits for every reply; returns what is to be sent again.
    async fn finish(&mut self) -> Vec<Request> {
        let mut again = Vec::new();
        while let Some(settled) = self.under_way.join_next().await {
            // A task that panicked leaves its operations unknown, which they are.
            if let Ok(settled) = settled {
                self.settle(settled.outcomes);
                again.extend(settled.again);
            }
        }
        again.sort_unstable_by_key(Request::first_place);
        again
    }
}

/// Sends a request now, and returns a future of its end.
fn settle<E: Engine>(
    engine: E,
    tenure: Tenure<E>,
    request: Request,
    timeout: Duration,
) -> impl Future<Output = Settled> + 'static {
    let request = Rc::new(request);
    let reply = Request::send(&request, &engine);
    // The clone that sent must not keep a closed session's connection open.
    drop(engine);
    async move {
        let lost = || Settled {
            outcomes: request.all(&Outcome::Unknown),
            again: Vec::new(),
        };
        match tokio::time::timeout(timeout, reply).await {
            Ok(Ok(settled)) => settled,
            Ok(Err(EngineError::Refused(error))) => request.refused(&error),
            Ok(Err(EngineError::Unimplemented)) => request.refused(&ZkError::Refused {
                code: UNIMPLEMENTED,
            }),
            Ok(Err(EngineError::Unreadable)) => request.refused(&ZkError::Refused {
                code: MARSHALLING_ERROR,
            }),
            Ok(Err(EngineError::Lost(_) | EngineError::Expired | EngineError::Closed(_))) => {
                tenure.reply_was_lost();
                lost()
            }
            Err(_elapsed) => {
                tenure.reply_was_lost();
                lost()
            }
        }
    }
}

/// ZooKeeper's code of [`EngineError::Unimplemented`].
const UNIMPLEMENTED: i32 = -6;

/// ZooKeeper's code of [`EngineError::Unreadable`].
const MARSHALLING_ERROR: i32 = -5;

impl Request {
    const fn first_place(&self) -> usize {
        match self {
            Self::One {
                place: first_place, ..
            }
            | Self::MultiRead { first_place, .. }
            | Self::Pack { first_place, .. } => *first_place,
        }
    }

    const fn len(&self) -> usize {
        match self {
            Self::One { .. } => 1,
            Self::MultiRead { paths, .. } => paths.len(),
            Self::Pack { multis, .. } => multis.len(),
        }
    }

    /// The same outcome for every operation of it.
    fn all(&self, outcome: &Outcome) -> Vec<(usize, Outcome)> {
        let places = self.first_place()..self.first_place().saturating_add(self.len());
        places.map(|place| (place, outcome.clone())).collect()
    }

    fn too_large(&self, chroot_size_bytes: usize) -> Option<ZkError> {
        match self {
            Self::One { op, .. } => too_large(op, chroot_size_bytes),
            // Bundles are made far below the limit.
            Self::MultiRead { .. } | Self::Pack { .. } => None,
        }
    }

    /// What a refusal of the whole request means for its operations.
    fn refused(&self, error: &ZkError) -> Settled {
        if let (
            Self::Pack {
                first_place,
                multis,
            },
            ZkError::InMulti { index: 1.., .. },
        ) = (self, error)
        {
            // One of them spoils the others; the check at index 0 would have failed for each.
            let ones = multis.iter().enumerate().map(|(index, writes)| Self::One {
                place: first_place.saturating_add(index),
                op: ZkOp::Multi(writes.clone()),
            });
            return Settled {
                outcomes: Vec::new(),
                again: ones.collect(),
            };
        }
        Settled {
            outcomes: self.all(&Outcome::Failed(error.clone())),
            again: Vec::new(),
        }
    }

    fn send<E: Engine>(
        this: &Rc<Self>,
        engine: &E,
    ) -> impl Future<Output = Result<Settled, EngineError>> + 'static + use<E> {
        enum Sent {
            One(crate::engine::Reply<ZkReply>),
            MultiRead(
                crate::engine::Reply<Vec<Result<(Vec<u8>, barnabas_zk_schema::Stat), ZkError>>>,
            ),
        }
        let sent = match &**this {
            Self::One { op, .. } => Sent::One(send_one(engine, op)),
            Self::MultiRead { paths, .. } => Sent::MultiRead(engine.multi_read(paths.clone())),
            Self::Pack { multis, .. } => Sent::One(engine.multi(pack(multis))),
        };
        let request = Rc::clone(this);
        async move {
            let outcomes = match sent {
                Sent::One(reply) => request.unpack(reply.await?)?,
                Sent::MultiRead(reply) => {
                    let first = request.first_place();
                    let places = first..;
                    places
                        .zip(reply.await?.into_iter().map(read_outcome))
                        .collect()
                }
            };
            Ok(Settled {
                outcomes,
                again: Vec::new(),
            })
        }
    }

    /// Divides the reply to a pack among its multis.
    fn unpack(&self, reply: ZkReply) -> Result<Vec<(usize, Outcome)>, EngineError> {
        let (
            Self::Pack {
                first_place,
                multis,
            },
            ZkReply::Multi(replies),
        ) = (self, &reply)
        else {
            return Ok(vec![(self.first_place(), Outcome::Done(reply))]);
        };
        let mut rest = replies.get(1..).unwrap_or_default();
        let mut outcomes = Vec::with_capacity(multis.len());
        for (index, writes) in multis.iter().enumerate() {
            let count = writes.len().saturating_sub(1);
            let Some((own, after)) = rest.split_at_checked(count) else {
                return Err(EngineError::Lost("a pack was answered in part".into()));
            };
            rest = after;
            let replies = std::iter::once(ZkReply::Checked)
                .chain(own.iter().cloned())
                .collect();
            let place = first_place.saturating_add(index);
            outcomes.push((place, Outcome::Done(ZkReply::Multi(replies))));
        }
        Ok(outcomes)
    }
}

fn send_one<E: Engine>(engine: &E, op: &ZkOp) -> crate::engine::Reply<ZkReply> {
    match op {
        ZkOp::Read(ZkRead::Data(path)) => engine.data(path.clone()),
        ZkOp::Read(ZkRead::Exists(path)) => engine.exists(path.clone()),
        ZkOp::Read(ZkRead::Children(path)) => engine.children(path.clone()),
        ZkOp::Write(write) => engine.write(write.clone()),
        ZkOp::Multi(writes) => engine.multi(writes.clone()),
    }
}

/// The check once, then what each multi has behind its own.
fn pack(multis: &[Vec<ZkWrite>]) -> Vec<ZkWrite> {
    let check = multis.first().and_then(|writes| writes.first());
    let rest = multis.iter().flat_map(|writes| writes.iter().skip(1));
    check.into_iter().chain(rest).cloned().collect()
}

fn read_outcome(read: Result<(Vec<u8>, barnabas_zk_schema::Stat), ZkError>) -> Outcome {
    match read {
        Ok((data, stat)) => Outcome::Done(ZkReply::Data { data, stat }),
        Err(error) => Outcome::Failed(error),
    }
}
