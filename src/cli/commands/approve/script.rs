//! Deciding about requests that are named, all or none.

use std::io::Write;

use super::view::{DecisionView, DecisionsView};
use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::outcome::{Outcome, Screen};
use crate::cli::screen::{Frame, RequestView, one_screen};
use crate::cli::style::Style;
use crate::cli::term::{Size, Stream, is_terminal, size};
use crate::domain::id::Id;
use crate::domain::time::Time;
use crate::workspace::decision::{Answer, Case, Open, approve, closed, deny, examine, foresee};
use crate::workspace::erase::REPEATED;
use crate::workspace::{Workspace, WorkspaceError};

/// What was typed.
pub struct Asked {
    /// Yes or no.
    pub answer: Answer,
    /// Which requests.
    pub requests: Vec<Id>,
    /// Why.
    pub reason: Option<String>,
    /// Sign nothing.
    pub dry_run: bool,
}

/// Decides about requests that are named.
pub fn decide(ctx: &Context, mut asked: Asked) -> Result<Outcome, CliError> {
    let mut seen = std::collections::BTreeSet::new();
    asked.requests.retain(|id| seen.insert(*id));
    let ws = ctx.open()?;
    no_agent(ctx, &ws)?;
    let now = ws.now(ctx.clock())?;
    let mut cases = Vec::new();
    for id in &asked.requests {
        let (case, open) = undecided(&ws, *id, now)?;
        if !ctx.global.quiet {
            show(ctx, &ws, &case)?;
        }
        cases.push((case, open));
    }
    // Before a passphrase is asked for: what nobody could decide is refused without one.
    let facts = ws.facts();
    if let Some(reason) = &asked.reason {
        ws.refuse_repeated(&facts, reason, now)?;
    }
    let likely = if asked.dry_run { likely_operator(ctx, &ws) } else { None };
    for (case, open) in &cases {
        examine(&facts, case.request.id, likely, asked.answer, &open.shown, now)
            .map_err(|e| refusal(e, case.request.id))?;
    }
    if asked.dry_run {
        let decisions =
            cases.iter().map(|(c, o)| DecisionView::of(c, &foresee(&c.request, o, asked.answer, now), asked.answer));
        let view = DecisionsView { dry_run: true, decisions: decisions.collect(), waiting: None };
        return Ok(Outcome::of(Exit::Done, view).note("nothing was signed"));
    }
    let operator = ctx.unlock(&ws)?;
    let (decided, warning) = ws.transact(ctx.clock(), |tx| {
        let mut decided = Vec::new();
        for (case, open) in &cases {
            let id = case.request.id;
            let done = match asked.answer {
                Answer::Approve => approve(tx, &operator, id, &open.shown, asked.reason.clone()),
                Answer::Deny => deny(tx, &operator, id, &open.shown, asked.reason.clone()),
            };
            decided.push(done.map_err(|e| refusal(e, id))?);
        }
        Ok::<_, CliError>(decided)
    })?;
    let decisions = cases.iter().zip(&decided).map(|((c, _), d)| DecisionView::of(c, d, asked.answer)).collect();
    let view = DecisionsView { dry_run: false, decisions, waiting: None };
    Ok(Outcome::of(Exit::Done, view).warn_if(warning))
}

/// An agent's identity was presented, by the flag or the environment: said as what it is, not as a bad file.
pub fn no_agent(ctx: &Context, ws: &Workspace) -> Result<(), CliError> {
    let Some(path) = ctx.identity_file() else {
        return Ok(());
    };
    match ws.agent(&path) {
        // It reads as an agent's, enrolled here or not.
        Ok(_) | Err(WorkspaceError::ForeignIdentity { .. } | WorkspaceError::NoIdentity(_)) => {
            Err(CliError::no("needs_operator", "an agent cannot decide about requests: only an operator can")
                .because(format!("{} is an agent's identity", crate::cli::text::safe(&path.display().to_string())))
                .hint(
                    "decide as an operator: without --identity and AOSCTL_IDENTITY, or with a sealed operator identity",
                ))
        }
        Err(_) => Ok(()),
    }
}

/// Who would sign, as far as the sealed file says; it proves nothing before it is unlocked.
fn likely_operator(ctx: &Context, ws: &Workspace) -> Option<Id> {
    let (_, sealed) = ws.sealed_operator(ctx.identity_file().as_deref()).ok()?;
    sealed.id()?.parse().ok()
}

/// A request that can still be decided.
fn undecided(ws: &Workspace, id: Id, now: Time) -> Result<(Case, Open), CliError> {
    let Some(case) = ws.case(id, now)? else {
        return Err(
            CliError::no("no_such_request", format!("there is no request {id}")).hint("see what waits: aosctl queue")
        );
    };
    match (case.open.clone(), closed(&case.request, now)) {
        (Some(open), None) => Ok((case, open)),
        (_, Some(fault)) => Err(refusal(WorkspaceError::Refused(fault), id)),
        (None, None) => Err(CliError::no("changed", format!("{id} changed while it was read")).hint("try again")),
    }
}

/// Shows a request on stderr, as on a screen: what is signed is what was shown.
fn show(ctx: &Context, ws: &Workspace, case: &Case) -> Result<(), CliError> {
    let on_terminal = is_terminal(Stream::Stderr);
    let window = if on_terminal { size(&ctx.env) } else { Size::DEFAULT };
    let style = Style::decide(ctx.global.color, &ctx.env, on_terminal);
    let screen = Screen { width: window.columns.clamp(40, 200), style };
    let view = RequestView::of(case, &ws.history(&case.request, case.now)?);
    let page = one_screen(
        &view,
        &screen,
        &Frame { rows: window.rows.max(Size::DEFAULT.rows) - 1, position: None, keys: false },
    );
    // A reader that went away changes nothing about what was asked for.
    let _ = std::io::stderr().lock().write_all(page.as_bytes());
    Ok(())
}

/// A refusal, with what to type next.
pub fn refusal(e: WorkspaceError, id: Id) -> CliError {
    let kind = match &e {
        WorkspaceError::Refused(fault) => fault.kind,
        _ => "",
    };
    let error = CliError::from(e);
    match kind {
        "own_request" | "approved_twice" => error.hint(format!("another operator types: aosctl approve {id}")),
        "changed" => error.hint(format!("look again: aosctl request show {id}")),
        "would_not_run" => error.hint(format!("close it: aosctl deny {id} --reason TEXT")),
        "no_such_request" => error.hint("see what waits: aosctl queue"),
        "" | REPEATED => error,
        _ => error.hint(format!("see what became of it: aosctl request show {id}")),
    }
}
