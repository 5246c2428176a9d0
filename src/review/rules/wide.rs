//! AR-03 and AR-04: is it wider than what is done with it?

use std::collections::BTreeSet;

use super::{EVIDENCE, GRACE, Says, day, days, found, show_line};
use crate::domain::access::Access;
use crate::domain::catalogue::Kind;
use crate::domain::review::{Advice, Narrower};
use crate::domain::scope::Scope;
use crate::review::facts::{GrantState, Resources, Seen, days_between};
use crate::review::model::{EntryRange, Finding, Rule, Severity};

/// AR-03: can change things, and was only read in all of 90 days. With less evidence `watch`.
pub(super) fn only_reads(s: &Seen<'_>, g: &GrantState) -> Option<Finding> {
    let c = s.coverage(&g.grant)?;
    let read = g.uses.read.as_ref().filter(|u| days_between(u.at, s.as_of()) < EVIDENCE)?;
    let wrote = g.uses.last_with(Access::Write).is_some_and(|u| days_between(u.at, s.as_of()) < EVIDENCE);
    if g.grant.access < Access::Write || wrote || c.days < GRACE {
        return None;
    }
    let access = g.grant.access;
    let at = |severity, fact| found(Rule::OnlyReads, severity, fact, g.grant.issued_seq, read.seq);
    if c.days < EVIDENCE {
        let fact = format!("{access}, and only read so far; {} of {} are covered", c.days, days(EVIDENCE));
        return Some(at(Severity::Watch, fact).over(EVIDENCE, c.days));
    }
    let fact = format!("{access}, and only read in {}: last read on {}, nothing written", days(EVIDENCE), day(read.at));
    let to = Narrower { access: Some(Access::Read), ..Narrower::default() };
    Some(at(Severity::Medium, fact).over(EVIDENCE, c.days).narrow(g.grant.id, to))
}

/// AR-04: `*`, an account-wide scope and `admin` are said at once; with 90 days of evidence the narrower grant is named that
/// still covers all that was done. A scope with a `*` at its end, or that names no single thing, needs the evidence.
pub(super) fn wider(s: &Seen<'_>, g: &GrantState) -> Option<Finding> {
    if s.coverage(&g.grant).is_none() || (g.uses.last().is_none() && !is_broad(s, g)) {
        // Without a feed there is nothing to compare with; AR-02 says so. Broad is broad, though.
        return broad_unseen(s, g);
    }
    let found: Vec<Finding> = [scope(s, g), admin(s, g)].into_iter().flatten().collect();
    merge(g, found)
}

/// Two reasons are one finding: the rule is the same.
fn merge(g: &GrantState, found: Vec<Finding>) -> Option<Finding> {
    let weight = |f: &Finding| (f.severity, f.advice == Advice::Narrow, f.advice != Advice::Keep);
    found.into_iter().reduce(|a, b| {
        let (main, other) = if weight(&b) > weight(&a) { (b, a) } else { (a, b) };
        let fact = format!("{}; {}", main.fact, other.fact);
        let entries = EntryRange {
            first: main.entries.first.min(other.entries.first),
            last: main.entries.last.max(other.entries.last),
        };
        let main = match (main.narrower.clone(), &other.narrower) {
            (Some(x), Some(y)) => main.narrow(g.grant.id, super::narrowest(x, y)),
            _ => main,
        };
        Finding { fact, entries, ..main }
    })
}

/// How wide a scope is, whatever is done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    /// `*`.
    Everything,
    /// A scope that the catalogue calls account-wide.
    Account,
    /// It ends in `*`, or names no single thing.
    Open,
    /// One thing.
    Single,
}

fn width(scope: &Scope, kind: Option<&Kind>) -> Width {
    let Some(word) = scope.word() else { return Width::Everything };
    match kind.and_then(|k| k.scope(word)) {
        Some(k) if k.account_wide => Width::Account,
        Some(k) if scope.is_open() || scope.segments().count() < usize::from(k.segments) => Width::Open,
        None if scope.is_open() => Width::Open,
        _ => Width::Single,
    }
}

