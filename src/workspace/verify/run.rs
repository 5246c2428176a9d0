//! The walk over the log: every entry in order, believing nothing that it says about itself.
//!
//! Form, commitment and signature of each entry are checked on all cores; chain, tree and authority follow in order, on
//! one. Every valid entry is replayed into a scratch database. Without all payloads nothing is replayed, and only what
//! the envelopes alone can show is checked.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::check::{Checked, Registry, Task, check_all};
use super::source::{Payloads, Source};
use super::{MAX_DIFFERENCES, MAX_INVALID};
use crate::domain::authority::{Entry, Refusal, judge};
use crate::domain::event::Event;
use crate::domain::facts::{Change, InvalidEntry, Origin};
use crate::domain::id::Actor;
use crate::domain::time::Time;
use crate::log::checkpoint::VerifierKey;
use crate::log::key::PublicKey;
use crate::log::origin::origin;
use crate::log::verdict::{Check, Report, Status};
use crate::log::verify::{
    ChainChecker, ErasureClaim, ErasureLedger, SeenPayload, SignatureFault, check_signature_ready, look_at_line,
};
use crate::store::{Difference, Store, Tables};
use crate::workspace::WorkspaceError;

/// Entries that are read and checked together: enough to keep the cores busy, few enough for 64 MiB. Three batches are in
/// memory at once: one is read, one is checked, one is followed.
const BATCH: usize = 800;

/// The first batch. A signature is checked on all cores only by a key that was known when its batch began, and most
/// signers are enrolled early: so the batches begin small, and double.
const FIRST_BATCH: usize = 16;

/// A verification in progress.
pub(super) struct Run<'a> {
    /// Where the facts about entries are found: the workspace, or the scratch copy of a bundle.
    log: &'a Store,
    tables: Tables<'a>,
    payloads: Payloads,
    ledger: ErasureLedger,
    registry: Arc<Registry>,
    log_key: Option<[u8; 32]>,
    pub report: Report,
    pub chain: ChainChecker,
    pub column_differences: Vec<Difference>,
    pub last_at: Option<Time>,
    /// When the entries at the places that were asked for were signed.
    times: BTreeMap<u64, Option<Time>>,
    /// Signers who got another key since the entries that are followed now were checked: in this batch, and in the one
    /// before.
    rekeyed: (HashSet<String>, HashSet<String>),
}

