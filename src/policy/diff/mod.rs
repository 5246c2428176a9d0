//! What adopting other rules would change, and whether it opens or closes.

mod catalogue;

use std::fmt::Display;

use crate::domain::point::POINTS;
use crate::domain::rules::{ActionRule, Rules};
use crate::domain::time::Span;

/// Does a change let more happen without a person, or for longer?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// It opens, in part at least.
    Wider,
    /// It only closes.
    Narrower,
    /// Neither, or it cannot be told.
    Other,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct DiffLine {
    /// What changed: `cap.move`, `action[github deployment.*]`, `catalogue.stripe.refund.create`.
    pub key: String,
    /// As it was; absent where it is new.
    pub old: Option<String>,
    /// As it will be; absent where it goes.
    pub new: Option<String>,
    /// Opens or closes.
    pub effect: Effect,
}

/// Compares rules. Equal rules give no line.
pub fn diff(old: &Rules, new: &Rules) -> Vec<DiffLine> {
    let mut out = Lines::default();
    if old.version != new.version {
        out.changed("rules.version", Some(&old.version), Some(&new.version), Effect::Other);
    }
    caps(old, new, &mut out);
    out.number("mailing.recipients", old.recipients, new.recipients);
    for d in &old.boundary.destinations {
        if !new.boundary.destinations.contains(d) {
            out.changed("boundary.destinations", Some(d), None, Effect::Narrower);
        }
    }
    for d in &new.boundary.destinations {
        if !old.boundary.destinations.contains(d) {
            out.changed("boundary.destinations", None, Some(d), Effect::Wider);
        }
    }
    for point in POINTS {
        let of = |rules: &Rules| rules.approvers.get(&point).copied().unwrap_or(1);
        // Fewer approvers open.
        let effect = if of(new) < of(old) { Effect::Wider } else { Effect::Narrower };
        if of(old) != of(new) {
            out.changed(&format!("approvers.{point}"), Some(&of(old)), Some(&of(new)), effect);
        }
    }
    actions(&old.actions, &new.actions, &mut out);
    out.number("requests.wait", old.requests.wait, new.requests.wait);
    out.number("requests.use_within", old.requests.use_within, new.requests.use_within);
    out.number("grants.expires", old.grants.expires, new.grants.expires);
    longest(old.grants.longest, new.grants.longest, &mut out);
    out.number("rotation.every", old.rotation.every, new.rotation.every);
    out.other("rotation.warn", &old.rotation.warn, &new.rotation.warn);
    out.other("review.due_day", &old.review.due_day, &new.review.due_day);
    let owner = |rules: &Rules| rules.review.owner.map_or("any".to_owned(), |id| id.to_string());
    out.other("review.owner", &owner(old), &owner(new));
    catalogue::kinds(&old.kinds, &new.kinds, &mut out);
    out.0
}

fn caps(old: &Rules, new: &Rules, out: &mut Lines) {
    let (a, b) = (&old.caps, &new.caps);
    for (key, from, to) in [("cap.move", a.per_move(), b.per_move()), ("cap.week", a.per_week(), b.per_week())] {
        // Amounts of two currencies cannot be compared.
        let effect = match (from.currency == to.currency, to.minor > from.minor) {
            (false, _) => Effect::Other,
            (true, true) => Effect::Wider,
            (true, false) => Effect::Narrower,
        };
        if from != to {
            out.changed(key, Some(&from), Some(&to), effect);
        }
    }
}

fn longest(old: Option<Span>, new: Option<Span>, out: &mut Lines) {
    let text = |s: Option<Span>| s.map_or("never".to_owned(), |s| s.to_string());
    let wider = match (old, new) {
        (Some(a), Some(b)) => b > a,
        (Some(_), None) => true,
        (None, _) => false,
    };
    if old != new {
        let effect = if wider { Effect::Wider } else { Effect::Narrower };
        out.changed("grants.longest", Some(&text(old)), Some(&text(new)), effect);
    }
}

fn actions(old: &[ActionRule], new: &[ActionRule], out: &mut Lines) {
    let same = |a: &ActionRule, b: &ActionRule| a.integration == b.integration && a.action == b.action;
    let key = |r: &ActionRule| format!("action[{} {}]", r.integration, r.action);
    for was in old {
        match new.iter().find(|r| same(r, was)) {
            None => out.changed(&key(was), Some(&rule_text(was)), None, Effect::Wider),
            Some(is) if is == was => {}
            Some(is) => out.changed(&key(was), Some(&rule_text(was)), Some(&rule_text(is)), rule_effect(was, is)),
        }
    }
    for is in new.iter().filter(|r| !old.iter().any(|was| same(r, was))) {
        out.changed(&key(is), None, Some(&rule_text(is)), Effect::Narrower);
    }
}

fn rule_effect(old: &ActionRule, new: &ActionRule) -> Effect {
    let lost =
        old.points.iter().any(|p| !new.points.contains(p)) || new.approvers < old.approvers || new.tier < old.tier;
    let gained =
        new.points.iter().any(|p| !old.points.contains(p)) || new.approvers > old.approvers || new.tier > old.tier;
    if lost {
        Effect::Wider
    } else if gained {
        Effect::Narrower
    } else {
        Effect::Other
    }
}

fn rule_text(r: &ActionRule) -> String {
    let mut parts: Vec<String> = Vec::new();
    if !r.points.is_empty() {
        parts.push(format!("points {}", r.points.iter().map(|p| p.as_str()).collect::<Vec<_>>().join("+")));
    }
    parts.extend(r.tier.map(|t| format!("tier {t}")));
    parts.extend(r.approvers.map(|n| format!("approvers {n}")));
    parts.join(", ")
}

/// The lines so far.
#[derive(Default)]
struct Lines(Vec<DiffLine>);

impl Lines {
    fn changed<T: Display>(&mut self, key: &str, old: Option<&T>, new: Option<&T>, effect: Effect) {
        self.0.push(DiffLine { key: key.into(), old: old.map(T::to_string), new: new.map(T::to_string), effect });
    }

    /// A limit: more is wider.
    fn number<T: Display + PartialOrd>(&mut self, key: &str, old: T, new: T) {
        if old != new {
            let effect = if new > old { Effect::Wider } else { Effect::Narrower };
            self.changed(key, Some(&old), Some(&new), effect);
        }
    }

    fn other<T: Display + PartialEq>(&mut self, key: &str, old: &T, new: &T) {
        if old != new {
            self.changed(key, Some(old), Some(new), Effect::Other);
        }
    }
}