fn kind_of<'a>(s: &Seen<'a>, g: &GrantState) -> Option<&'a Kind> {
    s.s.rules.kind(&s.s.integrations.get(&g.grant.integration)?.integration.kind)
}

/// `*`, account-wide, or `admin`: said at once.
fn is_broad(s: &Seen<'_>, g: &GrantState) -> bool {
    let width = width(&g.grant.scope, kind_of(s, g));
    matches!(width, Width::Everything | Width::Account) || g.grant.access == Access::Admin
}

/// Is the scope of a grant one whose uses have to be looked at, thing by thing?
pub fn looks_at_resources(scope: &Scope, kind: Option<&Kind>) -> bool {
    width(scope, kind) != Width::Single
}

fn in_words(g: &GrantState, width: Width) -> String {
    match width {
        Width::Everything => "reaches everything there, also what is added later".into(),
        Width::Account => format!("{} is account-wide", g.grant.scope),
        Width::Open | Width::Single => format!("{} reaches more than one thing", g.grant.scope),
    }
}

/// Broad, and nothing is known of its use.
fn broad_unseen(s: &Seen<'_>, g: &GrantState) -> Option<Finding> {
    if !is_broad(s, g) {
        return None;
    }
    let width = width(&g.grant.scope, kind_of(s, g));
    let mut reasons = Vec::new();
    if matches!(width, Width::Everything | Width::Account) {
        reasons.push(in_words(g, width));
    }
    if g.grant.access == Access::Admin {
        reasons.push("admin can change who may do what".into());
    }
    let fact = format!("{}; nobody sees what of it is used", reasons.join(", and "));
    let finding = found(Rule::Wider, Severity::Medium, fact, g.grant.issued_seq, g.grant.changed_seq);
    Some(finding.over(EVIDENCE, 0).advise(Advice::Investigate, show_line(g.grant.id)))
}

/// The scope against what was used of it.
fn scope(s: &Seen<'_>, g: &GrantState) -> Option<Finding> {
    let kind = kind_of(s, g);
    let width = width(&g.grant.scope, kind);
    let covered = s.coverage(&g.grant)?.days;
    if width == Width::Single {
        return None;
    }
    let none = Resources::default();
    let seen = g.uses.resources.as_ref().unwrap_or(&none);
    let inside: BTreeSet<Scope> = seen.used.keys().filter(|r| g.grant.scope.covers(r)).cloned().collect();
    let to = (!seen.bounded).then(|| narrower(&inside, &g.grant.scope, kind)).flatten();
    let (first, last) = (g.grant.issued_seq, seen.used.values().copied().max().unwrap_or(g.grant.changed_seq));
    let at = |severity, fact| found(Rule::Wider, severity, fact, first, last).over(EVIDENCE, covered);
    let at_once = matches!(width, Width::Everything | Width::Account);
    let words = in_words(g, width);
    let used = match inside.len() {
        0 => "nothing of it was used".to_string(),
        1 => "one thing of it was used".into(),
        n => format!("{n} things of it were used"),
    };
    if covered < EVIDENCE {
        let fact = format!("{words}; {used} so far, and {covered} of {} are covered", days(EVIDENCE));
        return match (at_once, &to) {
            (true, _) => Some(at(Severity::Medium, fact).advise(Advice::Investigate, show_line(g.grant.id))),
            (false, Some(_)) if covered >= GRACE => Some(at(Severity::Watch, fact)),
            _ => None,
        };
    }
    if seen.bounded {
        let fact = format!("{words}; of its many uses only the newest were looked at, on {} things", inside.len());
        let severity = if at_once { Severity::Medium } else { Severity::Watch };
        return at_once.then(|| at(severity, fact).advise(Advice::Investigate, show_line(g.grant.id)));
    }
    match to {
        Some(to) => {
            let fact = format!("{words}; {used} in {}, all inside {to}", days(EVIDENCE));
            let to = Narrower { scope: Some(to), ..Narrower::default() };
            Some(at(Severity::Medium, fact).narrow(g.grant.id, to))
        }
        None if at_once && inside.is_empty() => {
            let fact = format!("{words}; {used} in {}", days(EVIDENCE));
            Some(at(Severity::Medium, fact).advise(Advice::Investigate, show_line(g.grant.id)))
        }
        // It is used as widely as it reaches.
        None if at_once => {
            Some(at(Severity::Low, format!("{words}; {used} in {}, and no narrower scope covers them", days(EVIDENCE))))
        }
        None => None,
    }
}

