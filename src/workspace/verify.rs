//! `audit verify`: everything, from the bytes up, believing nothing that the workspace says about itself.
//!
//! The log is streamed once. Form, commitment and signature of each entry are checked on all cores; chain, tree and
//! authority follow in order, on one. Every valid entry is replayed into a scratch database, and at the end its tables
//! are compared with the workspace's, row by row. A snapshot keeps the view still while others write.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Place, WorkspaceError, pin};
use crate::domain::authority::{Entry, Refusal, judge};
use crate::domain::event::Event;
use crate::domain::facts::{Change, Facts, InvalidEntry, Origin};
use crate::domain::id::Actor;
use crate::domain::time::Time;
use crate::identity::PlainKind;
use crate::log::checkpoint::{Checkpoint, VerifierKey};
use crate::log::key::{KeyFault, PublicKey, ReadyKey};
use crate::log::verdict::{Check, Report, Status};
use crate::log::verify::{
    ChainChecker, Coverage, ErasureClaim, ErasureLedger, Inspected, SeenPayload, SignatureFault, check_pin,
    check_signature_ready, check_tree_root, inspect, report_tail,
};
use crate::store::{Difference, Head, Store, StoreError, Stored, Tables, scratch};
use crate::sys::files;

/// Entries that are read and checked together: enough to keep the cores busy, few enough for 64 MiB.
const BATCH: usize = 2_000;

/// The first batch. A signature is checked on all cores only by a key that was known when its batch began, and most
/// signers are enrolled early: so the batches begin small, and double.
const FIRST_BATCH: usize = 16;

/// Rows named at most.
pub const MAX_DIFFERENCES: usize = 50;

/// What the verifier brings.
#[derive(Debug, Clone, Default)]
pub struct VerifyOptions {
    /// The log's key, known from elsewhere. Without it the one in the state directory is trusted.
    pub vkey: Option<VerifierKey>,
    /// Threads for signatures; all cores where absent.
    pub threads: Option<usize>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// A verdict for each thing that is checked.
    pub report: Report,
    /// The log's name.
    pub origin: String,
    /// Entries.
    pub size: u64,
    /// Merkle root, hex.
    pub root: String,
    /// Rows that are not what the log says.
    pub differences: Vec<Difference>,
    /// Entries without authority, with what became of them.
    pub invalid: Vec<InvalidEntry>,
    /// Where the trusted key came from.
    pub trusted: &'static str,
    /// The last entry lies ahead of this machine's clock.
    pub ahead_of_clock: Option<Time>,
}

/// Keys by signer, shared with the threads that check signatures.
type Registry = HashMap<String, Result<ReadyKey, KeyFault>>;

