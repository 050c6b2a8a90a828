//! The engine on the crate `zookeeper-client`, pinned to the version that the conformance suite was
//! run with.
//!
//! Two of its faults are known and avoided by how it is used: persistent watches are not restored
//! on reconnection (they are added again), and more than 128 KiB of watched paths end the session on
//! the first reconnection (there are few watches, and recursive ones).

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use barnabas_zk_schema::{
    CreateMode, Expected, SessionId, Stat, ZkError, ZkPath, ZkReply, ZkVersion, ZkWrite, Zxid,
};
use zookeeper_client as library;
use zookeeper_client::{
    Acls, AddWatchMode, Client, EventType, MultiReadResult, MultiWriteError, MultiWriteResult,
    MultiWriter, PersistentWatcher, SessionInfo, SessionState, StateWatcher,
};

use super::{Engine, EngineError, EngineState, Read, Reply, States, WatchNews, Watcher};

/// ZooKeeper's code for a request that makes no sense.
const BAD_ARGUMENTS: i32 = -8;

/// A connection of the library.
#[derive(Clone, Debug)]
pub(crate) struct ZooKeeperClient(Client);

impl Engine for ZooKeeperClient {
    type Attachment = SessionInfo;
    type States = StateWatcher;
    type Watcher = PersistentWatcher;

    async fn connect(
        servers: &str,
        session_timeout: Duration,
        attachment: Option<&SessionInfo>,
    ) -> Result<Self, EngineError> {
        let mut connector = Client::connector()
            .with_session_timeout(session_timeout)
            // Each server once; the keeper decides how long to go on.
            .with_fail_eagerly();
        if let Some(attachment) = attachment {
            connector = connector.with_session(attachment.clone());
        }
        connector
            .connect(servers)
            .await
            .map(Self)
            .map_err(EngineError::from)
    }

    fn below(self, chroot: &ZkPath) -> Self {
        // The connect string's parser let only proper paths through, and those are accepted.
        Self(
            self.0
                .chroot(chroot.as_str().to_owned())
                .unwrap_or_else(|unchanged| unchanged),
        )
    }

    fn attachment(&self) -> SessionInfo {
        self.0.session().clone()
    }

    fn session(&self) -> SessionId {
        SessionId(self.0.session_id().0)
    }

    fn session_timeout(&self) -> Duration {
        self.0.session_timeout()
    }

    fn states(&self) -> StateWatcher {
        self.0.state_watcher()
    }

    fn data(&self, path: ZkPath) -> Reply<ZkReply> {
        let client = self.0.clone();
        sent(async move {
            let (data, stat) = client.get_data(path.as_str()).await?;
            Ok(ZkReply::Data {
                data,
                stat: translate(&stat),
            })
        })
    }

    fn exists(&self, path: ZkPath) -> Reply<ZkReply> {
        let client = self.0.clone();
        sent(async move {
            let stat = client.check_stat(path.as_str()).await?;
            let stat = stat.ok_or(EngineError::Refused(ZkError::NoNode))?;
            Ok(ZkReply::Exists(translate(&stat)))
        })
    }

    fn children(&self, path: ZkPath) -> Reply<ZkReply> {
        let client = self.0.clone();
        sent(async move {
            let (names, stat) = client.get_children(path.as_str()).await?;
            Ok(ZkReply::Children {
                names,
                stat: translate(&stat),
            })
        })
    }

    fn write(&self, write: ZkWrite) -> Reply<ZkReply> {
        let client = self.0.clone();
        sent(async move {
            match write {
                ZkWrite::Create { path, data, mode } => create(&client, &path, &data, mode).await,
                ZkWrite::Set {
                    path,
                    data,
                    expected,
                } => {
                    let version = version(expected);
                    let stat = client.set_data(path.as_str(), &data, version).await;
                    stat.map(|stat| ZkReply::Set(translate(&stat)))
                        .map_err(EngineError::from)
                }
                ZkWrite::Delete { path, expected } => {
                    let deleted = client.delete(path.as_str(), version(expected)).await;
                    deleted
                        .map(|()| ZkReply::Deleted)
                        .map_err(EngineError::from)
                }
                // There is no such request outside of a multi.
                ZkWrite::Check { .. } => Err(EngineError::Refused(ZkError::Refused {
                    code: BAD_ARGUMENTS,
                })),
            }
        })
    }

