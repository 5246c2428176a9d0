//! From what was typed to the very grant that it means, checked against the workspace as it is.

use std::rc::Rc;

use super::carry::{self, Carried, Carrying};
use super::words;
use crate::cli::error::CliError;
use crate::cli::text::safe;
use crate::domain::access::Access;
use crate::domain::advice::{Advice, Crossing, Door, End, Terms, advise, crossings};
use crate::domain::catalogue::Kind;
use crate::domain::facets::DataClass;
use crate::domain::facts::{Facts, Policy};
use crate::domain::grant::Grant;
use crate::domain::id::{Id, IdKind};
use crate::domain::identity::Identity;
use crate::domain::integration::Integration;
use crate::domain::time::Time;
use crate::workspace::{Workspace, WorkspaceError, same_door};

/// What was typed or answered.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// An integration's name or id, or a kind of the catalogue.
    pub integration: String,
    /// An agent's name or id.
    pub agent: String,
    /// As typed.
    pub scope: String,
    /// How much.
    pub access: Access,
    /// The most delicate data.
    pub data: DataClass,
    /// An operator's name or id.
    pub owner: Option<String>,
    /// What for.
    pub mission: Option<String>,
    /// The end; the policy's where absent.
    pub end: Option<End>,
    /// The grant that is opened again.
    pub again: Option<Id>,
    /// The key that it carries, with the programs as they were found.
    pub carries: Option<Carrying>,
}

/// The very grant that is meant.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The id that it will have, unless somebody is faster.
    pub grant: Id,
    /// Who may.
    pub agent: Rc<Identity>,
    /// Whom the agent acts for.
    pub acts_for: Id,
    /// Where.
    pub integration: Integration,
    /// The integration is added together with the grant.
    pub adds: bool,
    /// The catalogue's facts about it.
    pub kind: Kind,
    /// By names.
    pub terms: Terms,
    /// Who answers for it; the signer where absent.
    pub owner: Option<Id>,
    /// The end.
    pub until: Option<Time>,
    /// The grant that is opened again.
    pub again: Option<Id>,
    /// Grants whose place it takes: read grants, where it can change things, and those of the same scope and access that
    /// differ in more than the end.
    pub replaces: Vec<Rc<Grant>>,
    /// Other live grants of the agent to the same door.
    pub beside: Vec<Rc<Grant>>,
    /// The key that it carries, as it is now.
    pub carried: Option<Carried>,
    /// What is wider than it need be.
    pub advice: Advice,
    /// Which points the agent's actions may cross.
    pub crossings: Vec<Crossing>,
    /// What is frozen, and keeps the door shut until an operator thaws it.
    pub frozen: Option<Id>,
}

/// Finds out what is meant. Changes nothing; called once to show it, and once more inside the transaction.
pub fn make(ws: &Workspace, wanted: &Wanted, now: Time) -> Result<Plan, CliError> {
    let facts = ws.facts();
    let policy = facts.policy()?.ok_or_else(|| CliError::no("no_policy", "no policy was ever adopted"))?;
    let agent = words::agent(ws, &wanted.agent)?;
    let acts_for = live(ws, &agent)?;
    let (integration, adds) = where_to(ws, &policy, &wanted.integration)?;
    let kind = policy.rules.kind(&integration.kind).cloned().ok_or_else(|| {
        CliError::no("no_such_kind", format!("the adopted catalogue has no kind {}", safe(&integration.kind)))
            .because(format!("{} is an instance of it, so it was in an earlier one", integration.handle))
            .hint("adopt a catalogue that has it: aosctl policy adopt FILE")
    })?;
    let scope = words::scope(&wanted.scope, &kind)?;
    let terms_of = &policy.rules.grants;
    let end = wanted.end.unwrap_or(End::After(terms_of.expires));
    words::end_in_bounds(end, now, terms_of.longest)?;
    let owner = wanted.owner.as_deref().map(|o| words::operator(ws, o)).transpose()?;
    let until = end.until(now);
    let terms = Terms {
        agent: agent.handle.clone().unwrap_or_else(|| agent.id.to_string()),
        integration: integration.handle.clone(),
        scope,
        access: wanted.access,
        data: wanted.data,
        owner: wanted.owner.clone(),
        mission: wanted.mission.clone(),
        end: wanted.end,
    };
    let live = if adds { Vec::new() } else { facts.grants_between(agent.id, integration.id)? };
    let live = live.into_iter().filter(|g| g.is_live(now));
    let carried = wanted.carries.as_ref().map(|c| carry::check(ws, c, &integration)).transpose()?;
    // A grant that can change things takes the place of those that could only read the same; and one of the same scope
    // and access takes the place of another that says something else of the key, the mission, the data or the owner.
    let taken = |g: &Rc<Grant>| {
        let reads = terms.access > Access::Read && g.access == Access::Read && same_door(&g.scope, &terms.scope);
        let same = g.scope == terms.scope && g.access == terms.access;
        reads || (same && differs(g, &terms, owner, carried.as_ref()))
    };
    let (replaces, stay): (Vec<_>, Vec<_>) = live.partition(taken);
    let door =
        Door { terms: &terms, until, kind: &kind, inside: integration.inside, expires: terms_of.expires, live: &stay };
    let advice = carry::advise(advise(&door), carried.as_ref(), &terms);
    let beside = stay.into_iter().filter(|g| same_door(&g.scope, &terms.scope)).collect();
    let grant = Id::new(IdKind::Grant, ws.store().next_number(IdKind::Grant)?);
    let proposed = Rc::new(Grant {
        id: grant,
        agent: agent.id,
        integration: integration.id,
        scope: terms.scope.clone(),
        access: terms.access,
        data: terms.data,
        owner: owner.unwrap_or(acts_for),
        mission: terms.mission.clone(),
        until,
        issued_seq: 0,
        issued_at: now,
        replaces: None,
        carries: carried.as_ref().map(|c| c.carries.clone()),
        changed_seq: 0,
        revoked_seq: None,
        revoked_at: None,
        revoked_by: None,
    });
    let crossings = crossings(&proposed, &agent, &integration, &policy.rules, now);
    let frozen = [Id::WORKSPACE, agent.id].into_iter().map(|id| Ok(facts.frozen(id)?.map(|_| id)));
    let frozen = frozen.collect::<Result<Vec<_>, WorkspaceError>>()?.into_iter().flatten().next();
    Ok(Plan {
        grant,
        agent,
        acts_for,
        integration,
        adds,
        kind,
        terms,
        owner,
        until,
        again: wanted.again,
        replaces,
        beside,
        carried,
        advice,
        crossings,
        frozen,
    })
}

