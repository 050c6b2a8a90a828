//! A path of a shared ZooKeeper that belongs to one test.

use barnabas_zk_schema::{Expected, Outcome, ZkOp, ZkPath, ZkRead, ZkReply, ZkWrite};
use barnabas_zk_session::{Session, Settings};
use std::net::SocketAddr;

/// The path, and how to get there. On a server that outlives the tests the path is removed when
/// this is dropped; on one that was started for them, it goes with the server.
#[derive(Debug)]
pub struct Chroot {
    connect_string: String,
    server: SocketAddr,
    path: String,
    removed: bool,
}

impl Chroot {
    pub(super) fn new(door: SocketAddr, server: SocketAddr, path: String, removed: bool) -> Self {
        Self {
            connect_string: format!("{door}{path}"),
            server,
            path,
            removed,
        }
    }

    /// `host:port/path`, as a `zookeeper.connect`.
    pub fn connect_string(&self) -> &str {
        &self.connect_string
    }

    /// The path on the server. It need not exist before its first user makes it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Connect string of the whole server, without the path.
    pub fn server(&self) -> String {
        self.server.to_string()
    }
}

impl Drop for Chroot {
    fn drop(&mut self) {
        if !self.removed {
            return;
        }
        let (server, path) = (self.server.to_string(), self.path.clone());
        // A thread of its own: the test may be inside a runtime.
        let removing = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime
                .expect("a runtime")
                .block_on(remove(&server, path.as_str().into()))
        });
        match removing.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("{} stays on {}: {error}", self.path, self.server),
            Err(_) => eprintln!("{} stays on {}", self.path, self.server),
        }
    }
}

/// Removes `path` and everything below it.
async fn remove(server: &str, path: ZkPath) -> Result<(), String> {
    let started = Session::start(Settings::new(server)).await;
    let (session, _events) = started.map_err(|error| error.to_string())?;
    let generation = session.current().ok_or("no session")?.generation;
    let mut all = vec![path];
    let mut level = 0..1;
    while !level.is_empty() {
        let questions = all[level.clone()]
            .iter()
            .cloned()
            .map(ZkRead::Children)
            .map(ZkOp::Read);
        let answers = session.execute(generation, questions.collect()).await;
        let below: Vec<ZkPath> = answers
            .into_iter()
            .zip(&all[level.clone()])
            .flat_map(|(answer, parent)| {
                let names = answer.into_children().unwrap_or_default();
                names
                    .into_iter()
                    .map(|name| parent.child(name))
                    .collect::<Vec<_>>()
            })
            .collect();
        level = level.end..level.end + below.len();
        all.extend(below);
    }
    // Children before their parents.
    let deletions = all.into_iter().rev().map(|path| {
        ZkOp::Write(ZkWrite::Delete {
            path,
            expected: Expected::Any,
        })
    });
    let outcomes = session.execute(generation, deletions.collect()).await;
    session.close().await;
    let is_gone = |outcome: &Outcome| {
        outcome.is_no_node() || matches!(outcome, Outcome::Done(ZkReply::Deleted))
    };
    match outcomes.into_iter().find(|outcome| !is_gone(outcome)) {
        None => Ok(()),
        Some(outcome) => Err(format!("{outcome:?}")),
    }
}
