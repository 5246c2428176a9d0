//! AR-16: what became wider since the last review. First on the page after what was not carried out.

use super::{GRACE, Says, day, found, show_line};
use crate::domain::access::Access;
use crate::domain::grant::Grant;
use crate::domain::id::Id;
use crate::domain::review::{Advice, Narrower};
use crate::domain::scope::Scope;
use crate::domain::time::Time;
use crate::review::facts::{GrantState, Seen};
use crate::review::model::{Finding, Rule, Severity};

/// The grant that a newer one is wider than: the one whose place it took, or else an older one of the same agent to the
/// same integration, open at some time since the last review, whose scope lies inside the new one's.
pub fn wider_by<'a>(s: &Seen<'a>, g: &GrantState) -> Option<(&'a GrantState, Vec<String>)> {
    let since = s.s.since;
    if g.grant.issued_seq < since.entries {
        return None;
    }
    let open_since =
        |o: &Grant| o.revoked_seq.is_none_or(|seq| seq >= since.entries) && o.until.is_none_or(|u| u > since.from);
    let replaced = g.grant.replaces.and_then(|r| s.s.grants.get(&r));
    let beside = || {
        let older = s.door(&g.grant).iter().rev().copied().filter(|o| o.grant.issued_seq < g.grant.issued_seq);
        older.filter(|o| open_since(&o.grant)).find(|o| g.grant.scope.covers(&o.grant.scope))
    };
    let old = replaced.or_else(beside)?;
    let what = grown(&old.grant, &g.grant);
    (!what.is_empty()).then_some((old, what))
}

/// What is more in the new grant than in the old one.
fn grown(old: &Grant, new: &Grant) -> Vec<String> {
    let mut what = Vec::new();
    if new.access > old.access {
        what.push(format!("{} instead of {}", new.access, old.access));
    }
    if !old.scope.covers(&new.scope) {
        what.push(format!("{} instead of {}", new.scope, old.scope));
    }
    if new.data > old.data {
        what.push(format!("data up to {} instead of {}", new.data, old.data));
    }
    match (&old.carries, &new.carries) {
        (None, Some(c)) => what.push(format!("it carries {}", c.key)),
        (Some(o), Some(n)) if o.key != n.key => what.push(format!("it carries {} instead of {}", n.key, o.key)),
        _ => {}
    }
    what
}

/// That a grant was renewed to a later end since the last review: the entry, the end before, the end after.
pub fn renewed_later(s: &Seen<'_>, g: &GrantState) -> Option<(u64, Option<Time>, Option<Time>)> {
    let later = |(a, b): (&crate::review::facts::Past, &crate::review::facts::Past)| {
        let longer = match (a.until, b.until) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(old), Some(new)) => new > old,
        };
        (longer && b.seq >= s.s.since.entries).then_some((b.seq, a.until, b.until))
    };
    g.past.iter().zip(g.past.iter().skip(1)).rev().find_map(later)
}

/// AR-16 for a grant. High. Back to what it was where the wider part is not used in 14 days or more; looked into where
/// nobody can tell; and kept, with a reviewer's word for it, where it is used or only ends later.
pub(super) fn grant(s: &Seen<'_>, g: &GrantState) -> Option<Finding> {
    let id = g.grant.id;
    let renewed = renewed_later(s, g);
    let Some((old, mut what)) = wider_by(s, g) else {
        let (seq, before, after) = renewed?;
        let end = |t: Option<Time>| t.map_or_else(|| "no end".to_string(), day);
        let fact = format!("renewed {}: {} instead of {}", since(s), end(after), end(before));
        return Some(found(Rule::Widened, Severity::High, fact, g.grant.issued_seq, seq));
    };
    if renewed.is_some() {
        what.push("a later end".into());
    }
    let fact = format!("wider {} than {}: {}", since(s), old.grant.id, what.join(", "));
    let (first, last) = (old.grant.issued_seq, g.grant.changed_seq);
    let finding = found(Rule::Widened, Severity::High, fact, first, last);
    Some(match needed(s, &old.grant, g) {
        Needed::Yes => finding,
        Needed::Unknown => finding.advise(Advice::Investigate, show_line(id)),
        Needed::No(to) => finding.narrow(id, to),
    })
}

