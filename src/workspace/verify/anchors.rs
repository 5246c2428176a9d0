//! What was kept outside: checkpoints in other hands, and the witnesses who signed them.

use std::collections::BTreeSet;

use super::run::Run;
use crate::domain::time::Time;
use crate::log::checkpoint::{Checkpoint, Note, NoteFault, SignatureLine, VerifierKey};
use crate::log::key::PublicKey;
use crate::log::verdict::{Check, Report};
use crate::log::verify::ChainChecker;

/// What the verifier kept, and who must have signed.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    /// Checkpoints that were kept elsewhere.
    pub kept: Vec<Kept>,
    /// The witnesses whose cosignatures are wanted, each key once.
    pub witnesses: Vec<VerifierKey>,
    /// How many of them must have signed the same checkpoint; of no consequence without witnesses.
    pub quorum: usize,
}

/// A checkpoint that was kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What the user calls it: a file.
    pub name: String,
    /// The signed note.
    pub note: Vec<u8>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSeen {
    /// What the user calls it.
    pub name: String,
    /// Entries that it covers, if the log signed it.
    pub size: Option<u64>,
    /// A stable word for what is wrong with it; `None` if the log holds it.
    pub fault: Option<&'static str>,
}

/// A witness who was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessSeen {
    /// The name in its key.
    pub name: String,
    /// Entries of the largest checkpoint that it signed.
    pub size: Option<u64>,
    /// When it says that it signed that one.
    pub at: Option<Time>,
}

/// Entries that nothing from outside covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unanchored {
    /// How many.
    pub entries: u64,
    /// The first of them.
    pub from: u64,
    /// When that one was signed, if its time can be read.
    pub since: Option<Time>,
}

type Opened = Result<(Checkpoint, Vec<SignatureLine>), NoteFault>;

/// What was kept, opened with the trusted key, before anything is compared.
pub(super) struct Anchors<'a> {
    outside: &'a Outside,
    kept: Vec<(&'a Kept, Opened)>,
    /// The pin, or the bundle's own checkpoint: it anchors nothing by itself, but witnesses may have signed it.
    own: Option<(Checkpoint, Vec<SignatureLine>)>,
    vkey: &'a VerifierKey,
}

/// What the comparison gave.
pub(super) struct Anchored {
    /// Entries that something from outside covers.
    pub covered: u64,
    pub kept: Vec<KeptSeen>,
    pub witnesses: Vec<WitnessSeen>,
}

