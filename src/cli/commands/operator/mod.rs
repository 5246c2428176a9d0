//! `aosctl operator`: humans who decide.

mod add;
mod create;
mod list;
mod passphrase;
mod retire;

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
pub enum Verb {
    /// Make your own identity, and print the line that enrols it
    Create(create::Args),
    /// Enrol another operator, by the line that they sent
    Add(add::Args),
    /// Who decides
    List(list::Args),
    /// Take every right from an operator, for good
    Retire(retire::Args),
    /// Seal your identity under another passphrase
    Passphrase(passphrase::Args),
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    match args.verb {
        Verb::Create(a) => create::run(a, ctx),
        Verb::Add(a) => add::run(a, ctx),
        Verb::List(a) => list::run(a, ctx),
        Verb::Retire(a) => retire::run(a, ctx),
        Verb::Passphrase(a) => passphrase::run(a, ctx),
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
