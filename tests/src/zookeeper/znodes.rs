//! A cluster's znodes by hand, as an operator with a ZooKeeper shell would read and write them.

use std::time::Duration;

use tokio::runtime::Runtime;
use zookeeper_async::{Acl, CreateMode, WatchedEvent, ZkError, ZooKeeper};

use crate::liveness::wait_until;

/// Session timeout; renewed only while a call runs, so a handle is for the calls of one moment.
const SESSION_TIMEOUT: Duration = Duration::from_secs(30);

/// Blocking access to one ZooKeeper path. One operation at a time: more this client cannot do
/// reliably.
pub struct Znodes {
    connect_string: String,
}

impl Znodes {
    /// For `host:port/path`. Every call has a connection of its own.
    pub fn new(connect_string: &str) -> Self {
        Self {
            connect_string: connect_string.to_owned(),
        }
    }

    fn call<T>(
        &self,
        run: impl AsyncFnOnce(&ZooKeeper) -> Result<T, ZkError>,
    ) -> Result<T, ZkError> {
        let runtime = Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let connecting =
                ZooKeeper::connect(&self.connect_string, SESSION_TIMEOUT, |_: WatchedEvent| {});
            let client = connecting.await?;
            let result = run(&client).await;
            client.close().await?;
            result
        })
    }

    /// The text of a znode, or `None` where there is none.
    pub fn get(&self, path: &str) -> Option<String> {
        match self.call(async |client| client.get_data(path, false).await) {
            Ok((data, _)) => Some(String::from_utf8(data).expect("Kafka's znodes are text")),
            Err(ZkError::NoNode) => None,
            Err(error) => panic!("get {path}: {error}"),
        }
    }

    /// The names below a znode, sorted; none where it does not exist.
    pub fn children(&self, path: &str) -> Vec<String> {
        match self.call(async |client| client.get_children(path, false).await) {
            Ok(mut names) => {
                names.sort();
                names
            }
            Err(ZkError::NoNode) => Vec::new(),
            Err(error) => panic!("children of {path}: {error}"),
        }
    }

    /// Makes a persistent znode.
    pub fn create(&self, path: &str, text: &str) {
        let data = text.as_bytes().to_vec();
        let acl = Acl::open_unsafe().clone();
        let made =
            self.call(async |client| client.create(path, data, acl, CreateMode::Persistent).await);
        made.unwrap_or_else(|error| panic!("create {path}: {error}"));
    }

    /// Overwrites a znode, whatever its version.
    pub fn set(&self, path: &str, text: &str) {
        let data = text.as_bytes().to_vec();
        let set = self.call(async |client| client.set_data(path, data, None).await);
        set.unwrap_or_else(|error| panic!("set {path}: {error}"));
    }

    /// Removes a znode, whatever its version.
    pub fn delete(&self, path: &str) {
        let deleted = self.call(async |client| client.delete(path, None).await);
        deleted.unwrap_or_else(|error| panic!("delete {path}: {error}"));
    }

    /// Waits until a znode is gone.
    pub fn wait_gone(&self, path: &str) {
        wait_until(&format!("{path} is gone"), || self.get(path).is_none());
    }

    /// Id of the broker that `/controller` names.
    pub fn controller(&self) -> Option<i64> {
        let text = self.get("/controller")?;
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        json["brokerid"].as_i64()
    }
}
