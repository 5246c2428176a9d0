//! Facts that rest on verified entries only: the hot path of law 6.
//!
//! The projection is asked only *where to look* (which grants an agent may have, what an id is called). What is found is
//! then read from the log: every entry on the subject, found by the log's own index, with its signature, its
//! commitment and its signer's enrolment verified, folded by [`judge`], the same function that replay uses. Its cost
//! depends on how much was ever said about the subject, not on how long the log is. An entry that cannot be read or is
//! badly signed is an integrity failure (it may have been a revocation); one without authority is skipped, as replay
//! skips it. An entry by which the tables hold something to be narrower and which the index does not find is an
//! integrity failure too. That nothing was removed from both, and that totals are right, `audit verify` proves.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;

use super::WorkspaceError;
use crate::domain::authority::{Entry, Refusal, judge};
use crate::domain::event::Event;
use crate::domain::facts::{Change, EntryFacts, Facts, InvalidEntry, Origin, Policy, Spend};
use crate::domain::grant::Grant;
use crate::domain::id::{Actor, Id, IdKind};
use crate::domain::identity::Identity;
use crate::domain::integration::Integration;
use crate::domain::key::Key;
use crate::domain::money::Currency;
use crate::domain::request::Request;
use crate::domain::review::ReviewRecord;
use crate::domain::time::Time;
use crate::log::key::{KeyFault, PublicKey, ReadyKey};
use crate::log::payload::Record;
use crate::log::verify::{Inspected, SeenPayload, check_signature_ready, inspect};
use crate::store::{Store, Stored, Tables};

/// Facts as of a place in the log.
pub struct Trusted<'s> {
    store: &'s Store,
    tables: Rc<Tables<'s>>,
    origin: Rc<Origin>,
    /// Only entries before this place exist.
    before: u64,
    memory: Rc<RefCell<Memory>>,
}

#[derive(Default)]
struct Memory {
    timelines: HashMap<Id, Timeline>,
    /// Policies that were found, each in force for every place after the first number and up to the second.
    policies: Vec<(u64, u64, Rc<Policy>)>,
    /// Entries of which it is being found out whether they were voided.
    voiding: HashSet<u64>,
    /// Few signers, many signatures: a key is decompressed once.
    keys: HashMap<PublicKey, Rc<Result<ReadyKey, KeyFault>>>,
}

/// What was said about one subject, as far as it was read.
#[derive(Default, Clone)]
struct Timeline {
    changes: Vec<(u64, Rc<Change>)>,
    /// Every entry before this place has been folded.
    upto: u64,
}

/// The present: every entry exists.
const PRESENT: u64 = u64::MAX;

impl<'s> Trusted<'s> {
    pub(super) fn new(store: &'s Store, origin: Rc<Origin>) -> Trusted<'s> {
        Trusted { store, tables: Rc::new(store.tables()), origin, before: PRESENT, memory: Rc::default() }
    }

    /// Facts as they were just before an entry.
    pub fn before(&self, seq: u64) -> Trusted<'s> {
        Trusted {
            store: self.store,
            tables: self.tables.clone(),
            origin: self.origin.clone(),
            before: seq,
            memory: self.memory.clone(),
        }
    }

