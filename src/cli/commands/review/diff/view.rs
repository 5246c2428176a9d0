//! What changed between two reviews, as data.

use schemars::JsonSchema;
use serde::Serialize;

use super::super::page;
use crate::cli::outcome::{Screen, View};
use crate::cli::show::{field, minute};
use crate::domain::id::Id;
use crate::domain::review::{Advice, Month};
use crate::domain::time::Time;
use crate::review::model::{ItemKind, Remedy, Rule, Severity, Who};

/// What changed between two reviews.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ReviewDiffView {
    /// The earlier one.
    pub from: Side,
    /// The later one.
    pub to: Side,
    /// Items that are new: granted, added, enrolled.
    pub granted: Vec<Moved>,
    /// Items that are gone: revoked, retired, or at their end.
    pub revoked: Vec<Moved>,
    /// Grants that reach further, or longer.
    pub widened: Vec<Moved>,
    /// Grants that reach less far, or less long.
    pub narrowed: Vec<Moved>,
    /// Findings that are new.
    pub findings_new: Vec<FindingOf>,
    /// Findings that are gone.
    pub findings_gone: Vec<FindingOf>,
    /// What was decided in the two, with what became of it.
    pub decisions: Vec<DecisionIn>,
}

/// One of the two reviews.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Side {
    /// Which.
    pub month: Month,
    /// As of when.
    pub as_of: Time,
    /// From so many entries.
    pub entries: u64,
    /// Items.
    pub items: u64,
    /// Who signed; absent while nobody has.
    pub signed_by: Option<Who>,
}

/// An item that came, went, or changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Moved {
    /// Which.
    pub item: Id,
    /// What it is.
    pub kind: ItemKind,
    /// In words.
    pub about: String,
    /// What happened, in words.
    pub what: String,
    /// The entry that shows it, where one does.
    pub seq: Option<u64>,
}

/// A finding about an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FindingOf {
    /// About what.
    pub item: Id,
    /// Which rule.
    pub rule: Rule,
    /// How grave.
    pub severity: Severity,
    /// What is, or was, the case.
    pub fact: String,
}

/// A decision in one of the two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DecisionIn {
    /// In which.
    pub month: Month,
    /// About what.
    pub item: Id,
    /// What was decided.
    pub decision: Advice,
    /// What was advised.
    pub advice: Advice,
    /// Why.
    pub note: Option<String>,
    /// By whom.
    pub by: Who,
    /// What became of it, as the log stands now.
    pub remedy: Remedy,
    /// The entry that shows it.
    pub carried_out: Option<u64>,
}

fn became(d: &DecisionIn) -> String {
    let by = d.carried_out.map(|seq| format!(", entry {seq}")).unwrap_or_default();
    match d.remedy {
        Remedy::Nothing => String::new(),
        Remedy::CarriedOut => format!("; carried out{by}"),
        Remedy::Declared => format!("; declared{by}"),
        Remedy::Open => "; OPEN".into(),
    }
}

impl View for ReviewDiffView {
    const SCHEMA: &'static str = "aosctl.review-diff/v1";

    fn human(&self, screen: &Screen) -> String {
        let mut out = String::new();
        for (name, s) in [("from", &self.from), ("to", &self.to)] {
            let signed =
                s.signed_by.as_ref().map_or_else(|| "not signed".into(), |w| format!("signed by {}", page::who(w)));
            let text =
                format!("{}: as of {}, {} entries, {} items, {signed}", s.month, minute(s.as_of), s.entries, s.items);
            out.push_str(&field(screen, name, &text));
        }
        let moved = [
            ("granted", &self.granted),
            ("revoked", &self.revoked),
            ("widened", &self.widened),
            ("narrowed", &self.narrowed),
        ];
        for (name, all) in moved {
            if all.is_empty() {
                out.push_str(&field(screen, name, "none"));
            }
            for (i, m) in all.iter().enumerate() {
                let seq = m.seq.map(|s| format!(", entry {s}")).unwrap_or_default();
                let text = format!("{}, {}: {}{seq}", m.item, m.about, m.what);
                out.push_str(&field(screen, if i == 0 { name } else { "" }, &text));
            }
        }
        for (name, all) in [("found", &self.findings_new), ("not any more", &self.findings_gone)] {
            if all.is_empty() {
                out.push_str(&field(screen, name, "none"));
            }
            for (i, f) in all.iter().enumerate() {
                let text = format!("{} on {}: {}", f.rule.id(), f.item, f.fact);
                out.push_str(&field(screen, if i == 0 { name } else { "" }, &text));
            }
        }
        if self.decisions.is_empty() {
            out.push_str(&field(screen, "decided", "nothing, in either"));
        }
        for (i, d) in self.decisions.iter().enumerate() {
            let advised = if d.decision == d.advice { String::new() } else { format!(" ({} was advised)", d.advice) };
            let note = d.note.as_ref().map(|n| format!("; {n}")).unwrap_or_default();
            let text = format!("{}: {} {}{advised}{}{note}", d.month, d.decision, d.item, became(d));
            out.push_str(&field(screen, if i == 0 { "decided" } else { "" }, &text));
        }
        out
    }
}