/// `admin` against what was done with it.
fn admin(s: &Seen<'_>, g: &GrantState) -> Option<Finding> {
    if g.grant.access != Access::Admin {
        return None;
    }
    let covered = s.coverage(&g.grant)?.days;
    let recent = |access| g.uses.last_with(access).filter(|u| days_between(u.at, s.as_of()) < EVIDENCE);
    let last = g.uses.last().map_or(g.grant.changed_seq, |u| u.seq);
    let at = |severity, fact| found(Rule::Wider, severity, fact, g.grant.issued_seq, last).over(EVIDENCE, covered);
    if let Some(u) = recent(Access::Admin) {
        return Some(at(Severity::Low, format!("admin, and used as such, last on {}", day(u.at))));
    }
    if covered < EVIDENCE {
        let fact = format!("admin, and not needed so far; {covered} of {} are covered", days(EVIDENCE));
        return Some(at(Severity::Medium, fact).advise(Advice::Investigate, show_line(g.grant.id)));
    }
    let to = if recent(Access::Write).is_some() { Access::Write } else { Access::Read };
    let fact = format!("admin, and nothing that takes admin was done in {}", days(EVIDENCE));
    Some(at(Severity::Medium, fact).narrow(g.grant.id, Narrower { access: Some(to), ..Narrower::default() }))
}

/// The narrowest scope inside the present one that covers all of these. `None`: there is none, or nothing was used.
pub(super) fn narrower(used: &BTreeSet<Scope>, present: &Scope, kind: Option<&Kind>) -> Option<Scope> {
    let things: BTreeSet<Scope> = used.iter().map(|r| thing(r, kind)).collect();
    let fits = |to: &Scope| present.covers(to) && to != present && used.iter().all(|r| to.covers(r));
    // As deep as the catalogue names things; where that is as wide as the present scope, as deep as they are.
    common(&things).filter(fits).or_else(|| common(used).filter(fits))
}

/// A resource as far as the catalogue names a thing: `repo:acme/app` of `repo:acme/app/pulls`.
fn thing(resource: &Scope, kind: Option<&Kind>) -> Scope {
    let Some(k) = resource.word().and_then(|w| kind?.scope(w)) else { return resource.clone() };
    let parts: Vec<&str> = resource.segments().take(usize::from(k.segments)).collect();
    format!("{}:{}", k.kind, parts.join("/")).parse().unwrap_or_else(|_| resource.clone())
}

/// The one thing, or the stem that all have in common with a `*`.
fn common(things: &BTreeSet<Scope>) -> Option<Scope> {
    let mut all = things.iter();
    let first = all.next()?;
    let word = first.word()?;
    if things.len() == 1 {
        return Some(first.clone());
    }
    let mut stem: Vec<&str> = first.segments().collect();
    for t in all {
        if t.word() != Some(word) {
            return None;
        }
        let same = stem.iter().zip(t.segments()).take_while(|(a, b)| **a == *b).count();
        stem.truncate(same);
    }
    // One of them may be the stem of all others, and `stem/*` would not cover it.
    let exact = format!("{word}:{}", stem.join("/")).parse::<Scope>().ok().filter(|s| things.contains(s));
    exact
        .or_else(|| format!("{word}:{}", stem.iter().chain(&["*"]).copied().collect::<Vec<_>>().join("/")).parse().ok())
}