impl<'a> Run<'a> {
    /// Over the log of that name, into the tables of a scratch database.
    pub fn new(
        log: &'a Store,
        replay: &'a Store,
        payloads: Payloads,
        name: &str,
        log_key: Option<[u8; 32]>,
    ) -> Run<'a> {
        let mut report = Report::new();
        for check in [Check::CanonicalForm, Check::Chain] {
            report.checked(check);
        }
        if payloads.all() {
            for check in [Check::Signatures, Check::Commitments, Check::Authority] {
                report.checked(check);
            }
        }
        let mut registry = Registry::new();
        if let Some(key) = log_key {
            registry.insert("log".into(), PublicKey(key).ready());
        }
        Run {
            log,
            tables: replay.tables_replaying(log),
            payloads,
            ledger: ErasureLedger::new(),
            registry: Arc::new(registry),
            log_key,
            report,
            chain: ChainChecker::new(name),
            column_differences: Vec::new(),
            last_at: None,
            times: BTreeMap::from([(0, None)]),
            rekeyed: Default::default(),
        }
    }

    /// Asks for the root at a size, and for the time of the entry behind it.
    pub fn remember(&mut self, size: u64) {
        self.chain.remember(size);
        self.times.entry(size).or_insert(None);
    }

    /// When the entry at a place that was asked for was signed.
    pub fn time_at(&self, place: u64) -> Option<Time> {
        self.times.get(&place).copied().flatten()
    }

    /// A key to name where none is trusted; it verifies nothing.
    pub fn own_key(&self, name: &str) -> VerifierKey {
        VerifierKey::for_log(name, &PublicKey(self.log_key.unwrap_or([0; 32])))
    }

    /// Reads batch after batch: while one is replayed, the next is being checked.
    pub fn all(
        &mut self,
        source: &mut dyn Source,
        threads: usize,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), WorkspaceError> {
        let mut batch = FIRST_BATCH;
        let mut next = source.next(batch)?;
        let mut first = true;
        let mut ready: Vec<Checked> = Vec::new();
        loop {
            let (given, registry) = (std::mem::take(&mut next), self.registry.clone());
            let more = !given.is_empty();
            let payloads = self.payloads;
            self.rekeyed.1 = std::mem::take(&mut self.rekeyed.0);
            let checked = std::thread::scope(|scope| -> Result<Vec<Checked>, WorkspaceError> {
                let work = scope.spawn(move || {
                    let task = Task { registry: &registry, payloads, threads, first };
                    check_all(given, task)
                });
                if more {
                    batch = (batch * 2).min(BATCH);
                    next = source.next(batch)?;
                }
                for entry in std::mem::take(&mut ready) {
                    self.follow(entry)?;
                }
                work.join().map_err(|_| WorkspaceError::integrity(None, "a verifying thread died"))
            })?;
            progress(self.chain.size());
            if checked.is_empty() {
                return Ok(());
            }
            ready = checked;
            first = false;
        }
    }

    /// The part that must follow the order of the log.
    fn follow(&mut self, mut e: Checked) -> Result<(), WorkspaceError> {
        let place = self.chain.size();
        if !e.given.ended {
            self.report.fail(Check::CanonicalForm, Some(place), "line_end", "the last line has no end");
        }
        self.disown(place, &mut e);
        e.inspected.report_form(place, &mut self.report);
        let unreadable = e.inspected.is_unreadable();
        if self.payloads.all() || unreadable || e.inspected.payload != SeenPayload::Absent {
            e.inspected.report_commitment(place, &mut self.report);
        }
        if unreadable && !self.payloads.all() {
            self.report.fail(Check::Authority, Some(place), "unreadable", "the entry cannot be read");
        }
        // A signer who was enrolled, or got another key, while this entry was being checked: look again, now that it is
        // known.
        let rekeyed = e.inspected.actor().is_some_and(|a| self.rekeyed.0.contains(a) || self.rekeyed.1.contains(a));
        if rekeyed || matches!(e.signature, Err(SignatureFault::UnknownSigner)) {
            e.signature = self.signature_again(place, &e);
        }
        match &e.signature {
            Ok(()) => {}
            // Nobody's keys are known but the log's: they are in the payloads.
            Err(SignatureFault::UnknownSigner) if !self.payloads.all() => {}
            Err(fault) => self.report.fail(Check::Signatures, Some(place), fault.reason(), fault.to_string()),
        }
        if let Some(fault) = self.chain.feed(&e.inspected) {
            self.report.fail(Check::Chain, Some(place), fault.kind(), fault.to_string());
        }
        let at = e.inspected.header().and_then(|h| h.at.parse().ok());
        // Whatever is wrong with an entry, its time is where the log goes on from.
        self.last_at = at.or(self.last_at);
        if let Some(asked) = self.times.get_mut(&place) {
            *asked = at;
        }
        if !self.payloads.all() {
            return Ok(());
        }
        self.ledger.missing(place, e.inspected.payload.erased());
        self.compare_columns(&e, at);
        if self.payloads == Payloads::Lines
            && let Some(h) = e.inspected.header()
            && h.actor.parse::<Actor>().is_ok()
            && let Some(at) = at
        {
            self.log.note_entry(place, &h.kind, &h.actor, &h.subject, at)?;
        }
        self.replay_entry(place, &e)
    }

    /// A line was filed under the number that stands at its end. Where it cannot be parsed, and so says nothing, it is
    /// nobody's.
    fn disown(&mut self, place: u64, e: &mut Checked) {
        if self.payloads.lines()
            && let SeenPayload::Unreadable(fault) = &e.inspected.payload
            && look_at_line(e.given.payload.as_deref().unwrap_or_default()).0 != Some(place)
        {
            self.report.fail(Check::CanonicalForm, None, fault.kind(), fault.to_string());
            e.inspected.payload = SeenPayload::Absent;
        }
    }

    fn signature_again(&self, place: u64, e: &Checked) -> Result<(), SignatureFault> {
        if place == 0 && self.payloads.all() {
            // Entry 0 is signed by the operator that it carries.
            let key = self.created_keys(e).map(|(operator, _)| PublicKey(operator).ready());
            return check_signature_ready(&e.inspected, key.as_ref().filter(|_| e.inspected.actor() == Some("op-1")));
        }
        check_signature_ready(&e.inspected, e.inspected.actor().and_then(|a| self.registry.get(a)))
    }

    /// The operator's and the log's key that entry 0 carries.
    fn created_keys(&self, e: &Checked) -> Option<([u8; 32], [u8; 32])> {
        match Event::parse_bytes("workspace.created/1", body_of(e)?)? {
            Ok(Event::WorkspaceCreated(b)) => Some((b.operator_key.0, b.log_key.0)),
            _ => None,
        }
    }

    /// The columns beside an envelope are what it is found by: they must say what it says.
    fn compare_columns(&mut self, e: &Checked, at_signed: Option<Time>) {
        let (Some(h), Some(row)) = (e.inspected.header(), &e.given.row) else { return };
        let (kind, actor, subject, at) = &row.columns;
        let signed_at = at_signed.map_or(i64::MIN, Time::millis);
        if (kind, actor, subject, *at) == (&h.kind, &h.actor, &h.subject, signed_at) {
            return;
        }
        let pairs = [
            ("kind", kind.clone(), h.kind.clone()),
            ("actor", actor.clone(), h.actor.clone()),
            ("subject", subject.clone(), h.subject.clone()),
            ("at", at.to_string(), signed_at.to_string()),
        ];
        let wrong: Vec<_> = pairs.into_iter().filter(|(_, a, b)| a != b).collect();
        if let Some((_, a, b)) = wrong.first().cloned()
            && self.column_differences.len() < MAX_DIFFERENCES
        {
            self.column_differences.push(Difference {
                table: "entries".into(),
                row: row.seq.to_string(),
                columns: wrong.iter().map(|(name, _, _)| (*name).to_string()).collect(),
                kind: "changed".into(),
                example: Some((a, b)),
            });
        }
    }

    /// Judges the entry and, if it has the authority, applies what it changes.
    fn replay_entry(&mut self, place: u64, e: &Checked) -> Result<(), WorkspaceError> {
        let (entry, event) = match readable(place, e) {
            Ok(pair) => pair,
            Err((kind, voidable)) => return self.skip(place, e, kind, voidable),
        };
        if let (0, Event::WorkspaceCreated(b)) = (place, &event)
            && origin(&PublicKey(b.operator_key.0), &PublicKey(b.log_key.0), &b.nonce.0) != entry.origin
        {
            // The format of `log` is that name.
            self.report.fail(
                Check::Chain,
                Some(0),
                "log",
                "the keys and the nonce of entry 0 do not give the log's name",
            );
        }
        match judge(&entry, &event, &self.tables) {
            Ok(changes) => {
                if place == 0
                    && let Some(fault) = self.untrusted_origin(&changes)
                {
                    self.report.fail(Check::Authority, Some(0), "log_key_not_trusted", fault);
                }
                for change in &changes {
                    self.apply(change)?;
                }
                if let Event::PayloadErased(b) = &event
                    && let Err(fault) = self.ledger.claim(place, &claim_of(b))
                {
                    self.report.fail(Check::Authority, Some(place), fault.kind(), fault.to_string());
                }
                Ok(())
            }
            Err(Refusal::Fault(fault)) => self.skip(place, e, fault.kind, true),
            Err(Refusal::Facts(e)) => Err(e.into()),
        }
    }

    fn untrusted_origin(&self, changes: &[Change]) -> Option<String> {
        changes.iter().find_map(|c| match c {
            Change::Origin(Origin { log_key, .. }) if Some(*log_key) != self.log_key => {
                Some("entry 0 carries another log key than the trusted one".into())
            }
            _ => None,
        })
    }

    fn apply(&mut self, change: &Change) -> Result<(), WorkspaceError> {
        if let Change::Identity(i) = change
            && i.retired_seq.is_none()
        {
            let before = Arc::make_mut(&mut self.registry).insert(i.id.to_string(), PublicKey(i.public_key).ready());
            if before.is_some() {
                self.rekeyed.0.insert(i.id.to_string());
            }
        }
        Ok(self.tables.apply(change)?)
    }

    fn skip(&mut self, place: u64, e: &Checked, fault: &str, voidable: bool) -> Result<(), WorkspaceError> {
        let header = e.inspected.header();
        self.tables.note_invalid(&InvalidEntry {
            seq: place,
            leaf: e.inspected.leaf().to_hex(),
            actor: header.and_then(|h| h.actor.parse().ok()).unwrap_or(Actor::Log),
            subject: header.and_then(|h| h.subject.parse().ok()),
            fault: fault.to_string(),
            voidable,
            voided_seq: None,
        })?;
        Ok(())
    }

    /// What can be said of entries and authority only at the end.
    pub fn settle(&mut self) -> Result<Vec<InvalidEntry>, WorkspaceError> {
        for (seq, fault) in self.ledger.settle() {
            self.report.fail(Check::Commitments, Some(seq), fault.kind(), fault.to_string());
        }
        if self.chain.size() == 0 {
            self.report.fail(Check::Authority, Some(0), "entry_0_missing", "the log is empty");
        }
        self.tables.write_out()?;
        let invalid = self.tables.first_invalid_entries(MAX_INVALID)?;
        report_invalid(&mut self.report, &invalid);
        Ok(invalid)
    }
}

