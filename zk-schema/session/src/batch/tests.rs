//! The sender with an engine whose replies come when the test says so.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use barnabas_zk_schema::{
    CreateMode, SessionId, Stat, ZkOp, ZkPath, ZkRead, ZkReply, ZkVersion, ZkWrite,
};
use tokio::sync::{oneshot, watch};
use tokio::task::LocalSet;

use super::*;
use crate::engine::{EngineState, Read, Reply, States, WatchNews, Watcher};
use crate::event::{Established, SessionGeneration};
use crate::link::Link;

/// Patience of the sender under test.
const TIMEOUT: Duration = Duration::from_secs(10);

type Pending = oneshot::Sender<Result<(), EngineError>>;

#[derive(Debug, Default)]
struct Script {
    sent: Vec<String>,
    pending: VecDeque<Pending>,
}

/// Keeps what was sent, and its replies back.
#[derive(Clone, Debug, Default)]
struct Scripted(Rc<RefCell<Script>>);

impl Scripted {
    fn send<T: 'static>(&self, what: String, reply: T) -> Reply<T> {
        let (pending, replied) = oneshot::channel();
        let mut script = self.0.borrow_mut();
        script.sent.push(what);
        script.pending.push_back(pending);
        Box::pin(async move {
            match replied.await {
                Ok(result) => result.map(|()| reply),
                Err(_) => std::future::pending().await,
            }
        })
    }

    fn sent(&self) -> Vec<String> {
        self.0.borrow().sent.clone()
    }

    fn count(&self) -> usize {
        self.0.borrow().sent.len()
    }

    /// Answers the oldest request that has no answer yet.
    fn answer(&self, result: Result<(), EngineError>) {
        let oldest = self
            .0
            .borrow_mut()
            .pending
            .pop_front()
            .expect("something was sent");
        oldest.send(result).expect("the sender waits");
    }
}

#[derive(Debug)]
struct Never;

impl States for Never {
    fn now(&self) -> EngineState {
        EngineState::Connected
    }

    async fn next(&mut self) -> EngineState {
        std::future::pending().await
    }
}

impl Watcher for Never {
    async fn next(&mut self) -> WatchNews {
        std::future::pending().await
    }
}

impl Engine for Scripted {
    type Attachment = ();
    type States = Never;
    type Watcher = Never;

    async fn connect(_: &str, _: Duration, _: Option<&()>) -> Result<Self, EngineError> {
        Ok(Self::default())
    }

    fn below(self, _: &ZkPath) -> Self {
        self
    }

    fn attachment(&self) {}

    fn session(&self) -> SessionId {
        SessionId(1)
    }

    fn session_timeout(&self) -> Duration {
        TIMEOUT
    }

    fn states(&self) -> Never {
        Never
    }

    fn data(&self, path: ZkPath) -> Reply<ZkReply> {
        self.send(
            format!("data {path}"),
            ZkReply::Data {
                data: Vec::new(),
                stat: Stat::default(),
            },
        )
    }

    fn exists(&self, path: ZkPath) -> Reply<ZkReply> {
        self.send(format!("exists {path}"), ZkReply::Exists(Stat::default()))
    }

    fn children(&self, path: ZkPath) -> Reply<ZkReply> {
        let reply = ZkReply::Children {
            names: Vec::new(),
            stat: Stat::default(),
        };
        self.send(format!("children {path}"), reply)
    }

    fn write(&self, write: ZkWrite) -> Reply<ZkReply> {
        self.send(format!("write {}", write.path()), ZkReply::Deleted)
    }

    fn multi(&self, writes: Vec<ZkWrite>) -> Reply<ZkReply> {
        let replies = writes.iter().map(|_| ZkReply::Checked).collect();
        self.send(
            format!("multi of {}", writes.len()),
            ZkReply::Multi(replies),
        )
    }

    fn multi_read(&self, paths: Vec<ZkPath>) -> Reply<Vec<Read>> {
        let replies = paths.iter().map(|_| Err(ZkError::NoNode)).collect();
        self.send(format!("multi-read of {}", paths.len()), replies)
    }

