//! Changing a workspace: decide, sign, append and project in one transaction, then move the pin.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{Trusted, Workspace, WorkspaceError, erase, pin};
use crate::domain::authority::{Entry, Refusal, judge};
use crate::domain::event::{Event, RollbackAccepted};
use crate::domain::facts::Facts;
use crate::domain::id::{Actor, Id, IdKind};
use crate::domain::time::{Span, Time};
use crate::identity::Signer;
use crate::log::envelope::Envelope;
use crate::log::hash::Hash;
use crate::log::header::Header;
use crate::log::key::PublicKey;
use crate::log::payload::Record;
use crate::log::tree::{Frontier, leaf_hash};
use crate::log::verify::inspect;
use crate::store::{Head, Stored, Write};
use crate::sys::random;

/// A writer refuses to append when the entry before is so far ahead of its clock (log-format.md, member `at`).
const AHEAD: Span = Span::FIVE_MINUTES;

/// Who signs.
#[derive(Clone, Copy)]
pub struct By<'a> {
    /// As whom.
    pub actor: Actor,
    /// With what.
    pub signer: &'a Signer,
}

impl<'a> By<'a> {
    /// An operator or agent.
    pub fn identity(id: Id, signer: &'a Signer) -> By<'a> {
        By { actor: Actor::Identity(id), signer }
    }

    /// Nobody: the log itself, unattributed.
    pub fn log(signer: &'a Signer) -> By<'a> {
        By { actor: Actor::Log, signer }
    }
}

/// An entry that was appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// Its place.
    pub seq: u64,
    /// Its leaf hash, hex.
    pub leaf: String,
    /// When it was signed.
    pub at: Time,
}

/// A change in progress. What it appended is gone unless the closure that got it returns `Ok`.
pub struct Tx<'s> {
    write: &'s Write<'s>,
    workspace: &'s Workspace,
    facts: Trusted<'s>,
    now: Time,
    frontier: Frontier,
    head: Head,
    /// Everything that was appended only takes rights away.
    only_narrows: bool,
    /// What is asked to be erased, once somebody needed to know.
    going: Option<Vec<erase::Going>>,
}

/// An entry signed then is too far ahead of that clock for another one to follow it.
fn is_ahead(at: Time, clock: Time) -> bool {
    at > clock.plus(AHEAD)
}

impl Workspace {
    /// When the last entry was signed, if that lies so far ahead of the clock that nothing can be appended.
    ///
    /// # Errors
    /// What reading gives.
    pub fn waits_for(&self, clock: Time) -> Result<Option<Time>, WorkspaceError> {
        Ok(self.store.head()?.map(|head| head.at).filter(|at| is_ahead(*at, clock)))
    }

