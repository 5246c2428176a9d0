//! `aosctl integration`: outside tools and data stores.

pub(in crate::cli) mod add;
pub(in crate::cli) mod list;
pub(in crate::cli) mod show;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::outcome::Outcome;
use crate::domain::rules::Rules;

/// Outside tools and data stores, each of a kind in the catalogue.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

/// The verbs of `integration`.
#[derive(Debug, clap::Subcommand)]
#[allow(missing_docs, reason = "documented at the arguments of each: that is what clap shows")]
pub enum Verb {
    Add(add::Args),
    List(list::Args),
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
