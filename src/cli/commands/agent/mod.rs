//! `aosctl agent`: programs that act.

mod add;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::outcome::Outcome;

/// Agents: programs that act, each for one operator.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

/// The verbs of `agent`.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Enrol an agent, with an identity of its own
    Add(add::Args),
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    match args.verb {
        Verb::Add(a) => add::run(a, ctx),
    }
}
