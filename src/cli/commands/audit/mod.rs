//! `aosctl audit`: the log, to read and to prove.

pub mod checkpoint;
pub mod entry;
pub mod export;
pub mod log;
pub mod prove;
pub mod show;
pub mod verify;
pub mod witness;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, View};

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
    Checkpoint(checkpoint::Args),
    Export(export::Args),
    Log(log::Args),
    Prove(prove::Args),
    Show(show::Args),
    Verify(verify::Args),
    Witness(witness::Args),
}

impl Args {
    /// Whether it writes by itself what `--output` names.
    pub fn writes_output(&self) -> bool {
        matches!(self.verb, Verb::Checkpoint(_) | Verb::Export(_) | Verb::Prove(_) | Verb::Witness(_))
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    match args.verb {
        Verb::Checkpoint(a) => checkpoint::run(a, ctx),
        Verb::Export(a) => export::run(a, ctx),
        Verb::Log(a) => log::run(a, ctx),
        Verb::Prove(a) => prove::run(a, ctx),
        Verb::Show(a) => show::run(a, ctx),
        Verb::Verify(a) => verify::run(a, ctx),
        Verb::Witness(a) => witness::run(a, ctx),
    }
}

/// An end with what was made. Evidence that went into a file is data enough for `--quiet`: a cron job prints nothing.
fn made(ctx: &Context, view: impl View + 'static, into_file: bool) -> Outcome {
    if into_file && ctx.global.quiet && !ctx.json() {
        return Outcome::silent(Exit::Done);
    }
    Outcome::of(Exit::Done, view)
}
