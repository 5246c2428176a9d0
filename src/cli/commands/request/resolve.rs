//! `aosctl request resolve`.

use super::change::{change, no_such_request};
use super::new::request_id;
use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::outcome::Outcome;
use crate::domain::event::RequestResolved;
use crate::domain::facts::Facts;
use crate::domain::id::Id;
use crate::domain::request::Outcome as Ended;
use crate::workspace::ask::MAX_TEXT;
use crate::workspace::claim;

/// Settle an outcome that nobody knew.
///
/// By an operator who found out at the provider. Nothing is run again. With --release, money that was handed out for
/// something that failed counts no more toward the caps.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The request: r-57
    #[arg(value_name = "ID", value_parser = request_id)]
    request: Id,
    /// succeeded, failed or unknown
    #[arg(long, value_name = "HOW")]
    outcome: Ended,
    /// Its money was not spent after all (with --outcome failed)
    #[arg(long)]
    release: bool,
    /// How you know
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Say what would be recorded, and record nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let id = args.request;
    if args.reason.trim().is_empty() || args.reason.len() > MAX_TEXT {
        return Err(CliError::could_not("bad_reason", format!("--reason wants 1 to {MAX_TEXT} bytes")));
    }
    if args.release && args.outcome != Ended::Failed {
        return Err(CliError::usage(
            "--release goes with --outcome failed: money that was or may have been spent stays counted",
        ));
    }
    let ws = ctx.open()?;
    let r = ws.facts().request(id)?.ok_or_else(|| no_such_request(id))?;
    if claim::is_running(&ws, id)? {
        return Err(CliError::no("running", format!("{id} is still running, and aosctl run will record how it ends")));
    }
    if r.claimed_seq.is_none() {
        return Err(CliError::no("not_claimed", format!("{id} was never begun, so there is no outcome to settle"))
            .hint(format!("to close it: aosctl deny {id} --reason WHY, or: aosctl request withdraw {id}")));
    }
    let operator = ctx.unlock(&ws)?;
    let event =
        RequestResolved { request: id, outcome: args.outcome, release: args.release, reason: Some(args.reason) };
    change(ctx, &ws, id, args.dry_run, |tx| Ok(tx.append(operator.by(), event).map(|_| ())?))
}
