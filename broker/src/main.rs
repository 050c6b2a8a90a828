//! The `barnabas-broker` binary.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    barnabas_broker::cli::run(std::env::args_os())
}
