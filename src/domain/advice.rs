//! Advice before a door is opened: what is wider than it need be, what narrower line to type instead, and which approval
//! points the agent's actions would cross behind it. Pure, and no authority: an operator may accept every warning.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::rc::Rc;

use super::access::Access;
use super::catalogue::{Kind, ScopeKind};
use super::decide::{Proposal, Situation, Verdict, decide};
use super::facets::{DataClass, Facets};
use super::grant::Grant;
use super::identity::Identity;
use super::integration::Integration;
use super::point::{POINTS, Point};
use super::rules::Rules;
use super::scope::Scope;
use super::time::{Span, Time};

/// When a grant ends, as typed: `90d`, `2027-03-01` (00:00 UTC of that day), a time with a zone, or `never`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// So long after it is signed.
    After(Span),
    /// At that moment.
    At(Time),
    /// Not by itself.
    Never,
}

impl End {
    /// The moment, for a grant signed at `now`; `None` has no end.
    pub fn until(self, now: Time) -> Option<Time> {
        match self {
            End::After(span) => Some(now.plus(span)),
            End::At(t) => Some(t),
            End::Never => None,
        }
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            End::After(span) => f.pad(&span.to_string()),
            End::At(t) => f.pad(&t.to_string().replace("T00:00:00.000Z", "").replace(".000Z", "Z")),
            End::Never => f.pad("never"),
        }
    }
}

impl std::str::FromStr for End {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        if s == "never" {
            return Ok(End::Never);
        }
        if let Ok(span) = s.parse::<Span>() {
            return Ok(End::After(span));
        }
        let day = s.parse::<jiff::civil::Date>().ok().filter(|_| !s.contains('T'));
        let moment = match day {
            Some(day) => day.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|z| z.timestamp()),
            None => s.parse::<jiff::Timestamp>().ok(),
        };
        moment
            .map(|t| End::At(Time::from(t)))
            .ok_or_else(|| format!("{s:?} is not an end such as 90d, 2027-03-01 or never"))
    }
}

/// The terms of a grant, by the names that people type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Who may.
    pub agent: String,
    /// Where.
    pub integration: String,
    /// Which part.
    pub scope: Scope,
    /// How much.
    pub access: Access,
    /// The most delicate data.
    pub data: DataClass,
    /// Who answers for it, where it is not the signer.
    pub owner: Option<String>,
    /// What for. Foreign text.
    pub mission: Option<String>,
    /// The end, where it is not the policy's.
    pub end: Option<End>,
}

impl Terms {
    /// The `aosctl connect` line that asks for these terms. Safe to paste into a shell. A mission with control
    /// characters is left out.
    pub fn line(&self) -> String {
        let mut line = format!(
            "aosctl connect {} --agent {} --scope {} --access {} --data {}",
            shell_word(&self.integration),
            shell_word(&self.agent),
            shell_word(self.scope.as_str()),
            self.access,
            self.data
        );
        let texts = [("--owner", &self.owner), ("--mission", &self.mission)];
        for (flag, text) in texts {
            if let Some(text) = text.as_deref().filter(|t| !t.chars().any(char::is_control)) {
                line.push_str(&format!(" {flag} {}", shell_word(text)));
            }
        }
        if let Some(end) = self.end {
            line.push_str(&format!(" --expires {end}"));
        }
        line
    }
}

/// A word as a POSIX shell reads it back unchanged.
pub fn shell_word(s: &str) -> String {
    let plain = !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-@+=,%:/".contains(&b));
    if plain { s.to_string() } else { format!("'{}'", s.replace('\'', r"'\''")) }
}

/// What is about to be opened.
#[derive(Debug, Clone, Copy)]
pub struct Door<'a> {
    /// As typed.
    pub terms: &'a Terms,
    /// The end; `None` has none.
    pub until: Option<Time>,
    /// The catalogue's facts about the tool.
    pub kind: &'a Kind,
    /// The integration is inside the boundary.
    pub inside: bool,
    /// The end of a grant that names none.
    pub expires: Span,
    /// Live grants of the same agent to the same integration that stay open beside it.
    pub live: &'a [Rc<Grant>],
}

/// One thing that is wider than it need be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// A stable name, as recorded when an operator accepts it.
    pub name: &'static str,
    /// In one sentence.
    pub text: String,
    /// What to type instead.
    pub instead: String,
}

/// Everything that is wider than it need be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Advice {
    /// In the order in which a person should think about them.
    pub warnings: Vec<Warning>,
    /// The `connect` line that avoids all that a line can avoid, where there are several warnings.
    pub narrower: Option<String>,
}

/// Every name that a warning may have, for documentation and tests.
pub const WARNINGS: &[&str] = &[
    "scope.everything",
    "scope.account-wide",
    "scope.open",
    "scope.short",
    "access.admin",
    "provider.unlimited",
    "write.endless",
    "data.outside",
    "grant.duplicate",
    "grant.subsumed",
];

