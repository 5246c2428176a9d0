//! `aosctl operator`: humans who decide.

pub(in crate::cli) mod add;
pub(in crate::cli) mod create;
pub(in crate::cli) mod list;
pub(in crate::cli) mod passphrase;
pub(in crate::cli) mod recover;
pub(in crate::cli) mod recovery;
pub(in crate::cli) mod retire;
pub(in crate::cli) mod rotate;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::outcome::Outcome;

/// Operators: humans who decide, each with a sealed identity.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

/// The verbs of `operator`.
#[derive(Debug, clap::Subcommand)]
#[allow(missing_docs, reason = "documented at the arguments of each: that is what clap shows")]
pub enum Verb {
    Create(create::Args),
    Add(add::Args),
    List(list::Args),
    Retire(retire::Args),
    Passphrase(passphrase::Args),
    Rotate(rotate::Args),
    Recover(recover::Args),
    Recovery(recovery::Args),
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    match args.verb {
        Verb::Create(a) => create::run(a, ctx),
        Verb::Add(a) => add::run(a, ctx),
        Verb::List(a) => list::run(a, ctx),
        Verb::Retire(a) => retire::run(a, ctx),
        Verb::Passphrase(a) => passphrase::run(a, ctx),
        Verb::Rotate(a) => rotate::run(a, ctx),
        Verb::Recover(a) => recover::run(a, ctx),
        Verb::Recovery(a) => recovery::run(a, ctx),
    }
}

/// The longest name of an operator, in bytes.
const MAX_NAME: usize = 200;

/// An operator's name: any text that is not too long and does not read as an id.
fn check_name(name: &str) -> Result<&str, CliError> {
    let name = name.trim();
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(CliError::usage(format!("a name has 1 to {MAX_NAME} bytes")));
    }
    if name.parse::<crate::domain::id::Id>().is_ok() {
        return Err(CliError::usage(format!("{name} reads as an id; choose another name")));
    }
    Ok(name)
}
