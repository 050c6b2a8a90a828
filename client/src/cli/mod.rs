//! The `barnabas` command line.
//!
//! [`args`] is what was typed; everything that can be refused without a broker is refused there or
//! in the values' own parsers. Each command has a file under [`command`], which calls the library
//! and nothing below it. Data goes to standard output, everything else to standard error.
//!
//! Exit codes: see [`ending::Ending`].

pub(crate) mod args;
mod assignment;
mod base64;
mod caller;
mod command;
mod count;
pub(crate) mod ending;
mod explain;
mod format;
mod hint;
mod latency;
mod line;
pub(crate) mod log;
mod lookup;
mod nearest;
mod outcomes;
mod payload;
mod progress;
mod rate;
mod reader;
mod record_json;
mod start;
mod status;
mod table;
mod utc;

use args::{Arguments, Cluster, Noun, Perf, Topic};
use caller::Caller;
use ending::{Ending, Failure};

/// Carries out one command.
///
/// # Errors
/// Whatever kept it from being done.
pub(crate) async fn run(arguments: Arguments) -> Result<Ending, Failure> {
    let caller = Caller::new(arguments.global);
    match arguments.noun {
        Noun::Topic(Topic::Create(typed)) => command::topic_create::run(&caller, &typed).await,
        Noun::Topic(Topic::Delete(typed)) => command::topic_delete::run(&caller, &typed).await,
        Noun::Topic(Topic::List) => command::topic_list::run(&caller).await,
        Noun::Topic(Topic::Describe(typed)) => command::topic_describe::run(&caller, &typed).await,
        Noun::Produce(typed) => command::produce::run(&caller, &typed).await,
        Noun::Consume(typed) => command::consume::run(&caller, &typed).await,
        Noun::Cluster(Cluster::Describe) => command::cluster_describe::run(&caller).await,
        Noun::Perf(Perf::Produce(typed)) => command::perf_produce::run(&caller, &typed).await,
        Noun::Perf(Perf::Consume(typed)) => command::perf_consume::run(&caller, &typed).await,
    }
}
