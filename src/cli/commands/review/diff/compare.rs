//! Two pages, compared.

use std::collections::BTreeMap;

use super::super::page;
use super::view::{DecisionIn, FindingOf, Moved, ReviewDiffView, Side};
use crate::cli::error::CliError;
use crate::cli::show::day;
use crate::domain::facts::Facts;
use crate::domain::id::{Id, IdKind};
use crate::domain::scope::Scope;
use crate::domain::time::Time;
use crate::review::carry::now_of;
use crate::review::model::{Item, ItemKind, Review};
use crate::workspace::Workspace;

/// Compares two pages, the earlier one first.
pub fn compare(ws: &Workspace, before: &Review, after: &Review) -> Result<ReviewDiffView, CliError> {
    let (old, new) = (by_id(before), by_id(after));
    let mut view = ReviewDiffView {
        from: side(before),
        to: side(after),
        granted: Vec::new(),
        revoked: Vec::new(),
        widened: Vec::new(),
        narrowed: Vec::new(),
        findings_new: Vec::new(),
        findings_gone: Vec::new(),
        decisions: decisions(before).chain(decisions(after)).collect(),
    };
    for (id, item) in &new {
        match old.get(id) {
            None => view.granted.push(came(ws, item, &old)?),
            Some(was) => {
                let (wider, narrower) = changes(was, item);
                view.widened.extend(moved(item, &wider));
                view.narrowed.extend(moved(item, &narrower));
            }
        }
    }
    for item in old.iter().filter(|(id, _)| !new.contains_key(id)).map(|(_, item)| item) {
        view.revoked.push(went(ws, item)?);
    }
    view.findings_new = findings(&new, &old);
    view.findings_gone = findings(&old, &new);
    Ok(view)
}

fn by_id(r: &Review) -> BTreeMap<Id, &Item> {
    r.first.iter().chain(&r.rest).map(|i| (i.id, i)).collect()
}

fn side(r: &Review) -> Side {
    Side {
        month: r.month,
        as_of: r.as_of,
        entries: r.log.entries,
        items: u64::try_from(r.first.len() + r.rest.len()).unwrap_or(u64::MAX),
        signed_by: r.signature.as_ref().map(|s| s.by.clone()),
    }
}

fn decisions(r: &Review) -> impl Iterator<Item = DecisionIn> {
    let all = by_id(r).into_values().filter_map(|i| i.decided.as_ref().map(|d| (i, d)));
    all.map(|(i, d)| DecisionIn {
        month: r.month,
        item: i.id,
        decision: d.decision,
        advice: d.advice,
        note: d.note.clone(),
        by: d.by.clone(),
        remedy: d.remedy,
        carried_out: d.carried_out,
    })
}

/// An item that is new; a grant in the place of another one says so.
fn came(ws: &Workspace, item: &Item, old: &BTreeMap<Id, &Item>) -> Result<Moved, CliError> {
    let verb = match item.kind {
        ItemKind::Grant => "issued",
        ItemKind::Agent | ItemKind::Operator => "enrolled",
        ItemKind::Key | ItemKind::Integration => "added",
    };
    let mut what = format!("{verb} {}", day(item.since));
    if item.id.kind == IdKind::Grant
        && let Some(replaced) = ws.facts().grant(item.id)?.and_then(|g| g.replaces)
    {
        what.push_str(&format!(", in the place of {replaced}"));
        if let Some(was) = old.get(&replaced) {
            let (wider, narrower) = changes(was, item);
            for (word, all) in [("wider", wider), ("narrower", narrower)] {
                if !all.is_empty() {
                    what.push_str(&format!("; {word}: {}", all.join(", ")));
                }
            }
        }
    }
    Ok(Moved { item: item.id, kind: item.kind, about: page::about(item), what, seq: Some(item.entries.first) })
}

/// An item that is gone.
fn went(ws: &Workspace, item: &Item) -> Result<Moved, CliError> {
    let closed = now_of(&ws.facts(), item.id)?.closed();
    let what = match (closed, item.kind) {
        (Some(_), ItemKind::Grant) => "revoked".to_string(),
        (Some(_), _) => "retired".to_string(),
        (None, _) => {
            item.until.map_or_else(|| "not on the page any more".into(), |u| format!("came to its end {}", day(u)))
        }
    };
    Ok(Moved { item: item.id, kind: item.kind, about: page::about(item), what, seq: closed })
}

fn moved(item: &Item, what: &[String]) -> Option<Moved> {
    (!what.is_empty()).then(|| Moved {
        item: item.id,
        kind: item.kind,
        about: page::about(item),
        what: what.join(", "),
        seq: Some(item.entries.last),
    })
}

/// What is wider, and what is narrower, member by member. Scopes of keys are words of their providers, and are compared as
/// equal or not: another one counts as wider.
fn changes(was: &Item, is: &Item) -> (Vec<String>, Vec<String>) {
    let (mut wider, mut narrower) = (Vec::new(), Vec::new());
    if was.scope != is.scope {
        let parse = |s: &Option<String>| s.as_deref().and_then(|s| s.parse::<Scope>().ok());
        let smaller = matches!((parse(&was.scope), parse(&is.scope)), (Some(a), Some(b)) if a.covers(&b));
        let of = |s: &Option<String>| s.clone().unwrap_or_else(|| "none".into());
        let text = format!("scope {} to {}", of(&was.scope), of(&is.scope));
        if smaller && is.kind == ItemKind::Grant { narrower.push(text) } else { wider.push(text) }
    }
    if let (Some(a), Some(b)) = (was.access, is.access) {
        let text = || format!("access {a} to {b}");
        if b > a {
            wider.push(text());
        } else if b < a {
            narrower.push(text());
        }
    }
    if let (Some(a), Some(b)) = (was.data, is.data) {
        let text = || format!("data {a} to {b}");
        if b > a {
            wider.push(text());
        } else if b < a {
            narrower.push(text());
        }
    }
    if was.until != is.until {
        let of = |t: Option<Time>| t.map_or_else(|| "no end".into(), day);
        let text = format!("end {} to {}", of(was.until), of(is.until));
        let longer = match (was.until, is.until) {
            (Some(a), Some(b)) => b > a,
            (_, to) => to.is_none(),
        };
        if longer { wider.push(text) } else { narrower.push(text) }
    }
    (wider, narrower)
}

/// Findings of one page that the other does not have.
fn findings(of: &BTreeMap<Id, &Item>, other: &BTreeMap<Id, &Item>) -> Vec<FindingOf> {
    let mut all = Vec::new();
    for (id, item) in of {
        for f in &item.findings {
            if !other.get(id).is_some_and(|i| i.findings.iter().any(|o| o.rule == f.rule)) {
                all.push(FindingOf { item: *id, rule: f.rule, severity: f.severity, fact: f.fact.clone() });
            }
        }
    }
    all.sort_by(|a, b| (b.severity, a.rule, a.item).cmp(&(a.severity, b.rule, b.item)));
    all
}
