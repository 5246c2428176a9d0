//! `aosctl review`.

pub mod check;
pub mod decide;
pub mod diff;
pub(in crate::cli) mod page;
pub mod sign;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::outcome::Outcome;

/// The access review: everything that may reach anything, once a month.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

/// The verbs of `review`.
#[derive(Debug, clap::Subcommand)]
#[allow(missing_docs, reason = "documented at the arguments of each: that is what clap shows")]
pub enum Verb {
    Decide(decide::Args),
    Sign(sign::Args),
    Check(check::Args),
    Diff(diff::Args),
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    match args.verb {
        Verb::Decide(a) => decide::run(a, ctx),
        Verb::Sign(a) => sign::run(a, ctx),
        Verb::Check(a) => check::run(a, ctx),
        Verb::Diff(a) => diff::run(a, ctx),
    }
}
