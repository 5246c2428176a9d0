//! `aosctl integration`: outside tools and data stores.

mod add;
mod list;
mod show;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::outcome::Outcome;
use crate::domain::rules::Rules;

/// Integrations: outside tools and data stores, each an instance of a catalogue entry.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

/// The verbs of `integration`.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Add a tool, so that doors to it can be opened
    Add(add::Args),
    /// Every tool, and how many doors lead to it
    List(list::Args),
    /// One tool: its scopes, permissions, actions and their approval points
    Show(show::Args),
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    match args.verb {
        Verb::Add(a) => add::run(a, ctx),
        Verb::List(a) => list::run(a, ctx),
        Verb::Show(a) => show::run(a, ctx),
    }
}

/// `github, stripe, ...`
fn kinds(rules: &Rules) -> String {
    rules.kinds.iter().map(|k| k.kind.as_str()).collect::<Vec<_>>().join(", ")
}
