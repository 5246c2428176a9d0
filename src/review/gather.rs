//! From a workspace to a [`Snapshot`]: the log as it stood before a moment.
//!
//! What things are comes from verified entries (law 6), read as of the first entry that was signed at the moment or later, so
//! a past month is computed from the log as it stood. Only uses are taken from the tables, by index and before that entry:
//! a row that was changed by hand is found by `audit verify`. Nothing here costs more because the log is longer: a search by
//! halves for the place, the entries about each thing, and for each grant its newest uses.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::ReviewError;
use super::facts::{
    Adoption, Begin, Counted, Earlier, GrantState, IdentityState, IntegrationState, KeyRun, KeyState, Past, Resources,
    Snapshot, Use, UsedBy, Uses,
};
use super::model::LogState;
use super::rules::{EVIDENCE, looks_at_resources, policy_grown};
use crate::domain::access::Access;
use crate::domain::event::{ClaimMode, Event};
use crate::domain::facts::{Change, Facts};
use crate::domain::grant::Grant;
use crate::domain::id::{Actor, Id, IdKind};
use crate::domain::identity::Identity;
use crate::domain::review::Month;
use crate::domain::rules::Rules;
use crate::domain::time::{Span, Time};
use crate::log::tree::leaf_hash;
use crate::log::verify::inspect;
use crate::store::UseRow;
use crate::workspace::{Trusted, Workspace, WorkspaceError};

/// So many of the newest requests of each access are looked at, to see what a wide grant is used on.
pub const RESOURCES: usize = 500;

/// When an entry was signed, by its own bytes.
fn signed_at(ws: &Workspace, seq: u64) -> Result<Time, WorkspaceError> {
    let bad = |what: &str| WorkspaceError::Integrity { seq: Some(seq), detail: format!("entry {seq} {what}") };
    let stored = ws.store().entry(seq)?.ok_or_else(|| bad("is missing"))?;
    let seen = inspect(&stored.envelope, None);
    let at = seen.header().and_then(|h| h.at.parse().ok());
    at.ok_or_else(|| bad("cannot be read"))
}

/// How many entries were signed before a moment: times never decrease (log-format.md, member `at`), so the place is found by
/// halves. The entries on both sides of it are verified, signature and all.
pub fn entries_before(ws: &Workspace, t: Time) -> Result<u64, WorkspaceError> {
    let size = ws.store().last_seq()?.map_or(0, |last| last + 1);
    let (mut low, mut high) = (0, size);
    while low < high {
        let middle = low + (high - low) / 2;
        if signed_at(ws, middle)? < t { low = middle + 1 } else { high = middle }
    }
    let beside = low.checked_sub(1).into_iter().chain((low < size).then_some(low));
    for seq in beside {
        let (entry, _) = ws.event(seq)?;
        if (entry.at < t) != (seq < low) {
            let detail = format!("entry {seq} says another time than the order of the log");
            return Err(WorkspaceError::Integrity { seq: Some(seq), detail });
        }
    }
    Ok(low)
}

/// Everything that the rules look at, at a moment.
pub fn snapshot(ws: &Workspace, month: Month, as_of: Time) -> Result<Snapshot, ReviewError> {
    let entries = entries_before(ws, as_of)?;
    let size = ws.store().last_seq()?.map_or(0, |last| last + 1);
    let began = signed_at(ws, 0)?;
    if entries == 0 {
        return Err(ReviewError::BeforeTheLog { as_of, began });
    }
    // Asked as the present where it is the present: then the tables are asked too whether something was lost.
    let facts = if entries == size { ws.facts() } else { ws.facts().before(entries) };
    let at = At { ws, facts, entries, as_of };
    let policy = at.facts.policy()?.ok_or(ReviewError::BeforeTheLog { as_of, began })?;
    let last = ws.store().entry(entries - 1)?;
    let leaf = last.map(|e| leaf_hash(&e.envelope).to_hex()).unwrap_or_default();
    let reviews = at.reviews(month)?;
    let begin = reviews.begin.unwrap_or(Begin { from: began, entries: 0, signed: None });
    let integrations = at.integrations()?;
    let grants = at.grants(begin, &policy.rules, &integrations)?;
    let counted = (entries == size).then(|| ws.store().live_counts(as_of)).transpose()?;
    let people = at.people()?;
    let keys = at.keys()?;
    let known = grants.keys().chain(keys.keys()).chain(people.keys()).chain(integrations.keys());
    Ok(Snapshot {
        gaps: gaps(known.copied()),
        month,
        company: ws.origin().company.clone(),
        as_of,
        log: LogState { origin: ws.origin().name.clone(), entries, leaf, began },
        since: begin,
        monthly: reviews.monthly,
        keys,
        frozen: at.frozen(&people)?,
        policies: at.policies(begin.entries)?,
        people,
        grants,
        integrations,
        earlier: reviews.earlier,
        rules: (*policy.rules).clone(),
        counted: counted.map(|c| Counted {
            grants: c.grants,
            keys: c.keys,
            agents: c.agents,
            operators: c.operators,
            integrations: c.integrations,
        }),
    })
}

