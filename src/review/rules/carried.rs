//! AR-15: what an earlier review decided and nobody carried out. Critical, and on top of the page.

use super::keys::key_line;
use super::{Says, carry_line, day, found};
use crate::domain::grant::Grant;
use crate::domain::id::{Id, IdKind};
use crate::domain::key::Key;
use crate::domain::review::{Advice, Decided, ItemDecision, Narrower};
use crate::domain::time::Time;
use crate::review::facts::{Earlier, Seen};
use crate::review::model::{Finding, Rule, Severity};

/// Is it so?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// No.
    No,
    /// That entry shows it.
    By(u64),
    /// It came to its end by itself.
    Ended,
    /// That entry says so, as an operator or an import told; aosctl cannot see it.
    Declared(u64),
}

/// AR-15: the newest decision about it in any earlier review, signed or not, was to revoke, to narrow or to rotate, and the
/// state does not show that. A later `keep` takes it back; `investigate` does not. (A common audit failure is that the review
/// ran and the revocations did not.)
pub(super) fn not_carried_out(s: &Seen<'_>, id: Id) -> Option<Finding> {
    let all = s.s.earlier.get(&id)?;
    let newest =
        all.iter().filter(|e| e.decided.decision.decision != Advice::Investigate).max_by_key(|e| e.decided.seq)?;
    let Earlier { month, decided, .. } = newest;
    let what = &decided.decision;
    if !what.decision.acts() || done(s, decided) != Done::No {
        return None;
    }
    let fact = format!(
        "the review of {month} decided on {} to {} it, and that was not carried out",
        day(decided.at),
        what.decision
    );
    let last = last_entry(s, id).unwrap_or(decided.seq);
    let finding = found(Rule::NotCarriedOut, Severity::Critical, fact, decided.seq, last.max(decided.seq));
    Some(match (id.kind, what.decision, &what.narrower) {
        (IdKind::Grant, Advice::Narrow, Some(to)) => finding.narrow(id, to.clone()),
        (_, advice, narrower) => {
            let line = match s.s.keys.get(&id) {
                Some(k) => key_line(&k.key, advice),
                None => carry_line(id, advice, narrower.as_ref()),
            };
            finding.advise(advice, line)
        }
    })
}

fn last_entry(s: &Seen<'_>, id: Id) -> Option<u64> {
    match id.kind {
        IdKind::Grant => s.s.grants.get(&id).map(|g| g.grant.changed_seq),
        IdKind::Key => s.s.keys.get(&id).map(|k| k.key.changed_seq),
        IdKind::Agent | IdKind::Operator => s.s.people.get(&id).map(|p| p.last_seq),
        _ => None,
    }
}

/// Does the state of the snapshot show what was decided?
pub fn done(s: &Seen<'_>, decided: &Decided) -> Done {
    let what = &decided.decision;
    match what.item.kind {
        IdKind::Grant => match s.s.grants.get(&what.item) {
            Some(g) => done_grant(&g.grant, what, s.as_of()),
            None => Done::No,
        },
        IdKind::Key => s.s.keys.get(&what.item).map_or(Done::No, |k| done_key(&k.key, decided)),
        IdKind::Agent | IdKind::Operator => {
            s.s.people.get(&what.item).and_then(|p| p.identity.retired_seq).map_or(Done::No, Done::By)
        }
        // An integration is not revoked; its doors are.
        IdKind::Integration => {
            let open = s.s.grants.values().any(|g| g.grant.integration == what.item && s.is_live(g));
            if open { Done::No } else { Done::Ended }
        }
        IdKind::Request | IdKind::Review | IdKind::Policy | IdKind::Workspace => Done::No,
    }
}

/// Does a grant show at a moment what was decided about it?
pub fn done_grant(g: &Grant, what: &ItemDecision, at: Time) -> Done {
    if let Some(seq) = g.revoked_seq {
        return Done::By(seq);
    }
    if !g.is_live(at) {
        return Done::Ended;
    }
    match (what.decision, &what.narrower) {
        (Advice::Narrow, Some(to)) if is_within(g, to) => Done::By(g.changed_seq),
        _ => Done::No,
    }
}

/// Is the grant no wider than that?
pub(super) fn is_within(g: &Grant, to: &Narrower) -> bool {
    to.scope.as_ref().is_none_or(|s| s.covers(&g.scope))
        && to.access.is_none_or(|a| g.access <= a)
        && to.data.is_none_or(|d| g.data <= d)
        && to.until.is_none_or(|u| g.until.is_some_and(|end| end <= u))
}

/// Does a key show what was decided about it? What happens at its provider nobody here can see.
pub fn done_key(k: &Key, decided: &Decided) -> Done {
    if let Some(seq) = k.retired_seq {
        return Done::Declared(seq);
    }
    if let Some(seq) = by_leak(k, decided) {
        return Done::Declared(seq);
    }
    if decided.decision.decision != Advice::Rotate {
        return Done::No;
    }
    // By an operator's word after the decision, or as an import has seen it since.
    // What was turned over on an earlier day is not what was asked for, whenever it is recorded.
    let in_time = k.facts.rotated.is_some_and(|t| t.day() >= decided.at.day());
    let recorded =
        k.recorded_seq.filter(|seq| in_time && (*seq > decided.seq || Some(*seq) == decided.decision.carried_out));
    let seen = k.facts.rotated.filter(|t| *t > decided.at).map(|_| k.changed_seq);
    recorded.or(seen).map_or(Done::No, Done::Declared)
}

/// What leaked is of no use any more, and that is what was decided: since the decision, or before it where the decision was
/// about the leak (AR-10), because a page may be older than what was done about it meanwhile. An end that has passed is
/// AR-10 too, and an older leak says nothing about it; nor does one about a key that was only old.
fn by_leak(k: &Key, decided: &Decided) -> Option<u64> {
    let what = &decided.decision;
    let seq = k.leak_answered().filter(|_| matches!(what.decision, Advice::Rotate | Advice::Revoke))?;
    let about_it = what.rules.iter().any(|r| r == Rule::Expired.id())
        && k.leak.as_ref().is_some_and(|l| l.seq < decided.seq)
        && k.facts.expires.is_none_or(|e| e > decided.at);
    (seq > decided.seq || about_it).then_some(seq)
}
