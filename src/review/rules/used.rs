//! AR-01, AR-02, AR-05: is it used at all, and would anybody know?

use super::{
    GRACE, Says, UNUSED_READ, UNUSED_WATCH, UNUSED_WRITE, day, days, found, is_powerful, revoke_line, show_line,
};
use crate::domain::key::Key;
use crate::domain::review::Advice;
use crate::review::facts::{GrantState, IdentityState, KeyState, Seen, days_between};
use crate::review::model::{Finding, LastUse, Rule, Severity};

/// When a grant was used last. Requests that were denied or withdrawn later count too: they were made on it.
pub fn grant_use(s: &Seen<'_>, g: &GrantState) -> LastUse {
    match (g.uses.last(), s.coverage(&g.grant)) {
        (Some(u), _) => LastUse::Used { at: u.at, by: u.by.as_str().into(), seq: Some(u.seq) },
        (None, Some(c)) => LastUse::Never { by: "requests".into(), since: c.begin },
        (None, None) => LastUse::Unknown { why: format!("{} never recorded a request or a run", g.grant.agent) },
    }
}

/// When an agent was seen last.
pub fn identity_use(p: &IdentityState) -> LastUse {
    match (p.identity.operator, p.last_request) {
        (None, _) => LastUse::None,
        (Some(_), Some((seq, at))) => LastUse::Used { at, by: "request".into(), seq: Some(seq) },
        (Some(_), None) => LastUse::Unknown { why: format!("{} never recorded a request or a run", p.identity.id) },
    }
}

/// When a key was used last, by its provider or by `run`, whichever is later.
pub fn key_use(s: &Seen<'_>, k: &KeyState) -> LastUse {
    let report = k.key.facts.seen.as_ref().and_then(|r| Some((r.last?, r.feed.clone(), None)));
    let run = k.run.map(|r| (r.at, "run".to_string(), Some(r.seq)));
    match (report.into_iter().chain(run).max_by_key(|u| u.0), &k.key.facts.seen, s.key_coverage(&k.key)) {
        (Some((at, by, seq)), _, _) => LastUse::Used { at, by, seq },
        (None, Some(seen), Some(c)) => LastUse::Never { by: seen.feed.clone(), since: c.begin },
        (None, _, _) => LastUse::Unknown { why: format!("no report of the provider tells about {}", k.key.id) },
    }
}

/// AR-01: used once, and not for 45 days where it can change things or carries a key, 90 where it can only be read; `watch`
/// from 30 days on. The window always lies behind the last use, so it is covered. A grant that was never used is AR-05.
pub(super) fn unused(s: &Seen<'_>, g: &GrantState) -> Option<Finding> {
    let (last, covered) = (g.uses.last()?, s.coverage(&g.grant)?.days);
    let limit = if is_powerful(&g.grant) { UNUSED_WRITE } else { UNUSED_READ };
    let unused = days_between(last.at, s.as_of()).min(covered);
    if unused < UNUSED_WATCH {
        return None;
    }
    let id = g.grant.id;
    let mut fact = format!("not used for {}: last on {} ({})", days(unused), day(last.at), last.by.as_str());
    let agent = s.s.people.get(&g.grant.agent);
    if agent.and_then(|a| a.last_request).is_some_and(|(_, at)| days_between(at, s.as_of()) >= UNUSED_WATCH) {
        fact.push_str(&format!("; {} recorded nothing at all since then", g.grant.agent));
    }
    if unused < limit {
        fact.push_str(&format!("; {} is the limit", days(limit)));
        return Some(found(Rule::Unused, Severity::Watch, fact, g.grant.issued_seq, last.seq).over(limit, covered));
    }
    let finding = found(Rule::Unused, Severity::Medium, fact, g.grant.issued_seq, last.seq);
    Some(finding.over(limit, covered).advise(Advice::Revoke, revoke_line(id)))
}

/// AR-02: its agent never recorded a request or a run, so nothing is known of its use. Never kept without a look.
pub(super) fn no_feed(s: &Seen<'_>, g: &GrantState) -> Option<Finding> {
    if s.coverage(&g.grant).is_some() {
        return None;
    }
    let agent = g.grant.agent;
    let fact = format!("nobody sees whether it is used: {agent} never recorded a request or a run");
    let finding = found(Rule::NoFeed, Severity::Medium, fact, g.grant.issued_seq, g.grant.changed_seq);
    Some(finding.advise(Advice::Investigate, show_line(agent)))
}