    fn sync(&self) -> Reply<()> {
        self.send("sync".into(), ())
    }

    fn watch(&self, path: ZkPath) -> Reply<Never> {
        self.send(format!("watch {path}"), Never)
    }
}

/// A session on the scripted engine.
struct Stage {
    engine: Scripted,
    link: watch::Sender<Link<Scripted>>,
    tenure: Tenure<Scripted>,
    limits: Limits,
}

impl Stage {
    fn new() -> Self {
        let engine = Scripted::default();
        let (link, reader) = watch::channel(Link::Up(engine.clone()));
        let session = Established {
            generation: SessionGeneration(1),
            session: SessionId(1),
            session_timeout_ms: 6000,
        };
        let tenure = Tenure::new(session, reader);
        Self {
            engine,
            link,
            tenure,
            limits: Limits::new(TIMEOUT, 0),
        }
    }

    fn begin(&self, ops: Vec<ZkOp>, is_packed: bool) -> oneshot::Receiver<Vec<Outcome>> {
        let (reply, outcomes) = oneshot::channel();
        let batch = Batch {
            generation: SessionGeneration(1),
            ops,
            is_packed,
            reply,
        };
        tokio::task::spawn_local(run(self.tenure.clone(), self.limits.clone(), batch));
        outcomes
    }
}

/// Lets every task run until it waits for something.
async fn settle() {
    for _ in 0..4 * IN_FLIGHT_MAX {
        tokio::task::yield_now().await;
    }
}

fn on_stage<F: Future<Output = ()>>(play: impl FnOnce(Stage) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, async { play(Stage::new()).await });
}

fn writes(count: usize) -> Vec<ZkOp> {
    let create = |number| ZkWrite::Create {
        path: format!("/{number}").into(),
        data: Vec::new(),
        mode: CreateMode::Persistent,
    };
    (0..count).map(create).map(ZkOp::Write).collect()
}

fn reads(count: usize) -> Vec<ZkOp> {
    (0..count)
        .map(|number| ZkOp::Read(ZkRead::Data(format!("/{number}").into())))
        .collect()
}

#[test]
fn no_more_requests_are_under_way_than_the_limit() {
    on_stage(async |stage| {
        let _outcomes = stage.begin(writes(IN_FLIGHT_MAX + 88), false);
        settle().await;
        assert_eq!(stage.engine.count(), IN_FLIGHT_MAX);
        stage.engine.answer(Ok(()));
        settle().await;
        assert_eq!(stage.engine.count(), IN_FLIGHT_MAX + 1);
    });
}

#[test]
fn no_more_multi_reads_are_under_way_than_the_limit() {
    on_stage(async |stage| {
        let _outcomes = stage.begin(reads(MULTI_READ_PATHS_MAX * 10), false);
        settle().await;
        assert_eq!(stage.engine.count(), MULTI_READS_IN_FLIGHT_MAX);
        stage.engine.answer(Ok(()));
        settle().await;
        assert_eq!(stage.engine.count(), MULTI_READS_IN_FLIGHT_MAX + 1);
    });
}

#[test]
fn requests_leave_in_their_order_before_any_reply() {
    on_stage(async |stage| {
        let mut ops = writes(2);
        ops.extend(reads(3));
        ops.push(ZkOp::Read(ZkRead::Exists("/e".into())));
        let outcomes = stage.begin(ops, false);
        settle().await;
        assert_eq!(
            stage.engine.sent(),
            ["write /0", "write /1", "multi-read of 3", "exists /e"]
        );
        for _ in 0..4 {
            stage.engine.answer(Ok(()));
        }
        assert_eq!(outcomes.await.unwrap().len(), 6);
    });
}

#[test]
fn a_request_after_a_lost_reply_is_preceded_by_a_sync() {
    on_stage(async |stage| {
        let lost = stage.begin(writes(1), false);
        settle().await;
        stage.engine.answer(Err(EngineError::Lost("cut".into())));
        assert_eq!(lost.await.unwrap(), [Outcome::Unknown]);
        let read = stage.begin(reads(1), false);
        settle().await;
        assert_eq!(stage.engine.sent(), ["write /0", "sync", "data /0"]);
        // The sync is lost as well, so it is sent again.
        stage.engine.answer(Err(EngineError::Lost("cut".into())));
        stage.engine.answer(Ok(()));
        assert!(matches!(read.await.unwrap()[..], [Outcome::Done(_)]));
        let _read = stage.begin(reads(1), false);
        settle().await;
        assert_eq!(stage.engine.sent()[3..], ["sync", "data /0"]);
    });
}

