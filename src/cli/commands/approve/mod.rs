//! `aosctl approve`.

mod script;
mod session;
pub(in crate::cli) mod view;

pub use script::{Asked, decide};
pub use view::{DecisionView, DecisionsView};

use crate::cli::Context;
use crate::cli::commands::request::new::request_id;
use crate::cli::complete;
use crate::cli::error::CliError;
use crate::cli::outcome::Outcome;
use crate::domain::id::Id;
use crate::workspace::decision::Answer;

/// Decide what waits: riskiest and oldest first
///
/// On a terminal, shows one request after the other, each whole on one screen, and asks: a approve, d deny, s skip, e
/// everything, q quit. Your identity is unlocked once, at the first decision.
///
/// With names, approves those requests, all or none: shows each on stderr, asks for the passphrase, and signs exactly
/// what was shown.
///
/// Exit 0: decided, or nothing waits any more. Exit 1: refused. Exit 5: you left, and something still waits.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Requests to approve, such as r-57 [default: decide one after the other, on a terminal]
    #[arg(value_name = "REQUEST", value_parser = request_id, add = complete::requests())]
    requests: Vec<Id>,
    /// Why; it goes into the log
    #[arg(long, value_name = "TEXT", requires = "requests")]
    reason: Option<String>,
    /// Say what would be approved; sign nothing
    #[arg(short = 'n', long, requires = "requests")]
    dry_run: bool,
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    if args.requests.is_empty() {
        return session::run(ctx);
    }
    decide(ctx, Asked { answer: Answer::Approve, requests: args.requests, reason: args.reason, dry_run: args.dry_run })
}