/// AR-05: never used since it was granted, watched for 14 days or more. Less than that is grace while the grant itself is
/// younger, and otherwise `watch`.
pub(super) fn never_used(s: &Seen<'_>, g: &GrantState) -> Option<Finding> {
    let c = s.coverage(&g.grant)?;
    if g.uses.last().is_some() {
        return None;
    }
    let (id, issued) = (g.grant.id, g.grant.issued_at);
    let age = days_between(issued, s.as_of());
    let at = |severity, fact| found(Rule::NeverUsed, severity, fact, g.grant.issued_seq, g.grant.changed_seq);
    if c.days >= GRACE {
        let fact = if c.begin > issued {
            format!("no use in the {} that are seen, since {}; issued on {}", days(c.days), day(c.begin), day(issued))
        } else {
            format!("never used since it was issued {} ago, on {}", days(age), day(issued))
        };
        let finding = at(Severity::Medium, fact).over(GRACE, c.days);
        return Some(finding.advise(Advice::Revoke, revoke_line(id)));
    }
    if age < GRACE {
        return None;
    }
    let fact = format!("no use seen yet; {} of {} are covered, since {}", c.days, days(GRACE), day(c.begin));
    Some(at(Severity::Watch, fact).over(GRACE, c.days))
}

/// AR-01 for keys: by the report of its provider, 45 days before that report; `watch` from 30 on. What `run` handed out
/// later is a use.
pub(super) fn key_unused(s: &Seen<'_>, k: &KeyState) -> Option<Finding> {
    let (seen, c) = (k.key.facts.seen.as_ref()?, s.key_coverage(&k.key)?);
    let last = seen.last?.max(k.run.map_or(seen.last?, |r| r.at));
    let unused = days_between(last, seen.as_of.min(s.as_of()));
    if unused < UNUSED_WATCH || !k.key.facts.active {
        return None;
    }
    let fact = format!(
        "not used for {} before the report of {}: last on {} ({})",
        days(unused),
        day(seen.as_of),
        day(last),
        seen.feed
    );
    let severity = if unused < UNUSED_WRITE { Severity::Watch } else { Severity::Medium };
    if is_root_password(&k.key) && severity == Severity::Medium {
        return Some(root(Rule::Unused, &fact, &k.key).over(UNUSED_WRITE, c.days));
    }
    let finding = found(Rule::Unused, severity, fact, k.key.added_seq, k.key.changed_seq).over(UNUSED_WRITE, c.days);
    Some(if severity == Severity::Watch { finding } else { finding.advise(Advice::Revoke, retire_line(&k.key)) })
}

/// AR-02 for keys: no report of the provider tells when it was used, and `run` did not hand it out of late.
pub(super) fn key_no_feed(s: &Seen<'_>, k: &KeyState) -> Option<Finding> {
    let late = k.run.is_some_and(|r| days_between(r.at, s.as_of()) < UNUSED_WRITE);
    if k.key.facts.seen.is_some() || late || !k.key.facts.active {
        return None;
    }
    let fact = match k.run {
        None => {
            "nobody sees whether it is used: no report of its provider was imported, and run never handed it out".into()
        }
        Some(r) => format!(
            "run handed it out last on {}; whether it is used beside run nobody sees, as no report of its provider was imported",
            day(r.at)
        ),
    };
    let last = k.run.map_or(k.key.changed_seq, |r| r.seq.max(k.key.changed_seq));
    let finding = found(Rule::NoFeed, Severity::Medium, fact, k.key.added_seq, last);
    Some(finding.advise(Advice::Investigate, show_line(k.key.id)))
}

/// AR-05 for keys: its provider watches it, and never saw it used in 14 days or more; and neither did `run`.
pub(super) fn key_never_used(s: &Seen<'_>, k: &KeyState) -> Option<Finding> {
    let (seen, c) = (k.key.facts.seen.as_ref()?, s.key_coverage(&k.key)?);
    if seen.last.is_some() || k.run.is_some() || !k.key.facts.active || c.days < GRACE {
        return None;
    }
    let fact = format!("never used in the {} before the report of {} ({})", days(c.days), day(seen.as_of), seen.feed);
    if is_root_password(&k.key) {
        return Some(root(Rule::NeverUsed, &fact, &k.key).over(GRACE, c.days));
    }
    let finding = found(Rule::NeverUsed, Severity::Medium, fact, k.key.added_seq, k.key.changed_seq);
    Some(finding.over(GRACE, c.days).advise(Advice::Revoke, retire_line(&k.key)))
}

fn retire_line(k: &Key) -> String {
    format!("aosctl key retire {}", k.id)
}

/// The password of the root user of an AWS account, as the credential report names it. It can be changed, and not switched
/// off; that nobody uses it is as it should be.
fn is_root_password(k: &Key) -> bool {
    k.facts.provider_id.as_deref().is_some_and(|id| id.starts_with("arn:") && id.ends_with(":root#password"))
}

fn root(rule: Rule, fact: &str, k: &Key) -> Finding {
    let fact = format!("{fact}; the root user cannot be without a password: keep it locked away, with MFA");
    found(rule, Severity::Low, fact, k.added_seq, k.changed_seq)
}
