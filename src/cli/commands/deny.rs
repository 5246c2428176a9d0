//! `aosctl deny`.

use super::approve::{Asked, decide};
use super::request::new::request_id;
use crate::cli::Context;
use crate::cli::complete;
use crate::cli::error::CliError;
use crate::cli::outcome::Outcome;
use crate::domain::id::Id;
use crate::workspace::decision::Answer;

/// Deny a request, with a reason
///
/// Denies the requests named, all or none. It is final: the agent would have to ask again. The reason goes into the
/// log, and stands beside the next request of the same kind.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Requests to deny, such as r-57
    #[arg(value_name = "REQUEST", required = true, value_parser = request_id, add = complete::requests())]
    requests: Vec<Id>,
    /// Why; it goes into the log
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: String,
    /// Say what would be denied; sign nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    decide(
        ctx,
        Asked { answer: Answer::Deny, requests: args.requests, reason: Some(args.reason), dry_run: args.dry_run },
    )
}