/// A place in the log to look from.
struct At<'w> {
    ws: &'w Workspace,
    facts: Trusted<'w>,
    entries: u64,
    as_of: Time,
}

/// What earlier reviews left.
struct Reviews {
    begin: Option<Begin>,
    monthly: bool,
    earlier: BTreeMap<Id, Vec<Earlier>>,
}

impl At<'_> {
    fn subjects(&self, kind: IdKind) -> Result<Vec<Id>, WorkspaceError> {
        Ok(self.ws.store().subjects(kind)?)
    }

    /// The reviews of the months before.
    fn reviews(&self, month: Month) -> Result<Reviews, WorkspaceError> {
        let mut found = Reviews { begin: None, monthly: false, earlier: BTreeMap::new() };
        for id in self.subjects(IdKind::Review)? {
            let Some(past) = Month::of_id(id).filter(|m| *m < month) else { continue };
            let Some(review) = self.facts.review(id)? else { continue };
            if let Some(s) = &review.signed {
                let begin = Begin { from: s.as_of, entries: s.entries, signed: Some(s.at) };
                // The newest moment counts, whatever month it was for.
                found.begin = found.begin.filter(|b| b.entries >= begin.entries).or(Some(begin));
                found.monthly |= past >= month.before().before();
            }
            for (item, decided) in &review.decided {
                let signed = review.signed.as_ref().map(|s| s.at);
                let earlier = Earlier { month: past, signed, decided: decided.clone() };
                found.earlier.entry(*item).or_default().push(earlier);
            }
        }
        for all in found.earlier.values_mut() {
            all.sort_by_key(|e| e.decided.seq);
        }
        Ok(found)
    }

    fn integrations(&self) -> Result<BTreeMap<Id, IntegrationState>, WorkspaceError> {
        let mut found = BTreeMap::new();
        for id in self.subjects(IdKind::Integration)? {
            if let Some(i) = self.facts.integration(id)? {
                let added_at = signed_at(self.ws, i.added_seq)?;
                found.insert(id, IntegrationState { integration: Rc::unwrap_or_clone(i), added_at });
            }
        }
        Ok(found)
    }

    fn grants(
        &self,
        since: Begin,
        rules: &Rules,
        integrations: &BTreeMap<Id, IntegrationState>,
    ) -> Result<BTreeMap<Id, GrantState>, WorkspaceError> {
        let mut found = BTreeMap::new();
        for id in self.subjects(IdKind::Grant)? {
            let history = self.facts.history(id)?;
            let past: Vec<Past> = history.iter().filter_map(|(seq, c)| as_grant(c).map(|g| past(*seq, g))).collect();
            let Some(grant) = history.iter().rev().find_map(|(_, c)| as_grant(c)).cloned() else { continue };
            // Closed for good: nobody asks how it was used.
            let uses = if grant.revoked_seq.is_some() { Uses::default() } else { self.uses(&grant, &past)? };
            found.insert(id, GrantState { grant, past, uses });
        }
        let kind = |g: &Grant| integrations.get(&g.integration).and_then(|i| rules.kind(&i.integration.kind));
        let live = found.values().map(|g| &g.grant).filter(|g| g.is_live(self.as_of));
        let grown = wider_than_an_older_one(&found, since);
        let look: Vec<Id> =
            live.filter(|g| looks_at_resources(&g.scope, kind(g)) || grown.contains(&g.id)).map(|g| g.id).collect();
        for id in look {
            if let Some(g) = found.get_mut(&id) {
                g.uses.resources = Some(self.resources(&g.grant, &g.uses)?);
            }
        }
        Ok(found)
    }

    /// The newest use of each access that the grant ever gave: it may have been narrowed since.
    fn uses(&self, g: &Grant, past: &[Past]) -> Result<Uses, WorkspaceError> {
        let most = past.iter().map(|p| p.access).max().unwrap_or(g.access);
        let newest = |access| -> Result<Option<Use>, WorkspaceError> {
            if access > most {
                return Ok(None);
            }
            Ok(self.ws.store().newest_use(g.id, access, self.entries)?.map(|r| self.as_use(&r)))
        };
        let (read, write, admin) = (newest(Access::Read)?, newest(Access::Write)?, newest(Access::Admin)?);
        Ok(Uses { read, write, admin, resources: None })
    }

    /// What a grant was used on in the days that count as evidence.
    fn resources(&self, g: &Grant, uses: &Uses) -> Result<Resources, WorkspaceError> {
        let since = self.as_of.minus(Span::days(EVIDENCE)).max(g.issued_at);
        let mut seen = Resources { since: Some(since), ..Resources::default() };
        for (access, any) in [(Access::Read, &uses.read), (Access::Write, &uses.write), (Access::Admin, &uses.admin)] {
            if any.is_none() {
                continue;
            }
            let (rows, more) = self.ws.store().resources_of(g.id, access, self.entries, since, RESOURCES)?;
            seen.bounded |= more;
            for (resource, seq) in rows {
                let newest = seen.used.entry(resource).or_insert(seq);
                *newest = seq.max(*newest);
            }
        }
        Ok(seen)
    }

    /// A request as a use, as it stood: what was begun or finished later was not yet.
    fn as_use(&self, r: &UseRow) -> Use {
        let claimed = r.claimed.filter(|(seq, _)| *seq < self.entries);
        let finished = r.finished_seq.is_some_and(|seq| seq < self.entries);
        let by = match (claimed, r.mode) {
            (None, _) => UsedBy::Request,
            (Some(_), Some(ClaimMode::Run)) => UsedBy::Run,
            (Some(_), _) => UsedBy::Begun,
        };
        let (seq, at) = claimed.unwrap_or((r.made_seq, r.at));
        Use { request: r.request, seq, at, by, unfinished: claimed.is_some() && !finished }
    }

    fn keys(&self) -> Result<BTreeMap<Id, KeyState>, WorkspaceError> {
        let mut found = BTreeMap::new();
        for id in self.subjects(IdKind::Key)? {
            if let Some(key) = self.facts.key(id)? {
                let run = self.ws.store().last_run_of(id, self.entries)?;
                let run = run.map(|(seq, at, agent)| KeyRun { seq, at, agent });
                found.insert(id, KeyState { key: Rc::unwrap_or_clone(key), run });
            }
        }
        Ok(found)
    }

    fn people(&self) -> Result<BTreeMap<Id, IdentityState>, WorkspaceError> {
        let mut found = BTreeMap::new();
        for kind in [IdKind::Operator, IdKind::Agent] {
            for id in self.subjects(kind)? {
                if let Some(identity) = self.facts.identity(id)? {
                    found.insert(id, self.person(Rc::unwrap_or_clone(identity))?);
                }
            }
        }
        Ok(found)
    }

    fn person(&self, identity: Identity) -> Result<IdentityState, WorkspaceError> {
        let agent = identity.id.kind == IdKind::Agent;
        let name = if agent { identity.handle.clone() } else { self.ws.operator_name(&identity)? };
        let last_seq = self.facts.history(identity.id)?.last().map_or(identity.enrolled_seq, |(seq, _)| *seq);
        let span = if agent { self.ws.store().requests_span(identity.id, self.as_of)? } else { None };
        let (first_request, last_request) = (span.map(|[(_, at), _]| at), span.map(|[_, newest]| newest));
        Ok(IdentityState { identity, name, last_seq, first_request, last_request })
    }

    fn frozen(&self, people: &BTreeMap<Id, IdentityState>) -> Result<BTreeSet<Id>, WorkspaceError> {
        let mut found = BTreeSet::new();
        let agents = people.keys().copied().filter(|id| id.kind == IdKind::Agent);
        for id in agents.chain([Id::WORKSPACE]) {
            if self.facts.frozen(id)?.is_some() {
                found.insert(id);
            }
        }
        Ok(found)
    }

    /// The policies that were adopted from a place on, each against the one before it.
    fn policies(&self, from: u64) -> Result<Vec<Adoption>, WorkspaceError> {
        let mut found = Vec::new();
        let mut before = self.entries;
        // From the newest back: each is read once, and only as many as are new.
        let mut newer = self.facts.policy()?;
        while let Some(policy) = newer.filter(|p| p.seq >= from && p.seq < before) {
            before = policy.seq;
            let older = self.facts.before(policy.seq).policy()?;
            let wider = older.as_ref().map(|o| policy_grown(&o.rules, &policy.rules)).unwrap_or_default();
            let (entry, event) = self.ws.event(policy.seq)?;
            let by = match (entry.actor, event) {
                (Actor::Identity(id), Event::PolicyAdopted(_)) => Some(id),
                _ => None,
            };
            found.push(Adoption { seq: policy.seq, by, wider });
            newer = older;
        }
        found.reverse();
        Ok(found)
    }
}