/// Looks for what is wider than it need be.
pub fn advise(door: &Door<'_>) -> Advice {
    let mut found = Found { terms: door.terms, all: door.terms.clone(), warnings: Vec::new() };
    about_scope(door, &mut found);
    about_access(door, &mut found);
    about_end(door, &mut found);
    about_data(door, &mut found);
    about_others(door, &mut found);
    let several = found.warnings.len() > 1 && found.all != *door.terms;
    Advice { narrower: several.then(|| found.all.line()), warnings: found.warnings }
}

struct Found<'a> {
    terms: &'a Terms,
    all: Terms,
    warnings: Vec<Warning>,
}

impl Found<'_> {
    /// A warning that other terms avoid.
    fn narrow(&mut self, name: &'static str, text: String, edit: impl Fn(&mut Terms)) {
        let mut terms = self.terms.clone();
        edit(&mut terms);
        edit(&mut self.all);
        self.warnings.push(Warning { name, text, instead: terms.line() });
    }
}

fn about_scope(door: &Door<'_>, found: &mut Found<'_>) {
    let (scope, title) = (&door.terms.scope, &door.kind.title);
    let narrower = narrower_scope(scope, door.kind);
    let edit = |t: &mut Terms| t.scope = narrower.clone().unwrap_or_else(|| t.scope.clone());
    let word = scope.word().and_then(|w| door.kind.scope(w));
    match word {
        None => {
            let text = format!("* reaches everything in {title}, also what is added there later");
            found.narrow("scope.everything", text, edit);
        }
        Some(k) if k.account_wide => {
            let text = format!("{scope} is account-wide: it reaches {}", k.about);
            found.narrow("scope.account-wide", text, edit);
        }
        Some(_) if scope.is_open() => {
            let text = format!("{scope} reaches whatever stands there, also what is added later");
            found.narrow("scope.open", text, edit);
        }
        Some(k) if scope.segments().count() < usize::from(k.segments) => {
            let text = format!("{scope} names no single thing ({}), so it reaches all that lies under it", k.form);
            found.narrow("scope.short", text, edit);
        }
        Some(_) => {}
    }
}

/// A scope that reaches one thing, with the catalogue's placeholders (`repo:acme/NAME`) where only a person can say.
fn narrower_scope(scope: &Scope, kind: &Kind) -> Option<Scope> {
    let given: Vec<&str> = scope.segments().filter(|s| *s != "*").collect();
    let single = |k: &&ScopeKind| !k.account_wide;
    let same = scope.word().and_then(|w| kind.scope(w)).filter(single);
    // Below an account: the widest kind of one thing, if it is named by more than the account is; else the narrowest.
    let below = || kind.scope.iter().rfind(single).filter(|k| usize::from(k.segments) > given.len().max(1));
    let target = same.or_else(below).or_else(|| kind.scope.iter().find(single))?;
    let deeper = same.is_some() || usize::from(target.segments) > given.len();
    let form = target.form.split_once(':').map_or("", |(_, rest)| rest);
    let filled = form.split('/').enumerate().map(|(i, placeholder)| match given.get(i) {
        Some(known) if deeper => known,
        _ => placeholder,
    });
    format!("{}:{}", target.kind, filled.collect::<Vec<_>>().join("/")).parse().ok()
}

fn about_access(door: &Door<'_>, found: &mut Found<'_>) {
    let (access, title) = (door.terms.access, &door.kind.title);
    let less = if access == Access::Admin { Access::Write } else { Access::Read };
    if access == Access::Admin {
        let text = format!("admin can change who may do what in {title}");
        found.narrow("access.admin", text, |t| t.access = t.access.min(less));
    }
    let mut needed = door.kind.permission.iter().filter(|p| p.access == access).peekable();
    let limited = door.terms.scope.word().and_then(|w| door.kind.scope(w)).is_some_and(|k| !k.account_wide);
    if limited && needed.peek().is_some() && needed.all(|p| p.account_wide) {
        let text = format!(
            "{title} gives {access} for the whole account only: the credential reaches all of it, and {} limits only what \
             aosctl lets through",
            door.terms.scope
        );
        found.narrow("provider.unlimited", text, |t| t.access = t.access.min(less));
    }
}

fn about_end(door: &Door<'_>, found: &mut Found<'_>) {
    if let Some(w) = endless(door.terms.access, door.until) {
        let end = Some(End::After(door.expires));
        found.narrow("write.endless", w, |t| t.end = end);
    }
}

/// What to say of a grant that can change things and never ends.
pub fn endless(access: Access, until: Option<Time>) -> Option<String> {
    (access >= Access::Write && until.is_none())
        .then(|| format!("{access} without an end stays open until somebody thinks of it"))
}

