//! Asking, deciding, doing (law 4).

use std::collections::BTreeSet;
use std::rc::Rc;

use super::{Entry, Judged, Refusal, Signer, fault};
use crate::domain::decide::{Decision, Proposal, Verdict};
use crate::domain::event::{
    ClaimMode, RequestApproved, RequestClaimed, RequestDenied, RequestFinished, RequestMade, RequestResolved,
    RequestWithdrawn,
};
use crate::domain::facts::{Change, Facts, Spend};
use crate::domain::id::{Id, IdKind};
use crate::domain::point::Point;
use crate::domain::request::{Approval, Outcome, Request};
use crate::domain::time::Time;
use crate::domain::weigh::weigh;

pub(super) fn made<F: Facts>(entry: &Entry, b: &RequestMade, signer: &Signer, facts: &F) -> Judged<F::Error> {
    match signer {
        Signer::Log => return fault("needs_agent", "the log asks for nothing"),
        s if !s.is(b.agent) => {
            return fault("not_the_requester", format!("{} cannot ask for {}", entry.actor, b.agent));
        }
        _ => {}
    }
    if b.request.kind != IdKind::Request || facts.request(b.request)?.is_some() {
        return fault("id_used", format!("{} was used before, or is no request's id", b.request));
    }
    if let Some(key) = &b.idempotency_key
        && facts.request_by_key(b.agent, key)?.is_some()
    {
        return fault("idempotency_key_used", "the idempotency key was used before");
    }
    let Some(policy) = facts.policy()? else {
        return fault("no_policy", "no policy was ever adopted");
    };
    if policy.digest != b.policy {
        return fault("other_policy", "the request names another policy than the one in force");
    }
    let life = if b.decision == Verdict::Ask { policy.rules.requests.wait } else { policy.rules.requests.use_within };
    if b.until <= entry.at || b.until > entry.at.plus(life) {
        return fault("until", "the request ends outside what the policy allows");
    }
    let mut request = Request {
        id: b.request,
        requester: b.agent,
        integration: b.integration,
        action: b.action.clone(),
        resource: b.resource.clone(),
        access: b.access,
        facets: b.facets.clone(),
        unsure: b.unsure,
        decision: b.decision,
        points: b.points.clone(),
        rule: b.rule.clone(),
        approvers: b.approvers,
        tier: b.tier,
        grant: b.grant,
        policy: b.policy.clone(),
        mission: b.mission.clone(),
        idempotency_key: b.idempotency_key.clone(),
        bound_command: b.bound_command,
        made_seq: entry.seq,
        leaf: entry.leaf.clone(),
        at: entry.at,
        until: b.until,
        approvals: Vec::new(),
        denied_seq: None,
        withdrawn_seq: None,
        claimed_seq: None,
        claimed_at: None,
        claim_mode: None,
        key_used: None,
        outcome: None,
        finished_seq: None,
        resolved_seq: None,
    };
    if facts.replays_decisions() {
        let d = again(&request, entry.at, facts)?;
        let same = d.verdict == b.decision
            && d.points() == b.points
            && d.rule == b.rule
            && d.grant == b.grant
            && d.access == b.access
            && d.approvers == b.approvers
            && d.tier == b.tier;
        if !same {
            return fault(
                "decision_differs",
                format!("replaying the decision gives {}, the entry says {}", d.verdict.as_str(), b.decision.as_str()),
            );
        }
    }
    let mut changes = Vec::new();
    if b.decision == Verdict::Allow {
        changes.extend(spend(&request, entry));
    }
    request.approvals = Vec::new();
    changes.insert(0, Change::Request(Box::new(request)));
    Ok(changes)
}

/// The decision about a request that was made, as things stand now. Its own money is left out.
pub fn again<F: Facts>(r: &Request, at: Time, facts: &F) -> Result<Decision, F::Error> {
    let proposal = Proposal {
        requester: r.requester,
        action: r.action.clone(),
        resource: r.resource.clone(),
        access: Some(r.access),
        facets: r.facets.clone(),
        unsure: r.unsure,
    };
    weigh(facts, &proposal, r.integration, at, Some(r.id))
}

fn spend(r: &Request, entry: &Entry) -> Option<Change> {
    let money = r.facets.amount.filter(|m| m.minor > 0)?;
    Some(Change::Spend(Spend { request: r.id, money, at: entry.at, seq: entry.seq, released_seq: None }))
}

/// A request that an operator may still decide.
fn undecided<F: Facts>(id: Id, entry: &Entry, signer: &Signer, facts: &F) -> Result<Request, Refusal<F::Error>> {
    let operator = signer.operator()?;
    let Some(r) = facts.request(id)? else {
        return fault("no_such_request", format!("{id} was never made"));
    };
    if r.requester == operator.id {
        return fault("own_request", "an operator cannot decide about its own request");
    }
    if r.decision != Verdict::Ask
        || r.denied_seq.is_some()
        || r.withdrawn_seq.is_some()
        || r.claimed_seq.is_some()
        || r.is_approved()
    {
        return fault("decided", format!("{id} is not waiting for a decision"));
    }
    if entry.at >= r.until {
        return fault("expired", format!("{id} ended at {}", r.until));
    }
    Ok(Rc::unwrap_or_clone(r))
}

