//! `aosctl request begin`: an agent that acts by itself claims first.
//!
//! Without this verb an approval could be used twice: an agent that only reports `done` afterwards may act any number of
//! times before it reports. So `done` and `fail` need a claim, and the claim is where the decision is made again (law 4).

use super::change::{change, own_request};
use super::new::request_id;
use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::outcome::Outcome;
use crate::domain::id::Id;
use crate::workspace::claim::{Begin, claim};

/// Begin it yourself, once: after exit 0 you may act, and must report with done or fail.
///
/// The decision is made again at this moment: a revoked or expired grant, a freeze, a cap that was used up meanwhile, an
/// approval that ended or was used are all a no (exit 1). A request that carries a command is begun by `aosctl run` only.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The request: r-57
    #[arg(value_name = "REQUEST", value_parser = request_id)]
    request: Id,
    /// Say whether it could be begun, and record nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let (agent, _) = own_request(ctx, &ws, args.request)?;
    let id = args.request;
    let outcome =
        change(ctx, &ws, id, args.dry_run, |tx| Ok(claim(&ws, tx, agent.by(), agent.id, id, Begin::ByAgent)?))
            .map_err(|e| explain(e, id))?;
    Ok(if args.dry_run {
        outcome
    } else {
        outcome.note(format!(
            "act now, once, and report: aosctl request done {id}, or: aosctl request fail {id} --note WHY"
        ))
    })
}

/// What to type after a claim that was refused.
pub fn explain(e: CliError, id: Id) -> CliError {
    match e.kind {
        "bound_command" => e.hint(format!("run it: aosctl run {id} -- CMD...")),
        "claimed" => e.hint("to do it again, ask again: a new request"),
        "not_allowed" | "expired" | "no_live_grant" | "other_grant" | "point_not_shown" | "too_few_approvers" => {
            e.hint(format!("see where it stands: aosctl request show {id}"))
        }
        "frozen" => e.hint("an operator ends the freeze: aosctl thaw"),
        _ => e,
    }
}