    /// Runs `change` alone among all writers. If it gives `Ok`, what it appended is on disk when this returns; a pin that
    /// could not be moved is said in the second value and undoes nothing. On a log that its pin does not know, only what
    /// takes rights away is appended, and the second value says so.
    ///
    /// # Errors
    /// What `change` gives, and [`WorkspaceError`] where the log is damaged, rolled back, or from the future.
    pub fn transact<T, E: From<WorkspaceError>>(
        &self,
        clock: Time,
        change: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<(T, Option<WorkspaceError>), E> {
        let write = self.store.write().map_err(WorkspaceError::from)?;
        let head = self.store.head().map_err(WorkspaceError::from)?;
        let state_dir = self.state_dir();
        let behind = self.refuse_behind(head.as_ref()).err();
        let (head, frontier) = self.continue_from(head)?;
        let before = head.size;
        let unfinished = erase::is_unfinished(&self.place);
        let mut tx = self.begin(&write, head, frontier, clock)?;
        let done = change(&mut tx);
        // Nothing stands in the way of taking rights away (law 2); anything else ends here.
        let goes_on = done.is_ok() && tx.only_narrows && tx.head.size > before;
        let behind = match behind {
            Some(e) if !goes_on => return Err(e.into()),
            other => other,
        };
        let out = done?;
        let Tx { head, frontier, only_narrows, .. } = tx;
        if head.size == before {
            return Ok((out, None));
        }
        write.set_head(&head).map_err(WorkspaceError::from)?;
        if behind.is_some() {
            pin::mark_behind(&state_dir)?;
        }
        write.commit().map_err(WorkspaceError::from)?;
        if behind.is_some() {
            // The pin stays where it is, and so does the verdict.
            return Ok((out, behind));
        }
        let warning =
            self.log_identity().and_then(|log| pin::advance(&self.state_dir(), &self.origin, &log, &frontier)).err();
        // An erasure whose bytes could not be taken out of the files yet, or that was cut off. Who erases finishes itself,
        // and nobody who takes rights away is kept waiting for it.
        if unfinished && !only_narrows {
            drop(erase::finish(self, Duration::ZERO));
        }
        // Who erases clears it, too, and says so.
        if !erase::is_unfinished(&self.place) {
            self.clear_half_made();
        }
        Ok((out, warning))
    }

    /// An operator goes on with a log that is not the newest: signs `rollback.accepted/1`, and makes the log's present end
    /// the pin. The old pin stays beside it. Nothing else can be appended by this.
    ///
    /// # Errors
    /// [`WorkspaceError::NothingToAccept`]; where the log is damaged; where its identity, which signs the pin, is missing.
    pub fn accept_rollback(&self, clock: Time, by: By<'_>, reason: Option<String>) -> Result<Appended, WorkspaceError> {
        // The pin cannot be replaced without it, so nothing is appended without it either.
        let log = self.log_identity()?;
        let tables_fit = self.verified_but_for_its_pin(clock)?;
        let write = self.store.write()?;
        let head = self.store.head()?;
        match self.refuse_tail_cut(head.as_ref()).and_then(|()| self.refuse_behind(head.as_ref())) {
            Ok(()) => return Err(WorkspaceError::NothingToAccept),
            Err(e) if e.is_behind() => {}
            Err(e) => return Err(e),
        }
        let (head, frontier) = if tables_fit { self.continue_from(head)? } else { self.replay_tables(&write)? };
        let mut tx = self.begin(&write, head, frontier, clock)?;
        let (pin_size, pin_root) = pin::read(&self.state_dir(), &self.origin)?.named();
        let appended = tx.append(by, RollbackAccepted { pin_size, pin_root: pin_root.to_hex(), reason })?;
        let Tx { head, frontier, .. } = tx;
        write.set_head(&head)?;
        write.commit()?;
        // A crash here is made good by the next writer, who finds the acceptance at the log's end.
        pin::replace(&self.state_dir(), &self.origin, &log, &frontier)?;
        self.remember_place()?;
        Ok(appended)
    }

    /// A transaction that goes on from this end of the log, at this time or at that of the last entry, if that is later.
    fn begin<'t>(
        &'t self,
        write: &'t Write<'t>,
        head: Head,
        frontier: Frontier,
        clock: Time,
    ) -> Result<Tx<'t>, WorkspaceError> {
        if head.size > 0 && is_ahead(head.at, clock) {
            return Err(WorkspaceError::ClockBehind { last: head.at, clock });
        }
        let (facts, now) = (self.facts(), clock.max(head.at));
        Ok(Tx { write, workspace: self, facts, now, frontier, head, only_narrows: true, going: None })
    }

    /// Where the log really ends, which the tables must agree with: a writer never builds on a damaged end.
    fn continue_from(&self, head: Option<Head>) -> Result<(Head, Frontier), WorkspaceError> {
        let Some(head) = self.sound(head)? else {
            return Ok((
                Head { size: 0, frontier: Vec::new(), leaf: Hash::ZERO.0, at: Time::from_millis(0) },
                Frontier::new(),
            ));
        };
        let frontier = Frontier::from_bytes(&head.frontier)
            .filter(|f| f.size() == head.size)
            .ok_or_else(|| WorkspaceError::integrity(None, "table head: the tree's edge is unreadable"))?;
        Ok((head, frontier))
    }

    /// The end of the log as the table has it, if that is where the entries end.
    pub(super) fn sound(&self, head: Option<Head>) -> Result<Option<Head>, WorkspaceError> {
        let last = self.store.last_seq()?;
        let wrong = |what: &str| WorkspaceError::integrity(None, format!("table head: {what}"));
        let (head, last) = match (head, last) {
            (None, None) => return Ok(None),
            (None, Some(_)) => return Err(wrong("the row is missing")),
            (Some(_), None) => return Err(wrong("there are no entries")),
            (Some(head), Some(last)) => (head, last),
        };
        self.refuse_tail_cut(Some(&head))?;
        if last.checked_add(1) != Some(head.size) {
            return Err(wrong("it counts other entries than there are"));
        }
        let stored = self.store.entry(last)?.ok_or_else(|| wrong("the last entry is missing"))?;
        if leaf_hash(&stored.envelope).0 != head.leaf {
            return Err(WorkspaceError::integrity(last, format!("entry {last} is not the one that was appended")));
        }
        let signed_at = inspect(&stored.envelope, None).header().and_then(|h| h.at.parse::<Time>().ok());
        if signed_at != Some(head.at) {
            return Err(wrong("the last entry was signed at another time"));
        }
        Ok(Some(head))
    }

    /// The tables count entries that are gone.
    pub(super) fn refuse_tail_cut(&self, head: Option<&Head>) -> Result<(), WorkspaceError> {
        let size = self.store.last_seq()?.map_or(0, |last| last.saturating_add(1));
        match head {
            Some(head) if size < head.size => Err(WorkspaceError::TailCut { size, counted: head.size }),
            _ => Ok(()),
        }
    }

    /// The pin, to be read before a snapshot is taken: a writer in between moves the log past it, never behind.
    pub fn pinned(&self) -> Result<Pinned, WorkspaceError> {
        Ok(Pinned(pin::read(&self.state_dir(), &self.origin)?))
    }

    /// The moment of a decision that only answers and writes nothing. Whatever would stop a writer stops it: a damaged end,
    /// a log older than its pin, a last entry from the future (by which a week's money would be forgotten).
    ///
    /// # Errors
    /// As [`Workspace::transact`].
    pub fn moment(&self, pinned: Pinned, clock: Time) -> Result<Time, WorkspaceError> {
        let head = self.store.head()?;
        self.refuse_swapped()?;
        let (size, root) = pinned.0.named();
        match pinned.0.refuse_rollback(head.as_ref()) {
            Err(e) if e.is_behind() && self.accepted(size, root)?.is_some() => {}
            other => other?,
        }
        let Some(head) = self.sound(head)? else { return Ok(clock) };
        if is_ahead(head.at, clock) {
            return Err(WorkspaceError::ClockBehind { last: head.at, clock });
        }
        Ok(clock.max(head.at))
    }
}