/// What a decision must name: exactly what was shown.
struct Shown<'a> {
    leaf: &'a str,
    points: &'a BTreeSet<Point>,
    grant: Option<Id>,
    policy: &'a str,
}

fn names_what_was_shown<F: Facts>(
    r: &Request,
    shown: &Shown<'_>,
    at: Time,
    facts: &F,
) -> Result<(), Refusal<F::Error>> {
    if r.leaf != shown.leaf {
        return fault("other_leaf", "the leaf hash is not that of the request's entry");
    }
    if r.grant != shown.grant {
        return fault("other_grant", "another grant is named");
    }
    if facts.policy()?.is_none_or(|p| p.digest != shown.policy) {
        return fault("other_policy", "another policy is named than the one in force");
    }
    let mut points = r.points.clone();
    if facts.replays_decisions() {
        points.extend(again(r, at, facts)?.points());
    }
    let right = if facts.replays_decisions() { *shown.points == points } else { points.is_subset(shown.points) };
    if right { Ok(()) } else { fault("other_points", "other points are named than those that fire") }
}

pub(super) fn approved<F: Facts>(entry: &Entry, b: &RequestApproved, signer: &Signer, facts: &F) -> Judged<F::Error> {
    let mut r = undecided(b.request, entry, signer, facts)?;
    let operator = signer.operator()?.id;
    names_what_was_shown(
        &r,
        &Shown { leaf: &b.leaf, points: &b.points, grant: b.grant, policy: &b.policy },
        entry.at,
        facts,
    )?;
    if r.approvals.iter().any(|a| a.operator == operator) {
        return fault("approved_twice", format!("{operator} approved {} before", b.request));
    }
    // Nobody else looked at an edit of the evidence: the entry itself must say so.
    let alone = r.approvers <= 1 && b.points.contains(&Point::Audit);
    if b.self_approved != alone {
        return fault(
            "self_approved",
            "an approval is marked as self-approved where one operator decides an audit edit",
        );
    }
    let life = facts.policy()?.map(|p| p.rules.requests.use_within);
    if b.until <= entry.at || life.is_none_or(|l| b.until > entry.at.plus(l)) {
        return fault("until", "the approval ends outside what the policy allows");
    }
    if let Some(grant) = r.grant
        && !facts.grant(grant)?.is_some_and(|g| g.is_live(entry.at))
    {
        return fault("no_live_grant", format!("{grant} is not live"));
    }
    // Who decides alone about the audit trail says so, and nobody else does.
    if b.self_approved != (r.approvers <= 1 && b.points.contains(&Point::Audit)) {
        return fault("self_approved", "the mark of a quorum of one is wrong");
    }
    r.approvals.push(Approval { operator, seq: entry.seq, until: b.until, points: b.points.clone() });
    let money = if r.is_approved() { spend(&r, entry) } else { None };
    Ok([Some(Change::Request(Box::new(r))), money].into_iter().flatten().collect())
}

pub(super) fn denied<F: Facts>(entry: &Entry, b: &RequestDenied, signer: &Signer, facts: &F) -> Judged<F::Error> {
    let mut r = undecided(b.request, entry, signer, facts)?;
    names_what_was_shown(
        &r,
        &Shown { leaf: &b.leaf, points: &b.points, grant: b.grant, policy: &b.policy },
        entry.at,
        facts,
    )?;
    r.denied_seq = Some(entry.seq);
    Ok(vec![Change::Request(Box::new(r))])
}

fn existing<F: Facts>(id: Id, facts: &F) -> Result<Request, Refusal<F::Error>> {
    match facts.request(id)? {
        Some(r) => Ok(Rc::unwrap_or_clone(r)),
        None => fault("no_such_request", format!("{id} was never made")),
    }
}

fn requester_or_operator<E>(signer: &Signer, r: &Request) -> Result<(), Refusal<E>> {
    match signer {
        Signer::Operator(_) => Ok(()),
        s if s.is(r.requester) => Ok(()),
        _ => fault("not_the_requester", format!("only {} or an operator may do this", r.requester)),
    }
}

pub(super) fn withdrawn<F: Facts>(entry: &Entry, b: &RequestWithdrawn, signer: &Signer, facts: &F) -> Judged<F::Error> {
    let mut r = existing(b.request, facts)?;
    requester_or_operator(signer, &r)?;
    if r.decision == Verdict::Deny || r.denied_seq.is_some() || r.withdrawn_seq.is_some() || r.claimed_seq.is_some() {
        return fault("decided", format!("{} is over, or begun", b.request));
    }
    r.withdrawn_seq = Some(entry.seq);
    Ok(vec![Change::Request(Box::new(r))])
}

