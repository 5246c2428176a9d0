//! `aosctl audit`: the log, to read and to prove.

pub mod entry;
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
pub enum Verb {
    /// List entries, newest last
    Log(log::Args),
    /// One entry, whole: header, payload, signer
    Show(show::Args),
    /// Prove the log and the tables, from the bytes up
    Verify(verify::Args),
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    match args.verb {
        Verb::Log(a) => log::run(a, ctx),
        Verb::Show(a) => show::run(a, ctx),
        Verb::Verify(a) => verify::run(a, ctx),
    }
}
