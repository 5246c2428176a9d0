//! Doors: integrations and grants.

use std::rc::Rc;

use super::{Entry, Judged, Refusal, Signer, fault};
use crate::domain::event::{GrantIssued, GrantNarrowed, GrantRenewed, GrantRevoked, IntegrationAdded};
use crate::domain::facts::{Change, Facts};
use crate::domain::grant::Grant;
use crate::domain::id::{Id, IdKind};
use crate::domain::identity::check_handle;
use crate::domain::integration::Integration;
use crate::domain::time::Time;

pub(super) fn integration_added<F: Facts>(
    entry: &Entry,
    b: &IntegrationAdded,
    signer: &Signer,
    facts: &F,
) -> Judged<F::Error> {
    signer.operator()?;
    if b.id.kind != IdKind::Integration || facts.integration(b.id)?.is_some() {
        return fault("id_used", format!("{} was used before, or is no integration's id", b.id));
    }
    if let Err(why) = check_handle(&b.handle) {
        return fault("handle", why);
    }
    if facts.integration_named(&b.handle)?.is_some() {
        return fault("handle", "an integration of that name was added before");
    }
    if facts.policy()?.is_none_or(|p| p.rules.kind(&b.kind).is_none()) {
        return fault("no_such_kind", format!("the adopted catalogue has no kind {:?}", b.kind));
    }
    Ok(vec![Change::Integration(Integration {
        id: b.id,
        handle: b.handle.clone(),
        kind: b.kind.clone(),
        inside: b.inside,
        residency: b.residency.clone(),
        added_seq: entry.seq,
    })])
}

pub(super) fn issued<F: Facts>(entry: &Entry, b: &GrantIssued, signer: &Signer, facts: &F) -> Judged<F::Error> {
    signer.operator()?;
    if b.grant.kind != IdKind::Grant || facts.grant(b.grant)?.is_some() {
        return fault("id_used", format!("{} was used before, or is no grant's id", b.grant));
    }
    agent_live(b.agent, facts)?;
    let Some(integration) = facts.integration(b.integration)? else {
        return fault("no_such_integration", format!("{} was never added", b.integration));
    };
    if b.owner.kind != IdKind::Operator || !facts.identity(b.owner)?.is_some_and(|o| o.is_live()) {
        return fault("owner_not_live", format!("{} is not a live operator", b.owner));
    }
    let Some(policy) = facts.policy()? else {
        return fault("no_policy", "no policy was ever adopted");
    };
    let known = match (b.scope.word(), policy.rules.kind(&integration.kind)) {
        (None, Some(_)) => true,
        (Some(word), Some(kind)) => kind.scope(word).is_some(),
        (_, None) => false,
    };
    if !known {
        return fault("no_such_scope", format!("the adopted catalogue knows no such scope of {}", integration.kind));
    }
    end_in_bounds(entry.at, b.until, facts)?;
    Ok(vec![Change::Grant(Grant {
        id: b.grant,
        agent: b.agent,
        integration: b.integration,
        scope: b.scope.clone(),
        access: b.access,
        data: b.data,
        owner: b.owner,
        mission: b.mission.clone(),
        until: b.until,
        issued_seq: entry.seq,
        issued_at: entry.at,
        replaces: b.replaces,
        carries: b.carries.clone(),
        changed_seq: entry.seq,
        revoked_seq: None,
        revoked_at: None,
        revoked_by: None,
    })])
}

pub(super) fn renewed<F: Facts>(entry: &Entry, b: &GrantRenewed, signer: &Signer, facts: &F) -> Judged<F::Error> {
    signer.operator()?;
    let mut grant = unrevoked(b.grant, facts)?;
    agent_live(grant.agent, facts)?;
    end_in_bounds(entry.at, b.until, facts)?;
    grant.until = b.until;
    grant.changed_seq = entry.seq;
    Ok(vec![Change::Grant(grant)])
}

pub(super) fn narrowed<F: Facts>(entry: &Entry, b: &GrantNarrowed, signer: &Signer, facts: &F) -> Judged<F::Error> {
    let mut grant = unrevoked(b.grant, facts)?;
    may_narrow(signer, &grant)?;
    if let Some(scope) = &b.scope {
        if !grant.scope.covers(scope) {
            return fault("widens", format!("{scope} is not inside {}", grant.scope));
        }
        grant.scope = scope.clone();
    }
    if let Some(access) = b.access {
        if access > grant.access {
            return fault("widens", format!("{access} is more than {}", grant.access));
        }
        grant.access = access;
    }
    if let Some(data) = b.data {
        if data > grant.data {
            return fault("widens", format!("{data} is more than {}", grant.data));
        }
        grant.data = data;
    }
    if let Some(until) = b.until {
        if grant.until.is_some_and(|old| until > old) {
            return fault("widens", "the end would be later");
        }
        grant.until = Some(until);
    }
    grant.changed_seq = entry.seq;
    Ok(vec![Change::Grant(grant)])
}

pub(super) fn revoked<F: Facts>(entry: &Entry, b: &GrantRevoked, signer: &Signer, facts: &F) -> Judged<F::Error> {
    let mut grant = unrevoked(b.grant, facts)?;
    may_narrow(signer, &grant)?;
    grant.revoked_seq = Some(entry.seq);
    grant.revoked_at = Some(entry.at);
    grant.revoked_by = Some(entry.actor);
    grant.changed_seq = entry.seq;
    Ok(vec![Change::Grant(grant)])
}

/// An operator, the agent that holds it, or the log where nobody signed.
fn may_narrow<E>(signer: &Signer, grant: &Grant) -> Result<(), Refusal<E>> {
    match signer {
        Signer::Log | Signer::Operator(_) => Ok(()),
        Signer::Agent(a) if a.id == grant.agent => Ok(()),
        Signer::Agent(_) | Signer::Recovery(_) => {
            fault("not_the_holder", "an agent may narrow or revoke only its own grants")
        }
    }
}

fn unrevoked<F: Facts>(id: Id, facts: &F) -> Result<Grant, Refusal<F::Error>> {
    let Some(grant) = facts.grant(id)? else {
        return fault("no_such_grant", format!("{id} was never issued"));
    };
    if grant.revoked_seq.is_some() {
        return fault("revoked", format!("{id} was revoked before"));
    }
    Ok(Rc::unwrap_or_clone(grant))
}

fn agent_live<F: Facts>(agent: Id, facts: &F) -> Result<(), Refusal<F::Error>> {
    let live = match facts.identity(agent)? {
        Some(a) if agent.kind == IdKind::Agent && a.is_live() => match a.operator {
            Some(op) => facts.identity(op)?.is_some_and(|o| o.is_live()),
            None => false,
        },
        _ => false,
    };
    if live { Ok(()) } else { fault("agent_not_live", format!("{agent} is not a live agent of a live operator")) }
}

/// The end lies ahead, and not further than the policy's longest.
fn end_in_bounds<F: Facts>(at: Time, until: Option<Time>, facts: &F) -> Result<(), Refusal<F::Error>> {
    if until.is_some_and(|u| u <= at) {
        return fault("until", "the end is not ahead");
    }
    let longest = facts.policy()?.and_then(|p| p.rules.grants.longest);
    if longest.is_some_and(|l| until.is_none_or(|u| u > at.plus(l))) {
        return fault("until", "the end is later than the policy allows");
    }
    Ok(())
}
