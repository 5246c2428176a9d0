//! What is shown while a review is decided: the page, an item, items that are kept together, and what would be
//! recorded. Foreign text goes through `cli::text` here.

use std::collections::BTreeMap;

use super::desk::{Desk, said};
use super::view::ids;
use crate::cli::commands::review::page;
use crate::cli::commands::review::render::ReviewView;
use crate::cli::fold;
use crate::cli::outcome::{Screen, View};
use crate::cli::screen::flow;
use crate::cli::show::{day, field, minute};
use crate::cli::text::{pad, safe};
use crate::domain::id::Id;
use crate::domain::review::{Advice, Narrower};
use crate::review::carry::{Chosen, Meanwhile, Step, now_of, step};
use crate::review::model::{EntryRange, Finding, Item, ItemKind, LastUse, Severity};
use crate::review::rules;

/// The page that is decided about, whole, and how far it is.
pub fn whole(desk: &Desk<'_>, screen: &Screen) -> String {
    let r = &desk.review;
    let mut out = ReviewView::new(r.clone(), false).human(screen);
    out.push('\n');
    let first = desk.undecided_first(&Default::default()).len();
    let all = desk.undecided(&Default::default()).len();
    out.push_str(&field(
        screen,
        "to decide",
        &format!("{first} that come first, {} others; {} are decided", all - first.min(all), r.progress.decided),
    ));
    out.push_str(&field(screen, "to be signed", &format!("before {}, by {}", minute(r.duty.due), page::owner(r))));
    out
}

/// One item, with everything that it is decided by.
pub fn item(desk: &Desk<'_>, item: &Item, meanwhile: &Meanwhile, screen: &Screen, position: (usize, usize)) -> String {
    let place = if desk.comes_first(item.id) { "decide first" } else { "everything else" };
    let title = format!("=== {} === {} of {} === {place} ===", item.id, position.0, position.1);
    let mut out = format!("{}\n", screen.style.bold(&title));
    let mut add = |name: &str, value: &str| out.push_str(&field(screen, name, value));
    add("what", &page::about(item));
    if let Some(data) = item.data {
        add("data", &format!("up to {data}"));
    }
    if !item.marks.is_empty() {
        add("state", &item.marks.join(", "));
    }
    add("owner", &item.owner.as_ref().map_or_else(|| "nobody".into(), page::who));
    if let Some(mission) = &item.mission {
        add("for", mission);
    }
    add("since", &format!("{}{}", day(item.since), end(item, ", ")));
    if let Some(text) = last_use(&item.last_use) {
        add("last use", &text);
    }
    if let Some(c) = &item.certified {
        add("before", &format!("{} in the review of {}, {}", c.decision, c.month, day(c.at)));
    }
    for f in &item.findings {
        add(f.rule.id(), &format!("{}: {} ({})", severity(f.severity), f.fact, evidence(f)));
    }
    if item.findings.is_empty() {
        add("findings", "none: nothing speaks against it");
    }
    add("evidence", &format!("{}: aosctl audit log --subject {}", entries(item.entries), item.id));
    if let Some(text) = said(meanwhile) {
        add("MEANWHILE", &text);
    }
    if let Some(n) = item.narrower.as_ref().filter(|n| !n.is_empty()) {
        add("narrower", &narrower(n));
    }
    let advice = desk.advised(item, meanwhile);
    let advised = match meanwhile {
        Meanwhile::Closed { .. } => format!("{advice}: it is so already, and only written down"),
        // Whose advice it is, where several speak.
        _ => match rules::advice(&item.findings).filter(|f| f.advice == advice && item.findings.len() > 1) {
            Some(f) => format!("{advice}, because of {}", f.rule.id()),
            None => advice.to_string(),
        },
    };
    add("advice", &advised);
    if let Some(command) = item.command.as_ref().filter(|_| !matches!(meanwhile, Meanwhile::Closed { .. })) {
        out.push_str(&fold::command(&safe(command), &" ".repeat(14), screen.width));
        out.push('\n');
    }
    out
}

