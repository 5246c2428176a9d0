//! `aosctl audit`: the log, to read and to prove.

pub mod entry;
pub mod erase;
pub mod log;
pub mod show;
pub mod verify;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::outcome::Outcome;

/// The log: read it and prove it.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

/// The verbs of `audit`.
#[derive(Debug, clap::Subcommand)]
#[allow(missing_docs, reason = "documented at the arguments of each: that is what clap shows")]
pub enum Verb {
    Erase(erase::Args),
    Log(log::Args),
    Show(show::Args),
    Verify(verify::Args),
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    match args.verb {
        Verb::Erase(a) => erase::run(a, ctx),
        Verb::Log(a) => log::run(a, ctx),
        Verb::Show(a) => show::run(a, ctx),
        Verb::Verify(a) => verify::run(a, ctx),
    }
}