impl<'a> Anchors<'a> {
    /// Opens what was kept.
    pub fn open(outside: &'a Outside, own: Option<&[u8]>, vkey: &'a VerifierKey) -> Anchors<'a> {
        let kept = outside.kept.iter().map(|k| (k, Checkpoint::open(&k.note, vkey))).collect();
        Anchors { outside, kept, own: own.and_then(|note| Checkpoint::open(note, vkey).ok()), vkey }
    }

    /// The sizes at which roots are needed.
    pub fn sizes(&self) -> impl Iterator<Item = u64> {
        self.kept.iter().filter_map(|(_, o)| o.as_ref().ok()).chain(&self.own).map(|(checkpoint, _)| checkpoint.size)
    }

    /// Compares them with the tree.
    pub fn compare(&self, report: &mut Report, chain: &ChainChecker) -> Anchored {
        let mut covered = 0;
        let mut kept = Vec::new();
        for (k, opened) in &self.kept {
            report.checked(Check::PinAndWitnesses);
            let fault = match opened {
                Ok((checkpoint, _)) => compare(checkpoint, chain),
                Err(fault) => Some(self.unusable(k, *fault)),
            };
            let size = opened.as_ref().ok().map(|(checkpoint, _)| checkpoint.size);
            match &fault {
                None => covered = covered.max(size.unwrap_or(0)),
                Some((seq, word, why)) => {
                    report.fail(Check::PinAndWitnesses, *seq, word, format!("checkpoint {}: {why}", k.name));
                }
            }
            kept.push(KeptSeen { name: k.name.clone(), size, fault: fault.map(|(_, word, _)| word) });
        }
        let (signed, witnesses) = self.witnesses(report, chain);
        Anchored { covered: covered.max(signed), kept, witnesses }
    }

    /// A note that the trusted key did not sign may at least say whose it is.
    fn unusable(&self, kept: &Kept, fault: NoteFault) -> Fault {
        let named = Note::parse(&kept.note).ok().and_then(|note| Checkpoint::from_text(note.text).ok());
        match named.filter(|checkpoint| checkpoint.origin != self.vkey.name) {
            Some(other) => (None, "other_log", format!("it is of another log, {}", other.origin)),
            None => (None, fault.kind(), fault.to_string()),
        }
    }

    /// Who signed what, and how many entries a checkpoint covers that enough of them signed.
    fn witnesses(&self, report: &mut Report, chain: &ChainChecker) -> (u64, Vec<WitnessSeen>) {
        let Outside { witnesses, quorum, .. } = self.outside;
        if witnesses.is_empty() {
            return (0, Vec::new());
        }
        report.checked(Check::PinAndWitnesses);
        let seen = |w: &VerifierKey| WitnessSeen { name: w.name.clone(), size: None, at: None };
        let mut seen: Vec<WitnessSeen> = witnesses.iter().map(seen).collect();
        let (mut covered, mut most) = (0, 0);
        let notes = self.kept.iter().filter_map(|(k, o)| o.as_ref().ok().map(|o| (k.name.as_str(), o)));
        let own = self.own.iter().map(|o| ("the log's own checkpoint", o));
        for (name, (checkpoint, lines)) in notes.chain(own) {
            let mut signed: BTreeSet<PublicKey> = BTreeSet::new();
            // A log is no witness of itself, by whatever name.
            let others = witnesses.iter().zip(&mut seen).filter(|(witness, _)| witness.key != self.vkey.key);
            for (witness, seen) in others {
                match checkpoint.verify_cosignature(lines, witness) {
                    Ok(seconds) => {
                        signed.insert(witness.key);
                        if seen.size <= Some(checkpoint.size) {
                            seen.size = Some(checkpoint.size);
                            seen.at =
                                i64::try_from(seconds).ok().and_then(|s| s.checked_mul(1000)).map(Time::from_millis);
                        }
                    }
                    Err(NoteFault::CosignatureMissing) => {}
                    Err(fault) => {
                        let detail = format!("{}, on {name}: {fault}", witness.name);
                        report.fail(Check::PinAndWitnesses, None, fault.kind(), detail);
                    }
                }
            }
            most = most.max(signed.len());
            // A checkpoint says something about these entries only if its root is theirs.
            if signed.len() >= *quorum && *quorum > 0 && compare(checkpoint, chain).is_none() {
                covered = covered.max(checkpoint.size);
            }
        }
        if most < *quorum {
            let detail = format!(
                "{most} of the {quorum} witnesses needed signed; get the others' lines: aosctl audit witness FILE"
            );
            report.fail(Check::PinAndWitnesses, None, NoteFault::CosignatureMissing.kind(), detail);
        }
        (covered, seen)
    }
}

/// The first bad seq, a stable word, and the same for people.
type Fault = (Option<u64>, &'static str, String);

/// What is wrong with the log, by a checkpoint that it signed.
fn compare(checkpoint: &Checkpoint, chain: &ChainChecker) -> Option<Fault> {
    let (covered, size) = (checkpoint.size, chain.size());
    if covered > size {
        let why = format!("it covers {covered} entries, there are {size}: the log was rolled back or cut");
        return Some((Some(size), "rolled_back", why));
    }
    if chain.root_at(covered) != Some(checkpoint.root) {
        let why = format!("FORK: the first {covered} entries are not those that it covers; keep both copies");
        return Some((None, "fork", why));
    }
    None
}

/// Reports the entries behind the first `covered`.
pub(super) fn report_tail(run: &mut Run<'_>, covered: u64, pinned: Option<u64>) -> Option<Unanchored> {
    let size = run.chain.size();
    let since = run.time_at(covered);
    tail(&mut run.report, size, covered, since, pinned)
}

/// As [`report_tail`], of a log of that size.
pub(super) fn tail(
    report: &mut Report,
    size: u64,
    covered: u64,
    since: Option<Time>,
    pinned: Option<u64>,
) -> Option<Unanchored> {
    report.checked(Check::UnanchoredTail);
    let entries = size.checked_sub(covered).filter(|n| *n > 0)?;
    let mut detail = format!("{entries} of {size} entries");
    if let Some(t) = since {
        detail.push_str(&format!(", since {t},"));
    }
    detail.push_str(" are covered by nothing from outside");
    if let Some(pinned) = pinned {
        detail.push_str(&format!("; the pin covers {pinned}, but lies on this disk, so it anchors nothing"));
    }
    report.report(Check::UnanchoredTail, Some(covered), "unanchored", detail);
    Some(Unanchored { entries, from: covered, since })
}
