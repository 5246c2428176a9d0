//! `aosctl workspace`: the directory as a whole.

pub mod accept;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::outcome::Outcome;
use crate::workspace::WorkspaceError;

/// The workspace as a whole: keep a copy, put it back, go on after a loss.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

/// The verbs of `workspace`.
#[derive(Debug, clap::Subcommand)]
#[allow(missing_docs, reason = "documented at the arguments of each: that is what clap shows")]
pub enum Verb {
    AcceptRollback(accept::Args),
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    match args.verb {
        Verb::AcceptRollback(a) => accept::run(a, ctx),
    }
}

/// The stable word for a log that may not be the newest, as errors have it.
fn word(e: &WorkspaceError) -> &'static str {
    match e {
        WorkspaceError::RolledBack { .. } => "rolled_back",
        WorkspaceError::OtherLog { .. } => "other_log",
        WorkspaceError::PinBroken { .. } => "pin_broken",
        WorkspaceError::PinMissing => "pin_missing",
        WorkspaceError::Swapped { .. } => "swapped",
        _ => "damaged",
    }
}