/// What two looks at the same line must agree on, so that nobody signs for something else than was shown.
impl Plan {
    /// Does the second look show what the first one did? The grant's number and the moment may differ.
    pub fn shows_the_same_as(&self, shown: &Plan) -> bool {
        let ids = |grants: &[Rc<Grant>]| grants.iter().map(|g| (g.id, g.changed_seq)).collect::<Vec<_>>();
        let names = |a: &Advice| a.warnings.iter().map(|w| w.name).collect::<Vec<_>>();
        self.agent == shown.agent
            && self.adds == shown.adds
            && (self.adds || self.integration == shown.integration)
            && self.kind == shown.kind
            && self.terms == shown.terms
            && self.carried == shown.carried
            && ids(&self.replaces) == ids(&shown.replaces)
            && names(&self.advice) == names(&shown.advice)
            && self.crossings == shown.crossings
    }
}

/// Does a grant of the same scope and access differ in anything but its end? An owner whom nobody named is no difference.
fn differs(old: &Grant, terms: &Terms, owner: Option<Id>, carried: Option<&Carried>) -> bool {
    old.data != terms.data
        || old.mission != terms.mission
        || owner.is_some_and(|o| o != old.owner)
        || old.carries.as_ref() != carried.map(|c| &c.carries)
}

/// Whom the agent acts for, where both are live.
fn live(ws: &Workspace, agent: &Identity) -> Result<Id, CliError> {
    let name = agent.handle.as_deref().unwrap_or_default();
    if !agent.is_live() {
        return Err(CliError::no("agent_not_live", format!("{} ({name}) was retired", agent.id))
            .hint("enrol another one: aosctl agent add NAME"));
    }
    let operator = match agent.operator {
        Some(id) => ws.facts().identity(id)?,
        None => None,
    };
    match operator {
        Some(o) if o.is_live() => Ok(o.id),
        _ => {
            Err(CliError::no("agent_not_live", format!("the operator that {} ({name}) acts for was retired", agent.id))
                .because("an agent never has more rights than its operator")
                .hint("enrol it anew for a live operator: aosctl agent add NAME --for OPERATOR"))
        }
    }
}

/// The integration of that name or id; or, for a kind that has no instance yet, the instance to add.
fn where_to(ws: &Workspace, policy: &Policy, typed: &str) -> Result<(Integration, bool), CliError> {
    if let Some(known) = ws.find_integration(typed)? {
        return Ok(((*known).clone(), false));
    }
    let all = ws.store().integrations()?;
    if policy.rules.kind(typed).is_some() {
        let instances: Vec<&str> = all.iter().filter(|i| i.kind == typed).map(|i| i.handle.as_str()).collect();
        if let Some(first) = instances.first() {
            let what = format!("{typed} is a kind, and its instances have other names: {}", instances.join(", "));
            return Err(CliError::no("which_instance", what)
                .hint(format!("name the instance: aosctl connect {first} ..."))
                .hint(format!("or add one of that name: aosctl integration add {typed} --kind {typed}")));
        }
        let id = Id::new(IdKind::Integration, ws.store().next_number(IdKind::Integration)?);
        let new =
            Integration { id, handle: typed.into(), kind: typed.into(), inside: false, residency: None, added_seq: 0 };
        return Ok((new, true));
    }
    let known = all.iter().map(|i| i.handle.as_str()).chain(policy.rules.kinds.iter().map(|k| k.kind.as_str()));
    let mut known: Vec<&str> = known.collect();
    known.dedup();
    let e = words::unknown("no_such_integration", "integration, and no kind of one,", typed, known);
    Err(e.hint("add an instance under another name: aosctl integration add NAME --kind KIND"))
}
