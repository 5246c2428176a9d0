//! `aosctl request withdraw`.

use super::change::{change, no_such_request};
use super::new::request_id;
use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::outcome::Outcome;
use crate::domain::event::RequestWithdrawn;
use crate::domain::facts::Facts;
use crate::domain::id::{Id, IdKind};
use crate::workspace::ask::MAX_TEXT;
use crate::workspace::claim::ClaimError;

/// Take it back, before it is begun.
///
/// By the agent that asked, or by an operator. Money that was handed out stays counted.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The request: r-57
    #[arg(value_name = "REQUEST", value_parser = request_id)]
    request: Id,
    /// Why
    #[arg(long, value_name = "TEXT", visible_alias = "note")]
    reason: Option<String>,
    /// Say whether it could be taken back, and record nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    if args.reason.as_ref().is_some_and(|n| n.len() > MAX_TEXT) {
        return Err(CliError::could_not("too_large", format!("--reason has more than {MAX_TEXT} bytes")));
    }
    let ws = ctx.open()?;
    let id = args.request;
    let r = ws.facts().request(id)?.ok_or_else(|| no_such_request(id))?;
    let event = RequestWithdrawn { request: id, reason: args.reason };
    let agent = match ctx.agent(&ws) {
        Ok(agent) if agent.id == r.requester => Some(agent),
        Ok(_) => {
            return Err(ClaimError::NotTheRequester { request: id, requester: r.requester }.into());
        }
        // Nobody presented an agent: an operator may, too. Its own request it can only take back as itself.
        Err(_) if ctx.global.passphrase_file.is_some() || r.requester.kind == IdKind::Operator => None,
        Err(e) => return Err(e),
    };
    match agent {
        Some(agent) => change(ctx, &ws, id, args.dry_run, |tx| Ok(tx.append(agent.by(), event).map(|_| ())?)),
        None => {
            let operator = ctx.unlock(&ws)?;
            change(ctx, &ws, id, args.dry_run, |tx| Ok(tx.append(operator.by(), event).map(|_| ())?))
        }
    }
}
