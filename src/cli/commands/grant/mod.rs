//! `aosctl grant`: list, show, narrow, renew.

pub(in crate::cli) mod list;
pub(in crate::cli) mod narrow;
pub(in crate::cli) mod renew;
pub(in crate::cli) mod show;
pub mod view;

use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::outcome::Outcome;

/// Grants: list, show, narrow, renew.
///
/// `aosctl connect` issues a grant, `aosctl revoke` ends it.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
}

/// The verbs of `grant`.
#[derive(Debug, clap::Subcommand)]
#[allow(missing_docs, reason = "documented at the arguments of each: that is what clap shows")]
pub enum Verb {
    List(list::Args),
    Show(show::Args),
    Narrow(narrow::Args),
    Renew(renew::Args),
}

/// Runs it. Without a verb it lists.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    match args.verb.unwrap_or(Verb::List(list::Args::default())) {
        Verb::List(a) => list::run(a, ctx),
        Verb::Show(a) => show::run(a, ctx),
        Verb::Narrow(a) => narrow::run(a, ctx),
        Verb::Renew(a) => renew::run(a, ctx),
    }
}

pub use list::GrantListView;
pub use narrow::GrantNarrowView;
pub use renew::GrantRenewView;
pub use show::{GrantShowView, StandingRequest};
pub(super) use show::beside;
