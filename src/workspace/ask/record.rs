//! From a prepared description to a decision, and to an entry.

use std::rc::Rc;

use super::{AskError, Prepared};
use crate::domain::access::Access;
use crate::domain::bind::bind as facets_of;
use crate::domain::decide::{AUDIT_EDIT, Decision, Proposal, Verdict, connect_line};
use crate::domain::event::{Event, RequestDetail, RequestMade};
use crate::domain::facets::{DataClass, Facets};
use crate::domain::facts::{Facts, Policy};
use crate::domain::id::{Id, IdKind};
use crate::domain::integration::Integration;
use crate::domain::request::Request;
use crate::domain::time::Time;
use crate::domain::weigh::weigh;
use crate::log::payload::Record;
use crate::workspace::{By, Tx, Workspace, WorkspaceError};

/// A description, bound to what the workspace knows.
#[derive(Debug, Clone)]
pub struct Binding {
    /// What is decided about.
    pub proposal: Proposal,
    /// Where, if that name is known.
    pub integration: Option<Rc<Integration>>,
    /// The kind of that name, where no integration has it: `connect` would add one.
    pub kind: Option<String>,
}

impl Binding {
    /// Decides, as things stand at `now`.
    ///
    /// # Errors
    /// What the facts give.
    pub fn weigh<F: Facts>(&self, facts: &F, now: Time) -> Result<Decision, F::Error> {
        let p = &self.proposal;
        let mut decision = weigh(facts, p, self.integration.as_ref().map(|i| i.id), now, None)?;
        let (Some(name), "integration.unknown") = (&self.kind, decision.rule) else { return Ok(decision) };
        let policy = facts.policy()?;
        let kind = policy.as_ref().and_then(|policy| policy.rules.kind(name));
        if let (Some(kind), Some(agent)) = (kind, facts.identity(p.requester)?) {
            let action = kind.action(&p.action);
            let access = action.map_or(Access::Write, |a| a.access).max(p.access.unwrap_or(Access::Read));
            let class = p.facets.data.max(action.and_then(|a| a.data)).unwrap_or(DataClass::Internal);
            decision.fix = Some(connect_line(name, &agent, p, access, class));
        }
        Ok(decision)
    }
}

/// Binds a description: finds the integration, reads the facets of the action out of the parameters by the adopted
/// catalogue, and raises them by what was declared.
///
/// # Errors
/// What the facts give.
pub fn bind<F: Facts>(facts: &F, p: &Prepared, requester: Id) -> Result<Binding, F::Error> {
    let ask = &p.ask;
    let integration = match ask.integration.as_deref().map(|typed| (typed, typed.parse::<Id>())) {
        None => None,
        Some((_, Ok(id))) if id.kind == IdKind::Integration => facts.integration(id)?,
        Some((_, Ok(_))) => None,
        Some((name, Err(_))) => facts.integration_named(name)?,
    };
    let policy = facts.policy()?;
    let rules = policy.as_ref().map(|p| &p.rules);
    let action = match (&integration, rules) {
        (Some(i), Some(rules)) => rules.kind(&i.kind).and_then(|k| k.action(&ask.action)),
        _ => None,
    };
    let kind = match (&integration, rules, ask.integration.as_deref()) {
        (None, Some(rules), Some(typed)) if rules.kind(typed).is_some() => Some(typed.to_string()),
        _ => None,
    };
    let bound = action.map_or_else(Facets::default, |a| facets_of(a, p.parameters.as_ref()));
    let proposal = Proposal {
        requester,
        action: ask.action.clone(),
        resource: ask.resource.clone(),
        access: ask.access,
        facets: bound.raise(&ask.facets.facets()),
        unsure: ask.unsure.is_some(),
    };
    Ok(Binding { proposal, integration, kind })
}

/// A request that was recorded, now or before under the same idempotency key.
#[derive(Debug)]
pub struct Recorded {
    /// As the log has it.
    pub request: Rc<Request>,
    /// Decided now; `None` where the request was recorded before.
    pub decision: Option<Decision>,
    /// The integration's name.
    pub integration: Option<Rc<Integration>>,
    /// The moment.
    pub now: Time,
}

/// Decides and records: allow, ask and deny alike. With an idempotency key that was used before it records nothing, and
/// gives the request of that time if it was the same.
///
/// # Errors
/// [`AskError::IdempotencyConflict`]; whatever the workspace finds; a refusal where the requester may not ask at all.
pub fn record(ws: &Workspace, tx: &mut Tx<'_>, by: By<'_>, requester: Id, p: &Prepared) -> Result<Recorded, AskError> {
    let now = tx.now();
    let facts = tx.facts();
    let Some(policy) = facts.policy()? else {
        return Err(AskError::Member {
            member: "policy",
            why: "no policy was ever adopted, so nothing can be asked for".into(),
        });
    };
    let binding = bind(facts, p, requester)?;
    if let Some(key) = &p.ask.idempotency_key
        && let Some(id) = facts.request_by_key(requester, key)?
    {
        return before(ws, tx, requester, p, &binding, key, id);
    }
    let decision = binding.weigh(facts, now)?;
    let id = tx.next_id(IdKind::Request)?;
    let made = made(p, &binding, &decision, &policy, id, now);
    tx.append(by, made)?;
    let missing = || WorkspaceError::integrity(None, format!("{id} is missing right after it was made"));
    let request = tx.facts().request(id)?.ok_or_else(missing)?;
    Ok(Recorded { request, decision: Some(decision), integration: binding.integration, now })
}

