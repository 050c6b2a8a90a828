//! Telling the controller that this broker is about to stop, so that its leaderships move first.
//!
//! Source: kafka 2.8 server/KafkaServer.scala (`controlledShutdown`).

use std::time::Duration;

use barnabas_wire::message::ControlledShutdownRequest;
use barnabas_wire::{ErrorCode, Message};
use tokio::time::timeout;
use tracing::{info, warn};

use crate::node::Node;

/// Asks the controller until it has moved everything or patience is over. The broker stops either way.
pub(crate) async fn run(node: &Node) {
    let settings = &node.settings.controller;
    if !settings.is_controlled_shutdown_enabled {
        return;
    }
    if !node.session.lease().is_held() {
        warn!("ZooKeeper does not answer, so no controller can move leaderships; stopping at once");
        return;
    }
    let mut holder = node.controller.holder_changes();
    for attempt in 0..=settings.controlled_shutdown_retries_max {
        if attempt > 0 {
            let backoff = Duration::from_millis(settings.controlled_shutdown_backoff_ms);
            // Another controller may do what this one could not, and at once.
            drop(timeout(backoff, holder.changed()).await);
        }
        holder.mark_unchanged();
        match ask(node).await {
            Ok(()) => {
                info!("the controller has moved this broker's leaderships");
                return;
            }
            Err(Obstacle::NoController) => {
                warn!("there is no controller to take this broker's leaderships; stopping at once");
                return;
            }
            Err(Obstacle::Remaining(count)) => {
                warn!(count, "the controller could not move all leaderships yet");
            }
            Err(Obstacle::Other(reason)) => {
                info!(
                    reason,
                    "the controller could not be told yet that this broker stops"
                );
            }
        }
    }
    warn!("stopping although some partitions are still led here");
}

enum Obstacle {
    NoController,
    Remaining(usize),
    Other(String),
}

async fn ask(node: &Node) -> Result<(), Obstacle> {
    let (host, port) = node.controller_address().ok_or(Obstacle::NoController)?;
    let request = ControlledShutdownRequest {
        broker_id: node.broker.0,
        broker_epoch: node.registration.broker_epoch().0,
    };
    let api_version = ControlledShutdownRequest::API
        .row()
        .between_brokers
        .unwrap_or_default();
    let response = node
        .asker
        .ask_once((&host, port), api_version, &request)
        .await
        .map_err(|error| Obstacle::Other(error.to_string()))?;
    let code = ErrorCode::from_code(response.error_code);
    if code != ErrorCode::None {
        return Err(Obstacle::Other(code.name().to_owned()));
    }
    match response.remaining_partitions.len() {
        0 => Ok(()),
        count => Err(Obstacle::Remaining(count)),
    }
}
