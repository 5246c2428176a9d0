//! `aosctl review check`.

mod view;

use std::collections::BTreeMap;

pub use view::{CheckState, ReviewCheckView};
use view::{OpenDecision, ToDecide};

use super::page;
use crate::cli::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::monitor::{Alert, Level, Status};
use crate::cli::outcome::Outcome;
use crate::domain::facts::Facts;
use crate::domain::id::{Id, IdKind};
use crate::domain::review::{Advice, Decided, Month};
use crate::domain::rules::ReviewTerms;
use crate::domain::time::{Span, Time};
use crate::review::assemble::due;
use crate::review::carry::{now_of, remedy, todo_now};
use crate::review::model::{Remedy, Who};
use crate::workspace::Workspace;

/// Is a review due, or something in one OPEN? For cron: silent and 0 when not.
///
/// The review of a month is to be signed by the policy's review.due_day of the next one, by its review.owner, or else by any
/// operator. From that day on one line says who has to do what, and exit is 1. So it is while something that a review
/// decided is OPEN: not carried out, as far as the log shows.
///
/// Asks for no passphrase and needs no terminal.
///
/// With --monitor one status line: CRITICAL where the review is overdue, WARNING on its last day and while something is OPEN.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// One status line with perfdata for a monitoring system; exit 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN
    #[arg(long)]
    monitor: bool,
}

/// Where nobody adopted a policy.
const UNTOLD: ReviewTerms = ReviewTerms { due_day: 5, owner: None };

/// Runs it.
pub fn run(args: Args, ctx: &Context) -> Result<Outcome, CliError> {
    let ws = ctx.open()?;
    let now = ws.now(ctx.clock())?;
    let Stand { month, state, due, terms } = stand(&ws, now)?;
    let to_decide = if state.is_due() { Some(to_decide(&ws, month, ctx)?) } else { None };
    let owner = terms.owner.map(|id| who(&ws, id)).transpose()?;
    let open = open(&ws)?;
    let ok = !state.is_due() && open.is_empty();
    let overdue_days = if state == CheckState::Overdue { now.since(due).millis() / Span::DAY.millis() + 1 } else { 0 };
    let view = ReviewCheckView { at: now, ok, month, state, owner, due, overdue_days, to_decide, open };
    if args.monitor {
        return Ok(status(&view).outcome());
    }
    Ok(Outcome::of(if ok { Exit::Done } else { Exit::No }, view))
}

/// How the review of the last month that is over stands.
pub(in crate::cli) struct Stand {
    /// Which month.
    pub month: Month,
    /// How it stands.
    pub state: CheckState,
    /// To be signed before this moment.
    pub due: Time,
    terms: ReviewTerms,
}

/// How the review of the last month that is over stands. Reads no page.
pub(in crate::cli) fn stand(ws: &Workspace, now: Time) -> Result<Stand, CliError> {
    let month = Month::of(now).before();
    let facts = ws.facts();
    let terms = facts.policy()?.map_or(UNTOLD, |p| p.rules.review.clone());
    let due = due(month, &terms);
    let signed = facts.review(month.id())?.and_then(|r| r.signed.clone());
    let began = ws.event(0)?.0.at;
    let state = match signed {
        Some(_) => CheckState::Signed,
        None if began >= month.end() => CheckState::Nothing,
        None if now >= due => CheckState::Overdue,
        None if now >= due.minus(Span::DAY) => CheckState::Due,
        None => CheckState::Waiting,
    };
    Ok(Stand { month, state, due, terms })
}

/// How far it is.
fn to_decide(ws: &Workspace, month: Month, ctx: &Context) -> Result<ToDecide, CliError> {
    let review = page::compute(ws, month, ctx.clock())?;
    let left = |items: &[crate::review::model::Item]| {
        u64::try_from(items.iter().filter(|i| i.decided.is_none()).count()).unwrap_or(u64::MAX)
    };
    Ok(ToDecide { first: left(&review.first), others: left(&review.rest), items: review.progress.items })
}

/// What any review decided last about an item, and is not so. To find out first takes no decision back.
fn open(ws: &Workspace) -> Result<Vec<OpenDecision>, CliError> {
    let facts = ws.facts();
    facts.policy()?;
    let mut newest: BTreeMap<Id, (Month, Decided)> = BTreeMap::new();
    for id in ws.store().subjects(IdKind::Review)? {
        let (Some(month), Some(record)) = (Month::of_id(id), facts.review(id)?) else { continue };
        for (item, d) in &record.decided {
            if d.decision.decision != Advice::Investigate && newest.get(item).is_none_or(|(_, o)| o.seq < d.seq) {
                newest.insert(*item, (month, d.clone()));
            }
        }
    }
    let now = ws.now(Time::from_millis(0))?;
    let mut open = Vec::new();
    for (item, (month, d)) in newest {
        let stands = now_of(&facts, item)?;
        if !d.decision.decision.acts() || remedy(&d, &stands, now).0 != Remedy::Open {
            continue;
        }
        open.push(OpenDecision {
            month,
            item,
            decision: d.decision.decision,
            by: who(ws, d.operator)?,
            at: d.at,
            seq: d.seq,
            left: todo_now(item, d.decision.decision, d.decision.narrower.as_ref(), &stands),
        });
    }
    open.sort_by_key(|o| (o.at, o.item));
    Ok(open)
}

fn who(ws: &Workspace, id: Id) -> Result<Who, CliError> {
    let name = match ws.facts().identity(id)? {
        Some(o) => ws.operator_name(&o)?,
        None => None,
    };
    Ok(Who { id, name })
}

/// What a monitoring system is told.
fn status(v: &ReviewCheckView) -> Status {
    let open = u64::try_from(v.open.len()).unwrap_or(u64::MAX);
    let one = |state| u64::from(v.state == state);
    let level = match (v.state, open) {
        (CheckState::Overdue, _) => Level::Critical,
        (CheckState::Due, _) | (_, 1..) => Level::Warning,
        _ => Level::Ok,
    };
    let more = if open > 0 { format!(", {open} OPEN") } else { String::new() };
    let counts = vec![
        ("overdue", one(CheckState::Overdue), Alert::Critical),
        ("due", one(CheckState::Due), Alert::Warns),
        ("open", open, Alert::Warns),
        ("undecided", v.to_decide.as_ref().map_or(0, |t| t.first.saturating_add(t.others)), Alert::Never),
    ];
    Status { service: "REVIEW", level, text: format!("review of {} {}{more}", v.month, v.state.words()), counts }
}
