//! The access reviews that a period should have: signed when, late by how much, or missing.

use super::lines::Names;
use super::{ExportError, Period};
use crate::domain::facts::Facts;
use crate::domain::review::{Advice, Month};
use crate::domain::rules::ReviewTerms;
use crate::domain::time::{Span, Time};
use crate::review::assemble::due;
use crate::workspace::Trusted;

/// How the review of a month stood at the end of the period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewState {
    /// The log began after that month: there was nothing to review.
    Nothing,
    /// The month was not over.
    NotOver,
    /// Not signed, and not due yet.
    NotDue,
    /// Not signed, and too late for so many days.
    Missing(i64),
    /// Signed in time.
    InTime,
    /// Signed, too late by so many days.
    Late(i64),
}

/// The review of one month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewLine {
    /// Which month.
    pub month: Month,
    /// To be signed before this moment.
    pub due: Time,
    /// How it stood.
    pub state: ReviewState,
    /// The entry that signed it, when, and who.
    pub signed: Option<(u64, Time, String)>,
    /// Items that were decided before the end of the period.
    pub decided: u64,
    /// Of those, with something to do that no entry says was done.
    pub open: u64,
    /// The entry of the newest decision.
    pub last_decision: Option<u64>,
}

/// Where nobody adopted a policy, as `review check` has it.
const UNTOLD: ReviewTerms = ReviewTerms { due_day: 5, owner: None };

pub(super) fn reviews(
    facts: &Trusted<'_>,
    period: Period,
    began: Time,
    names: &mut Names,
) -> Result<Vec<ReviewLine>, ExportError> {
    let terms = facts.policy()?.map_or(UNTOLD, |p| p.rules.review.clone());
    let mut month = Month::of(period.since).before();
    let mut lines = Vec::new();
    while month.start() < period.until && month.next() != month {
        let due = due(month, &terms);
        if month.end() > period.since || due > period.since {
            lines.push(line(facts, period, began, month, due, names)?);
        }
        month = month.next();
    }
    Ok(lines)
}

fn line(
    facts: &Trusted<'_>,
    period: Period,
    began: Time,
    month: Month,
    due: Time,
    names: &mut Names,
) -> Result<ReviewLine, ExportError> {
    let record = facts.review(month.id())?;
    let signed = record.as_ref().and_then(|r| r.signed.clone());
    let days = |from: Time, to: Time| to.since(from).millis() / Span::DAY.millis() + 1;
    let state = match &signed {
        Some(s) if s.at < due => ReviewState::InTime,
        Some(s) => ReviewState::Late(days(due, s.at)),
        None if began >= month.end() => ReviewState::Nothing,
        None if month.end() > period.until => ReviewState::NotOver,
        None if due > period.until => ReviewState::NotDue,
        None => ReviewState::Missing(days(due, period.until)),
    };
    let decided = record.as_ref().map(|r| r.decided.values().collect::<Vec<_>>()).unwrap_or_default();
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let to_do = |a: Advice, done: Option<u64>| a.acts() && done.is_none();
    let signed = match signed {
        Some(s) => Some((s.seq, s.at, names.of(facts, s.operator)?)),
        None => None,
    };
    Ok(ReviewLine {
        month,
        due,
        state,
        signed,
        decided: count(decided.len()),
        open: count(decided.iter().filter(|d| to_do(d.decision.decision, d.decision.carried_out)).count()),
        last_decision: decided.iter().map(|d| d.seq).max(),
    })
}