/// What an entry says that it erased.
pub(super) fn claim_of(b: &crate::domain::event::PayloadErased) -> ErasureClaim {
    ErasureClaim {
        seq: b.seq,
        members: b.members.iter().cloned().collect(),
        approvals: b.approvals.iter().copied().collect(),
    }
}

/// Entries without authority: a failure until they are voided, and listed ever after.
pub(super) fn report_invalid(report: &mut Report, invalid: &[InvalidEntry]) {
    for e in invalid {
        let detail = format!("entry {} by {}: {}", e.seq, e.actor, e.fault);
        match e.voided_seq {
            Some(_) if report.status(Check::Authority) == Status::Ok => {
                report.report(Check::Authority, Some(e.seq), "voided", format!("{detail}, voided"));
            }
            Some(_) => {}
            None => report.fail(Check::Authority, Some(e.seq), "no_authority", detail),
        }
    }
}

fn body_of(e: &Checked) -> Option<&[u8]> {
    let SeenPayload::Read { body: Some(range), .. } = &e.inspected.payload else { return None };
    e.given.payload.as_deref()?.get(range.clone())
}

/// The entry as the domain sees it, if everything below authority holds. The second value of a refusal: may an operator
/// void it?
fn readable(place: u64, e: &Checked) -> Result<(Entry, Event), (&'static str, bool)> {
    let header = e.inspected.header().filter(|_| e.inspected.form_fault().is_none()).ok_or(("unreadable", false))?;
    if e.signature.is_err() {
        return Err(("signature_not_valid", false));
    }
    let body = body_of(e).filter(|_| e.inspected.commitment_holds()).ok_or(("payload_missing", false))?;
    let event = Event::parse_bytes(&header.kind, body).ok_or(("unknown_type", true))?.map_err(|_| ("body", true))?;
    let entry = Entry {
        seq: place,
        at: header.at.parse().map_err(|_| ("unreadable", false))?,
        actor: header.actor.parse().map_err(|_| ("unreadable", false))?,
        subject: header.subject.parse().ok(),
        leaf: e.inspected.leaf().to_hex(),
        origin: header.log.clone(),
    };
    Ok((entry, event))
}