fn severity(s: Severity) -> &'static str {
    match s {
        Severity::Watch => "watch",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

/// Window, coverage, and the entries that show it.
fn evidence(f: &Finding) -> String {
    let window = match (f.window_days.filter(|_| f.rule.looks_at_uses()), f.covered_days) {
        (Some(w), Some(c)) if c < w => format!("looks back {w} days, and {c} of them are known; "),
        (Some(w), _) => format!("looks back {w} days; "),
        (None, _) => String::new(),
    };
    format!("{window}{}", entries(f.entries))
}

fn entries(range: EntryRange) -> String {
    if range.first == range.last {
        format!("entry {}", range.first)
    } else {
        format!("entries {} to {}", range.first, range.last)
    }
}

/// The end of an item, where it can have one.
fn end(item: &Item, before: &str) -> String {
    match item.until {
        Some(until) => format!("{before}until {}", day(until)),
        None if item.kind == ItemKind::Grant => format!("{before}no end"),
        None => String::new(),
    }
}

fn last_use(l: &LastUse) -> Option<String> {
    Some(match l {
        LastUse::Used { at, by, seq } => {
            let seq = seq.map(|s| format!(", entry {s}")).unwrap_or_default();
            format!("{} (by {by}{seq})", day(*at))
        }
        LastUse::Never { by, since } => format!("never seen, watched by {by} since {}", day(*since)),
        LastUse::Unknown { why } => format!("unknown: {why}"),
        LastUse::None => return None,
    })
}

fn narrower(n: &Narrower) -> String {
    let parts = [
        n.scope.as_ref().map(|s| format!("scope {s}")),
        n.access.map(|a| format!("access {a}")),
        n.data.map(|d| format!("data up to {d}")),
        n.until.map(|u| format!("until {}", day(u))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Items without findings, that are kept together.
pub fn fold(label: &str, items: &[&Item], screen: &Screen, position: (usize, usize)) -> String {
    let (from, n) = (position.0, items.len());
    let at = if n == 1 { from.to_string() } else { format!("{from} to {}", from + n - 1) };
    let title = format!("=== {} === {at} of {} === without findings ===", safe(label), position.1);
    let mut out = format!("{}\n", screen.style.bold(&title));
    for item in items {
        let text = format!("{}{}", page::about(item), end(item, "; "));
        let words: Vec<String> = safe(&text).split(' ').map(String::from).collect();
        for (i, line) in flow(&words, screen.width.saturating_sub(8)).into_iter().enumerate() {
            let id = if i == 0 { item.id.to_string() } else { String::new() };
            out.push_str(&format!("{} {line}\n", pad(&id, 7)));
        }
    }
    out.push_str(&field(screen, "advice", "keep: nothing speaks against them"));
    out
}

/// What would be recorded and carried out.
pub fn summary(desk: &Desk<'_>, chosen: &[&Chosen], screen: &Screen) -> Result<String, crate::cli::CliError> {
    let n = chosen.len();
    let what = if n == 1 { "1 item is decided".into() } else { format!("{n} items are decided") };
    let mut out = format!("{}\n", screen.style.bold(&format!("=== {} === {what} ===", desk.review.month)));
    let facts = desk.ws.facts();
    let mut by: BTreeMap<Advice, Vec<Id>> = BTreeMap::new();
    for c in chosen {
        by.entry(c.decision).or_default().push(c.item.id);
    }
    for (decision, items) in by {
        out.push_str(&field(screen, decision.as_str(), &ids(&items, 40)));
    }
    for c in chosen {
        let now = now_of(&facts, c.item.id)?;
        let narrower = c.item.narrower.as_ref().filter(|_| c.decision == Advice::Narrow);
        if let Step::Open(what) = step(c.item.id, c.decision, narrower, &now, Id::FIRST_OPERATOR, "") {
            out.push_str(&page::labelled(screen, "stays OPEN", &format!("{}: {what}", c.item.id)));
        }
        if let Some(text) = said(&c.meanwhile) {
            out.push_str(&field(screen, "MEANWHILE", &format!("{}: {text}", c.item.id)));
        }
    }
    let had = chosen.iter().map(|c| c.item.id).collect();
    let left = desk.undecided(&had);
    if !left.is_empty() {
        out.push_str(&field(screen, "not decided", &ids(&left, 40)));
    }
    let first = desk.undecided_first(&had);
    if !first.is_empty() {
        let text = format!("{} must be decided before the review can be signed", ids(&first, 40));
        out.push_str(&field(screen, "", &text));
    }
    let sign = if first.is_empty() { ", and then you are asked whether to sign the review" } else { "" };
    out.push_str(&field(screen, "next", &format!("c takes one passphrase{sign}")));
    Ok(out)
}
