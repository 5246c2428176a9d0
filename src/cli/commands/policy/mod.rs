//! `aosctl policy`: the rules of the decision.

pub mod adopt;
mod candidate;
pub mod diff;
mod edit;
pub mod explain;
pub mod lint;
pub mod matrix;
pub mod set;
pub mod show;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::outcome::Outcome;
use crate::workspace::{Adopted, Workspace};

/// The policy: money caps, the boundary, what needs a person.
///
/// Nothing in a policy can switch an approval point off. A policy decides nothing until an operator adopts it.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

/// The verbs of `policy`.
#[derive(Debug, clap::Subcommand)]
#[allow(missing_docs, reason = "documented at the arguments of each: that is what clap shows")]
pub enum Verb {
    Show(show::Args),
    Lint(lint::Args),
    Diff(diff::Args),
    Adopt(adopt::Args),
    Set(set::Args),
    Matrix(matrix::Args),
    Explain(explain::Args),
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    match args.verb {
        Verb::Show(a) => show::run(a, ctx),
        Verb::Lint(a) => lint::run(a, ctx),
        Verb::Diff(a) => diff::run(a, ctx),
        Verb::Adopt(a) => adopt::run(a, ctx),
        Verb::Set(a) => set::run(a, ctx),
        Verb::Matrix(a) => matrix::run(a, ctx),
        Verb::Explain(a) => explain::run(a, ctx),
    }
}

/// The policy in force.
fn adopted(ws: &Workspace) -> Result<Adopted, CliError> {
    ws.adopted()?.ok_or_else(|| {
        CliError::could_not("no_policy", "no policy was ever adopted").hint("adopt one: aosctl policy adopt FILE")
    })
}

/// The first twelve digits of a digest: enough to tell two apart on a page. JSON has all.
fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}