    fn multi(&self, writes: Vec<ZkWrite>) -> Reply<ZkReply> {
        let client = self.0.clone();
        sent(async move {
            let mut multi = client.new_multi_writer();
            for (index, write) in writes.iter().enumerate() {
                add(&mut multi, write).map_err(|error| in_multi(index, error))?;
            }
            let replies = multi.commit().await.map_err(|error| match error {
                MultiWriteError::RequestFailed { source } => source.into(),
                MultiWriteError::OperationFailed { index, source } => in_multi(index, source),
            })?;
            if replies.len() != writes.len() {
                return Err(EngineError::Lost("a multi was answered in part".into()));
            }
            Ok(ZkReply::Multi(
                replies.into_iter().map(multi_reply).collect(),
            ))
        })
    }

    fn multi_read(&self, paths: Vec<ZkPath>) -> Reply<Vec<Read>> {
        let client = self.0.clone();
        sent(async move {
            let mut multi = client.new_multi_reader();
            for path in &paths {
                multi.add_get_data(path.as_str())?;
            }
            let replies = multi.commit().await?;
            if replies.len() != paths.len() {
                return Err(EngineError::Lost(
                    "a multi-read was answered in part".into(),
                ));
            }
            replies.into_iter().map(read_reply).collect()
        })
    }

    fn sync(&self) -> Reply<()> {
        let client = self.0.clone();
        sent(async move { client.sync("/").await.map_err(EngineError::from) })
    }

    fn watch(&self, path: ZkPath) -> Reply<PersistentWatcher> {
        let client = self.0.clone();
        sent(async move {
            let mode = AddWatchMode::PersistentRecursive;
            client
                .watch(path.as_str(), mode)
                .await
                .map_err(EngineError::from)
        })
    }
}

impl States for StateWatcher {
    fn now(&self) -> EngineState {
        state(self.peek_state())
    }

    async fn next(&mut self) -> EngineState {
        state(self.changed().await)
    }
}

impl Watcher for PersistentWatcher {
    async fn next(&mut self) -> WatchNews {
        let event = self.changed().await;
        match event.event_type {
            EventType::Session => WatchNews::State(state(event.session_state)),
            EventType::NodeCreated
            | EventType::NodeDeleted
            | EventType::NodeDataChanged
            | EventType::NodeChildrenChanged => WatchNews::Dirty(event.path.into()),
        }
    }
}

/// Polls once, so that the request is on its way, in its order, when this returns: the library sends
/// when a future is first polled.
fn sent<T: 'static>(reply: impl Future<Output = Result<T, EngineError>> + 'static) -> Reply<T> {
    let mut reply = Box::pin(reply);
    match reply.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Box::pin(std::future::ready(result)),
        Poll::Pending => reply,
    }
}

async fn create(
    client: &Client,
    path: &ZkPath,
    data: &[u8],
    mode: CreateMode,
) -> Result<ZkReply, EngineError> {
    let options = create_mode(mode).with_acls(Acls::anyone_all());
    let (stat, number) = client.create(path.as_str(), data, &options).await?;
    let path = match mode {
        CreateMode::Persistent | CreateMode::Ephemeral => path.clone(),
        CreateMode::PersistentSequential => format!("{path}{number}").into(),
    };
    Ok(ZkReply::Created {
        path,
        stat: translate(&stat),
    })
}

fn add(multi: &mut MultiWriter<'_>, write: &ZkWrite) -> Result<(), library::Error> {
    match write {
        ZkWrite::Create { path, data, mode } => {
            let options = create_mode(*mode).with_acls(Acls::anyone_all());
            multi.add_create(path.as_str(), data, &options)
        }
        ZkWrite::Set {
            path,
            data,
            expected,
        } => multi.add_set_data(path.as_str(), data, version(*expected)),
        ZkWrite::Delete { path, expected } => multi.add_delete(path.as_str(), version(*expected)),
        ZkWrite::Check { path, version } => multi.add_check_version(path.as_str(), version.0),
    }
}

fn multi_reply(reply: MultiWriteResult) -> ZkReply {
    match reply {
        MultiWriteResult::Create { path, stat } => {
            // Servers before 3.7 leave the stat of a create within a multi out (ZOOKEEPER-4026).
            let stat = if stat.is_invalid() {
                Stat::default()
            } else {
                translate(&stat)
            };
            ZkReply::Created {
                path: path.into(),
                stat,
            }
        }
        MultiWriteResult::SetData { stat } => ZkReply::Set(translate(&stat)),
        MultiWriteResult::Delete => ZkReply::Deleted,
        // The library may learn more kinds, but answers only what was asked.
        MultiWriteResult::Check | _ => ZkReply::Checked,
    }
}

