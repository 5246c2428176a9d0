//! `aosctl request done`.

use super::new::request_id;
use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::outcome::Outcome;
use crate::domain::id::Id;
use crate::domain::request::Outcome as Ended;

/// Report that it was done.
///
/// By the agent that began it with `aosctl request begin`. It is a claim about the world, and recorded as one.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The request: r-57
    #[arg(value_name = "REQUEST", value_parser = request_id)]
    request: Id,
    /// In words
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Say whether it could be reported, and record nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    super::fail::finish(ctx, args.request, Ended::Succeeded, args.note, args.dry_run)
}
