//! What a decision comes to, as the state is now. Pure.

use std::rc::Rc;

use crate::domain::event::{Event, GrantNarrowed, GrantRevoked, IdentityRetired};
use crate::domain::facts::Facts;
use crate::domain::grant::Grant;
use crate::domain::id::{Id, IdKind};
use crate::domain::identity::Identity;
use crate::domain::integration::Integration;
use crate::domain::key::Key;
use crate::domain::review::{Advice, Decided, Narrower};
use crate::domain::scope::Scope;
use crate::domain::time::Time;
use crate::review::model::{Item, ItemKind, Remedy, Rule};
use crate::review::rules::{Done, done_grant, done_key};

/// An item as the log has it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Now {
    /// A right.
    Grant(Rc<Grant>),
    /// An agent or an operator.
    Identity(Rc<Identity>),
    /// A credential.
    Key(Rc<Key>),
    /// A tool or a data store.
    Integration(Rc<Integration>),
    /// There is no such thing.
    Nothing,
}

/// Reads an item.
pub fn now_of<F: Facts>(facts: &F, id: Id) -> Result<Now, F::Error> {
    Ok(match id.kind {
        IdKind::Grant => facts.grant(id)?.map_or(Now::Nothing, Now::Grant),
        IdKind::Agent | IdKind::Operator => facts.identity(id)?.map_or(Now::Nothing, Now::Identity),
        IdKind::Key => facts.key(id)?.map_or(Now::Nothing, Now::Key),
        IdKind::Integration => facts.integration(id)?.map_or(Now::Nothing, Now::Integration),
        IdKind::Request | IdKind::Review | IdKind::Policy | IdKind::Workspace => Now::Nothing,
    })
}

impl Now {
    /// The entry that closed it: revoked or retired.
    pub fn closed(&self) -> Option<u64> {
        match self {
            Now::Grant(g) => g.revoked_seq,
            Now::Identity(i) => i.retired_seq,
            Now::Key(k) => k.retired_seq,
            Now::Integration(_) | Now::Nothing => None,
        }
    }
}

/// What happened to an item between the page and now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meanwhile {
    /// Nothing that matters to a decision.
    Same,
    /// It was closed.
    Closed {
        /// By that entry.
        seq: u64,
        /// Another grant took its place, or opened the same door again.
        by: Option<Id>,
    },
    /// It came to its end by itself.
    Ended(Time),
    /// It reaches further than the page says, or leaked: in words. Never kept without a note.
    Graver(String),
}

/// Compares an item of the page with what is now. `entries` is how many entries the page rests on.
pub fn meanwhile(item: &Item, entries: u64, now: &Now, at: Time) -> Meanwhile {
    if let Some(seq) = now.closed() {
        return Meanwhile::Closed { seq, by: None };
    }
    match now {
        Now::Grant(g) => grant_meanwhile(item, g, at),
        Now::Key(k) => match (&k.leak, &item.scope) {
            (Some(leak), _) if leak.seq >= entries && leak.is_open() => {
                Meanwhile::Graver(format!("it leaked, as entry {} says", leak.seq))
            }
            _ if k.changed_seq >= entries && item.scope != k.facts.scope => {
                let of = |s: &Option<String>| s.clone().unwrap_or_else(|| "not told".into());
                Meanwhile::Graver(format!("what it opens was {}, and is now {}", of(&item.scope), of(&k.facts.scope)))
            }
            _ => Meanwhile::Same,
        },
        Now::Nothing => Meanwhile::Graver("it is not in the log any more".into()),
        Now::Identity(_) | Now::Integration(_) => Meanwhile::Same,
    }
}

fn grant_meanwhile(item: &Item, g: &Grant, at: Time) -> Meanwhile {
    let day = |t: Option<Time>| t.map_or_else(|| "no end".into(), |t| t.timestamp().strftime("%Y-%m-%d").to_string());
    let later = match (item.until, g.until) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(old), Some(new)) => new > old,
    };
    if later {
        return Meanwhile::Graver(format!("its end was {}, and is now {}", day(item.until), day(g.until)));
    }
    // The log gives no way to that; the page may be older than we are.
    let scope: Option<Scope> = item.scope.as_deref().and_then(|s| s.parse().ok());
    if scope.as_ref().is_some_and(|s| !s.covers(&g.scope))
        || item.access.is_some_and(|a| g.access > a)
        || item.data.is_some_and(|d| g.data > d)
    {
        return Meanwhile::Graver(format!("it is now {} {}, data up to {}", g.access, g.scope, g.data));
    }
    match g.until {
        Some(until)
            if until <= at && item.until.is_none_or(|u| u <= at) && !item.marks.iter().any(|m| m == "expired") =>
        {
            Meanwhile::Ended(until)
        }
        _ => Meanwhile::Same,
    }
}

