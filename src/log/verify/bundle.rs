//! The files of a bundle.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use serde_json::Value;

use super::anchor::{Coverage, Witnesses, check_pin, check_tree_root, check_witnesses, report_tail};
use super::chain::ChainChecker;
use super::erasure::{ERASED, ErasureClaim, ErasureLedger};
use super::inspect::{Inspected, SeenPayload, check_signature_ready};
use crate::log::canonical;
use crate::log::checkpoint::{Checkpoint, VerifierKey};
use crate::log::key::{KeyFault, PublicKey, ReadyKey};
use crate::log::payload::{Form, PayloadFault, PayloadView, RECORD_LIMIT};
use crate::log::verdict::{Check, Report, Status};

/// The bytes of a bundle's files.
#[derive(Clone, Copy, Debug)]
pub struct Bundle<'a> {
    /// `entries.jsonl`
    pub entries: &'a [u8],
    /// `payloads.jsonl`; without it, commitments are not checked.
    pub payloads: Option<&'a [u8]>,
    /// `checkpoint`
    pub checkpoint: Option<&'a [u8]>,
}

/// What the verifier brings.
#[derive(Clone, Copy, Debug)]
pub struct Trust<'a> {
    /// The log's key, from outside the bundle.
    pub vkey: &'a VerifierKey,
    /// A checkpoint that was kept.
    pub pin: Option<&'a [u8]>,
    /// Whose cosignatures are wanted.
    pub witnesses: Option<&'a Witnesses>,
}

/// Verifies the format of a bundle. `keys` returns the public key that signs for an actor at a seq, which is
/// a matter of authority; authority itself and projections stay unchecked here, so every erasure that is
/// well-formed counts, and one that is not fails commitments.
pub fn verify_bundle(bundle: &Bundle<'_>, trust: &Trust<'_>, keys: impl Fn(&str, u64) -> Option<PublicKey>) -> Report {
    let mut report = Report::new();
    for check in [Check::CanonicalForm, Check::Signatures, Check::Chain] {
        report.checked(check);
    }
    let mut payloads = bundle.payloads.map(|bytes| Payloads::read(bytes, &mut report));
    let mut chain = ChainChecker::new(&trust.vkey.name);
    for note in [trust.pin, bundle.checkpoint].into_iter().flatten() {
        if let Ok((checkpoint, _)) = Checkpoint::open(note, trust.vkey) {
            chain.remember(checkpoint.size);
        }
    }
    let mut ready: HashMap<PublicKey, Result<ReadyKey, KeyFault>> = HashMap::new();
    for line in lines(bundle.entries) {
        let place = chain.size();
        if !line.ended {
            report.fail(Check::CanonicalForm, Some(place), "line_end", "the last line has no end");
        }
        let payload = payloads.as_mut().and_then(|payloads| payloads.take(place));
        let entry = Inspected::with(line.bytes, payload.unwrap_or(SeenPayload::Absent));
        entry.report_form(place, &mut report);
        let key = entry.actor().and_then(|actor| keys(actor, place));
        let key = key.map(|key| &*ready.entry(key).or_insert_with(|| key.ready()));
        if let Err(fault) = check_signature_ready(&entry, key) {
            report.fail(Check::Signatures, Some(place), fault.reason(), fault.to_string());
        }
        if let Some(fault) = chain.feed(&entry) {
            report.fail(Check::Chain, Some(place), fault.kind(), fault.to_string());
        }
        match &mut payloads {
            Some(payloads) => {
                entry.report_commitment(place, &mut report);
                payloads.follow(place, &entry, &mut report);
            }
            // It commits to nothing, whatever there is beside it.
            None if entry.is_unreadable() => entry.report_commitment(place, &mut report),
            None => {}
        }
    }
    if let Some(payloads) = &payloads {
        payloads.settle(&mut report);
    }
    check_whole(&mut report, &chain, bundle, trust);
    report
}

fn check_whole(report: &mut Report, chain: &ChainChecker, bundle: &Bundle<'_>, trust: &Trust<'_>) {
    let checkpoint = check_tree_root(report, chain, bundle.checkpoint, trust.vkey, Coverage::All);
    let mut anchored = 0;
    if let Some(pin) = trust.pin {
        anchored = check_pin(report, chain, pin, trust.vkey).unwrap_or(0);
    }
    if let Some(witnesses) = trust.witnesses {
        let enough = check_witnesses(report, checkpoint.as_ref(), witnesses) && witnesses.quorum > 0;
        // A checkpoint says something about these entries only if its root is theirs.
        if enough && report.status(Check::TreeRoot) == Status::Ok {
            anchored = chain.size();
        }
    }
    report_tail(report, anchored, chain.size());
}