/// From where on something is new, in words: while no review was signed, from the log's beginning.
fn since(s: &Seen<'_>) -> String {
    let begin = s.s.since;
    begin
        .signed
        .map_or_else(|| format!("since the log began on {}", day(begin.from)), |_| "since the last review".into())
}

enum Needed {
    Yes,
    No(Narrower),
    Unknown,
}

/// Is what the new grant has more than the old one used?
fn needed(s: &Seen<'_>, old: &Grant, g: &GrantState) -> Needed {
    let new = &g.grant;
    let enough = s.coverage(new).is_some_and(|c| c.days >= GRACE);
    let more = new.access > old.access;
    let access = more && g.uses.last_with(above(old.access)).is_some();
    let beyond = |r: &Scope| !old.scope.covers(r);
    let outside = !old.scope.covers(&new.scope);
    let resources = g.uses.resources.as_ref();
    let scope = outside && resources.is_some_and(|r| r.used.keys().any(beyond));
    if access || scope {
        return Needed::Yes;
    }
    let looked = !outside || resources.is_some_and(|r| !r.bounded);
    if !enough || !looked || !(more || outside) {
        return Needed::Unknown;
    }
    let to = Narrower {
        scope: Some(old.scope.clone()).filter(|o| outside && new.scope.covers(o)),
        access: Some(old.access).filter(|_| more),
        data: Some(old.data).filter(|d| *d < new.data),
        until: None,
    };
    if to.is_empty() { Needed::Unknown } else { Needed::No(to) }
}

/// The next access above that.
fn above(access: Access) -> Access {
    if access == Access::Read { Access::Write } else { Access::Admin }
}

/// AR-16 for the policy, at the operator who signed it: a wider boundary, higher caps, fewer approvers. High.
pub(super) fn policy(s: &Seen<'_>, operator: Id) -> Option<Finding> {
    let grew: Vec<_> = s.s.policies.iter().filter(|p| p.by == Some(operator) && !p.wider.is_empty()).collect();
    let (first, last) = (grew.first()?.seq, grew.last()?.seq);
    let words: Vec<&str> = grew.iter().flat_map(|p| p.wider.iter().map(String::as_str)).collect();
    let fact = format!("signed a wider policy {}: {}", since(s), words.join(", "));
    let finding = found(Rule::Widened, Severity::High, fact, first, last);
    Some(finding.advise(Advice::Investigate, format!("aosctl audit show {last}")))
}

/// What is wider in a policy than in the one before, in words. Names in it were typed by an operator.
pub fn policy_grown(old: &crate::domain::rules::Rules, new: &crate::domain::rules::Rules) -> Vec<String> {
    let mut what = Vec::new();
    let added = new.boundary.destinations.iter().filter(|d| !old.boundary.destinations.contains(d)).count();
    if added > 0 {
        what.push(format!("{added} more inside the boundary"));
    }
    if new.caps.currency != old.caps.currency {
        what.push(format!("caps in {} instead of {}", new.caps.currency, old.caps.currency));
    } else {
        if new.caps.per_move > old.caps.per_move {
            what.push(format!("a cap of {} a move instead of {}", new.caps.per_move(), old.caps.per_move()));
        }
        if new.caps.per_week > old.caps.per_week {
            what.push(format!("a cap of {} a week instead of {}", new.caps.per_week(), old.caps.per_week()));
        }
    }
    if new.recipients > old.recipients {
        what.push(format!("{} recipients instead of {}", new.recipients, old.recipients));
    }
    let fewer = old.approvers.iter().filter(|(p, n)| new.approvers.get(p).copied().unwrap_or(1) < **n);
    let points: Vec<&str> = fewer.map(|(p, _)| p.as_str()).collect();
    if !points.is_empty() {
        what.push(format!("fewer approvers for {}", points.join(", ")));
    }
    let longer = match (old.grants.longest, new.grants.longest) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(a), Some(b)) => b > a,
    };
    if longer {
        what.push("grants may last longer".into());
    }
    what
}
