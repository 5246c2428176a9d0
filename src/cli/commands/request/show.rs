//! `aosctl request show`.

use super::new::request_id;
use crate::cli::Context;
use crate::cli::complete;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::Outcome;
use crate::cli::screen::{EntryView, RequestView};
use crate::domain::event::Event;
use crate::domain::facts::Facts;
use crate::domain::id::{Actor, Id};
use crate::workspace::{Workspace, WorkspaceError};

/// One request, whole
///
/// Every text, parameter and digest unshortened, why it asked, what deciding again gives now, every approval, and every
/// entry about it with its signer. Through the pager on a terminal. What an agent wrote stands to the right of "| ".
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The request, such as r-57
    #[arg(value_name = "REQUEST", value_parser = request_id, add = complete::requests())]
    request: Id,
}

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let id = args.request;
    let ws = ctx.open()?;
    let now = ws.now(ctx.clock())?;
    let Some(case) = ws.case(id, now)? else {
        return Err(CliError::no("no_such_request", format!("there is no request {id}"))
            .hint("see all: aosctl request list --all"));
    };
    let mut view = RequestView::of(&case, &ws.history(&case.request, now)?);
    view.entries = entries(&ws, id)?;
    Ok(Outcome::of(Exit::Done, view).paged())
}

/// Every entry about a request, verified, oldest first.
pub fn entries(ws: &Workspace, id: Id) -> Result<Vec<EntryView>, WorkspaceError> {
    let facts = ws.facts();
    let mut found = Vec::new();
    for stored in ws.store().about(id, u64::MAX)? {
        let (entry, event) = ws.event(stored.seq)?;
        let (said, outcome) = match &event {
            Event::RequestApproved(b) => (b.reason.clone(), None),
            Event::RequestDenied(b) => (b.reason.clone(), None),
            Event::RequestWithdrawn(b) => (b.reason.clone(), None),
            Event::RequestFinished(b) => (b.note.clone(), Some(b.outcome)),
            Event::RequestResolved(b) => (b.reason.clone(), Some(b.outcome)),
            Event::EntryCorrected(b) => (b.note.clone(), None),
            Event::EntryVoided(b) => (b.reason.clone(), None),
            Event::PayloadErased(b) => (b.reason.clone(), None),
            _ => (None, None),
        };
        let name = match entry.actor {
            Actor::Identity(signer) => ws.party(&facts, signer)?.name,
            Actor::Log => None,
        };
        found.push(EntryView {
            seq: entry.seq,
            kind: event.name().to_string(),
            at: entry.at,
            signer: entry.actor.to_string(),
            name,
            said,
            outcome,
            invalid: facts.invalid(entry.seq)?.map(|i| i.fault),
        });
    }
    Ok(found)
}