    /// The log.
    pub(super) fn store(&self) -> &'s Store {
        self.store
    }

    /// An entry, verified, with its event and its texts; as [`super::Workspace::event`], for who reads many.
    pub fn event(&self, seq: u64) -> Result<(Entry, Event), WorkspaceError> {
        let missing = || WorkspaceError::integrity(seq, format!("entry {seq} is missing"));
        self.verified(&self.store.entry(seq)?.ok_or_else(missing)?)
    }

    /// The tables, for writing what an entry changed.
    pub(super) fn tables(&self) -> &Tables<'s> {
        &self.tables
    }

    /// An entry was appended about a subject: what is known of it is out of date.
    pub(super) fn forget(&self, subject: Option<Id>) {
        let mut memory = self.memory.borrow_mut();
        match subject {
            Some(id) => drop(memory.timelines.remove(&id)),
            None => memory.timelines.clear(),
        }
        if subject.is_none_or(|s| s == Id::POLICY) {
            memory.policies.clear();
        }
    }

    /// The newest change about a subject that `pick` wants, before this place.
    fn newest<T>(&self, subject: Id, pick: impl Fn(&Change) -> Option<T>) -> Result<Option<T>, WorkspaceError> {
        self.read_up(subject)?;
        let memory = self.memory.borrow();
        let Some(timeline) = memory.timelines.get(&subject) else {
            return Ok(None);
        };
        Ok(timeline.changes.iter().rev().filter(|(seq, _)| *seq < self.before).find_map(|(_, change)| pick(change)))
    }

    /// Every change that entries about a subject made before this place, oldest first, each with its entry.
    pub fn history(&self, subject: Id) -> Result<Vec<(u64, Rc<Change>)>, WorkspaceError> {
        self.read_up(subject)?;
        let memory = self.memory.borrow();
        let changes = memory.timelines.get(&subject).map(|t| t.changes.as_slice()).unwrap_or_default();
        Ok(changes.iter().filter(|(seq, _)| *seq < self.before).cloned().collect())
    }

    /// Folds every entry about a subject that lies before this place.
    fn read_up(&self, subject: Id) -> Result<(), WorkspaceError> {
        let upto = self.memory.borrow_mut().timelines.entry(subject).or_default().upto;
        if upto >= self.before {
            return Ok(());
        }
        // Asked before the entries are read, so that whoever commits in between adds to these and not to those.
        let mut narrowed = if self.before == PRESENT { self.tables.narrowed_by(subject)? } else { Vec::new() };
        for stored in self.store.about(subject, self.before)? {
            narrowed.retain(|seq| *seq != stored.seq);
            if stored.seq < self.mark(subject, stored.seq) {
                continue;
            }
            let (entry, event) = match self.verified(&stored) {
                Ok(read) => read,
                // An operator said that it was looked into: it counts for nothing, and stops nothing any more.
                Err(WorkspaceError::Integrity { .. }) if self.is_voided(&stored)? => {
                    self.mark(subject, stored.seq + 1);
                    continue;
                }
                Err(e) => return Err(e),
            };
            match judge(&entry, &event, &self.before(stored.seq)) {
                Ok(changes) => {
                    let mut memory = self.memory.borrow_mut();
                    let timeline = memory.timelines.entry(subject).or_default();
                    timeline.changes.extend(changes.into_iter().map(|c| (stored.seq, Rc::new(c))));
                }
                Err(Refusal::Fault(_)) => {}
                Err(Refusal::Facts(e)) => return Err(e),
            }
            self.mark(subject, stored.seq + 1);
        }
        if let Some(seq) = narrowed.first() {
            return Err(lost(subject, *seq));
        }
        self.mark(subject, self.before);
        Ok(())
    }

    /// Says that everything before `upto` is folded; gives what is folded now. Judging an entry asks for its own subject
    /// as of that entry, and must find what was folded so far.
    fn mark(&self, subject: Id, upto: u64) -> u64 {
        let mut memory = self.memory.borrow_mut();
        let timeline = memory.timelines.entry(subject).or_default();
        timeline.upto = timeline.upto.max(upto);
        timeline.upto
    }

    fn ready(&self, key: PublicKey) -> Rc<Result<ReadyKey, KeyFault>> {
        self.memory.borrow_mut().keys.entry(key).or_insert_with(|| Rc::new(key.ready())).clone()
    }

    /// Was an entry that is no event of ours voided, by its leaf hash, by an operator who was live then? The table says where
    /// to look; what is said there is signed. Whether it could be voided, `audit verify` proves.
    fn is_voided(&self, stored: &Stored) -> Result<bool, WorkspaceError> {
        let Some(by) = self.tables.invalid(stored.seq)?.and_then(|e| e.voided_seq).filter(|by| *by > stored.seq) else {
            return Ok(false);
        };
        // What is badly signed, or not what it commits to, may be a revocation that somebody damaged.
        if self.signed(stored).is_err() {
            return Ok(false);
        }
        // Two that are each about the voider of the other would ask for each other for ever.
        if !self.memory.borrow_mut().voiding.insert(stored.seq) {
            return Ok(false);
        }
        let said = self.store.entry(by)?.map(|s| self.before(by).verified(&s)).transpose();
        let live = |actor: Actor| match actor {
            Actor::Identity(id) if id.kind == IdKind::Operator => {
                Ok::<_, WorkspaceError>(self.before(by).identity(id)?.is_some_and(|i| i.is_live()))
            }
            _ => Ok(false),
        };
        let leaf = inspect(&stored.envelope, None).leaf().to_hex();
        let voided = match said {
            Ok(Some((entry, Event::EntryVoided(b)))) => b.seq == stored.seq && b.leaf == leaf && live(entry.actor)?,
            _ => false,
        };
        self.memory.borrow_mut().voiding.remove(&stored.seq);
        Ok(voided)
    }

    /// Reads one stored entry and verifies form, log, place, columns, signature and commitment.
    pub(super) fn verified(&self, stored: &Stored) -> Result<(Entry, Event), WorkspaceError> {
        let bad = |what: String| WorkspaceError::integrity(stored.seq, format!("entry {}: {what}", stored.seq));
        let (seen, actor, range) = self.signed(stored)?;
        let h = seen.header().ok_or_else(|| bad("its header cannot be read".into()))?;
        let body = stored.record.as_deref().and_then(|r| r.get(range)).unwrap_or_default();
        let event =
            Event::parse_bytes(&h.kind, body).ok_or_else(|| bad(format!("nobody defined {}", h.kind)))?.map_err(bad)?;
        let at = h.at.parse().map_err(bad)?;
        let entry = Entry {
            seq: h.seq,
            at,
            actor,
            subject: h.subject.parse().ok(),
            leaf: seen.leaf().to_hex(),
            origin: h.log.clone(),
        };
        Ok((entry, event))
    }

    /// Is it rightly signed, and what it commits to, and yet no event of ours? An operator may void such an entry.
    pub(super) fn is_no_event(&self, stored: &Stored) -> bool {
        self.signed(stored).is_ok() && self.verified(stored).is_err()
    }

    /// Everything below the event: who signed it, and where its body stands in the record.
    fn signed(&self, stored: &Stored) -> Result<(Inspected, Actor, Range<usize>), WorkspaceError> {
        let bad = |what: String| WorkspaceError::integrity(stored.seq, format!("entry {}: {what}", stored.seq));
        // The same reading as `audit verify`'s, which builds no tree of values: a policy's payload is large.
        let seen = inspect(&stored.envelope, stored.record.as_deref());
        if let Some(fault) = seen.form_fault() {
            return Err(bad(fault.to_string()));
        }
        let h = seen.header().ok_or_else(|| bad("its header cannot be read".into()))?;
        if h.seq != stored.seq || h.log != self.origin.name {
            return Err(bad("it belongs to another place or another log".into()));
        }
        if (h.kind.as_str(), h.actor.as_str(), h.subject.as_str())
            != (stored.columns.0.as_str(), stored.columns.1.as_str(), stored.columns.2.as_str())
        {
            return Err(bad("the columns beside it say something else than it does".into()));
        }
        let actor: Actor = h.actor.parse().map_err(bad)?;
        let key = match actor {
            Actor::Log => PublicKey(self.origin.log_key),
            // Entry 0 was verified when the workspace was opened, with the key that it carries.
            Actor::Identity(_) if stored.seq == 0 => {
                first_key(stored).ok_or_else(|| bad("it carries no operator key".into()))?
            }
            Actor::Identity(id) => match self.before(stored.seq).identity(id)? {
                Some(identity) => PublicKey(identity.public_key),
                None => return Err(bad(format!("its signer {id} was not enrolled before it"))),
            },
        };
        check_signature_ready(&seen, Some(&self.ready(key))).map_err(|e| bad(e.to_string()))?;
        let (SeenPayload::Read { fault: None, body: Some(range), .. }, true) = (&seen.payload, seen.commitment_holds())
        else {
            return Err(bad("its payload is missing, or is not the one that was signed for".into()));
        };
        let range = range.clone();
        Ok((seen, actor, range))
    }
}

