//! ZooKeeper as far as a controller can tell.

use std::collections::{BTreeMap, BTreeSet};

use barnabas_zk_schema::{
    CreateMode, Expected, Outcome, PERSISTENT_PATHS, SessionId, Stat, ZkError, ZkOp, ZkPath,
    ZkRead, ZkReply, ZkVersion, ZkWrite, Znode, Zxid,
};

/// A change that was made: whoever made it, of which znode.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) path: ZkPath,
    /// Data before; `None` if it was not there.
    pub(crate) before: Option<Vec<u8>>,
    /// Data after; `None` if it is not there any more.
    pub(crate) after: Option<Vec<u8>>,
}

#[derive(Clone, Debug)]
struct Node {
    data: Vec<u8>,
    stat: Stat,
}

/// The whole tree.
#[derive(Debug)]
pub(crate) struct ZooKeeper {
    nodes: BTreeMap<ZkPath, Node>,
    zxid: i64,
    sessions: BTreeSet<SessionId>,
    last_session: i64,
    sequence: i64,
    /// Changes since they were last taken.
    changes: Vec<Change>,
}

impl ZooKeeper {
    /// A tree with the paths that every broker makes sure of.
    pub(crate) fn new() -> Self {
        let mut zookeeper = Self {
            nodes: BTreeMap::new(),
            zxid: 0,
            sessions: BTreeSet::new(),
            last_session: 0,
            sequence: 0,
            changes: Vec::new(),
        };
        for path in PERSISTENT_PATHS {
            zookeeper.make(&path.into());
        }
        zookeeper.changes.clear();
        zookeeper
    }

    fn make(&mut self, path: &ZkPath) {
        if self.nodes.contains_key(path) {
            return;
        }
        if let Some(parent) = path.parent() {
            self.make(&parent);
        }
        let mode = CreateMode::Persistent;
        let write = ZkWrite::Create {
            path: path.clone(),
            data: Vec::new(),
            mode,
        };
        self.apply(None, &write).unwrap();
    }

    pub(crate) fn open_session(&mut self) -> SessionId {
        self.last_session += 1;
        let session = SessionId(self.last_session);
        self.sessions.insert(session);
        session
    }

    /// Ends a session and removes its ephemeral znodes.
    pub(crate) fn expire(&mut self, session: SessionId) {
        self.sessions.remove(&session);
        let is_its = |node: &Node| node.stat.ephemeral_owner == Some(session);
        let paths: Vec<_> = self
            .nodes
            .iter()
            .filter(|(_, node)| is_its(node))
            .map(|(path, _)| path.clone())
            .collect();
        for path in paths {
            self.apply(
                None,
                &ZkWrite::Delete {
                    path,
                    expected: Expected::Any,
                },
            )
            .unwrap();
        }
    }

    /// Carries out one operation of `session`.
    pub(crate) fn execute(&mut self, session: SessionId, op: &ZkOp) -> Outcome {
        if !self.sessions.contains(&session) {
            return Outcome::Failed(ZkError::StaleSession);
        }
        let result = match op {
            ZkOp::Read(read) => self.read(read),
            ZkOp::Write(write) => self.apply(Some(session), write),
            ZkOp::Multi(writes) => self.multi(session, writes),
        };
        result.map_or_else(Outcome::Failed, Outcome::Done)
    }

    /// All or none: what a failed multi has changed is put back.
    fn multi(&mut self, session: SessionId, writes: &[ZkWrite]) -> Result<ZkReply, ZkError> {
        let (zxid, sequence, changes) = (self.zxid, self.sequence, self.changes.len());
        let mut undo = Vec::new();
        let mut replies = Vec::new();
        for (index, write) in writes.iter().enumerate() {
            undo.push((write.path().clone(), self.nodes.get(write.path()).cloned()));
            match self.apply(Some(session), write) {
                Ok(reply) => replies.push(reply),
                Err(error) => {
                    for (path, before) in undo.into_iter().rev() {
                        match before {
                            Some(node) => self.nodes.insert(path, node),
                            None => self.nodes.remove(&path),
                        };
                    }
                    (self.zxid, self.sequence) = (zxid, sequence);
                    self.changes.truncate(changes);
                    return Err(ZkError::InMulti {
                        index,
                        error: Box::new(error),
                    });
                }
            }
        }
        Ok(ZkReply::Multi(replies))
    }

    fn read(&self, read: &ZkRead) -> Result<ZkReply, ZkError> {
        let node = self.nodes.get(read.path()).ok_or(ZkError::NoNode)?;
        Ok(match read {
            ZkRead::Data(_) => ZkReply::Data {
                data: node.data.clone(),
                stat: node.stat,
            },
            ZkRead::Exists(_) => ZkReply::Exists(node.stat),
            ZkRead::Children(path) => ZkReply::Children {
                names: self.children(path.as_str()),
                stat: node.stat,
            },
        })
    }

