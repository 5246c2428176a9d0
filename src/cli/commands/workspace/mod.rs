//! `aosctl workspace`: the directory as a whole.

pub mod accept;
pub mod backup;
pub mod compare;
pub mod restore;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::outcome::Outcome;
use crate::workspace::WorkspaceError;

/// The workspace as a whole: back up, restore, go on after a loss.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

/// The verbs of `workspace`.
#[derive(Debug, clap::Subcommand)]
#[allow(missing_docs, reason = "documented at the arguments of each: that is what clap shows")]
pub enum Verb {
    Backup(backup::Args),
    Restore(restore::Args),
    Compare(compare::Args),
    AcceptRollback(accept::Args),
}

impl Args {
    /// As [`crate::cli::Command::writes_output`].
    pub fn writes_output(&self) -> bool {
        matches!(self.verb, Verb::Backup(_))
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    match args.verb {
        Verb::Backup(a) => backup::run(a, ctx),
        Verb::Compare(a) => compare::run(a, ctx),
        Verb::Restore(a) => restore::run(a, ctx),
        Verb::AcceptRollback(a) => accept::run(a, ctx),
    }
}

/// The stable word for a log that may not be the newest, as errors have it.
fn word(e: &WorkspaceError) -> &'static str {
    match e {
        WorkspaceError::RolledBack { .. } => "rolled_back",
        WorkspaceError::TailCut { .. } => "tail_cut",
        WorkspaceError::Fork { .. } => "fork",
        WorkspaceError::PinBroken { .. } => "pin_broken",
        WorkspaceError::PinMissing => "pin_missing",
        WorkspaceError::OtherLog { .. } => "other_log",
        _ => "damaged",
    }
}
