//! What there is to say after decisions were recorded: the state is read again, and what is not so is said.

use std::collections::BTreeSet;

use super::desk::{Desk, said};
use super::script::exit;
use super::view::{DecisionMade, ReviewDecidedView};
use crate::cli::Context;
use crate::cli::commands::review::page as words;
use crate::cli::commands::review::sign::ReviewSignedView;
use crate::cli::error::CliError;
use crate::cli::outcome::{Outcome, Screen, View};
use crate::domain::facts::Facts;
use crate::domain::id::Id;
use crate::domain::review::Decided;
use crate::review::carry::{Carried, Chosen, Step, decision, is_own, now_of, remedy, step, todo_now};
use crate::review::model::{Remedy, Who};
use crate::workspace::WorkspaceError;

/// What was recorded, and by whom.
pub struct Recorded {
    /// Who signed it.
    pub by: Id,
    /// What was appended.
    pub carried: Carried,
    /// What was decided.
    pub chosen: Vec<Chosen>,
}

/// Something that was signed, and what is to be said of the pin.
pub type Signed = (ReviewSignedView, Option<WorkspaceError>);

/// What became of it.
pub fn finish(desk: &Desk<'_>, recorded: Option<Recorded>, signed: Option<Signed>) -> Result<Outcome, CliError> {
    let decisions = recorded.as_ref().map_or(Ok(Vec::new()), |r| became(desk, r))?;
    let mut view = view_of(desk, decisions, recorded.as_ref())?;
    let mut warning = None;
    if let Some((signed, w)) = signed {
        view.signed = Some(signed);
        warning = w;
    }
    Ok(told(view).warn_if(warning))
}

fn view_of(
    desk: &Desk<'_>,
    decisions: Vec<DecisionMade>,
    recorded: Option<&Recorded>,
) -> Result<ReviewDecidedView, CliError> {
    // Others decide too: what is left is read again.
    let record = desk.ws.facts().review(desk.review.month.id())?;
    let mut had: BTreeSet<Id> = record.iter().flat_map(|r| r.decided.keys().copied()).collect();
    let facts = desk.facts()?;
    let now = desk.ws.now(desk.now)?;
    let mut open: BTreeSet<Id> = decisions.iter().filter(|d| d.remedy == Remedy::Open).map(|d| d.item).collect();
    let here: BTreeSet<Id> = decisions.iter().map(|d| d.item).collect();
    for d in record.iter().flat_map(|r| r.decided.values()) {
        let item = d.decision.item;
        if !here.contains(&item) && remedy(d, &now_of(&facts, item)?, now).0 == Remedy::Open {
            open.insert(item);
        }
    }
    had.extend(here);
    Ok(ReviewDecidedView {
        dry_run: false,
        month: desk.review.month,
        as_of: desk.review.as_of,
        by: recorded.map(|r| who(desk, r.by)).transpose()?,
        at: recorded.map(|r| r.carried.at),
        seqs: recorded.map(|r| r.carried.seqs.clone()).unwrap_or_default(),
        decisions,
        undecided: desk.undecided(&had),
        undecided_first: desk.undecided_first(&had),
        open: open.into_iter().collect(),
        signed: None,
    })
}

/// The outcome, with what to type next.
fn told(view: ReviewDecidedView) -> Outcome {
    let (month, open) = (view.month, view.open.len());
    let code = exit(view.undecided.len(), open > 0);
    let mut notes = Vec::new();
    if open > 0 {
        let what = if open == 1 { "1 decision is".into() } else { format!("{open} decisions are") };
        notes.push(format!("{what} OPEN: the first line of the next review, until the log shows that it was done"));
    }
    if view.dry_run {
        notes.push("dry run: nothing was done".into());
    } else if !view.undecided.is_empty() {
        notes.push(format!("go on: aosctl review decide --month {month}"));
    } else if view.signed.is_none() {
        notes.push(format!("everything is decided; sign it: aosctl review sign --month {month}"));
    }
    let mut out = Outcome::of(code, view);
    out.notes = notes;
    out
}

/// Reads the state again, item by item.
fn became(desk: &Desk<'_>, r: &Recorded) -> Result<Vec<DecisionMade>, CliError> {
    let facts = desk.facts()?;
    let mut made = Vec::new();
    for (c, (d, left)) in r.chosen.iter().zip(&r.carried.decisions) {
        let seq = r.carried.seqs.last().copied().unwrap_or_default();
        let decided = Decided { decision: d.clone(), operator: r.by, seq, at: r.carried.at };
        let stands = now_of(&facts, d.item)?;
        let (remedy, carried_out) = remedy(&decided, &stands, r.carried.at);
        let left = left.clone().or_else(|| Some(todo_now(d.item, d.decision, d.narrower.as_ref(), &stands)));
        made.push(made_of(c, d.self_review, remedy, carried_out, left));
    }
    Ok(made)
}

fn made_of(
    c: &Chosen,
    self_review: bool,
    remedy: Remedy,
    carried_out: Option<u64>,
    left: Option<String>,
) -> DecisionMade {
    DecisionMade {
        item: c.item.id,
        kind: c.item.kind,
        about: words::about(&c.item),
        decision: c.decision,
        advice: c.item.advice,
        overridden: c.decision != c.item.advice,
        note: c.note.clone(),
        self_review,
        meanwhile: said(&c.meanwhile),
        remedy,
        carried_out,
        left: left.filter(|_| remedy == Remedy::Open),
    }
}

/// What became of it, as a page: shown before a signature is asked for.
pub fn page(desk: &Desk<'_>, recorded: &Recorded, screen: &Screen) -> Result<String, CliError> {
    let view = view_of(desk, became(desk, recorded)?, Some(recorded))?;
    Ok(view.human(screen))
}

/// What would become of it.
pub fn foreseen(ctx: &Context, desk: &Desk<'_>, chosen: &[Chosen]) -> Result<Outcome, CliError> {
    let me = likely_operator(ctx, desk).unwrap_or(Id::FIRST_OPERATOR);
    let facts = desk.facts()?;
    let mut decisions = Vec::new();
    for c in chosen {
        let now = now_of(&facts, c.item.id)?;
        let d = decision(c, None, me);
        let (remedy, seq, left) = match step(c.item.id, c.decision, d.narrower.as_ref(), &now, me, "") {
            Step::Nothing => (Remedy::Nothing, None, None),
            Step::Already(seq) => (Remedy::CarriedOut, Some(seq), None),
            Step::Append(_) => (Remedy::CarriedOut, None, None),
            Step::Open(what) => (Remedy::Open, None, Some(what)),
        };
        decisions.push(made_of(c, is_own(&c.item, me), remedy, seq, left));
    }
    let view = ReviewDecidedView { dry_run: true, ..view_of(desk, decisions, None)? };
    Ok(told(view))
}

/// Who would sign, as far as the sealed file says; it proves nothing before it is unlocked.
fn likely_operator(ctx: &Context, desk: &Desk<'_>) -> Option<Id> {
    let (_, sealed) = desk.ws.sealed_operator(ctx.identity_file().as_deref()).ok()?;
    sealed.id()?.parse().ok()
}

/// An operator with their name.
pub fn who(desk: &Desk<'_>, id: Id) -> Result<Who, CliError> {
    let name = match desk.ws.facts().identity(id)? {
        Some(o) => desk.ws.operator_name(&o)?,
        None => None,
    };
    Ok(Who { id, name })
}
