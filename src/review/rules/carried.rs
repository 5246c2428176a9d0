//! AR-15: what an earlier review decided and nobody carried out. Critical, and on top of the page.

use std::rc::Rc;

use super::{Says, carry_line, day, found};
use crate::domain::id::{Id, IdKind};
use crate::domain::review::{Advice, Decided};
use crate::review::carry::{Now, remedy};
use crate::review::facts::{Earlier, Seen};
use crate::review::model::{Finding, Remedy, Rule, Severity};

/// AR-15: the newest decision about it in any earlier review, signed or not, was to revoke, to narrow or to rotate, and the
/// state does not show that. A later `keep` takes it back; `investigate` does not. (A common audit failure is that the review
/// ran and the revocations did not.)
pub(super) fn not_carried_out(s: &Seen<'_>, id: Id) -> Option<Finding> {
    let all = s.s.earlier.get(&id)?;
    let newest =
        all.iter().filter(|e| e.decided.decision.decision != Advice::Investigate).max_by_key(|e| e.decided.seq)?;
    let Earlier { month, decided, .. } = newest;
    let what = &decided.decision;
    if !what.decision.acts() || is_done(s, decided) {
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
        (_, advice, narrower) => finding.advise(advice, carry_line(id, advice, narrower.as_ref())),
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

/// Does the state of the snapshot show what was decided? The same question as the remedy beside a decision, asked of the past.
fn is_done(s: &Seen<'_>, decided: &Decided) -> bool {
    let item = decided.decision.item;
    let now = match item.kind {
        IdKind::Grant => s.s.grants.get(&item).map(|g| Now::Grant(Rc::new(g.grant.clone()))),
        IdKind::Key => s.s.keys.get(&item).map(|k| Now::Key(Rc::new(k.key.clone()))),
        IdKind::Agent | IdKind::Operator => s.s.people.get(&item).map(|p| Now::Identity(Rc::new(p.identity.clone()))),
        // An integration is not revoked; its doors are.
        IdKind::Integration => return !s.s.grants.values().any(|g| g.grant.integration == item && s.is_live(g)),
        IdKind::Request | IdKind::Review | IdKind::Policy | IdKind::Workspace => None,
    };
    remedy(decided, &now.unwrap_or(Now::Nothing), s.as_of()).0 != Remedy::Open
}
