//! Whether the servers are new enough, found out once on a session of its own: a server that is too
//! old closes the connection on a request it does not know, with all others under way.

use std::time::Duration;

use barnabas_zk_schema::ZkPath;

use crate::engine::{Engine, EngineError};
use crate::settings::StartError;

/// A probe that came to no conclusion, or to a bad one.
pub(crate) enum ProbeError {
    /// Nothing was learned.
    Lost(EngineError),
    /// The servers will not do.
    Unfit(StartError),
}

/// Asks for a recursive persistent watch and a `MultiRead`, both of ZooKeeper 3.6.
pub(crate) async fn probe<E: Engine>(servers: &str, timeout: Duration) -> Result<(), ProbeError> {
    let engine = E::connect(servers, timeout, None)
        .await
        .map_err(ProbeError::Lost)?;
    let root = ZkPath::from("/");
    let watched = tokio::time::timeout(timeout, engine.watch(root.clone())).await;
    judge(servers, "addWatch", watched.map(|watch| watch.map(drop)))?;
    let read = tokio::time::timeout(timeout, engine.multi_read(vec![root])).await;
    judge(servers, "multiRead", read.map(|read| read.map(drop)))
}

fn judge(
    servers: &str,
    operation: &'static str,
    answer: Result<Result<(), EngineError>, tokio::time::error::Elapsed>,
) -> Result<(), ProbeError> {
    let servers = servers.to_owned();
    match answer {
        // A root that may not be read was understood all the same.
        Ok(Ok(()) | Err(EngineError::Refused(_))) => Ok(()),
        Ok(Err(EngineError::Unimplemented)) => {
            Err(ProbeError::Unfit(StartError::TooOld { servers, operation }))
        }
        Ok(Err(EngineError::Unreadable)) => {
            Err(ProbeError::Unfit(StartError::NoPersistentWatches {
                servers,
            }))
        }
        Ok(Err(error)) => Err(ProbeError::Lost(error)),
        Err(_elapsed) => Err(ProbeError::Lost(EngineError::Lost(
            "no answer to the probe".into(),
        ))),
    }
}