/// A pin that was read, not yet compared with anything.
#[derive(Debug)]
pub struct Pinned(pub(super) pin::Pin);

impl<'s> Tx<'s> {
    /// The moment of this change: the clock's, or the last entry's if that is later.
    pub fn now(&self) -> Time {
        self.now
    }

    /// The state, verified, with what this change appended.
    pub fn facts(&self) -> &Trusted<'s> {
        &self.facts
    }

    /// The write in progress, for what is no entry.
    pub(super) fn write(&self) -> &Write<'s> {
        self.write
    }

    /// The next unused id of a kind.
    pub fn next_id(&self, kind: IdKind) -> Result<Id, WorkspaceError> {
        Ok(Id::new(kind, self.workspace.store.next_number(kind)?))
    }

    /// Appends an event, signed, if it has the authority to be there.
    pub fn append(&mut self, by: By<'_>, event: impl Into<Event>) -> Result<Appended, WorkspaceError> {
        self.append_to(by, event.into(), &self.workspace.origin.name.clone())
    }

    pub(super) fn append_to(&mut self, by: By<'_>, event: Event, origin: &str) -> Result<Appended, WorkspaceError> {
        self.only_narrows &= event.narrows();
        let named = match &event {
            Event::PayloadErased(b) => self.facts.entry(b.seq)?.and_then(|e| e.subject),
            Event::EntryVoided(b) => self.facts.invalid(b.seq)?.and_then(|e| e.subject),
            Event::EntryCorrected(b) => self.facts.entry(b.seq)?.and_then(|e| e.subject),
            _ => None,
        };
        let subject = event.subject(named);
        let body = event.to_body().map_err(WorkspaceError::Unwritable)?;
        self.refuse_repeated(by, &event, &body)?;
        let mut salts = Vec::with_capacity(body.len());
        for _ in 0..body.len() {
            salts.push(random::bytes::<32>()?);
        }
        let record = Record::seal(body, || salts.pop().unwrap_or_default());
        let commit = record.commit().map_err(|e| WorkspaceError::Unwritable(e.to_string()))?;
        let header = Header {
            log: origin.to_string(),
            seq: self.head.size,
            prev: Hash(self.head.leaf),
            at: self.now.to_string(),
            actor: by.actor.to_string(),
            key: PublicKey(by.signer.public()).key_id(),
            kind: event.name().to_string(),
            subject: subject.map(|s| s.to_string()).unwrap_or_default(),
            commit,
        };
        let envelope = Envelope::seal(&header, |message| by.signer.sign(message))
            .map_err(|e| WorkspaceError::Unwritable(e.to_string()))?;
        let leaf = envelope.leaf_hash();
        let entry = Entry {
            seq: header.seq,
            at: self.now,
            actor: by.actor,
            subject,
            leaf: leaf.to_hex(),
            origin: header.log.clone(),
        };
        self.check_key(by, header.seq)?;
        let changes = match judge(&entry, &event, &self.facts) {
            Ok(changes) => changes,
            Err(Refusal::Fault(fault)) => return Err(WorkspaceError::Refused(fault)),
            Err(Refusal::Facts(e)) => return Err(e),
        };
        let columns = (header.kind.clone(), header.actor.clone(), header.subject.clone(), self.now.millis());
        let record = record.to_jcs().map_err(|e| WorkspaceError::Unwritable(e.to_string()))?;
        self.write.append(&Stored { seq: header.seq, envelope: envelope.bytes, record: Some(record), columns })?;
        for change in &changes {
            self.facts.tables().apply(change)?;
        }
        self.facts.forget(subject);
        self.frontier.push(leaf);
        self.head = Head { size: header.seq + 1, frontier: self.frontier.to_bytes(), leaf: leaf.0, at: self.now };
        Ok(Appended { seq: header.seq, leaf: entry.leaf, at: self.now })
    }

    /// What an operator says must not keep what is asked to be erased. Who takes rights away is never kept from it.
    fn refuse_repeated(&mut self, by: By<'_>, event: &Event, body: &Map<String, Value>) -> Result<(), WorkspaceError> {
        let operator = matches!(by.actor, Actor::Identity(id) if id.kind == IdKind::Operator);
        if !operator || event.narrows() || !erase::says(body) {
            return Ok(());
        }
        if self.going.is_none() {
            self.going = Some(self.workspace.going(&self.facts, self.now)?);
        }
        erase::refuse_body(self.going.as_deref().unwrap_or_default(), body)
    }

    /// The key must be the enrolled one of the actor; anything else would be found by verify, so it is refused here.
    fn check_key(&self, by: By<'_>, seq: u64) -> Result<(), WorkspaceError> {
        let enrolled = match by.actor {
            Actor::Log => Some(self.workspace.origin.log_key),
            Actor::Identity(_) if seq == 0 => return Ok(()),
            Actor::Identity(id) => self.facts.identity(id)?.map(|i| i.public_key),
        };
        if enrolled == Some(by.signer.public()) {
            Ok(())
        } else {
            Err(WorkspaceError::NoIdentity(format!(
                "the identity presented is not the one that was enrolled as {}",
                by.actor
            )))
        }
    }
}
