//! `start`: settings, logging and the runtime; then the server until it is told to stop.

use std::process::ExitCode;

use barnabas_config::Loaded;
use tokio::runtime::{Builder, Runtime};
use tracing::{error, info, warn};

use super::{SettingsArgs, USAGE, say, settings_problems};
use crate::{logging, server};

/// Runs the broker in this process and returns when it has stopped.
pub(super) fn run(settings: &SettingsArgs, log_level: Option<&str>) -> ExitCode {
    let loaded = match settings.load() {
        Ok(loaded) => loaded,
        Err(problems) => return settings_problems(&problems),
    };
    let variable = std::env::var("RUST_LOG").ok();
    let filter = logging::filter(log_level, variable.as_deref(), &loaded.broker.logging_level);
    if let Err(error) = filter.and_then(logging::init) {
        say(&format!("{error}\n"));
        return ExitCode::from(USAGE);
    }
    for told in &loaded.warnings {
        warn!(key = told.key, at = %told.at, reason = told.reason, "setting");
    }
    let runtime = match runtime(&loaded) {
        Ok(runtime) => runtime,
        Err(error) => {
            error!(%error, "the runtime does not start");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(server::run(loaded, stop_signal())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The sources of the error are part of its text.
            error!("cannot start: {error}");
            ExitCode::FAILURE
        }
    }
}

/// `num.network.threads` threads for sockets, at most `num.io.threads` more for files; the latter
/// are started when there is work and end when there is none.
fn runtime(loaded: &Loaded) -> std::io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(loaded.broker.network.network_threads)
        .max_blocking_threads(loaded.broker.network.io_threads)
        .thread_name("network")
        .enable_all()
        .build()
}

/// Comes when somebody asks this process to stop.
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};

    match (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! {
                _ = terminate.recv() => info!(signal = "SIGTERM", "asked to stop"),
                _ = interrupt.recv() => info!(signal = "SIGINT", "asked to stop"),
            }
        }
        (Err(error), _) | (_, Err(error)) => {
            error!(%error, "signals cannot be heard; only kill -9 stops this broker");
            std::future::pending::<()>().await;
        }
    }
}
