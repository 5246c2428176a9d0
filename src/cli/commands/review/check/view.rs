//! Whether a review is due, as data.

use schemars::JsonSchema;
use serde::Serialize;

use super::super::page;
use crate::cli::fold;
use crate::cli::outcome::{Screen, View};
use crate::cli::show::minute;
use crate::cli::term::{Stream, is_terminal};
use crate::cli::text::safe;
use crate::domain::id::Id;
use crate::domain::review::{Advice, Month};
use crate::domain::time::Time;
use crate::review::model::Who;

/// Whether the review of last month is due, and what is left of all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReviewCheckView {
    /// As of which moment.
    pub at: Time,
    /// Nobody has to do anything.
    pub ok: bool,
    /// The last month that is over.
    pub month: Month,
    /// How its review stands.
    pub state: CheckState,
    /// Who reviews; absent: any operator.
    pub owner: Option<Who>,
    /// To be signed before this moment.
    pub due: Time,
    /// Begun days since then; 0 where it is not overdue.
    pub overdue_days: i64,
    /// What there is to decide, where it is due or overdue.
    pub to_decide: Option<ToDecide>,
    /// Decisions of any review that are not carried out, oldest first.
    pub open: Vec<OpenDecision>,
}

/// How the review of a month stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CheckState {
    /// Somebody signed it.
    Signed,
    /// The log began later: there is nothing to review.
    Nothing,
    /// There is time.
    Waiting,
    /// This is the last day.
    Due,
    /// The last day is past.
    Overdue,
}

impl CheckState {
    /// Somebody has to do something now.
    pub fn is_due(self) -> bool {
        matches!(self, CheckState::Due | CheckState::Overdue)
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            CheckState::Signed => "signed",
            CheckState::Nothing => "not needed, the log began later",
            CheckState::Waiting => "not due yet",
            CheckState::Due => "due today",
            CheckState::Overdue => "overdue",
        }
    }
}

/// What there is to decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ToDecide {
    /// Undecided items that come first.
    pub first: u64,
    /// The other undecided items.
    pub others: u64,
    /// Items in all.
    pub items: u64,
}

/// A decision that is not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OpenDecision {
    /// In which review.
    pub month: Month,
    /// About what.
    pub item: Id,
    /// What was decided.
    pub decision: Advice,
    /// By whom.
    pub by: Who,
    /// When.
    pub at: Time,
    /// The entry.
    pub seq: u64,
    /// What has to be done.
    pub left: String,
}

impl View for ReviewCheckView {
    const SCHEMA: &'static str = "aosctl.review-check/v1";

    fn human(&self, screen: &Screen) -> String {
        // For cron and grep: one line an item, unless somebody looks at it.
        let width = if is_terminal(Stream::Stdout) { screen.width } else { usize::MAX };
        let mut out = String::new();
        if self.state.is_due() {
            let owner = self.owner.as_ref().map_or_else(|| "any operator".into(), page::who);
            let when = match self.state {
                CheckState::Overdue => format!("is overdue since {}", minute(self.due)),
                _ => format!("is due today, before {}", minute(self.due)),
            };
            let (what, verb) = match &self.to_decide {
                Some(t) if t.first + t.others > 0 => {
                    (format!("decides about {} that come first and {} others, and signs", t.first, t.others), "decide")
                }
                _ => ("signs; everything is decided".into(), "sign"),
            };
            let line = format!(
                "the review of {} {when}; {} {what}: aosctl review {verb} --month {}",
                self.month,
                safe(&owner),
                self.month
            );
            out.push_str(&fold::line(&line, width));
            out.push('\n');
        }
        for o in &self.open {
            let line = format!(
                "OPEN since the review of {}: {} {}, as {} decided; {}",
                o.month,
                o.decision,
                o.item,
                safe(&page::who(&o.by)),
                o.left
            );
            out.push_str(&fold::line(&line, width));
            out.push('\n');
        }
        out
    }
}
