//! What was decided about the items of a page and who signed, as the log stands now, put beside what the rules say.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::carry::{now_of, remedy};
use super::model::{DecidedItem, Item, Remedy, Review, Signature, Who};
use super::{ReviewError, page_digest, recomputed};
use crate::domain::event::Event;
use crate::domain::facts::Facts;
use crate::domain::id::Id;
use crate::domain::review::{Advice, Decided, ReviewRecord, Signed};
use crate::domain::time::Time;
use crate::review::facts::days_between;
use crate::workspace::{Trusted, Workspace, WorkspaceError};

/// A decision in fewer seconds than this, in the middle, looks like no look.
const HASTY: u64 = 3;
/// From so many decisions on, uniform ones are worth a second look.
const MANY: u64 = 10;
/// Per mille kept from which on that is so.
const NEARLY_ALL: u32 = 950;

/// Puts decisions and the signature of a month's review on its page. Who judges an item is compared with its owner as of the
/// page.
pub fn attach(ws: &Workspace, page: &mut Review, clock: Time) -> Result<(), ReviewError> {
    let desk = Desk { ws, facts: ws.facts(), now: ws.now(clock)?, known: RefCell::default() };
    let Some(record) = desk.facts.review(page.month.id())? else { return Ok(()) };
    // Asked for first, it is read once and not for every grant that was issued under it.
    desk.facts.policy()?;
    let mut notes: BTreeMap<u64, BTreeMap<Id, String>> = BTreeMap::new();
    let (mut count, mut open) = (0u64, 0u64);
    for item in page.first.iter_mut().chain(&mut page.rest) {
        let Some(d) = record.decided.get(&item.id) else { continue };
        let said = match notes.entry(d.seq) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(desk.notes(d.seq)?),
        };
        let note = said.get(&item.id).cloned();
        let decided = desk.decided(item, d, note)?;
        count += 1;
        open += u64::from(decided.remedy == Remedy::Open);
        item.decided = Some(decided);
    }
    page.progress.decided = count;
    page.progress.open = open;
    if let Some(signed) = &record.signed {
        page.signature = Some(desk.signature(page, &record, signed)?);
    }
    Ok(())
}

struct Desk<'w> {
    ws: &'w Workspace,
    facts: Trusted<'w>,
    now: Time,
    /// Operators whose names were read: a few decide about many items.
    known: RefCell<BTreeMap<Id, Who>>,
}

impl Desk<'_> {
    fn who(&self, operator: Id) -> Result<Who, WorkspaceError> {
        if let Some(who) = self.known.borrow().get(&operator) {
            return Ok(who.clone());
        }
        let name = match self.facts.identity(operator)? {
            Some(i) => self.ws.operator_name(&i)?,
            None => None,
        };
        let who = Who { id: operator, name };
        self.known.borrow_mut().insert(operator, who.clone());
        Ok(who)
    }

    fn notes(&self, seq: u64) -> Result<BTreeMap<Id, String>, WorkspaceError> {
        Ok(match self.ws.event(seq)?.1 {
            Event::ReviewDecided(b) => b.note.unwrap_or_default(),
            _ => BTreeMap::new(),
        })
    }

    fn decided(&self, item: &Item, d: &Decided, note: Option<String>) -> Result<DecidedItem, WorkspaceError> {
        let (remedy, carried_out) = remedy(d, &now_of(&self.facts, d.decision.item)?, self.now);
        let what = &d.decision;
        let owns = item.owner.as_ref().is_some_and(|o| o.id == d.operator) || item.id == d.operator;
        Ok(DecidedItem {
            decision: what.decision,
            advice: what.advice,
            overridden: what.decision != what.advice,
            note,
            by: self.who(d.operator)?,
            at: d.at,
            seq: d.seq,
            self_review: what.self_review || owns,
            remedy,
            carried_out,
        })
    }

    fn signature(&self, page: &Review, record: &ReviewRecord, s: &Signed) -> Result<Signature, ReviewError> {
        let decided: Vec<&DecidedItem> =
            page.first.iter().chain(&page.rest).filter_map(|i| i.decided.as_ref()).collect();
        let count = u64::try_from(decided.len()).unwrap_or(u64::MAX);
        let of = |f: &dyn Fn(&DecidedItem) -> bool| u64::try_from(decided.iter().filter(|d| f(d)).count()).unwrap_or(0);
        let kept = of(&|d| d.decision == Advice::Keep);
        let kept_per_mille = u32::try_from((kept * 1000).checked_div(count).unwrap_or(0)).unwrap_or(1000);
        let mut took: Vec<u64> = record.decided.values().filter_map(|d| d.decision.took_ms).collect();
        took.sort_unstable();
        let median_seconds = took.get(took.len() / 2).map(|ms| ms / 1000);
        let against = of(&|d| d.decision == Advice::Keep && d.advice != Advice::Keep);
        let self_reviewed = of(&|d| d.self_review && d.by.id == s.operator);
        let late = s.at >= page.duty.due;
        Ok(Signature {
            by: self.who(s.operator)?,
            at: s.at,
            seq: s.seq,
            late_days: if late { days_between(page.duty.due, s.at) + 1 } else { 0 },
            self_reviewed,
            compensating: if self_reviewed > 0 { Some(self.compensating(s.operator)?) } else { None },
            kept_per_mille,
            median_seconds,
            rubber_stamp: rubber_stamp(count, kept_per_mille, median_seconds, against),
            page: s.page.clone(),
            page_holds: self.holds(page, s)?,
        })
    }

    /// What stands against a reviewer who judges what is theirs.
    fn compensating(&self, signer: Id) -> Result<String, WorkspaceError> {
        let log = "every decision stands in the signed log, with its reason";
        let other = self.facts.operators()?.into_iter().find(|o| o.is_live() && o.id != signer);
        Ok(match other {
            Some(o) => format!("{log}; {} can look at it and undo it", o.id),
            None => format!("{log}; there is no second operator"),
        })
    }

    fn holds(&self, page: &Review, s: &Signed) -> Result<bool, ReviewError> {
        if (page.as_of, page.log.entries) == (s.as_of, s.entries) {
            return Ok(page_digest(page) == s.page);
        }
        let (again, digest) = recomputed(self.ws, page.month, s.as_of)?;
        Ok(again == s.entries && digest == s.page)
    }
}

/// A reason to look twice at how it was decided.
fn rubber_stamp(count: u64, kept: u32, median: Option<u64>, against: u64) -> Option<String> {
    let mut reasons = Vec::new();
    if count >= MANY && kept >= NEARLY_ALL && against > 0 {
        reasons.push(format!("{}.{} % kept, {against} of them against the advice", kept / 10, kept % 10));
    }
    if let Some(seconds) = median.filter(|s| count >= MANY && *s < HASTY) {
        reasons.push(match seconds {
            0 => "half of the decisions took less than a second".into(),
            n => format!("half of the decisions took {n} s or less"),
        });
    }
    (!reasons.is_empty()).then(|| reasons.join("; "))
}