/// The claim decides again: a deny, a point that was not shown, or too few approvers kills it.
pub(super) fn claimed<F: Facts>(entry: &Entry, b: &RequestClaimed, signer: &Signer, facts: &F) -> Judged<F::Error> {
    let mut r = existing(b.request, facts)?;
    if !signer.is(r.requester) {
        return fault("not_the_requester", format!("only {} may claim {}", r.requester, b.request));
    }
    if r.claimed_seq.is_some() {
        return fault("claimed", format!("{} was claimed before; an approval works once", b.request));
    }
    if r.denied_seq.is_some() || r.withdrawn_seq.is_some() || r.decision == Verdict::Deny {
        return fault("not_allowed", format!("{} was denied or withdrawn", b.request));
    }
    if r.decision == Verdict::Ask && !r.is_approved() {
        return fault("not_allowed", format!("{} is not approved", b.request));
    }
    if facts.frozen(Id::WORKSPACE)?.is_some() || facts.frozen(r.requester)?.is_some() {
        return fault("frozen", "the workspace or the agent is frozen");
    }
    if let Some(grant) = r.grant
        && !facts.grant(grant)?.is_some_and(|g| g.is_live(entry.at))
    {
        return fault("no_live_grant", format!("{grant} is not live"));
    }
    if r.bound_command && b.mode != ClaimMode::Run {
        return fault("bound_command", "a command is bound to it, so only aosctl run may begin it");
    }
    let counting: Vec<&Approval> = r.counting(entry.at).collect();
    // The request and its approvals alike (log-format.md, request.claimed/1).
    let enough = r.decision == Verdict::Allow || counting.len() >= usize::from(r.approvers.max(1));
    let in_time = entry.at < r.until && enough;
    if !in_time {
        return fault("expired", format!("{} was not begun in time", b.request));
    }
    if facts.replays_decisions() {
        let d = again(&r, entry.at, facts)?;
        if d.verdict == Verdict::Deny {
            return fault("not_allowed", format!("deciding again gives deny: {}", d.reason));
        }
        if d.grant != r.grant {
            return fault("other_grant", "deciding again rests on another grant");
        }
        if d.verdict == Verdict::Ask {
            let unseen = d
                .points()
                .into_iter()
                .find(|p| r.decision != Verdict::Ask || !counting.iter().all(|a| a.points.contains(p)));
            if let Some(point) = unseen {
                return fault("point_not_shown", format!("{} fires now, and no approver was shown it", point.title()));
            }
            if counting.len() < usize::from(d.approvers) {
                return fault("too_few_approvers", format!("{} approvers are needed now", d.approvers));
            }
        }
    }
    r.claimed_seq = Some(entry.seq);
    r.claimed_at = Some(entry.at);
    r.claim_mode = Some(b.mode);
    r.key_used = b.key;
    Ok(vec![Change::Request(Box::new(r))])
}

pub(super) fn finished<F: Facts>(entry: &Entry, b: &RequestFinished, signer: &Signer, facts: &F) -> Judged<F::Error> {
    let mut r = existing(b.request, facts)?;
    requester_or_operator(signer, &r)?;
    if r.claimed_seq.is_none() {
        return fault("not_claimed", format!("{} was never begun", b.request));
    }
    if r.outcome.is_some() {
        return fault("finished", format!("{} has an outcome", b.request));
    }
    r.outcome = Some(b.outcome);
    r.finished_seq = Some(entry.seq);
    Ok(vec![Change::Request(Box::new(r))])
}

/// An operator settles what nobody knew. A failure stays a failure, but its money may be released.
pub(super) fn resolved<F: Facts>(entry: &Entry, b: &RequestResolved, signer: &Signer, facts: &F) -> Judged<F::Error> {
    signer.operator()?;
    let mut r = existing(b.request, facts)?;
    if r.claimed_seq.is_none() {
        return fault("not_claimed", format!("{} was never begun", b.request));
    }
    let open = match r.outcome {
        None | Some(Outcome::Unknown) => true,
        Some(Outcome::Failed) => b.outcome == Outcome::Failed,
        Some(Outcome::Succeeded) => false,
    };
    if !open || r.resolved_seq.is_some() {
        return fault("finished", format!("{} is settled", b.request));
    }
    if b.release && b.outcome != Outcome::Failed {
        return fault("release", "money is released only where the action failed");
    }
    r.outcome = Some(b.outcome);
    r.resolved_seq = Some(entry.seq);
    let money = match facts.spend(b.request)? {
        Some(s) if b.release && s.released_seq.is_none() => {
            Some(Change::Spend(Spend { released_seq: Some(entry.seq), ..s }))
        }
        _ => None,
    };
    Ok([Some(Change::Request(Box::new(r))), money].into_iter().flatten().collect())
}
