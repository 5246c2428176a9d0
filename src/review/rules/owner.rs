//! AR-06: no owner, owner gone, no mission. High.

use super::{Says, found, revoke_line, show_line};
use crate::domain::review::Advice;
use crate::review::facts::{GrantState, IdentityState, KeyState, Seen};
use crate::review::model::{Finding, Rule, Severity};

/// A grant. Where its agent may act no more, it serves nobody: revoke. Where its owner is gone or nobody knows what it is for,
/// somebody has to find out: `aosctl connect --again g-7 --owner op-2 --mission ...` opens it under another one.
pub(super) fn of_grant(s: &Seen<'_>, g: &GrantState) -> Option<Finding> {
    let grant = &g.grant;
    let at = |fact, last| found(Rule::NoOwner, Severity::High, fact, grant.issued_seq, last);
    if !s.may_act(grant.agent) {
        let (who, seq) = gone(s, grant.agent);
        let last = seq.unwrap_or(grant.changed_seq);
        let finding = at(format!("{} cannot use it any more: {who} was retired", grant.agent), last);
        return Some(finding.advise(Advice::Revoke, revoke_line(grant.id)));
    }
    let mut reasons = Vec::new();
    let mut last = grant.changed_seq;
    if !s.is_enrolled(grant.owner) {
        reasons.push(format!("its owner {} was retired", grant.owner));
        last = s.s.people.get(&grant.owner).and_then(|p| p.identity.retired_seq).unwrap_or(last);
    }
    if grant.mission.as_ref().is_none_or(|m| m.trim().is_empty()) {
        reasons.push("no mission says what it is for".into());
    }
    if reasons.is_empty() {
        return None;
    }
    Some(at(reasons.join(", and "), last).advise(Advice::Investigate, show_line(grant.id)))
}

/// Who is gone of an agent and its operator, and by which entry.
fn gone(s: &Seen<'_>, agent: crate::domain::id::Id) -> (String, Option<u64>) {
    let Some(a) = s.s.people.get(&agent) else { return (agent.to_string(), None) };
    match (a.identity.retired_seq, a.identity.operator) {
        (None, Some(o)) => (format!("its operator {o}"), s.s.people.get(&o).and_then(|p| p.identity.retired_seq)),
        (seq, _) => ("it".into(), seq),
    }
}

/// A key that nobody answers for.
pub(super) fn of_key(s: &Seen<'_>, k: &KeyState) -> Option<Finding> {
    let key = &k.key;
    let (fact, last) = match key.facts.owner {
        None => ("nobody answers for it: it has no owner".to_string(), key.changed_seq),
        Some(o) if !s.is_enrolled(o) => {
            let seq = s.s.people.get(&o).and_then(|p| p.identity.retired_seq);
            (format!("its owner {o} was retired, and may still know it"), seq.unwrap_or(key.changed_seq))
        }
        Some(_) => return None,
    };
    let finding = found(Rule::NoOwner, Severity::High, fact, key.added_seq, last);
    Some(finding.advise(Advice::Investigate, show_line(key.id)))
}

/// An agent whose operator is gone can do nothing, and is still enrolled.
pub(super) fn of_agent(s: &Seen<'_>, p: &IdentityState) -> Option<Finding> {
    let operator = p.identity.operator.filter(|o| !s.is_enrolled(*o))?;
    let seq = s.s.people.get(&operator).and_then(|o| o.identity.retired_seq).unwrap_or(p.identity.enrolled_seq);
    let fact = format!("its operator {operator} was retired, so it can do nothing any more");
    let finding = found(Rule::NoOwner, Severity::High, fact, p.identity.enrolled_seq, seq);
    Some(finding.advise(Advice::Revoke, format!("aosctl agent retire {}", p.identity.id)))
}