/// The tables know of an entry that is not found. They prove nothing, but whoever takes a revocation out of the log has
/// to take it out of both; and then `audit verify` finds it in the chain.
fn lost(subject: Id, seq: u64) -> WorkspaceError {
    WorkspaceError::integrity(seq, format!("the tables know of entry {seq} about {subject}, and it is not found"))
}

/// The operator key that entry 0 carries.
fn first_key(stored: &Stored) -> Option<PublicKey> {
    let record = Record::parse(stored.record.as_deref()?).ok()?;
    match Event::parse("workspace.created/1", &record.body)? {
        Ok(Event::WorkspaceCreated(b)) => Some(PublicKey(b.operator_key.0)),
        _ => None,
    }
}

/// Verifies entry 0 and gives what it fixed.
pub(super) fn origin(store: &Store) -> Result<Origin, WorkspaceError> {
    let missing = || WorkspaceError::integrity(0, "entry 0 is missing");
    let stored = store.entry(0)?.ok_or_else(missing)?;
    let seen = inspect(&stored.envelope, None);
    let name =
        seen.header().map(|h| h.log.clone()).ok_or_else(|| WorkspaceError::integrity(0, "entry 0 cannot be read"))?;
    // The name is taken from the entry and then has to follow from the keys and the nonce that it carries.
    let nothing = Rc::new(Origin { name, log_key: [0; 32], company: None });
    let start = Trusted::new(store, nothing).before(0);
    let (entry, event) = start.verified(&stored)?;
    match judge(&entry, &event, &start) {
        Ok(changes) => changes
            .into_iter()
            .find_map(|c| match c {
                Change::Origin(o) => Some(o),
                _ => None,
            })
            .ok_or_else(missing),
        Err(Refusal::Fault(f)) => Err(WorkspaceError::integrity(0, format!("entry 0: {}", f.detail))),
        Err(Refusal::Facts(e)) => Err(e),
    }
}

