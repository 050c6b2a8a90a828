//! The process around a broker: the web server before it, the signal to stop after it.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use barnabas_config::Loaded;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::info;

use crate::broker::{Broker, StartError};
use crate::health::Health;
use crate::http;
use crate::metrics::Metrics;
use crate::observation::Observed;

/// Why the process ends without having served.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The web server cannot listen.
    #[error(transparent)]
    Http(#[from] http::BindError),
    /// The broker does not start.
    #[error(transparent)]
    Broker(#[from] StartError),
    /// All log directories failed while the broker ran, one after the other. It has left in order.
    #[error("the last log directory has failed; see the errors above")]
    NoDirectoryWorks,
}

/// Runs the broker until `stop` comes; also while it is still starting.
///
/// # Errors
/// What kept it from starting, or that it has lost its last log directory.
pub async fn run(loaded: Loaded, stop: impl Future<Output = ()>) -> Result<(), ServerError> {
    let metrics = Arc::new(Metrics::new());
    let health = Arc::new(Health::default());
    let mut web = Web::start(&loaded, &metrics, &health).await?;
    let mut stop = pin!(stop);
    let broker = tokio::select! {
        // A stop that is there already must not win over an error that is there too.
        biased;
        started = Broker::start(loaded, Arc::clone(&metrics)) => started?,
        () = &mut stop => return Ok(()),
    };
    let observed = Observed::new(broker.node());
    metrics.partitions.ask(observed.clone());
    health.started(observed);
    let node = Arc::clone(broker.node());
    let ended = tokio::select! {
        () = &mut stop => Ok(()),
        () = node.partitions.until_no_directory_works() => Err(ServerError::NoDirectoryWorks),
    };
    health.stopping();
    broker.stop().await;
    web.stop().await;
    ended
}

/// The web servers, one for each address.
#[derive(Debug)]
struct Web {
    end: watch::Sender<bool>,
    servers: JoinSet<()>,
}

impl Web {
    async fn start(
        loaded: &Loaded,
        metrics: &Arc<Metrics>,
        health: &Arc<Health>,
    ) -> Result<Self, http::BindError> {
        let (end, ended) = watch::channel(false);
        let mut servers = JoinSet::new();
        for (host, port) in &loaded.broker.metrics_listeners {
            let (metrics, health) = (Arc::clone(metrics), Arc::clone(health));
            let server = http::Server::bind(host, *port, metrics, health).await?;
            let mut ended = ended.clone();
            servers.spawn(server.run(async move {
                // An error means that the sender is gone, which is an end too.
                drop(ended.wait_for(|is_over| *is_over).await);
            }));
            info!(host, port, "web server listens");
        }
        Ok(Self { end, servers })
    }

    async fn stop(&mut self) {
        self.end.send_replace(true);
        while self.servers.join_next().await.is_some() {}
    }
}
