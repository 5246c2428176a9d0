//! Carrying out what a review decided, and whether it is so.
//!
//! [`plan`] is pure: whether a decision can be made, what has to be appended for it, and whether the state shows it. The page
//! is of a moment that lies back; what happened since then is found by comparing an item with the state now
//! ([`meanwhile`]), so that nothing wrong is carried out and nothing that grew is kept silently. [`remedy`] reads the state
//! again: a decision counts as carried out only where the log shows it. [`carry_out`] appends.

mod plan;

use std::collections::BTreeMap;

pub use plan::{
    Meanwhile, Now, Step, advised, meanwhile, needs_note, now_of, possible, remedy, replaced_by, step, todo, todo_now,
};

use super::model::{Finding, Item};
use crate::domain::event::ReviewDecided;
use crate::domain::facts::Facts;
use crate::domain::id::Id;
use crate::domain::review::{Advice, ItemDecision, Month, Narrower};
use crate::domain::time::Time;
use crate::workspace::{OperatorIdentity, Tx, WorkspaceError};

/// A decision that was made, with what it was made about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The item, as the page has it.
    pub item: Item,
    /// What was decided.
    pub decision: Advice,
    /// Why.
    pub note: Option<String>,
    /// Milliseconds from the question to the answer; absent where a script decided.
    pub took_ms: Option<u64>,
    /// What had happened since the page was made, as it was shown.
    pub meanwhile: Meanwhile,
}

/// What the page rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Which month.
    pub month: Month,
    /// The moment.
    pub as_of: Time,
    /// How many entries.
    pub entries: u64,
}

/// Why nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub enum CarryError {
    /// The workspace.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// It is over.
    #[error("the review of {month} was signed by {by}; nothing can be decided in it any more")]
    Signed {
        /// Which.
        month: Month,
        /// Who.
        by: Id,
    },
    /// Another operator was quicker.
    #[error("{by} decided meanwhile to {decision} {item}")]
    Decided {
        /// About what.
        item: Id,
        /// Who.
        by: Id,
        /// What.
        decision: Advice,
    },
    /// It changed for the worse while it was decided about.
    #[error("{item} changed while you were deciding: {what}")]
    Changed {
        /// Which.
        item: Id,
        /// How.
        what: String,
    },
}

/// What was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// The entries that hold the decisions.
    pub seqs: Vec<u64>,
    /// When.
    pub at: Time,
    /// Each, in the order in which they were made, with what is left to do.
    pub decisions: Vec<(ItemDecision, Option<String>)>,
}

/// Carries out what was decided and records it, all in the caller's transaction: an entry for each thing that is closed or
/// narrowed, then one that holds every decision and names those.
///
/// # Errors
/// [`CarryError`]; then nothing may be committed.
pub fn carry_out(
    tx: &mut Tx<'_>,
    operator: &OperatorIdentity,
    page: &Page,
    chosen: &[Chosen],
) -> Result<Carried, CarryError> {
    // Asked for first, it is read once and not for every grant that was issued under it.
    tx.facts().policy()?;
    still_so(tx, page, chosen)?;
    let reason = format!("access review {}", page.month);
    let mut done: BTreeMap<Id, (Option<u64>, Option<String>)> = BTreeMap::new();
    for c in in_order(chosen) {
        let id = c.item.id;
        let now = now_of(tx.facts(), id)?;
        let result = match step(id, c.decision, narrower(c), &now, operator.id, &reason) {
            Step::Nothing => (None, None),
            Step::Already(seq) => (Some(seq), None),
            Step::Append(event) => (Some(tx.append(operator.by(), *event)?.seq), None),
            Step::Open(what) => (None, Some(what)),
        };
        done.insert(id, result);
    }
    let decisions: Vec<(ItemDecision, Option<String>)> = chosen
        .iter()
        .map(|c| {
            let (carried_out, left) = done.remove(&c.item.id).unwrap_or_default();
            (decision(c, carried_out, operator.id), left)
        })
        .collect();
    let mut notes: BTreeMap<Id, String> = chosen.iter().filter_map(|c| Some((c.item.id, c.note.clone()?))).collect();
    let mut carried = Carried { seqs: Vec::new(), at: tx.now(), decisions };
    for part in carried.decisions.chunks(MOST_IN_ONE) {
        let note: BTreeMap<Id, String> =
            part.iter().filter_map(|(d, _)| Some((d.item, notes.remove(&d.item)?))).collect();
        let event = ReviewDecided {
            review: page.month.id(),
            as_of: page.as_of,
            entries: page.entries,
            decisions: part.iter().map(|(d, _)| d.clone()).collect(),
            note: (!note.is_empty()).then_some(note),
        };
        carried.seqs.push(tx.append(operator.by(), event)?.seq);
    }
    Ok(carried)
}

/// So many decisions go into one entry: with the longest notes they stay well below what a payload may hold.
const MOST_IN_ONE: usize = 500;

/// Grants before those who hold them, and operators last: whoever is retired signs nothing any more.
fn in_order(chosen: &[Chosen]) -> Vec<&Chosen> {
    let mut sorted: Vec<&Chosen> = chosen.iter().collect();
    sorted.sort_by_key(|c| (c.item.kind, c.item.id));
    sorted
}

fn narrower(c: &Chosen) -> Option<&Narrower> {
    c.item.narrower.as_ref().filter(|_| c.decision == Advice::Narrow)
}

/// A decision as it is recorded.
pub fn decision(c: &Chosen, carried_out: Option<u64>, by: Id) -> ItemDecision {
    let mut rules: Vec<String> = c.item.findings.iter().map(|f: &Finding| f.rule.id().to_string()).collect();
    rules.sort_unstable();
    rules.dedup();
    ItemDecision {
        item: c.item.id,
        advice: c.item.advice,
        decision: c.decision,
        rules,
        narrower: narrower(c).cloned(),
        carried_out,
        self_review: is_own(&c.item, by),
        took_ms: c.took_ms,
    }
}

/// The one who decides owns the item, or is the item.
pub fn is_own(item: &Item, by: Id) -> bool {
    item.id == by || item.owner.as_ref().is_some_and(|o| o.id == by)
}

/// What is noted where nothing was said, because the log says it.
pub fn closed_note(meanwhile: &Meanwhile) -> Option<String> {
    match meanwhile {
        Meanwhile::Closed { seq, .. } => Some(format!("closed before it was decided about, by entry {seq}")),
        _ => None,
    }
}

/// Nobody signed, decided about the same items, or widened one since it was shown.
fn still_so(tx: &Tx<'_>, page: &Page, chosen: &[Chosen]) -> Result<(), CarryError> {
    let record = tx.facts().review(page.month.id())?;
    if let Some(signed) = record.as_ref().and_then(|r| r.signed.as_ref()) {
        return Err(CarryError::Signed { month: page.month, by: signed.operator });
    }
    for c in chosen {
        let id = c.item.id;
        let known = c.item.decided.as_ref().map(|d| d.seq);
        if let Some(d) = record.as_ref().and_then(|r| r.decided.get(&id)).filter(|d| Some(d.seq) != known) {
            return Err(CarryError::Decided { item: id, by: d.operator, decision: d.decision.decision });
        }
        let now = now_of(tx.facts(), id)?;
        match meanwhile(&c.item, page.entries, &now, tx.now()) {
            Meanwhile::Graver(what)
                if c.decision != Advice::Revoke && c.meanwhile != Meanwhile::Graver(what.clone()) =>
            {
                return Err(CarryError::Changed { item: id, what });
            }
            _ => {}
        }
    }
    Ok(())
}
