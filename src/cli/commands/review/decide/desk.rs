//! What is decided about: the page, its items as they stand now, and what makes a decision one that can be recorded.

use std::collections::{BTreeMap, BTreeSet};

use crate::cli::Context;
use crate::cli::commands::review::page;
use crate::cli::error::CliError;
use crate::cli::text::safe;
use crate::domain::facts::Facts;
use crate::domain::id::{Id, IdKind};
use crate::domain::review::{Advice, Month};
use crate::domain::time::Time;
use crate::review::carry::{
    Chosen, Meanwhile, Now, Page, advised, closed_note, meanwhile, needs_note, now_of, possible, replaced_by,
};
use crate::review::model::{Item, Review};
use crate::workspace::{Trusted, Workspace};

/// The page with what it takes to decide about it.
pub struct Desk<'a> {
    /// Where.
    pub ws: &'a Workspace,
    /// The page.
    pub review: Review,
    /// When it was read.
    pub now: Time,
    one_operator: bool,
    /// Where each item stands: among those that come first, or the rest.
    places: BTreeMap<Id, (bool, usize)>,
}

/// Why a decision cannot be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// It can never be.
    Impossible(String),
    /// It needs a note, because.
    NeedsNote(String),
}

impl<'a> Desk<'a> {
    /// Reads the page of a month that nobody signed yet.
    pub fn open(ws: &'a Workspace, named: Option<Month>, ctx: &Context) -> Result<Desk<'a>, CliError> {
        let now = ws.now(ctx.clock())?;
        let month = page::month(ws, named, now)?;
        let review = page::compute(ws, month, ctx.clock())?;
        if let Some(s) = &review.signature {
            let by = safe(&page::who(&s.by));
            return Err(CliError::no(
                "signed",
                format!("the review of {month} was signed by {by}; nothing can be decided in it any more"),
            )
            .hint(format!("look at it: aosctl review --month {month}"))
            .hint("what has to change before the next one: aosctl revoke, aosctl grant narrow"));
        }
        let first = review.first.iter().enumerate().map(|(n, i)| (i.id, (true, n)));
        let rest = review.rest.iter().enumerate().map(|(n, i)| (i.id, (false, n)));
        let places = first.chain(rest).collect();
        Ok(Desk { ws, review, now, one_operator: page::live_operators(ws)? < 2, places })
    }

    /// Facts for many items at once. Whoever issued a grant was bound by the policy of that moment; asked for first, it is
    /// read once and not for every grant.
    pub fn facts(&self) -> Result<Trusted<'a>, CliError> {
        let facts = self.ws.facts();
        facts.policy()?;
        Ok(facts)
    }

    /// What the page rests on.
    pub fn page(&self) -> Page {
        Page { month: self.review.month, as_of: self.review.as_of, entries: self.review.log.entries }
    }

    /// Every item, those that come first before the rest.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.review.first.iter().chain(&self.review.rest)
    }

    /// An item by its id.
    pub fn item(&self, id: Id) -> Option<&Item> {
        let (first, n) = self.places.get(&id)?;
        if *first { self.review.first.get(*n) } else { self.review.rest.get(*n) }
    }

    /// It comes first.
    pub fn comes_first(&self, id: Id) -> bool {
        self.places.get(&id).is_some_and(|(first, _)| *first)
    }

    /// Items that nobody decided about, but for these.
    pub fn undecided(&self, but: &BTreeSet<Id>) -> Vec<Id> {
        self.items().filter(|i| i.decided.is_none() && !but.contains(&i.id)).map(|i| i.id).collect()
    }

    /// Those of them without which nothing can be signed.
    pub fn undecided_first(&self, but: &BTreeSet<Id>) -> Vec<Id> {
        let first = self.review.first.iter();
        first.filter(|i| i.decided.is_none() && !but.contains(&i.id)).map(|i| i.id).collect()
    }

    /// What happened to an item since the page's moment, by facts that remember: for many items at once.
    pub fn meanwhile(&self, item: &Item, facts: &Trusted<'_>) -> Result<Meanwhile, CliError> {
        let now = now_of(facts, item.id)?;
        let found = meanwhile(item, self.review.log.entries, &now, self.now);
        Ok(match (found, &now) {
            (Meanwhile::Closed { seq, .. }, Now::Grant(g)) => Meanwhile::Closed { seq, by: replaced_by(facts, g)? },
            (other, _) => other,
        })
    }

    /// Can that be decided?
    pub fn possible(&self, item: &Item, decision: Advice) -> Result<(), String> {
        possible(item, decision, self.one_operator && item.id.kind == IdKind::Operator)
    }

    /// A decision that can be recorded.
    pub fn choose(
        &self,
        item: &Item,
        meanwhile: &Meanwhile,
        decision: Advice,
        note: Option<String>,
    ) -> Result<Chosen, Refused> {
        // What was closed since can be closed by nobody once more; that is only written down.
        if !matches!(meanwhile, Meanwhile::Closed { .. }) || decision != Advice::Revoke {
            self.possible(item, decision).map_err(Refused::Impossible)?;
        }
        if let (None, Some(why)) = (&note, needs_note(item, meanwhile, decision)) {
            return Err(Refused::NeedsNote(why));
        }
        let note = note.or_else(|| closed_note(meanwhile).filter(|_| decision == Advice::Revoke));
        Ok(Chosen { item: item.clone(), decision, note, took_ms: None, meanwhile: meanwhile.clone() })
    }

    /// What is recommended, as things are now.
    pub fn advised(&self, item: &Item, meanwhile: &Meanwhile) -> Advice {
        advised(item, meanwhile)
    }
}

/// What happened since the page was made, in words; nothing where nothing did. Foreign text.
pub fn said(meanwhile: &Meanwhile) -> Option<String> {
    Some(match meanwhile {
        Meanwhile::Same => return None,
        Meanwhile::Closed { seq, by: None } => format!("it was closed meanwhile, by entry {seq}"),
        Meanwhile::Closed { seq, by: Some(by) } => {
            format!("it was closed meanwhile, by entry {seq}, and {by} took its place: that one is for the next review")
        }
        Meanwhile::Ended(t) => format!("it came to its end meanwhile, at {}", crate::cli::show::minute(*t)),
        Meanwhile::Graver(what) => format!("meanwhile {what}"),
    })
}
