//! From the state of the log to a decision: gathers what [`decide`] needs. `check`, `request new`, the claim and the
//! replay all come through here, so they cannot differ.

use super::decide::{Decision, Proposal, Situation, decide};
use super::facts::Facts;
use super::id::{Id, IdKind};
use super::identity::Identity;
use super::point::Point;
use super::time::{Span, Time};

/// How long a retired operator still counts where two approvers are wanted (design section 7, rule 8): retiring a
/// colleague must not be a way to decide alone.
pub const REMEMBERED: Span = Span::MONTH;

/// Decides about a proposal as things stand before an entry at `now`. Money already handed out to `but` is left out:
/// a claim must not count its own request twice.
pub fn weigh<F: Facts>(
    facts: &F,
    p: &Proposal,
    integration: Option<Id>,
    now: Time,
    but: Option<Id>,
) -> Result<Decision, F::Error> {
    let policy = facts.policy()?;
    let agent = facts.identity(p.requester)?;
    let operator_live = match agent.as_ref().and_then(|a| a.operator) {
        Some(op) => facts.identity(op)?.is_some_and(|o| o.is_live()),
        None => false,
    };
    let integration = match integration {
        Some(id) => facts.integration(id)?,
        None => None,
    };
    let grants = match &integration {
        Some(i) if p.requester.kind == IdKind::Agent => facts.grants_between(p.requester, i.id)?,
        _ => Vec::new(),
    };
    // Only a request that moves money, or that may, needs the sum.
    let spent = match (&policy, p.facets.amount) {
        (Some(policy), Some(_)) => facts.spent_after(now.minus(Span::WEEK), policy.rules.caps.currency, but)?,
        _ => 0,
    };
    let mut situation = Situation {
        rules: policy.as_ref().map(|p| &*p.rules),
        agent: agent.as_deref(),
        operator_live,
        integration: integration.as_deref(),
        grants: &grants,
        spent,
        frozen: facts.frozen(Id::WORKSPACE)?.is_some(),
        agent_frozen: facts.frozen(p.requester)?.is_some(),
        // Only an audit edit depends on how many operators there are, and finding out costs a signature each.
        operators: 0,
        now,
    };
    let decision = decide(p, &situation);
    if !decision.fired.iter().any(|f| f.point == Point::Audit) {
        return Ok(decision);
    }
    situation.operators = facts.operators()?.iter().filter(|o| counts_as_operator(o, now)).count();
    Ok(decide(p, &situation))
}

fn counts_as_operator(o: &Identity, now: Time) -> bool {
    o.retired_at.is_none_or(|t| now < t.plus(REMEMBERED))
}
