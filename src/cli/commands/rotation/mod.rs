//! `aosctl rotation`: set, list, record, check.

pub mod check;
pub mod list;
pub mod record;
pub mod set;
pub mod view;
pub(in crate::cli) mod words;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::outcome::Outcome;

/// Turning keys over: how often, what is due, that it was done.
///
/// A key that has no schedule of its own goes by the policy's (rotation.every, rotation.warn). Its age counts from when it
/// was last turned over, or made; a key whose age nobody told is due at once.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

/// The verbs of `rotation`.
#[derive(Debug, clap::Subcommand)]
#[allow(missing_docs, reason = "documented at the arguments of each: that is what clap shows")]
pub enum Verb {
    List(list::Args),
    Set(set::Args),
    Record(record::Args),
    Check(check::Args),
}

/// Runs it. Without a verb it lists.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    match args.verb.unwrap_or(Verb::List(list::Args::default())) {
        Verb::List(a) => list::run(a, ctx),
        Verb::Set(a) => set::run(a, ctx),
        Verb::Record(a) => record::run(a, ctx),
        Verb::Check(a) => check::run(a, ctx),
    }
}
