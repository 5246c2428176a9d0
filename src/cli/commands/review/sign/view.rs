//! A signature under a review, as data.

use schemars::JsonSchema;
use serde::Serialize;

use super::super::decide::view::ids;
use super::super::page;
use super::deciders;
use crate::cli::outcome::{Screen, View};
use crate::cli::show::{day, minute};
use crate::domain::id::Id;
use crate::domain::review::{Advice, Month};
use crate::domain::time::Time;
use crate::review::model::{Review, Who};

/// A review that was signed, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReviewSignedView {
    /// Nothing was signed.
    pub dry_run: bool,
    /// Which review.
    pub month: Month,
    /// Who signed; absent in a dry run.
    pub by: Option<Who>,
    /// When.
    pub at: Option<Time>,
    /// The entry.
    pub seq: Option<u64>,
    /// To be signed before this moment.
    pub due: Time,
    /// Days too late; 0: in time. Absent in a dry run.
    pub late_days: Option<u32>,
    /// The next one is due then.
    pub next_due: Time,
    /// Hex SHA-256 of the page as JSON, but for its signature.
    pub page: String,
    /// The page is as of this moment.
    pub as_of: Time,
    /// The page rests on so many entries.
    pub entries: u64,
    /// Items of the review.
    pub items: u64,
    /// Items that were decided about.
    pub decided: u64,
    /// Items that nobody decided about: none of those that come first.
    pub undecided: Vec<Id>,
    /// Operators who decided.
    pub deciders: Vec<Id>,
    /// What was decided and is not so: the first lines of the next review.
    pub open: Vec<LeftOpen>,
    /// Items that their decider owns, or is.
    pub self_reviewed: Vec<OwnItem>,
    /// What compensates for that.
    pub compensating: Option<String>,
    /// Per mille of the items that were kept as they are. Absent in a dry run.
    pub kept_per_mille: Option<u32>,
    /// Median of the seconds that a decision took; absent where a script decided.
    pub median_seconds: Option<u64>,
    /// A reason to look twice at how it was decided; absent: none.
    pub rubber_stamp: Option<String>,
}

/// A decision that is not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LeftOpen {
    /// About what.
    pub item: Id,
    /// What was decided.
    pub decision: Advice,
    /// What has to be done, as it is typed.
    pub left: String,
}

/// An item whose decider owns it, or is it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OwnItem {
    /// Which.
    pub item: Id,
    /// What was decided.
    pub decision: Advice,
    /// By whom.
    pub by: Id,
}

impl ReviewSignedView {
    /// What is signed, or would be, of a page.
    pub fn of(review: &Review, dry_run: bool, page: String, open: Vec<LeftOpen>, self_reviewed: Vec<OwnItem>) -> Self {
        let all = || review.first.iter().chain(&review.rest);
        let undecided: Vec<Id> = all().filter(|i| i.decided.is_none()).map(|i| i.id).collect();
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let s = review.signature.as_ref();
        ReviewSignedView {
            dry_run,
            month: review.month,
            by: s.map(|s| s.by.clone()),
            at: s.map(|s| s.at),
            seq: s.map(|s| s.seq),
            due: review.duty.due,
            late_days: s.map(|s| s.late_days),
            next_due: review.duty.next_due,
            page,
            as_of: review.as_of,
            entries: review.log.entries,
            items: count(all().count()),
            decided: count(all().count().saturating_sub(undecided.len())),
            undecided,
            deciders: deciders(review).into_iter().collect(),
            open,
            self_reviewed,
            compensating: s.and_then(|s| s.compensating.clone()),
            kept_per_mille: s.map(|s| s.kept_per_mille),
            median_seconds: s.and_then(|s| s.median_seconds),
            rubber_stamp: s.and_then(|s| s.rubber_stamp.clone()),
        }
    }

    /// In time, or how late.
    fn in_time(&self) -> String {
        match self.late_days {
            None => format!("to be signed before {}", minute(self.due)),
            Some(0) => format!("in time: it was due before {}", minute(self.due)),
            Some(1) => format!("1 day late: it was due before {}", minute(self.due)),
            Some(n) => format!("{n} days late: it was due before {}", minute(self.due)),
        }
    }
}

impl View for ReviewSignedView {
    const SCHEMA: &'static str = "aosctl.review-signed/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut out = String::new();
        let mut add = |name: &str, value: &str| out.push_str(&page::labelled(screen, name, value));
        match (&self.by, self.at, self.seq) {
            (Some(by), Some(at), Some(seq)) => {
                add("review", &format!("{} signed by {}, entry {seq}", self.month, page::who(by)));
                add("signed at", &minute(at));
            }
            _ => add("review", &format!("{} would be signed", self.month)),
        }
        add("due", &self.in_time());
        add("page sha-256", &self.page);
        add("as of", &format!("{}, from {} entries", minute(self.as_of), self.entries));
        let undecided = match self.undecided.as_slice() {
            [] => String::new(),
            left => format!("; not decided: {}", ids(left, 12)),
        };
        add("items", &format!("{} of {} decided{undecided}", self.decided, self.items));
        for (i, o) in self.open.iter().enumerate() {
            add(if i == 0 { "OPEN" } else { "" }, &format!("{} {}: {}", o.decision, o.item, o.left));
        }
        if !self.self_reviewed.is_empty() {
            let own: Vec<Id> = self.self_reviewed.iter().map(|o| o.item).collect();
            add("self-review", &format!("{} of these: {}", own.len(), ids(&own, 12)));
            if let Some(c) = &self.compensating {
                add("", &format!("compensated by: {c}"));
            }
        }
        if let Some(kept) = self.kept_per_mille {
            let median = self.median_seconds.map(|s| format!(", {s} s a decision (median)")).unwrap_or_default();
            add("kept", &format!("{}.{} % of the items{median}", kept / 10, kept % 10));
        }
        if let Some(why) = &self.rubber_stamp {
            add("look twice", why);
        }
        add("next due", &day(self.next_due));
        out
    }
}
