//! What was decided, as data.

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::commands::review::page;
use crate::cli::commands::review::sign::ReviewSignedView;
use crate::cli::outcome::{Screen, View};
use crate::cli::text::pad;
use crate::domain::id::Id;
use crate::domain::review::{Advice, Month};
use crate::domain::time::Time;
use crate::review::model::{ItemKind, Remedy, Who};

/// What was decided in an access review, or would be, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReviewDecidedView {
    /// Nothing was recorded.
    pub dry_run: bool,
    /// Which review.
    pub month: Month,
    /// The page is as of this moment.
    pub as_of: Time,
    /// Who decided; absent in a dry run, and where nothing was recorded.
    pub by: Option<Who>,
    /// When it was recorded.
    pub at: Option<Time>,
    /// The entries that hold the decisions.
    pub seqs: Vec<u64>,
    /// Each decision, in order.
    pub decisions: Vec<DecisionMade>,
    /// Items that nobody decided about yet.
    pub undecided: Vec<Id>,
    /// Those of them that must be decided before the review can be signed.
    pub undecided_first: Vec<Id>,
    /// Items of the review whose decision is not carried out, as far as the log shows; in a dry run, would not be.
    pub open: Vec<Id>,
    /// The signature, where it was signed at once.
    pub signed: Option<ReviewSignedView>,
}

/// One decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DecisionMade {
    /// About what.
    pub item: Id,
    /// What that is.
    pub kind: ItemKind,
    /// The same in words.
    pub about: String,
    /// What was decided.
    pub decision: Advice,
    /// What the page advised.
    pub advice: Advice,
    /// It is not what was advised.
    pub overridden: bool,
    /// Why.
    pub note: Option<String>,
    /// The one who decided owns the item, or is the item.
    pub self_review: bool,
    /// What happened to the item since the page's moment.
    pub meanwhile: Option<String>,
    /// What became of it: the state was read again after it was carried out. In a dry run, what would.
    pub remedy: Remedy,
    /// The entry that shows it.
    pub carried_out: Option<u64>,
    /// What is left to do, where something is.
    pub left: Option<String>,
}

impl DecisionMade {
    /// What became of it, in words.
    fn became(&self, dry_run: bool) -> Option<String> {
        let by = self.carried_out.map(|seq| format!(" (entry {seq})")).unwrap_or_default();
        Some(match self.remedy {
            Remedy::Nothing => return None,
            Remedy::CarriedOut if dry_run => "would be carried out at once".into(),
            Remedy::CarriedOut => format!("carried out{by}; read again, and it is so"),
            Remedy::Declared => format!("declared{by}; aosctl cannot see it"),
            Remedy::Open => format!("OPEN: {}", self.left.as_deref().unwrap_or("it is not so")),
        })
    }
}

/// Lines below a margin.
fn below(out: &mut String, margin: usize, lines: Vec<String>) {
    for line in lines {
        out.push_str(&" ".repeat(margin));
        out.push_str(&line);
        out.push('\n');
    }
}

/// `g-1, g-2 and 3 more`.
pub fn ids(all: &[Id], most: usize) -> String {
    let shown: Vec<String> = all.iter().take(most).map(Id::to_string).collect();
    match all.len().saturating_sub(most) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

impl View for ReviewDecidedView {
    const SCHEMA: &'static str = "aosctl.review-decided/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut out = String::new();
        let room = screen.width.saturating_sub(20);
        for d in &self.decisions {
            let word = if d.remedy == Remedy::Open {
                screen.style.yellow(d.decision.as_str()).into_owned()
            } else {
                d.decision.as_str().to_string()
            };
            let gap = " ".repeat(11usize.saturating_sub(d.decision.as_str().len()));
            out.push_str(&format!("{}  {word}{gap} ", pad(&d.item.to_string(), 6)));
            for (i, line) in page::folded_foreign(&d.about, room).into_iter().enumerate() {
                out.push_str(&if i == 0 { format!("{line}\n") } else { format!("{}{line}\n", " ".repeat(20)) });
            }
            if d.overridden {
                let why = d.note.as_deref().map(|n| format!(": {n}")).unwrap_or_default();
                below(&mut out, 20, page::folded_foreign(&format!("{} was advised{why}", d.advice), room));
            }
            if let Some(text) = &d.meanwhile {
                below(&mut out, 20, page::folded_foreign(text, room));
            }
            if let Some(text) = d.became(self.dry_run) {
                below(&mut out, 20, page::folded(&text, room));
            }
        }
        if self.decisions.is_empty() && self.signed.is_none() {
            out.push_str("nothing was decided\n");
        }
        if !self.undecided.is_empty() {
            let n = self.undecided.len();
            below(&mut out, 0, page::folded(&format!("not decided: {}", ids(&self.undecided, 12)), screen.width));
            let first = self.undecided_first.len();
            if first > 0 {
                let text =
                    format!("{first} of these {n} must be decided before the review of {} can be signed", self.month);
                below(&mut out, 0, page::folded(&text, screen.width));
            }
        }
        if let Some(signed) = &self.signed {
            out.push_str(&signed.human(screen));
        }
        out
    }
}