/// The payload lines, by the seq that they name.
struct Payloads<'a> {
    bytes: &'a [u8],
    by_seq: BTreeMap<u64, SeenPayload>,
    ledger: ErasureLedger,
}

impl<'a> Payloads<'a> {
    fn read(bytes: &'a [u8], report: &mut Report) -> Payloads<'a> {
        report.checked(Check::Commitments);
        let mut by_seq = BTreeMap::new();
        for line in lines(bytes) {
            let view = PayloadView::read(line.bytes, Form::Line);
            let seq = seq_by(line.bytes, &view);
            if !line.ended {
                report.fail(Check::CanonicalForm, seq, "line_end", "the last payload line has no end");
            }
            let mut payload = SeenPayload::from_view(view);
            if let SeenPayload::Read { body: Some(body), .. } = &mut payload {
                *body = body.start + line.start..body.end + line.start;
            }
            match (seq, payload) {
                (Some(seq), payload) if !by_seq.contains_key(&seq) => {
                    by_seq.insert(seq, payload);
                }
                (Some(seq), payload) => {
                    report.fail(Check::Commitments, Some(seq), "payload_twice", "there are two payloads");
                    report_form(&payload, Some(seq), report);
                }
                (None, SeenPayload::Unreadable(fault)) => {
                    report.fail(Check::CanonicalForm, None, fault.kind(), fault.to_string());
                }
                (None, SeenPayload::Read { .. } | SeenPayload::Absent) => {}
            }
        }
        Payloads { bytes, by_seq, ledger: ErasureLedger::new() }
    }

    fn take(&mut self, seq: u64) -> Option<SeenPayload> {
        self.by_seq.remove(&seq)
    }

    /// Enters into the ledger what this entry has lost, and what it says was erased.
    fn follow(&mut self, place: u64, entry: &Inspected, report: &mut Report) {
        self.ledger.missing(place, entry.payload.erased());
        if entry.kind() != Some(ERASED) {
            return;
        }
        let SeenPayload::Read { body: Some(body), .. } = &entry.payload else {
            // Its payload is missing or malformed, which was reported; the members it erased will be too.
            return;
        };
        let body = self.body(body.clone()).unwrap_or_default();
        if let Err(fault) = ErasureClaim::read(&body).and_then(|claim| self.ledger.claim(place, &claim)) {
            report.fail(Check::Commitments, Some(place), fault.kind(), fault.to_string());
        }
    }

    fn body(&self, range: Range<usize>) -> Option<serde_json::Map<String, Value>> {
        match canonical::parse(self.bytes.get(range)?, canonical::BODY_LIMIT) {
            Ok(Value::Object(body)) => Some(body),
            _ => None,
        }
    }

    fn settle(&self, report: &mut Report) {
        for (seq, fault) in self.ledger.settle() {
            report.fail(Check::Commitments, Some(seq), fault.kind(), fault.to_string());
        }
        // What no entry took belongs to none.
        self.by_seq.values().for_each(|payload| report_form(payload, None, report));
        if let Some(seq) = self.by_seq.keys().next() {
            let detail = format!("there is a payload for entry {seq}, which is not there");
            report.fail(Check::Commitments, None, "payload_of_no_entry", detail);
        }
    }
}

/// What a payload line says by itself: the seq of its entry, unless it cannot be parsed, and what is wrong with its form.
#[must_use]
pub fn look_at_line(line: &[u8]) -> (Option<u64>, Option<PayloadFault>) {
    let view = PayloadView::read(line, Form::Line);
    (seq_by(line, &view), view.map_or_else(Some, |view| view.fault))
}

fn report_form(payload: &SeenPayload, seq: Option<u64>, report: &mut Report) {
    let fault = match payload {
        SeenPayload::Unreadable(fault) => Some(fault),
        SeenPayload::Read { fault, .. } => fault.as_ref(),
        SeenPayload::Absent => None,
    };
    if let Some(fault) = fault {
        report.fail(Check::CanonicalForm, seq, fault.kind(), fault.to_string());
    }
}

/// A line that is JSON of the format but no record has a seq, too.
fn seq_by(line: &[u8], view: &Result<PayloadView, PayloadFault>) -> Option<u64> {
    match view {
        Ok(view) => Some(view.seq),
        Err(_) => canonical::parse_wrapped(line, RECORD_LIMIT, 1).ok()?.get("seq")?.as_u64(),
    }
}

struct Line<'a> {
    bytes: &'a [u8],
    start: usize,
    ended: bool,
}

/// The lines of a file. An empty file has none; an empty line is one.
fn lines(file: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let mut start = 0;
    file.split_inclusive(|&byte| byte == b'\n').map(move |line| {
        let stripped = line.strip_suffix(b"\n");
        let here = Line { bytes: stripped.unwrap_or(line), start, ended: stripped.is_some() };
        start += line.len();
        here
    })
}
