//! The `barnabas` command line.
#![forbid(unsafe_code)]

mod cli;

use std::process::ExitCode;

use clap::Parser as _;

use cli::args::Arguments;
use cli::ending::Failure;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    cli::log::start(&arguments.global);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return Failure::from(error).report(),
    };
    let ended = runtime.block_on(cli::run(arguments));
    // A thread may still be reading standard input, which no one can hurry.
    runtime.shutdown_background();
    match ended {
        Ok(ending) => ending.into(),
        Err(failure) => failure.report(),
    }
}
