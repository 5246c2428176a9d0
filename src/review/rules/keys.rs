//! AR-07 to AR-10 as far as they are about keys: old, never rotated, shared, expired, leaked; and which keys are due.

use std::collections::BTreeSet;

use super::{NEVER_ROTATED, Says, carry_line, day, days, found, listed, show_line};
use crate::domain::id::Id;
use crate::domain::key::Key;
use crate::domain::review::Advice;
use crate::domain::time::{Span, Time};
use crate::review::facts::{KeyState, Seen, days_between};
use crate::review::model::{Finding, KeyDue, Rule, Severity, Who};

fn at(k: &Key, rule: Rule, severity: Severity, fact: String) -> Finding {
    found(rule, severity, fact, k.added_seq, k.changed_seq)
}

/// Whole days of a span, at least one.
fn in_days(span: Span) -> u32 {
    u32::try_from(span.millis() / Span::DAY.millis()).unwrap_or(u32::MAX).max(1)
}

/// The line that carries out a decision about a key, as it is now: the same on every page.
pub(super) fn key_line(key: &Key, advice: Advice) -> String {
    match advice {
        Advice::Rotate => key.turn_line(),
        _ if key.leak_is_open() => key.turn_line(),
        _ => carry_line(key.id, advice, None),
    }
}

/// AR-07: older than its schedule, or else than the policy says (90 days unless adopted otherwise). Twice that is high. One
/// that the provider has switched off is only to be removed.
pub(super) fn old(s: &Seen<'_>, k: &KeyState) -> Option<Finding> {
    let (key, every) = (&k.key, in_days(k.key.terms(&s.s.rules.rotation).0));
    let turned = key.turned()?;
    let age = days_between(turned, s.as_of());
    if age < every {
        return None;
    }
    let fact = format!("{} old, since {}; {} is the limit", days(age), day(turned), days(every));
    if !key.facts.active {
        let fact = format!("{fact}; the provider has switched it off, and it is still there");
        let finding = at(key, Rule::OldKey, Severity::Low, fact).over(every, every);
        return Some(finding.advise(Advice::Revoke, key_line(key, Advice::Revoke)));
    }
    let severity = if age >= every.saturating_mul(2) { Severity::High } else { Severity::Medium };
    Some(at(key, Rule::OldKey, severity, fact).over(every, every).advise(Advice::Rotate, key.turn_line()))
}

/// AR-08: never turned over 90 days after it was made; at once where nobody knows when it was made or turned over.
pub(super) fn never_rotated(s: &Seen<'_>, k: &KeyState) -> Option<Finding> {
    let key = &k.key;
    if key.facts.rotated.is_some() || !key.facts.active {
        return None;
    }
    let finding = match key.facts.created {
        None => {
            let fact = "nobody knows how old it is: no date of its making or of a rotation".to_string();
            at(key, Rule::NeverRotated, Severity::Medium, fact)
        }
        Some(made) if days_between(made, s.as_of()) >= NEVER_ROTATED => {
            let fact = format!("never turned over since it was made on {}", day(made));
            at(key, Rule::NeverRotated, Severity::Medium, fact).over(NEVER_ROTATED, NEVER_ROTATED)
        }
        Some(_) => return None,
    };
    Some(finding.advise(Advice::Rotate, key.turn_line()))
}

/// AR-09: carried by open grants of two agents, or used by a person and by an agent. Two keys of one fingerprint are one
/// credential. High. What has to be done is to make one for each; that is no single line.
pub(super) fn shared(s: &Seen<'_>, k: &KeyState) -> Option<Finding> {
    let key = &k.key;
    let credential: BTreeSet<Id> = s.same_secret(key).iter().map(|o| o.key.id).chain([key.id]).collect();
    let grants: BTreeSet<(Id, Id)> =
        credential.iter().flat_map(|c| s.carrying(*c)).map(|g| (g.grant.agent, g.grant.id)).collect();
    let mut agents: BTreeSet<Id> = grants.iter().map(|(agent, _)| *agent).collect();
    let last = grants.iter().filter_map(|(_, g)| s.s.grants.get(g)).map(|g| g.grant.changed_seq).max();
    let fact = if agents.len() > 1 {
        format!("one credential for {}: carried by {}", listed(agents), listed(grants.iter().map(|(_, g)| *g)))
    } else {
        agents.extend(k.run.map(|r| r.agent));
        if !key.facts.person || agents.is_empty() {
            return None;
        }
        format!("one credential for a person and for {}", listed(agents))
    };
    let mut finding = at(key, Rule::Shared, Severity::High, fact);
    finding.entries.last = finding.entries.last.max(last.unwrap_or_default());
    Some(finding.advise(Advice::Investigate, show_line(key.id)))
}

