//! AR-11: duplicate or subsumed grants, and more than one active key of one user. Medium.

use super::{GRACE, Says, carry_line, found, revoke_line, show_line};
use crate::domain::grant::Grant;
use crate::domain::review::Advice;
use crate::review::facts::{GrantState, KeyState, Seen, days_between};
use crate::review::model::{Finding, Rule, Severity};

/// Does one grant let through all that another does?
fn covers(a: &Grant, b: &Grant) -> bool {
    let key = |g: &Grant| g.carries.as_ref().map(|c| c.key);
    a.scope.covers(&b.scope) && a.access >= b.access && a.data >= b.data && (key(b).is_none() || key(a) == key(b))
}

/// Two open grants of one agent to one integration of which one does all that the other does. The finding stands at the one
/// that can go: the narrower one, except where it is used and the wider one is not.
///
/// Of two that are the same, the one that ends later stays, and of those the older one. Requests stand on the oldest grant that
/// covers them, so the uses tell little about which of two is needed.
pub(super) fn grant(s: &Seen<'_>, g: &GrantState) -> Option<Finding> {
    let other = s.door(&g.grant).iter().filter(|o| o.grant.id != g.grant.id && s.is_live(o)).find(|o| can_go(g, o))?;
    let fact = if covers(&g.grant, &other.grant) && covers(&other.grant, &g.grant) {
        format!("{} is the same door; closing one of them leaves the other open", other.grant.id)
    } else if covers(&other.grant, &g.grant) {
        format!("{} ({} {}) opens all of it already", other.grant.id, other.grant.access, other.grant.scope)
    } else {
        format!("{} ({} {}) is inside it and does the work", other.grant.id, other.grant.access, other.grant.scope)
    };
    let last = g.grant.changed_seq.max(other.grant.changed_seq);
    let first = g.grant.issued_seq.min(other.grant.issued_seq);
    let finding = found(Rule::Duplicate, Severity::Medium, fact, first, last);
    Some(finding.advise(Advice::Revoke, revoke_line(g.grant.id)))
}

/// May `g` go, because `other` stays?
fn can_go(g: &GrantState, other: &GrantState) -> bool {
    let (mine, theirs) = (&g.grant, &other.grant);
    let works = |x: &GrantState, y: &GrantState| x.uses.last().is_some() && y.uses.last().is_none();
    match (covers(theirs, mine), covers(mine, theirs)) {
        (true, true) => {
            let end = |x: &Grant| x.until.map_or(i64::MAX, |t| t.millis());
            let rank = |x: &Grant| (end(x), std::cmp::Reverse(x.id));
            rank(mine) < rank(theirs)
        }
        (true, false) => !works(g, other),
        (false, true) => works(other, g),
        (false, false) => false,
    }
}

/// More than one active key of one user at its provider. The finding stands at the older ones, but for those that are in use
/// where the newer one never was: then it stands at the newer one.
pub(super) fn key(s: &Seen<'_>, k: &KeyState) -> Option<Finding> {
    let key = &k.key;
    if !key.facts.active {
        return None;
    }
    let age = |o: &KeyState| (o.key.turned(), o.key.id);
    let stays = s.same_user(key).iter().max_by_key(|o| (!never_used(o), age(o)))?;
    if stays.key.id == key.id {
        return None;
    }
    let id = stays.key.id;
    let (fact, sure) = if age(stays) > age(k) {
        // A newer one of which nobody knows whether it is used yet.
        let sure = !in_use(k) || in_use(stays);
        let but = if sure { String::new() } else { format!("; this one is in use, and nobody sees whether {id} is") };
        (format!("{id} is a newer active key of the same user{but}"), sure)
    } else {
        // A fresh one may be about to take the other's place.
        let sure = key.turned().is_none_or(|t| days_between(t, s.as_of()) >= GRACE);
        let used = if in_use(stays) { " and is in use" } else { "" };
        (format!("{id} is an older active key of the same user{used}; this one was never used"), sure)
    };
    let last = key.changed_seq.max(stays.key.changed_seq);
    let finding = found(Rule::Duplicate, Severity::Medium, fact, key.added_seq.min(stays.key.added_seq), last);
    Some(if sure {
        finding.advise(Advice::Revoke, carry_line(key.id, Advice::Revoke, None))
    } else {
        finding.advise(Advice::Investigate, show_line(key.id))
    })
}

fn in_use(k: &KeyState) -> bool {
    k.run.is_some() || k.key.facts.seen.as_ref().is_some_and(|seen| seen.last.is_some())
}

/// Its provider watches it, and neither the provider nor `run` saw it used.
fn never_used(k: &KeyState) -> bool {
    k.key.facts.seen.is_some() && !in_use(k)
}