/// The newest grant that was issued in the place of this one, or to open it again: how a grant is widened.
pub fn replaced_by<F: Facts>(facts: &F, g: &Grant) -> Result<Option<Id>, F::Error> {
    let between = facts.grants_between(g.agent, g.integration)?;
    Ok(between.iter().rev().find(|o| o.replaces == Some(g.id) && o.revoked_seq.is_none()).map(|o| o.id))
}

/// Whether a decision can be made about such an item at all. `last_operator`: it is the only live one.
///
/// # Errors
/// Why not, in words that say what can be done.
pub fn possible(item: &Item, decision: Advice, last_operator: bool) -> Result<(), String> {
    let id = item.id;
    match (item.kind, decision) {
        (_, Advice::Keep | Advice::Investigate) => Ok(()),
        (ItemKind::Grant, Advice::Narrow) if item.narrower.as_ref().is_none_or(Narrower::is_empty) => Err(format!(
            "the review knows nothing narrower for {id}; narrow it by hand (aosctl grant narrow {id}), then keep it"
        )),
        (ItemKind::Grant, Advice::Narrow | Advice::Revoke) => Ok(()),
        (ItemKind::Key, Advice::Revoke | Advice::Rotate) => Ok(()),
        (ItemKind::Operator, Advice::Revoke) if last_operator => {
            Err(format!("{id} is the last operator, and nobody could decide anything again"))
        }
        (ItemKind::Agent | ItemKind::Operator, Advice::Revoke) => Ok(()),
        (ItemKind::Integration, Advice::Revoke) => Err(format!(
            "an integration is not revoked, its doors are: aosctl revoke {}",
            item.name.as_deref().unwrap_or(&id.to_string())
        )),
        (_, Advice::Narrow) => Err(format!("{id} is no grant, and only a grant is narrowed")),
        (_, Advice::Rotate) => Err(format!("{id} is no key, and only a key is turned over")),
    }
}

/// What a person decides by on one key: what the page advises, or what is left to say about what was closed since.
pub fn advised(item: &Item, meanwhile: &Meanwhile) -> Advice {
    match meanwhile {
        Meanwhile::Closed { .. } if item.kind != ItemKind::Integration => Advice::Revoke,
        _ => item.advice,
    }
}

/// Why a decision needs a note; `None`: it needs none.
pub fn needs_note(item: &Item, meanwhile: &Meanwhile, decision: Advice) -> Option<String> {
    match meanwhile {
        Meanwhile::Closed { .. } if decision == Advice::Revoke => return None,
        Meanwhile::Closed { by: Some(by), .. } if decision == Advice::Keep => {
            return Some(format!("since the page was made, {by} took its place"));
        }
        Meanwhile::Graver(what) if decision == Advice::Keep => return Some(format!("since the page was made: {what}")),
        _ => {}
    }
    if decision == Advice::Keep && item.findings.iter().any(|f| f.rule == Rule::NoFeed) {
        return Some("nobody knows whether it is used (AR-02), and it is never kept without saying why".into());
    }
    (decision != item.advice).then(|| format!("{} is advised", item.advice))
}

/// What has to be done about something outside this review, in words and as it is typed.
pub fn todo(item: Id, decision: Advice, narrower: Option<&Narrower>) -> String {
    match (item.kind, decision) {
        (IdKind::Key, Advice::Revoke) => format!("delete it at its provider, then: aosctl key retire {item}"),
        (IdKind::Key, _) => format!("turn it over at its provider, then: aosctl rotation record {item}"),
        (IdKind::Operator, _) => format!("another operator types: aosctl operator retire {item}"),
        (IdKind::Agent, _) => format!("aosctl agent retire {item}"),
        (IdKind::Grant, Advice::Narrow) => narrow_line(item, narrower),
        _ => format!("aosctl revoke {item}"),
    }
}

/// As [`todo`], of an item as it is now: of a key the line that its page and `rotation check` have.
pub fn todo_now(item: Id, decision: Advice, narrower: Option<&Narrower>, now: &Now) -> String {
    match now {
        Now::Key(k) if k.leak_is_open() => k.turn_line(),
        Now::Key(k) if decision != Advice::Revoke => format!("turn it over at its provider, then: {}", k.turn_line()),
        _ => todo(item, decision, narrower),
    }
}