/// The request that carries the key, if it is the same.
fn before(
    ws: &Workspace,
    tx: &Tx<'_>,
    requester: Id,
    p: &Prepared,
    binding: &Binding,
    key: &str,
    id: Id,
) -> Result<Recorded, AskError> {
    let facts = tx.facts();
    let lying = || {
        WorkspaceError::integrity(
            None,
            format!("table requests: {id} does not carry the idempotency key that it is listed under"),
        )
    };
    let request = facts.request(id)?.ok_or_else(lying)?;
    if request.requester != requester || request.idempotency_key.as_deref() != Some(key) {
        return Err(lying().into());
    }
    let conflict = |erased| AskError::IdempotencyConflict { key: key.to_string(), request: id, erased };
    let (_, event) = ws.event(request.made_seq)?;
    let Event::RequestMade(stored) = event else {
        return Err(lying().into());
    };
    if !erased_members(ws, request.made_seq)?.is_empty() {
        return Err(conflict(true));
    }
    if !same(p, binding, &stored, tx.now()) {
        return Err(conflict(false));
    }
    let integration = match request.integration {
        Some(i) => facts.integration(i)?,
        None => None,
    };
    Ok(Recorded { request, decision: None, integration, now: tx.now() })
}

/// What was erased of an entry. Out of the record itself, which the entry commits to: a table could say that nothing was.
pub(in crate::workspace) fn erased_members(ws: &Workspace, seq: u64) -> Result<Vec<String>, WorkspaceError> {
    let record = ws.store().entry(seq)?.and_then(|s| s.record).unwrap_or_default();
    let record = Record::parse(&record).map_err(|e| WorkspaceError::integrity(seq, format!("entry {seq}: {e}")))?;
    Ok(record.erased.into_keys().collect())
}

/// Was the same asked for? What the rules made of it (facets bound by the catalogue of that day, points, the grant) is
/// not compared: a policy adopted in between makes no other request of it.
fn same(p: &Prepared, binding: &Binding, stored: &RequestMade, now: Time) -> bool {
    let mut binding = binding.clone();
    if stored.integration.is_none() {
        // The name was unknown then; it is compared as it was typed.
        binding.integration = None;
    }
    let decided = Decision {
        verdict: stored.decision,
        rule: "",
        reason: String::new(),
        fired: Vec::new(),
        grant: stored.grant,
        access: stored.access,
        approvers: stored.approvers,
        tier: stored.tier,
        fix: None,
    };
    let again = body(p, &binding, &decided, stored.policy.clone(), stored.request, now);
    let again = RequestMade {
        facets: stored.facets.clone(),
        points: stored.points.clone(),
        rule: stored.rule.clone(),
        until: stored.until,
        ..again
    };
    again == *stored
}

fn made(p: &Prepared, binding: &Binding, d: &Decision, policy: &Policy, id: Id, now: Time) -> RequestMade {
    let lives = &policy.rules.requests;
    let life = if d.verdict == Verdict::Ask { lives.wait } else { lives.use_within };
    body(p, binding, d, policy.digest.clone(), id, now.plus(life))
}

fn body(p: &Prepared, binding: &Binding, d: &Decision, policy: String, request: Id, until: Time) -> RequestMade {
    let ask = &p.ask;
    let detail = RequestDetail {
        unsure: ask.unsure.clone(),
        integration: if binding.integration.is_none() { ask.integration.clone() } else { None },
        declared: (!ask.facets.is_empty()).then(|| ask.facets.facets()),
        access: ask.access,
    };
    let empty = RequestDetail { unsure: None, integration: None, declared: None, access: None };
    RequestMade {
        request,
        agent: binding.proposal.requester,
        integration: binding.integration.as_ref().map(|i| i.id),
        action: ask.action.clone(),
        resource: ask.resource.clone(),
        access: d.access,
        facets: binding.proposal.facets.clone(),
        unsure: binding.proposal.unsure,
        decision: d.verdict,
        points: d.points(),
        rule: d.rule.into(),
        approvers: d.approvers,
        tier: d.tier,
        grant: d.grant,
        policy,
        until,
        mission: ask.mission.clone(),
        model: ask.model.clone(),
        idempotency_key: ask.idempotency_key.clone(),
        bound_command: p.artifacts.as_ref().is_some_and(|a| a.command.is_some()),
        parameters: ask.parameters.as_ref().map(|raw| raw.get().to_string()),
        artifacts: p.artifacts.clone(),
        diff: ask.diff.clone(),
        summary: ask.summary.clone(),
        recommendation: ask.recommendation.clone(),
        rationale: ask.rationale.clone(),
        alternatives: (!ask.alternatives.is_empty()).then(|| ask.alternatives.clone()),
        rollback: ask.rollback.clone(),
        detail: (detail != empty).then_some(detail),
    }
}

/// Does it ask for an edit of the audit trail, which operators ask for and agents do not?
pub fn is_audit_edit(ask: &super::Ask) -> bool {
    ask.action == AUDIT_EDIT && ask.integration.is_none()
}