impl Facts for Trusted<'_> {
    type Error = WorkspaceError;

    fn origin(&self) -> Result<Option<Rc<Origin>>, WorkspaceError> {
        // While a workspace is being created, the present too lies before entry 0.
        let begun = match self.before {
            PRESENT => self.store.last_seq()?.is_some(),
            seq => seq > 0,
        };
        Ok(begun.then(|| self.origin.clone()))
    }

    fn identity(&self, id: Id) -> Result<Option<Rc<Identity>>, WorkspaceError> {
        self.newest(id, |c| match c {
            Change::Identity(i) => Some(Rc::new(i.clone())),
            _ => None,
        })
    }

    fn key_was_used(&self, key: &[u8; 32]) -> Result<bool, WorkspaceError> {
        // Only what lies before this place counts: an enrolment that is read again must not stand in its own way.
        let log = self.origin()?.is_some_and(|o| o.log_key == *key);
        Ok(log || self.tables.enrolled_with(key)?.is_some_and(|seq| seq < self.before))
    }

    fn operators(&self) -> Result<Vec<Rc<Identity>>, WorkspaceError> {
        let mut found = Vec::new();
        for id in self.store.subjects(IdKind::Operator)? {
            found.extend(self.identity(id)?.filter(|i| i.recovers().is_none()));
        }
        Ok(found)
    }

    fn agent_named(&self, handle: &str) -> Result<Option<Rc<Identity>>, WorkspaceError> {
        let Some(found) = self.tables.agent_named(handle)? else {
            return Ok(None);
        };
        Ok(self.identity(found.id)?.filter(|i| i.handle.as_deref() == Some(handle)))
    }

    fn integration(&self, id: Id) -> Result<Option<Rc<Integration>>, WorkspaceError> {
        self.newest(id, |c| match c {
            Change::Integration(i) => Some(Rc::new(i.clone())),
            _ => None,
        })
    }

    fn integration_named(&self, handle: &str) -> Result<Option<Rc<Integration>>, WorkspaceError> {
        let Some(found) = self.tables.integration_named(handle)? else {
            return Ok(None);
        };
        Ok(self.integration(found.id)?.filter(|i| i.handle == handle))
    }

    fn grant(&self, id: Id) -> Result<Option<Rc<Grant>>, WorkspaceError> {
        self.newest(id, |c| match c {
            Change::Grant(g) => Some(Rc::new(g.clone())),
            _ => None,
        })
    }

    fn grants_between(&self, agent: Id, integration: Id) -> Result<Vec<Rc<Grant>>, WorkspaceError> {
        let mut found = Vec::new();
        for g in self.tables.grants_between(agent, integration)? {
            found.extend(self.grant(g.id)?.filter(|g| g.agent == agent && g.integration == integration));
        }
        Ok(found)
    }

    fn policy(&self) -> Result<Option<Rc<Policy>>, WorkspaceError> {
        let known = |(from, upto, policy): &(u64, u64, Rc<Policy>)| {
            (*from < self.before && self.before <= *upto).then(|| policy.clone())
        };
        if let Some(policy) = self.memory.borrow().policies.iter().find_map(known) {
            return Ok(Some(policy));
        }
        // Adoptions replace each other, so the newest valid one is enough: walk back to it.
        let narrowed = if self.before == PRESENT { self.tables.narrowed_by(Id::POLICY)? } else { Vec::new() };
        let mut known = narrowed.into_iter().max();
        let mut before = self.before;
        while let Some(stored) = self.store.newest_about(Id::POLICY, before)? {
            if let Some(seq) = known.take().filter(|seq| stored.seq < *seq) {
                return Err(lost(Id::POLICY, seq));
            }
            // Verified before, for an earlier place: nothing was adopted since, so it was in force up to this one, too.
            if let Some((_, upto, policy)) =
                self.memory.borrow_mut().policies.iter_mut().find(|(from, ..)| *from == stored.seq)
            {
                *upto = self.before.max(*upto);
                return Ok(Some(policy.clone()));
            }
            let (entry, event) = match self.verified(&stored) {
                Ok(read) => read,
                Err(WorkspaceError::Integrity { .. }) if self.is_voided(&stored)? => {
                    before = stored.seq;
                    continue;
                }
                Err(e) => return Err(e),
            };
            match judge(&entry, &event, &self.before(stored.seq)) {
                Ok(changes) => {
                    let adopted = changes.into_iter().find_map(|c| match c {
                        Change::Policy(p) => Some(Rc::new(*p)),
                        _ => None,
                    });
                    if let Some(policy) = adopted {
                        self.memory.borrow_mut().policies.push((stored.seq, self.before, policy.clone()));
                        return Ok(Some(policy));
                    }
                }
                Err(Refusal::Fault(_)) => {}
                Err(Refusal::Facts(e)) => return Err(e),
            }
            before = stored.seq;
        }
        known.map_or(Ok(None), |seq| Err(lost(Id::POLICY, seq)))
    }

    fn frozen(&self, target: Id) -> Result<Option<u64>, WorkspaceError> {
        let newest = self.newest(target, |c| match c {
            Change::Freeze { seq, .. } => Some(*seq),
            _ => None,
        })?;
        Ok(newest.flatten())
    }

    fn request(&self, id: Id) -> Result<Option<Rc<Request>>, WorkspaceError> {
        self.newest(id, |c| match c {
            Change::Request(r) => Some(Rc::new((**r).clone())),
            _ => None,
        })
    }

    fn request_by_key(&self, requester: Id, key: &str) -> Result<Option<Id>, WorkspaceError> {
        // As above: a request that is read again is not its own double.
        let Some(id) = self.tables.request_by_key(requester, key)? else {
            return Ok(None);
        };
        Ok(self
            .request(id)?
            .filter(|r| r.requester == requester && r.idempotency_key.as_deref() == Some(key))
            .map(|r| r.id))
    }

    fn spent_after(&self, after: Time, currency: Currency, but: Option<Id>) -> Result<u64, WorkspaceError> {
        Ok(match self.before {
            PRESENT => self.tables.spent_after(after, currency, but)?,
            seq => self.tables.spent_before(seq, after, currency, but)?,
        })
    }

    fn spend(&self, request: Id) -> Result<Option<Spend>, WorkspaceError> {
        Ok(self.tables.spend(request)?)
    }

    fn entry(&self, seq: u64) -> Result<Option<EntryFacts>, WorkspaceError> {
        Ok(self.tables.entry(seq)?)
    }

    fn invalid(&self, seq: u64) -> Result<Option<InvalidEntry>, WorkspaceError> {
        // As of a place in the log, nothing was voided that a later entry voids.
        let known = |mut e: InvalidEntry| {
            e.voided_seq = e.voided_seq.filter(|by| *by < self.before);
            e
        };
        Ok(self.tables.invalid(seq)?.map(known))
    }

    fn erased_members(&self, seq: u64) -> Result<Vec<String>, WorkspaceError> {
        let gone = self.store.erasures_of(seq)?.into_iter().filter(|(_, by)| *by < self.before);
        Ok(gone.map(|(member, _)| member).collect())
    }

    fn key(&self, id: Id) -> Result<Option<Rc<Key>>, WorkspaceError> {
        self.newest(id, |c| match c {
            Change::Key(k) => Some(Rc::new((**k).clone())),
            _ => None,
        })
    }

    fn review(&self, id: Id) -> Result<Option<Rc<ReviewRecord>>, WorkspaceError> {
        self.newest(id, |c| match c {
            Change::Review(r) => Some(Rc::new((**r).clone())),
            _ => None,
        })
    }

    fn replays_decisions(&self) -> bool {
        self.before == PRESENT
    }
}