/// The line that narrows a grant.
fn narrow_line(grant: Id, narrower: Option<&Narrower>) -> String {
    let mut line = format!("aosctl grant narrow {grant}");
    if let Some(n) = narrower {
        let word = |s: &Scope| crate::domain::advice::shell_word(s.as_str());
        line.extend(n.scope.as_ref().map(|s| format!(" --scope {}", word(s))));
        line.extend(n.access.map(|a| format!(" --access {a}")));
        line.extend(n.data.map(|d| format!(" --data {d}")));
        line.extend(n.until.map(|u| format!(" --expires {}", u.timestamp().strftime("%Y-%m-%d"))));
    }
    line
}

/// What carrying out a decision takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing: it is kept, or looked into.
    Nothing,
    /// It is so already, by that entry.
    Already(u64),
    /// An entry.
    Append(Box<Event>),
    /// It cannot be done here: in words, what has to be.
    Open(String),
}

/// What carrying out a decision takes, as the state is now. `me` signs; nobody retires themselves in the middle of what
/// they sign.
pub fn step(item: Id, decision: Advice, narrower: Option<&Narrower>, now: &Now, me: Id, reason: &str) -> Step {
    let open = || Step::Open(todo_now(item, decision, narrower, now));
    let reason = || Some(reason.to_string());
    if !decision.acts() {
        return Step::Nothing;
    }
    if let Some(seq) = now.closed() {
        return Step::Already(seq);
    }
    match (now, decision) {
        (Now::Grant(_), Advice::Revoke) => {
            Step::Append(Box::new(GrantRevoked { grant: item, reason: reason() }.into()))
        }
        (Now::Grant(g), Advice::Narrow) => match narrower.map(|n| narrowing(g, n)) {
            Some(Narrowing::To(n)) => {
                let Narrower { scope, access, data, until } = n;
                Step::Append(Box::new(
                    GrantNarrowed { grant: item, scope, access, data, until, reason: reason() }.into(),
                ))
            }
            Some(Narrowing::Already) => Step::Already(g.changed_seq),
            Some(Narrowing::Beside) | None => open(),
        },
        (Now::Identity(_), Advice::Revoke) if item != me => {
            Step::Append(Box::new(IdentityRetired { id: item, as_of: None, reason: reason() }.into()))
        }
        _ => open(),
    }
}

/// How a grant and a narrower one stand to each other.
enum Narrowing {
    /// These members have to change.
    To(Narrower),
    /// It is as narrow already.
    Already,
    /// Neither scope lies inside the other.
    Beside,
}

fn narrowing(g: &Grant, to: &Narrower) -> Narrowing {
    let mut left = Narrower::default();
    if let Some(scope) = to.scope.as_ref().filter(|s| !s.covers(&g.scope)) {
        if !g.scope.covers(scope) {
            return Narrowing::Beside;
        }
        left.scope = Some(scope.clone());
    }
    left.access = to.access.filter(|a| *a < g.access);
    left.data = to.data.filter(|d| *d < g.data);
    left.until = to.until.filter(|u| g.until.is_none_or(|old| *u < old));
    if left.is_empty() { Narrowing::Already } else { Narrowing::To(left) }
}

/// What became of a decision, read from the state: whether it is so, and the entry that shows it. What somebody has to do
/// outside aosctl is at most declared.
pub fn remedy(d: &Decided, now: &Now, at: Time) -> (Remedy, Option<u64>) {
    let decision = &d.decision;
    if !decision.decision.acts() {
        return (Remedy::Nothing, None);
    }
    let done = match now {
        Now::Grant(g) => done_grant(g, decision, at),
        Now::Key(k) => done_key(k, d),
        Now::Identity(i) => i.retired_seq.map_or(Done::No, Done::By),
        // An integration is not revoked, its doors are.
        Now::Integration(_) | Now::Nothing => Done::No,
    };
    match done {
        Done::No => (Remedy::Open, None),
        // The entry that did it, and not a later one about the same grant.
        Done::By(seq) => (Remedy::CarriedOut, Some(decision.carried_out.filter(|s| *s >= seq).unwrap_or(seq))),
        // It came to its end by itself, and no entry says so.
        Done::Ended => (Remedy::CarriedOut, decision.carried_out),
        Done::Declared(seq) => (Remedy::Declared, Some(seq)),
    }
}

#[cfg(test)]
mod tests;
