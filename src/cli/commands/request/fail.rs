//! `aosctl request fail`.

use super::change::{change, own_request};
use super::new::request_id;
use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::outcome::Outcome;
use crate::domain::event::{ClaimMode, RequestFinished};
use crate::domain::id::Id;
use crate::domain::request::Outcome as Ended;
use crate::workspace::ask::MAX_TEXT;
use crate::workspace::claim;

/// Report that it failed.
///
/// By the agent that began it with `aosctl request begin`. Money that was handed out for it stays spent until an operator
/// releases it: aosctl request resolve.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The request: r-57
    #[arg(value_name = "REQUEST", value_parser = request_id)]
    request: Id,
    /// What went wrong
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Nobody knows how it ended: an operator will have to settle it
    #[arg(long)]
    unknown: bool,
    /// Say whether it could be reported, and record nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ended = if args.unknown { Ended::Unknown } else { Ended::Failed };
    finish(ctx, args.request, ended, args.note, args.dry_run)
}

/// Records an outcome as its requester tells it.
pub(super) fn finish(
    ctx: &Context,
    id: Id,
    outcome: Ended,
    note: Option<String>,
    dry_run: bool,
) -> Result<Outcome, CliError> {
    if note.as_ref().is_some_and(|n| n.len() > MAX_TEXT) {
        return Err(CliError::could_not("too_large", format!("--note has more than {MAX_TEXT} bytes")));
    }
    let ws = ctx.open()?;
    let (agent, r) = own_request(ctx, &ws, id)?;
    match claim::mode(&ws, &r)? {
        Some(ClaimMode::Run) => {
            return Err(CliError::no("begun_by_run", format!("{id} was begun by aosctl run, which records the outcome itself"))
                .because("nobody else saw how it ended")
                .hint(format!("if that was cut off, an operator settles it: aosctl request resolve {id} --outcome OUTCOME --reason WHY")));
        }
        None => {
            return Err(CliError::no(
                "not_claimed",
                format!("{id} was never begun, so nothing can be reported about it"),
            )
            .hint(format!("begin it before you act: aosctl request begin {id}"))
            .hint(format!("or take it back: aosctl request withdraw {id}")));
        }
        Some(ClaimMode::Agent) => {}
    }
    let event = RequestFinished { request: id, outcome, status: None, duration_ms: None, detail: None, note };
    let spent = r.facets.amount.filter(|m| m.minor > 0);
    let outcome_word = change(ctx, &ws, id, dry_run, |tx| Ok(tx.append(agent.by(), event).map(|_| ())?))?;
    Ok(match spent {
        Some(money) if outcome != Ended::Succeeded => {
            outcome_word.note(format!("{money} stays counted toward the caps until an operator releases it"))
        }
        _ => outcome_word,
    })
}