/// Grants that are new and have a wider scope than the one whose place they took, or than an older one of the same agent to
/// the same integration: whether the wider part is used has to be looked at, thing by thing.
fn wider_than_an_older_one(all: &BTreeMap<Id, GrantState>, since: Begin) -> BTreeSet<Id> {
    let mut doors: BTreeMap<(Id, Id), Vec<&Grant>> = BTreeMap::new();
    for g in all.values().map(|g| &g.grant) {
        doors.entry((g.agent, g.integration)).or_default().push(g);
    }
    let wider = |g: &&Grant| {
        let beyond = |o: &Grant| !o.scope.covers(&g.scope);
        let replaced = g.replaces.and_then(|r| all.get(&r)).is_some_and(|o| beyond(&o.grant));
        let older = doors.get(&(g.agent, g.integration)).into_iter().flatten();
        let mut older = older.filter(|o| o.issued_seq < g.issued_seq);
        g.issued_seq >= since.entries && (replaced || older.any(|o| g.scope.covers(&o.scope) && beyond(o)))
    };
    all.values().map(|g| &g.grant).filter(wider).map(|g| g.id).collect()
}

/// Numbers are given out from 1 without gaps, so one that is missing below the highest is a thing that the log has and its
/// index hides. The newest of a kind leaves no gap, and is found by `audit verify` alone.
fn gaps(known: impl Iterator<Item = Id>) -> BTreeMap<IdKind, String> {
    /// So many are named.
    const NAMED: usize = 5;
    let mut numbers: BTreeMap<IdKind, BTreeSet<u64>> = BTreeMap::new();
    for id in known {
        numbers.entry(id.kind).or_default().insert(id.n);
    }
    let mut found = BTreeMap::new();
    for (kind, seen) in numbers {
        let highest = seen.last().copied().unwrap_or_default();
        let missing = highest.saturating_sub(u64::try_from(seen.len()).unwrap_or(u64::MAX));
        if missing == 0 {
            continue;
        }
        let holes = (1..=highest).filter(|n| !seen.contains(n)).take(NAMED);
        let mut named: Vec<String> = holes.map(|n| Id::new(kind, n).to_string()).collect();
        let rest = missing.saturating_sub(u64::try_from(named.len()).unwrap_or(u64::MAX));
        if rest > 0 {
            named.push(format!("{rest} more"));
        }
        let last = Id::new(kind, highest);
        let named = named.join(", ");
        let why = format!(
            "numbers are given out without gaps up to {last}, and the log's index hides {named}: aosctl audit verify"
        );
        found.insert(kind, why);
    }
    found
}