/// AR-10: its end has passed, and it is listed as active: either the provider did not end it, or the inventory is wrong.
/// Critical.
pub(super) fn expired(s: &Seen<'_>, k: &KeyState) -> Option<Finding> {
    let key = &k.key;
    let end = key.facts.expires.filter(|e| *e <= s.as_of() && key.facts.active)?;
    let carried = s.carrying(key.id);
    let mut fact = format!("it should have ended on {}, and is listed as active", day(end));
    if !carried.is_empty() {
        fact.push_str(&format!("; {} still carry it", listed(carried.iter().map(|g| g.grant.id))));
    }
    let advice = if carried.is_empty() { Advice::Revoke } else { Advice::Rotate };
    let finding = at(key, Rule::Expired, Severity::Critical, fact);
    Some(finding.advise(advice, key_line(key, advice)))
}

/// AR-10 too, by our own reading: a key that leaked was ended by that, and until it is shown to be dead it may be live.
pub(super) fn leaked(_: &Seen<'_>, k: &KeyState) -> Option<Finding> {
    let leak = k.key.leak.as_ref()?;
    let next = leak.next()?;
    let fact = format!("it leaked on {}; what to do next is to {}", day(leak.at), in_words(next));
    let finding = at(&k.key, Rule::Expired, Severity::Critical, fact);
    Some(finding.advise(Advice::Rotate, k.key.turn_line()))
}

fn in_words(step: crate::domain::key::LeakStep) -> &'static str {
    use crate::domain::key::LeakStep::*;
    match step {
        Contain => "contain it",
        Revoke => "revoke it at the provider",
        ProveDead => "prove it dead",
        Rotate => "make another one",
        Test => "test the new one",
        Sweep => "sweep for what still names it",
    }
}

/// Whether a key is due, or will be within its warning time. It is *due* for as long as it was *soon* before, and then
/// overdue; a leak stays until it is closed, even of a key that is out of use.
pub fn key_due(s: &Seen<'_>, k: &KeyState) -> Option<KeyDue> {
    let key = &k.key;
    let (now, (every, warn)) = (s.as_of(), key.terms(&s.s.rules.rotation));
    let scheduled = key.turned().map(|t| t.plus(every));
    let end = key.facts.expires;
    let due = scheduled.into_iter().chain(end).min();
    let rotate = key.turn_line();
    let (state, fact, command) = if let Some(leak) = key.leak.as_ref().filter(|l| l.is_open()) {
        let next = leak.next().map_or("", in_words);
        ("leaked", format!("leaked on {}; next: {next}", day(leak.at)), rotate)
    } else if !key.is_live() {
        return None;
    } else if let Some(e) = end.filter(|e| *e <= now) {
        ("expired", format!("the provider ended it on {}", day(e)), rotate)
    } else {
        let late = |t: Time| days(days_between(t, now));
        match (scheduled, end.filter(|e| e.minus(warn) <= now)) {
            (Some(t), _) if t.plus(warn) < now => ("overdue", format!("due {} ago, on {}", late(t), day(t)), rotate),
            (None, _) => ("unknown", "nobody knows how old it is".into(), rotate),
            (Some(t), _) if t <= now => ("due", format!("due since {}", day(t)), rotate),
            (_, Some(e)) => ("expires", format!("the provider ends it on {}", day(e)), rotate),
            (Some(t), None) if t.minus(warn) <= now => ("soon", format!("due on {}", day(t)), rotate),
            _ => return None,
        }
    };
    let command = if key.facts.active || state == "leaked" { command } else { key_line(key, Advice::Revoke) };
    let who = Who { id: key.id, name: Some(key.facts.name.clone()) };
    Some(KeyDue { key: who, due, state: state.into(), fact, command })
}