#[test]
fn a_reply_that_does_not_come_is_unknown_after_the_timeout_and_frees_its_place() {
    on_stage(async |stage| {
        let ops = IN_FLIGHT_MAX + 1;
        let outcomes = stage.begin(writes(ops), false);
        settle().await;
        tokio::time::advance(TIMEOUT).await;
        settle().await;
        // The last write, and the sync before it.
        assert_eq!(stage.engine.count(), ops + 1);
        tokio::time::advance(TIMEOUT).await;
        assert!(
            outcomes
                .await
                .unwrap()
                .iter()
                .all(|outcome| *outcome == Outcome::Unknown)
        );
    });
}

#[test]
fn without_a_connection_nothing_is_sent_and_one_timeout_ends_the_batch() {
    on_stage(async |stage| {
        stage.link.send_replace(Link::Down);
        let outcomes = stage.begin(writes(3), false);
        settle().await;
        tokio::time::advance(TIMEOUT).await;
        assert_eq!(outcomes.await.unwrap(), vec![Outcome::Unknown; 3]);
        assert_eq!(stage.engine.count(), 0);
    });
}

#[test]
fn what_waits_for_a_connection_is_sent_when_there_is_one() {
    on_stage(async |stage| {
        stage.link.send_replace(Link::Down);
        let outcomes = stage.begin(writes(1), false);
        settle().await;
        stage.link.send_replace(Link::Up(stage.engine.clone()));
        settle().await;
        stage.engine.answer(Ok(()));
        assert!(matches!(outcomes.await.unwrap()[..], [Outcome::Done(_)]));
    });
}

#[test]
fn what_was_not_sent_when_the_session_ended_is_refused_as_stale() {
    on_stage(async |stage| {
        let outcomes = stage.begin(writes(IN_FLIGHT_MAX + 2), false);
        settle().await;
        stage.link.send_replace(Link::Over);
        for _ in 0..IN_FLIGHT_MAX {
            stage.engine.answer(Err(EngineError::Expired));
        }
        let outcomes = outcomes.await.unwrap();
        let stale = Outcome::Failed(ZkError::StaleSession);
        assert_eq!(outcomes[0], Outcome::Unknown);
        assert_eq!(outcomes[IN_FLIGHT_MAX..], [stale.clone(), stale]);
    });
}

#[test]
fn a_pack_is_sent_again_one_by_one_only_when_one_of_its_changes_failed() {
    let fenced = |number: usize| {
        let check = ZkWrite::Check {
            path: "/fence".into(),
            version: ZkVersion(1),
        };
        let ZkOp::Write(write) = writes(number + 1).remove(number) else {
            panic!("a write")
        };
        ZkOp::Multi(vec![check, write])
    };
    for (index, again) in [(0, 0), (2, 3)] {
        on_stage(async |stage| {
            let outcomes = stage.begin((0..3).map(fenced).collect(), true);
            settle().await;
            assert_eq!(stage.engine.sent(), ["multi of 4"]);
            let error = ZkError::InMulti {
                index,
                error: Box::new(ZkError::BadVersion),
            };
            stage
                .engine
                .answer(Err(EngineError::Refused(error.clone())));
            settle().await;
            assert_eq!(stage.engine.sent()[1..], vec!["multi of 2"; again]);
            for _ in 0..again {
                stage.engine.answer(Ok(()));
            }
            let outcomes = outcomes.await.unwrap();
            if again == 0 {
                assert_eq!(outcomes, vec![Outcome::Failed(error); 3]);
            } else {
                assert!(
                    outcomes
                        .iter()
                        .all(|outcome| matches!(outcome, Outcome::Done(_)))
                );
            }
        });
    }
}