fn as_grant(change: &Change) -> Option<&Grant> {
    match change {
        Change::Grant(g) => Some(g),
        _ => None,
    }
}

fn past(seq: u64, g: &Grant) -> Past {
    Past {
        seq,
        scope: g.scope.clone(),
        access: g.access,
        data: g.data,
        until: g.until,
        revoked: g.revoked_seq == Some(seq),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_missing_is_named() {
        let gaps = |ids: &[&str]| gaps(ids.iter().map(|id| id.parse().unwrap()));
        assert!(gaps(&[]).is_empty());
        assert!(gaps(&["g-1", "g-2", "k-1", "op-1", "ag-1", "ag-2"]).is_empty());
        let found = gaps(&["g-1", "g-3", "k-1", "ag-2"]);
        assert_eq!(found.keys().copied().collect::<Vec<_>>(), [IdKind::Agent, IdKind::Grant]);
        assert_eq!(
            found.get(&IdKind::Grant).unwrap(),
            "numbers are given out without gaps up to g-3, and the log's index hides g-2: aosctl audit verify"
        );
        // A number that somebody made up costs nothing.
        let far = gaps(&["g-2", "g-400000000000000"]);
        let why = far.get(&IdKind::Grant).unwrap();
        assert!(why.contains("hides g-1, g-3, g-4, g-5, g-6, 399999999999993 more"), "{why}");
    }
}
