//! A request as aosctl records it.

use aosctl::domain::decide::{Proposal, Verdict};
use aosctl::domain::event::RequestMade;
use aosctl::domain::facts::Facts;
use aosctl::domain::id::Id;
use aosctl::domain::time::Time;
use aosctl::domain::weigh::weigh;
use aosctl::workspace::{Trusted, WorkspaceError};

/// The entry that an honest aosctl writes about what somebody proposes at a moment: with the decision on it, and without any
/// text.
pub fn asked(
    facts: &Trusted<'_>,
    p: &Proposal,
    integration: Option<Id>,
    request: Id,
    at: Time,
) -> Result<RequestMade, WorkspaceError> {
    let d = weigh(facts, p, integration, at, None)?;
    let policy = facts.policy()?.unwrap();
    let lives = &policy.rules.requests;
    let life = if d.verdict == Verdict::Ask { lives.wait } else { lives.use_within };
    Ok(RequestMade {
        request,
        agent: p.requester,
        integration,
        action: p.action.clone(),
        resource: p.resource.clone(),
        access: d.access,
        facets: p.facets.clone(),
        unsure: p.unsure,
        decision: d.verdict,
        points: d.points(),
        rule: d.rule.into(),
        approvers: d.approvers,
        tier: d.tier,
        grant: d.grant,
        policy: policy.digest.clone(),
        until: at.plus(life),
        mission: None,
        model: None,
        idempotency_key: None,
        bound_command: false,
        parameters: None,
        artifacts: None,
        diff: None,
        summary: None,
        recommendation: None,
        rationale: None,
        alternatives: None,
        rollback: None,
        detail: None,
    })
}