/// Verifies the workspace of a place. `progress` hears how many entries of how many are done.
///
/// # Errors
/// Only where nothing could be read at all; whatever is wrong with the log is in the report.
pub fn verify(
    place: &Place,
    options: &VerifyOptions,
    clock: Time,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Verification, WorkspaceError> {
    let db = place.database();
    if !db.exists() {
        return Err(WorkspaceError::Missing { dir: place.dir.clone() });
    }
    let store = Store::open(&db)?;
    let dir = files::temporary_dir()?;
    let scratch_path = dir.path().join("replay.db");
    let replay = scratch(&scratch_path)?;
    store.attach_scratch(&scratch_path)?;
    let schema = store.compare_schema(MAX_DIFFERENCES)?;
    // Both have the file open by now, so its name is needed no more: whoever ends this early, with Ctrl-C too, leaves no
    // copy of the tables behind.
    drop(dir);
    examine(place, options, clock, &store, &replay, progress).map_err(|e| match e {
        // Where a table is not the table that it was, reading it may be impossible: that is the finding.
        WorkspaceError::Store(StoreError::Sql(e)) if !schema.is_empty() => {
            let rows: Vec<String> = schema.iter().map(|d| format!("row {}: {}", d.row, d.kind)).collect();
            WorkspaceError::integrity(None, format!("table sqlite_schema, {} ({e})", rows.join(", ")))
        }
        e => e,
    })
}

fn examine(
    place: &Place,
    options: &VerifyOptions,
    clock: Time,
    store: &Store,
    replay: &Store,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Verification, WorkspaceError> {
    let name = name_of(store)?;
    let (vkey, trusted) = trusted_key(place, &name, options, store)?;
    // Before the snapshot: a writer that commits in between moves the pin past what the snapshot shows.
    let pin = pin::note(&place.state_of(&name))?;
    let _snapshot = store.snapshot()?;
    let total = store.last_seq()?.map_or(0, |n| n + 1);

    let mut run = Run::new(store, replay, &name, vkey.as_ref());
    if let (Some(note), Some(key)) = (&pin, &vkey)
        && let Ok((checkpoint, _)) = Checkpoint::open(note, key)
    {
        run.chain.remember(checkpoint.size);
    }
    let threads = options.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)).max(1);
    replay.begin_replay()?;
    run.all(threads, &mut |done| progress(done, total))?;
    run.finish()?;
    replay.end_replay()?;

    let any_key = vkey.clone().unwrap_or_else(|| run.own_key(&name));
    let mut report = run.report;
    check_tree_root(&mut report, &run.chain, pin.as_deref(), &any_key, Coverage::Beginning);
    match (&pin, &vkey) {
        (Some(note), Some(key)) => drop(check_pin(&mut report, &run.chain, note, key)),
        (None, _) => {
            report.fail(Check::PinAndWitnesses, None, "pin_missing", "the pin outside the workspace is missing")
        }
        (_, None) => {
            report.fail(Check::PinAndWitnesses, None, "no_trusted_key", "there is no key to verify the pin with")
        }
    }
    // A pin on the same disk anchors nothing: whoever rolls one back can roll back both.
    report_tail(&mut report, 0, run.chain.size());

    report.checked(Check::Projections);
    let mut differences = run.column_differences;
    differences.extend(store.compare(MAX_DIFFERENCES)?);
    if let Some(d) = differences.first() {
        report.fail(Check::Projections, None, "projection", format!("table {}, row {}: {}", d.table, d.row, d.kind));
    }
    let invalid = replay.tables().invalid_entries()?;
    let ahead = run.last_at.filter(|at| *at > clock);
    Ok(Verification {
        report,
        origin: name,
        size: run.chain.size(),
        root: run.chain.root().to_hex(),
        differences,
        invalid,
        trusted,
        ahead_of_clock: ahead,
    })
}

/// The log's name: what the pin's directory is called after, so another name finds no pin.
fn name_of(store: &Store) -> Result<String, WorkspaceError> {
    let from_entry =
        store.entry(0)?.map(|s| inspect(&s.envelope, None)).and_then(|i| i.header().map(|h| h.log.clone()));
    // A table that cannot be read is found by the comparison; here it only means that the name is not known from it.
    let from_table = || store.tables().origin().ok().flatten().map(|o| o.name.clone());
    Ok(from_entry.or_else(from_table).unwrap_or_default())
}

fn trusted_key(
    place: &Place,
    name: &str,
    options: &VerifyOptions,
    store: &Store,
) -> Result<(Option<VerifierKey>, &'static str), WorkspaceError> {
    if let Some(key) = &options.vkey {
        return Ok((Some(key.clone()), "given with --vkey"));
    }
    let path = place.state_of(name).join("log.json");
    if let Ok(identity) = super::read_plain(&path, PlainKind::Log) {
        return Ok((
            Some(VerifierKey::for_log(name, &PublicKey(identity.signer().public()))),
            "from the state directory",
        ));
    }
    let own =
        store.entry(0)?.as_ref().and_then(created_keys).map(|(_, log)| VerifierKey::for_log(name, &PublicKey(log)));
    Ok((own, "from the log itself: no key from elsewhere was found"))
}

/// The operator's and the log's key that entry 0 carries.
fn created_keys(stored: &Stored) -> Option<([u8; 32], [u8; 32])> {
    let record = crate::log::payload::Record::parse(stored.record.as_deref()?).ok()?;
    match Event::parse("workspace.created/1", &record.body)? {
        Ok(Event::WorkspaceCreated(b)) => Some((b.operator_key.0, b.log_key.0)),
        _ => None,
    }
}

/// One entry after the part that any thread can do.
struct Checked {
    stored: Stored,
    inspected: Inspected,
    signature: Result<(), SignatureFault>,
}

struct Run<'a> {
    store: &'a Store,
    replay: &'a Store,
    tables: Tables<'a>,
    report: Report,
    chain: ChainChecker,
    ledger: ErasureLedger,
    registry: Arc<Registry>,
    log_key: Option<[u8; 32]>,
    column_differences: Vec<Difference>,
    last_at: Option<Time>,
    /// Signers who got another key since the entries that are followed now were checked, and in the batch before.
    rekeyed: [HashSet<String>; 2],
}

