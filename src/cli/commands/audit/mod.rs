//! `aosctl audit`: the log, to read and to prove.

pub mod checkpoint;
pub mod correct;
pub mod disputed;
pub mod entry;
pub mod erase;
pub mod export;
pub mod log;
pub mod pack;
pub mod prove;
pub mod show;
pub mod verify;
pub mod void;
pub mod witness;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, View};
use crate::workspace::Workspace;
use crate::workspace::ask::MAX_TEXT;

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
    Correct(correct::Args),
    Disputed(disputed::Args),
    Erase(erase::Args),
    Export(export::Args),
    Log(log::Args),
    Pack(pack::Args),
    Prove(prove::Args),
    Show(show::Args),
    Verify(verify::Args),
    Void(void::Args),
    Witness(witness::Args),
}

impl Args {
    /// Whether it writes by itself what `--output` names.
    pub fn writes_output(&self) -> bool {
        matches!(self.verb, Verb::Checkpoint(_) | Verb::Export(_) | Verb::Pack(_) | Verb::Prove(_) | Verb::Witness(_))
    }
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    match args.verb {
        Verb::Checkpoint(a) => checkpoint::run(a, ctx),
        Verb::Correct(a) => correct::run(a, ctx),
        Verb::Disputed(a) => disputed::run(a, ctx),
        Verb::Erase(a) => erase::run(a, ctx),
        Verb::Export(a) => export::run(a, ctx),
        Verb::Log(a) => log::run(a, ctx),
        Verb::Pack(a) => pack::run(a, ctx),
        Verb::Prove(a) => prove::run(a, ctx),
        Verb::Show(a) => show::run(a, ctx),
        Verb::Verify(a) => verify::run(a, ctx),
        Verb::Void(a) => void::run(a, ctx),
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

/// The number of an entry, as an argument.
///
/// # Errors
/// What clap says behind the value that is none.
pub(in crate::cli::commands) fn entry_number(typed: &str) -> Result<u64, String> {
    typed.parse().map_err(|_| "no entry's number\n\nfind it: aosctl audit log".to_string())
}

/// A text that stays in the log says something, and is no book.
fn said(text: &str, flag: &str) -> Result<(), CliError> {
    if text.trim().is_empty() {
        return Err(CliError::usage(format!("{flag}: the text is empty")));
    }
    if text.len() > MAX_TEXT {
        return Err(CliError::usage(format!("{flag} has more than {MAX_TEXT} bytes")));
    }
    Ok(())
}

/// There is no entry of that number.
fn no_such_entry(ws: &Workspace, seq: u64) -> CliError {
    let last = ws.store().last_seq().ok().flatten().unwrap_or(0);
    CliError::no("no_such_entry", format!("there is no entry {seq}"))
        .hint(format!("the last one is {last}: aosctl audit show {last}"))
}