/// One path's part of a multi-read. An error of the path is a result; one of the whole is not.
fn read_reply(reply: MultiReadResult) -> Result<Read, EngineError> {
    match reply {
        MultiReadResult::Data { data, stat } => Ok(Ok((data, translate(&stat)))),
        MultiReadResult::Error { err } => EngineError::from(err).refused().map(Err),
        MultiReadResult::Children { .. } | _ => Err(EngineError::Lost(
            "a multi-read was answered with something else".into(),
        )),
    }
}

fn in_multi(index: usize, error: library::Error) -> EngineError {
    let error = EngineError::from(error).refused().map(Box::new);
    error.map_or_else(
        |lost| lost,
        |error| EngineError::Refused(ZkError::InMulti { index, error }),
    )
}

impl EngineError {
    /// The refusal, or the error again if it is none.
    fn refused(self) -> Result<ZkError, Self> {
        if let Self::Refused(error) = self {
            return Ok(error);
        }
        Err(self)
    }
}

/// What an error of the library means for the operation that got it.
impl From<library::Error> for EngineError {
    fn from(error: library::Error) -> Self {
        use library::Error as E;
        let refused = |code| Self::Refused(ZkError::Refused { code });
        match error {
            E::NoNode => Self::Refused(ZkError::NoNode),
            E::NodeExists => Self::Refused(ZkError::NodeExists),
            E::BadVersion => Self::Refused(ZkError::BadVersion),
            E::NotEmpty => Self::Refused(ZkError::NotEmpty),
            E::NoChildrenForEphemerals => Self::Refused(ZkError::EphemeralParent),
            E::NoAuth => Self::Refused(ZkError::NoAuth),
            E::InvalidAcl => refused(-114),
            E::BadArguments(_) => refused(BAD_ARGUMENTS),
            E::NotReadOnly => refused(-119),
            E::QuotaExceeded => refused(-125),
            E::Throttled => refused(-127),
            E::RuntimeInconsistent => refused(-2),
            E::UnexpectedErrorCode(code) => refused(code),
            E::Unimplemented => Self::Unimplemented,
            E::MarshallingError => Self::Unreadable,
            E::SessionExpired => Self::Expired,
            E::ClientClosed | E::AuthFailed => Self::Closed(error.to_string()),
            // Nothing is known about the operation; the library may learn more ways to say so.
            E::ConnectionLoss
            | E::Timeout
            | E::NoHosts
            | E::SessionMoved
            | E::NoWatcher
            | E::ReconfigDisabled
            | E::UnmarshalError { .. }
            | E::UnexpectedError(_)
            | E::Custom(_)
            | _ => Self::Lost(error.to_string()),
        }
    }
}

const fn state(state: SessionState) -> EngineState {
    match state {
        // No read-only session is ever asked for.
        SessionState::SyncConnected | SessionState::ConnectedReadOnly => EngineState::Connected,
        SessionState::Disconnected => EngineState::Disconnected,
        SessionState::AuthFailed | SessionState::Expired | SessionState::Closed => {
            EngineState::Over
        }
    }
}

const fn create_mode(mode: CreateMode) -> library::CreateMode {
    match mode {
        CreateMode::Persistent => library::CreateMode::Persistent,
        CreateMode::Ephemeral => library::CreateMode::Ephemeral,
        CreateMode::PersistentSequential => library::CreateMode::PersistentSequential,
    }
}

const fn version(expected: Expected) -> Option<i32> {
    match expected {
        Expected::Any => None,
        Expected::Version(version) => Some(version.0),
    }
}

fn translate(stat: &library::Stat) -> Stat {
    Stat {
        czxid: Zxid(stat.czxid),
        mzxid: Zxid(stat.mzxid),
        pzxid: Zxid(stat.pzxid),
        ctime_ms: stat.ctime,
        mtime_ms: stat.mtime,
        version: ZkVersion(stat.version),
        cversion: stat.cversion,
        ephemeral_owner: (stat.ephemeral_owner != 0).then_some(SessionId(stat.ephemeral_owner)),
        data_length_bytes: stat.data_length,
        children_count: stat.num_children,
    }
}