impl<'a> Run<'a> {
    fn new(store: &'a Store, replay: &'a Store, name: &str, vkey: Option<&VerifierKey>) -> Run<'a> {
        let mut report = Report::new();
        for check in [Check::CanonicalForm, Check::Signatures, Check::Chain, Check::Commitments, Check::Authority] {
            report.checked(check);
        }
        let log_key = vkey.map(|k| k.key.0);
        let mut registry = Registry::new();
        if let Some(key) = log_key {
            registry.insert("log".into(), PublicKey(key).ready());
        }
        Run {
            store,
            replay,
            tables: replay.tables_replaying(store),
            report,
            chain: ChainChecker::new(name),
            ledger: ErasureLedger::new(),
            registry: Arc::new(registry),
            log_key,
            column_differences: Vec::new(),
            last_at: None,
            rekeyed: Default::default(),
        }
    }

    /// A key to name where none is trusted; it verifies nothing.
    fn own_key(&self, name: &str) -> VerifierKey {
        VerifierKey::for_log(name, &PublicKey(self.log_key.unwrap_or([0; 32])))
    }

    /// Reads batch after batch: while one is replayed, the next is being checked.
    fn all(&mut self, threads: usize, progress: &mut dyn FnMut(u64)) -> Result<(), WorkspaceError> {
        let mut batch = FIRST_BATCH;
        let mut next = self.store.range(0, batch)?;
        let mut ready: Vec<Checked> = Vec::new();
        loop {
            let from = next.last().map(|s| s.seq + 1);
            let (rows, registry) = (std::mem::take(&mut next), self.registry.clone());
            self.rekeyed.swap(0, 1);
            self.rekeyed[0].clear();
            let checked = std::thread::scope(|scope| -> Result<Vec<Checked>, WorkspaceError> {
                let work = scope.spawn(move || check_all(rows, &registry, threads));
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
            if let Some(from) = from {
                batch = (batch * 2).min(BATCH);
                next = self.store.range(from, batch)?;
            }
        }
    }

    /// The part that must follow the order of the log.
    fn follow(&mut self, mut e: Checked) -> Result<(), WorkspaceError> {
        let place = self.chain.size();
        e.inspected.report_form(place, &mut self.report);
        e.inspected.report_commitment(place, &mut self.report);
        // A signer who was enrolled, or got another key, while this entry was being checked: look again, now that it is known.
        let rekeyed = e.inspected.actor().is_some_and(|a| self.rekeyed.iter().any(|those| those.contains(a)));
        if rekeyed || matches!(e.signature, Err(SignatureFault::UnknownSigner)) {
            e.signature = self.signature_again(place, &e);
        }
        if let Err(fault) = &e.signature {
            self.report.fail(Check::Signatures, Some(place), fault.reason(), fault.to_string());
        }
        if let Some(fault) = self.chain.feed(&e.inspected) {
            self.report.fail(Check::Chain, Some(place), fault.kind(), fault.to_string());
        }
        self.ledger.missing(place, e.inspected.payload.erased());
        self.compare_columns(&e);
        self.replay_entry(place, &e)
    }

    fn signature_again(&self, place: u64, e: &Checked) -> Result<(), SignatureFault> {
        if place == 0 {
            // Entry 0 is signed by the operator that it carries.
            let key = created_keys(&e.stored).map(|(operator, _)| PublicKey(operator).ready());
            return check_signature_ready(&e.inspected, key.as_ref().filter(|_| e.inspected.actor() == Some("op-1")));
        }
        check_signature_ready(&e.inspected, e.inspected.actor().and_then(|a| self.registry.get(a)))
    }

    /// The columns beside an envelope are what it is found by: they must say what it says.
    fn compare_columns(&mut self, e: &Checked) {
        let Some(h) = e.inspected.header() else { return };
        let (kind, actor, subject, at) = &e.stored.columns;
        let signed_at = h.at.parse::<Time>().map(Time::millis).unwrap_or(i64::MIN);
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
                row: e.stored.seq.to_string(),
                columns: wrong.iter().map(|(name, _, _)| (*name).to_string()).collect(),
                kind: "changed".into(),
                example: Some((a, b)),
            });
        }
    }

    /// Judges the entry and, if it has the authority, applies what it changes.
    fn replay_entry(&mut self, place: u64, e: &Checked) -> Result<(), WorkspaceError> {
        // Whatever is wrong with an entry, its time is where the log goes on from.
        self.last_at = e.inspected.header().and_then(|h| h.at.parse().ok()).or(self.last_at);
        let (entry, event) = match self.readable(place, e) {
            Ok(pair) => pair,
            Err((kind, voidable)) => return self.skip(place, e, kind, voidable),
        };
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
                if let Event::PayloadErased(b) = &event {
                    let claim = ErasureClaim {
                        seq: b.seq,
                        members: b.members.iter().cloned().collect(),
                        approvals: b.approvals.iter().copied().collect(),
                    };
                    if let Err(fault) = self.ledger.claim(place, &claim) {
                        self.report.fail(Check::Authority, Some(place), fault.kind(), fault.to_string());
                    }
                }
                Ok(())
            }
            Err(Refusal::Fault(fault)) => self.skip(place, e, fault.kind, true),
            Err(Refusal::Facts(e)) => Err(e.into()),
        }
    }

    /// The entry as the domain sees it, if everything below authority holds. The second value of a refusal: may an
    /// operator void it?
    fn readable(&self, place: u64, e: &Checked) -> Result<(Entry, Event), (&'static str, bool)> {
        let header =
            e.inspected.header().filter(|_| e.inspected.form_fault().is_none()).ok_or(("unreadable", false))?;
        if e.signature.is_err() {
            return Err(("signature_not_valid", false));
        }
        let SeenPayload::Read { body: Some(range), .. } = &e.inspected.payload else {
            return Err(("payload_missing", false));
        };
        if !e.inspected.commitment_holds() {
            return Err(("payload_missing", false));
        }
        let body = e.stored.record.as_deref().and_then(|r| r.get(range.clone())).ok_or(("payload_missing", false))?;
        let event =
            Event::parse_bytes(&header.kind, body).ok_or(("unknown_type", true))?.map_err(|_| ("body", true))?;
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
                self.rekeyed[0].insert(i.id.to_string());
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

    /// What can be said only at the end.
    fn finish(&mut self) -> Result<(), WorkspaceError> {
        for (seq, fault) in self.ledger.settle() {
            self.report.fail(Check::Commitments, Some(seq), fault.kind(), fault.to_string());
        }
        for seq in self.store.entries_before_first()? {
            self.report.fail(Check::Chain, None, "before_first", format!("there is an entry {seq}, before the first"));
            self.column_differences.push(Difference {
                table: "entries".into(),
                row: seq.to_string(),
                columns: Vec::new(),
                kind: "inserted".into(),
                example: None,
            });
        }
        if let Some(seq) = self.store.orphan_payloads()?.first() {
            let detail = format!("there is a payload for entry {seq}, which is not there");
            self.report.fail(Check::Commitments, None, "payload_of_no_entry", detail);
        }
        if self.chain.size() == 0 {
            self.report.fail(Check::Authority, Some(0), "entry_0_missing", "the log is empty");
        }
        for e in self.tables.invalid_entries()? {
            let detail = format!("entry {} by {}: {}", e.seq, e.actor, e.fault);
            match e.voided_seq {
                Some(_) if self.report.status(Check::Authority) == Status::Ok => {
                    self.report.report(Check::Authority, Some(e.seq), "voided", format!("{detail}, voided"));
                }
                Some(_) => {}
                None => self.report.fail(Check::Authority, Some(e.seq), "no_authority", detail),
            }
        }
        if self.chain.size() > 0 {
            let at = self.last_at.unwrap_or(Time::from_millis(0));
            self.replay.set_replayed_head(&Head {
                size: self.chain.size(),
                frontier: self.chain.frontier().to_bytes(),
                leaf: self.chain.last_leaf().0,
                at,
            })?;
        }
        Ok(())
    }
}

/// Form, commitment and signature of many entries, on several threads.
fn check_all(rows: Vec<Stored>, registry: &Registry, threads: usize) -> Vec<Checked> {
    let share = rows.len().div_ceil(threads).max(1);
    let mut rows = rows.into_iter();
    std::thread::scope(|scope| {
        let mut work = Vec::new();
        loop {
            let part: Vec<Stored> = rows.by_ref().take(share).collect();
            if part.is_empty() {
                break;
            }
            work.push(scope.spawn(move || part.into_iter().map(|s| check_one(s, registry)).collect::<Vec<_>>()));
        }
        // A thread that died leaves its share out, so the entries after it do not chain: it cannot pass unseen.
        work.into_iter().flat_map(|w| w.join().unwrap_or_default()).collect()
    })
}

fn check_one(stored: Stored, registry: &Registry) -> Checked {
    let inspected = inspect(&stored.envelope, stored.record.as_deref());
    let key = inspected.actor().filter(|_| stored.seq > 0).and_then(|a| registry.get(a));
    let signature = check_signature_ready(&inspected, key);
    Checked { stored, inspected, signature }
}
