//! Which lines a proposal crosses, stated from design section 7 and not with the functions of the decision.

use aosctl::domain::access::Access;
use aosctl::domain::catalogue::Action;
use aosctl::domain::facets::DataClass;
use aosctl::domain::integration::Integration;
use aosctl::domain::point::Point;
use aosctl::domain::rules::ActionRule;

use crate::world::World;

/// Every crossing that is told apart, so that a test can see that each occurred.
pub const ALL: [&str; 18] = [
    "catalogue point",
    "catalogue audit point",
    "policy point",
    "over the cap for a move",
    "over the cap for a week",
    "another currency",
    "amount unknown",
    "declared public",
    "public by the catalogue",
    "too many recipients",
    "recipients unknown",
    "delicate data to an integration outside",
    "delicate data to a destination outside",
    "data of unknown class sent outside",
    "production environment",
    "environment unknown",
    "unclassified write",
    "unclear facet",
];

/// Rule 3 to 8 under the policy of the world. Empty where there is no policy or no integration: that denies.
pub fn crossings(w: &World) -> Vec<&'static str> {
    let (Some(rules), Some(i)) = (&w.rules, &w.integration) else {
        return Vec::new();
    };
    let f = &w.proposal.facets;
    let mut out = crossings_under_any_policy(w);
    let named = rules.actions.iter().any(|r| speaks_of(r, i, &w.proposal.action) && !r.points.is_empty());
    if named {
        out.push("policy point");
    }
    if let Some(m) = f.amount.filter(|m| m.minor > 0) {
        let same = m.currency.as_str() == rules.caps.currency.as_str();
        if !same {
            out.push("another currency");
        }
        if same && m.minor > rules.caps.per_move {
            out.push("over the cap for a move");
        }
        if same && u128::from(m.minor) + u128::from(w.spent) > u128::from(rules.caps.per_week) {
            out.push("over the cap for a week");
        }
    }
    if f.recipients.is_some_and(|n| n > rules.recipients) {
        out.push("too many recipients");
    }
    let elsewhere = f.destination.as_deref().is_some_and(|d| !is_inside(d, &rules.boundary.destinations));
    if delicate(w) && elsewhere {
        out.push("delicate data to a destination outside");
    }
    if elsewhere && i.inside && unknown_class_sent(w) {
        out.push("data of unknown class sent outside");
    }
    out
}

/// The crossings on which no word of a policy has any bearing.
pub fn crossings_under_any_policy(w: &World) -> Vec<&'static str> {
    let Some(i) = &w.integration else {
        return Vec::new();
    };
    let f = &w.proposal.facets;
    let action = w.action();
    let mut out = Vec::new();
    let mut cross = |name, yes: bool| {
        if yes {
            out.push(name);
        }
    };
    let is = |test: fn(&Action) -> bool| action.is_some_and(test);
    cross("catalogue point", is(|a| !a.points.is_empty()));
    cross("catalogue audit point", is(|a| a.points.contains(&Point::Audit)));
    cross("amount unknown", is(|a| a.amount.is_some()) && f.amount.is_none());
    cross("declared public", f.public);
    cross("public by the catalogue", is(|a| a.public));
    cross("recipients unknown", is(|a| a.recipients.is_some()) && f.recipients.is_none());
    cross("unclear facet", !f.unclear.is_empty());
    // Data is handed over by a write, by an action that sends, and by whatever names a destination.
    let hands_over = writes(w) || is(|a| a.sends) || f.destination.is_some();
    cross("delicate data to an integration outside", !i.inside && hands_over && delicate(w));
    cross("data of unknown class sent outside", !i.inside && unknown_class_sent(w));
    if writes(w) {
        let harmless = ["dev", "development", "local", "test", "testing", "ci", "staging", "preview"];
        let in_production = f.environment.as_ref().is_some_and(|e| !harmless.iter().any(|h| h.eq_ignore_ascii_case(e)));
        cross("production environment", in_production);
        cross("environment unknown", is(|a| a.environment.is_some()) && f.environment.is_none());
        let silent = |a: &Action| {
            !a.internal
                && a.points.is_empty()
                && !a.public
                && !a.sends
                && a.amount.is_none()
                && a.recipients.is_none()
                && a.environment.is_none()
        };
        // Where the policy names it, it asks for that point instead: it is a crossing under any policy.
        cross("unclassified write", action.is_none_or(silent));
    }
    out
}

fn writes(w: &World) -> bool {
    let declared = matches!(w.proposal.access, Some(Access::Write | Access::Admin));
    declared || w.action().is_none_or(|a| !matches!(a.access, Access::Read))
}

fn delicate(w: &World) -> bool {
    let delicate = |c: Option<DataClass>| matches!(c, Some(DataClass::Customer | DataClass::Secret));
    delicate(w.proposal.facets.data) || delicate(w.action().and_then(|a| a.data))
}

fn unknown_class_sent(w: &World) -> bool {
    w.action().is_some_and(|a| a.sends && a.data.is_none()) && w.proposal.facets.data.is_none()
}

/// By labels, from the right.
fn is_inside(destination: &str, inside: &[String]) -> bool {
    let labels = |s: &str| s.split('.').rev().map(str::to_ascii_lowercase).collect::<Vec<_>>();
    let is_host = destination.chars().all(|c| matches!(c, 'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.'));
    inside.iter().any(|known| {
        let (mine, theirs) = (labels(destination), labels(known));
        match theirs.split_last() {
            Some((star, domain)) if star == "*" => is_host && mine.len() > domain.len() && mine.starts_with(domain),
            _ => mine == theirs,
        }
    })
}

pub fn speaks_of(r: &ActionRule, i: &Integration, action: &str) -> bool {
    let tool = [i.handle.as_str(), i.kind.as_str(), "*"].contains(&r.integration.as_str());
    let pattern: Vec<&str> = r.action.split('.').collect();
    let words: Vec<&str> = action.split('.').collect();
    let named = match pattern.split_last() {
        Some((&"*", stem)) => words.len() > stem.len() && words.starts_with(stem),
        _ => pattern == words,
    };
    tool && named
}