fn about_data(door: &Door<'_>, found: &mut Found<'_>) {
    let Terms { data, integration, .. } = door.terms;
    if *data >= DataClass::Customer && !door.inside {
        let text = format!("{data} data may be touched through {integration}, which is outside the boundary");
        found.narrow("data.outside", text, |t| t.data = DataClass::Internal);
    }
}

fn about_others(door: &Door<'_>, found: &mut Found<'_>) {
    let Terms { scope, access, data, .. } = door.terms;
    let covers = |g: &&Rc<Grant>| g.scope.covers(scope) && g.access >= *access && g.data >= *data;
    let Some(g) = door.live.iter().find(covers) else {
        return;
    };
    let same = g.scope == *scope && g.access == *access && g.data == *data;
    if same {
        let ends = |t: Option<Time>| t.map_or(i64::MAX, Time::millis);
        // As it was typed; a moment to the second, as people write it.
        let end = match door.terms.end.unwrap_or(End::After(door.expires)) {
            End::At(t) => End::At(Time::from_millis(t.millis().div_euclid(1000) * 1000)),
            end => end,
        };
        let instead = match ends(door.until).cmp(&ends(g.until)) {
            Ordering::Greater => format!("aosctl grant renew {} --expires {end}", g.id),
            Ordering::Less => format!("aosctl grant narrow {} --expires {end}", g.id),
            Ordering::Equal => format!("aosctl grant show {}", g.id),
        };
        let text =
            format!("{} is this very door, and it is open; after closing one of two, the other is still open", g.id);
        found.warnings.push(Warning { name: "grant.duplicate", text, instead });
    } else {
        let text = format!(
            "{} ({}, {}, data up to {}) opens this already; closing the new one would close nothing",
            g.id, g.access, g.scope, g.data
        );
        let instead = format!("aosctl grant narrow {}{}", g.id, narrowing(g, door.terms));
        found.warnings.push(Warning { name: "grant.subsumed", text, instead });
    }
}

/// The flags that narrow a grant to these terms.
fn narrowing(g: &Grant, to: &Terms) -> String {
    let mut flags = String::new();
    if g.scope != to.scope {
        flags.push_str(&format!(" --scope {}", shell_word(to.scope.as_str())));
    }
    if g.access != to.access {
        flags.push_str(&format!(" --access {}", to.access));
    }
    if g.data != to.data {
        flags.push_str(&format!(" --data {}", to.data));
    }
    flags
}

/// An approval point that may be crossed behind a door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crossing {
    /// Which.
    pub point: Point,
    /// By which actions, in the catalogue's order; the policy's patterns after them.
    pub actions: Vec<String>,
}

/// Which points the actions behind a door may cross, at the widest that the grant allows: the decision itself is asked,
/// for each action of the catalogue, with the grant's most delicate data and with facets that nobody has told yet.
pub fn crossings(
    grant: &Rc<Grant>,
    agent: &Identity,
    integration: &Integration,
    rules: &Rules,
    now: Time,
) -> Vec<Crossing> {
    let Some(kind) = rules.kind(&integration.kind) else {
        return Vec::new();
    };
    let situation = Situation {
        rules: Some(rules),
        agent: Some(agent),
        operator_live: true,
        integration: Some(integration),
        grants: std::slice::from_ref(grant),
        spent: 0,
        frozen: false,
        agent_frozen: false,
        operators: 1,
        now,
    };
    let mut by_action: Vec<(&str, BTreeSet<Point>)> = Vec::new();
    for action in &kind.action {
        let proposal = Proposal {
            requester: agent.id,
            action: action.name.clone(),
            resource: grant.scope.clone(),
            access: None,
            facets: Facets { data: Some(grant.data), ..Facets::default() },
            unsure: false,
        };
        let decision = decide(&proposal, &situation);
        if decision.verdict == Verdict::Ask {
            by_action.push((&action.name, decision.points()));
        }
    }
    // What the policy says of actions that the catalogue does not know; unknown actions are writes.
    let unknown = rules.actions.iter().filter(|r| {
        let here = r.integration == "*" || r.integration == integration.handle || r.integration == integration.kind;
        here && grant.access >= Access::Write && kind.action(&r.action).is_none()
    });
    by_action.extend(unknown.map(|r| (r.action.as_str(), r.points.iter().copied().collect())));
    POINTS
        .into_iter()
        .map(|point| Crossing {
            point,
            actions: by_action
                .iter()
                .filter(|(_, points)| points.contains(&point))
                .map(|(name, _)| (*name).to_string())
                .collect(),
        })
        .filter(|c| !c.actions.is_empty())
        .collect()
}

#[cfg(test)]
mod tests;