    fn apply(&mut self, session: Option<SessionId>, write: &ZkWrite) -> Result<ZkReply, ZkError> {
        match write {
            ZkWrite::Create { path, data, mode } => self.create(session, path, data, *mode),
            ZkWrite::Set {
                path,
                data,
                expected,
            } => {
                let zxid = Zxid(self.zxid + 1);
                let node = self.nodes.get_mut(path).ok_or(ZkError::NoNode)?;
                check_version(node, *expected)?;
                self.zxid = zxid.0;
                let before = std::mem::replace(&mut node.data, data.clone());
                node.stat.version.0 += 1;
                node.stat.mzxid = zxid;
                let stat = node.stat;
                self.note(path, Some(before), Some(data.clone()));
                Ok(ZkReply::Set(stat))
            }
            ZkWrite::Delete { path, expected } => {
                let node = self.nodes.get(path).ok_or(ZkError::NoNode)?;
                check_version(node, *expected)?;
                if !self.children(path.as_str()).is_empty() {
                    return Err(ZkError::NotEmpty);
                }
                self.zxid += 1;
                let before = self.nodes.remove(path).map(|node| node.data);
                self.note(path, before, None);
                Ok(ZkReply::Deleted)
            }
            ZkWrite::Check { path, version } => {
                let node = self.nodes.get(path).ok_or(ZkError::NoNode)?;
                // The server takes -1 for any version.
                if version.0 != -1 {
                    check_version(node, Expected::Version(*version))?;
                }
                Ok(ZkReply::Checked)
            }
        }
    }

    fn create(
        &mut self,
        session: Option<SessionId>,
        path: &ZkPath,
        data: &[u8],
        mode: CreateMode,
    ) -> Result<ZkReply, ZkError> {
        let path = if mode == CreateMode::PersistentSequential {
            self.sequence += 1;
            ZkPath::from(format!("{path}{:010}", self.sequence))
        } else {
            path.clone()
        };
        if self.nodes.contains_key(&path) {
            return Err(ZkError::NodeExists);
        }
        if path
            .parent()
            .is_some_and(|parent| !self.nodes.contains_key(&parent))
        {
            return Err(ZkError::NoNode);
        }
        self.zxid += 1;
        let zxid = Zxid(self.zxid);
        let ephemeral_owner = session.filter(|_| mode == CreateMode::Ephemeral);
        let version = ZkVersion(0);
        let stat = Stat {
            czxid: zxid,
            mzxid: zxid,
            version,
            ephemeral_owner,
            ..Stat::default()
        };
        self.nodes.insert(
            path.clone(),
            Node {
                data: data.to_vec(),
                stat,
            },
        );
        self.note(&path, None, Some(data.to_vec()));
        Ok(ZkReply::Created { path, stat })
    }

    fn note(&mut self, path: &ZkPath, before: Option<Vec<u8>>, after: Option<Vec<u8>>) {
        self.changes.push(Change {
            path: path.clone(),
            before,
            after,
        });
    }

    /// What changed since the last time, in order.
    pub(crate) fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// A tool with a session of its own writes.
    pub(crate) fn write(&mut self, write: &ZkWrite) {
        self.apply(None, write).unwrap();
    }

    pub(crate) fn exists(&self, path: &str) -> bool {
        self.nodes.contains_key(&ZkPath::from(path))
    }

    pub(crate) fn stat(&self, path: &ZkPath) -> Option<Stat> {
        self.nodes.get(path).map(|node| node.stat)
    }

    /// What a znode says; `None` if it is not there.
    pub(crate) fn get<Z: Znode>(&self, znode: &Z) -> Option<Z::Payload> {
        self.nodes
            .get(&znode.path())
            .map(|node| Z::decode(&node.data).unwrap())
    }

    pub(crate) fn text(&self, path: &str) -> String {
        let node = self.nodes.get(&ZkPath::from(path));
        node.map_or_else(String::new, |node| {
            String::from_utf8(node.data.clone()).unwrap()
        })
    }

    pub(crate) fn children(&self, parent: &str) -> Vec<String> {
        let parent = ZkPath::from(parent);
        // '0' follows '/': everything below lies between the two.
        let (first, end) = (format!("{parent}/"), format!("{parent}0"));
        let below = self.nodes.range(ZkPath::from(first)..ZkPath::from(end));
        let names = below.filter_map(|(path, _)| path.below(&parent));
        names
            .filter(|name| !name.contains('/'))
            .map(str::to_owned)
            .collect()
    }

    pub(crate) fn paths(&self) -> impl Iterator<Item = &ZkPath> {
        self.nodes.keys()
    }
}

fn check_version(node: &Node, expected: Expected) -> Result<(), ZkError> {
    match expected {
        Expected::Version(version) if version != node.stat.version => Err(ZkError::BadVersion),
        Expected::Any | Expected::Version(_) => Ok(()),
    }
}
