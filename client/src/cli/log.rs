//! What the library tells about its work, on standard error.

use std::io;

use tracing_subscriber::EnvFilter;

use super::args::Global;

/// Starts the log: warnings; with `-q` nothing; with `-v` what is done, with `-vv` all of it.
/// `RUST_LOG` decides where it is set.
pub(crate) fn start(global: &Global) {
    let level = match (global.quiet, global.verbose) {
        (true, 0) => "off",
        (false, 0) => "warn",
        (_, 1) => "debug",
        (_, _) => "trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_unset| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .init();
}
