//! `aosctl audit`: the log, to read and to prove.

pub mod correct;
pub mod disputed;
pub mod entry;
pub mod erase;
pub mod log;
pub mod show;
pub mod verify;
pub mod void;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::outcome::Outcome;
use crate::workspace::Workspace;

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
    Correct(correct::Args),
    Disputed(disputed::Args),
    Erase(erase::Args),
    Log(log::Args),
    Show(show::Args),
    Verify(verify::Args),
    Void(void::Args),
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    match args.verb {
        Verb::Correct(a) => correct::run(a, ctx),
        Verb::Disputed(a) => disputed::run(a, ctx),
        Verb::Erase(a) => erase::run(a, ctx),
        Verb::Log(a) => log::run(a, ctx),
        Verb::Show(a) => show::run(a, ctx),
        Verb::Verify(a) => verify::run(a, ctx),
        Verb::Void(a) => void::run(a, ctx),
    }
}

/// There is no entry of that number.
fn no_such_entry(ws: &Workspace, seq: u64) -> CliError {
    let last = ws.store().last_seq().ok().flatten().unwrap_or(0);
    CliError::no("no_such_entry", format!("there is no entry {seq}"))
        .hint(format!("the last one is {last}: aosctl audit show {last}"))
}
