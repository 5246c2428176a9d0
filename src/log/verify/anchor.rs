//! What is signed about the whole log, by the log and by others.

use std::collections::BTreeSet;

use super::chain::ChainChecker;
use crate::log::checkpoint::{Checkpoint, NoteFault, SignatureLine, VerifierKey};
use crate::log::key::PublicKey;
use crate::log::verdict::{Check, Report};

/// How much of the log a checkpoint must cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// All of it, as in a bundle.
    All,
    /// Any beginning of it, as in a workspace that has grown since. Its root must have been asked for with
    /// [`ChainChecker::remember`].
    Beginning,
}

/// The witnesses that the verifier wants, and how many of them at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witnesses {
    /// Their keys.
    pub keys: Vec<VerifierKey>,
    /// How many of them must have signed.
    pub quorum: usize,
}

/// Checks the checkpoint against all entries. Returns it as far as it opened, whether its root fits or not.
pub fn check_tree_root(
    report: &mut Report,
    chain: &ChainChecker,
    checkpoint: Option<&[u8]>,
    vkey: &VerifierKey,
    coverage: Coverage,
) -> Option<(Checkpoint, Vec<SignatureLine>)> {
    report.checked(Check::TreeRoot);
    let mut fail = |seq: Option<u64>, reason: &'static str, detail: String| {
        report.fail(Check::TreeRoot, seq, reason, detail);
    };
    let Some(note) = checkpoint else {
        fail(None, "checkpoint_missing", "there is no checkpoint".to_owned());
        return None;
    };
    let (checkpoint, lines) = match Checkpoint::open(note, vkey) {
        Ok(opened) => opened,
        Err(fault) => {
            fail(None, fault.kind(), fault.to_string());
            return None;
        }
    };
    let (covered, size) = (checkpoint.size, chain.size());
    if covered > size {
        fail(Some(size), "entries_missing", format!("the checkpoint covers {covered} entries, there are {size}"));
    } else if chain.root_at(covered).is_some_and(|root| root != checkpoint.root) {
        fail(None, "root", format!("the checkpoint's root is not that of the first {covered} entries"));
    } else if covered < size && coverage == Coverage::All {
        fail(Some(covered), "size", format!("the checkpoint covers {covered} of {size} entries"));
    } else if chain.root_at(covered).is_none() {
        // Nobody asked for it. What was not compared must not pass.
        fail(None, "root", format!("the root of the first {covered} entries was not computed"));
    }
    Some((checkpoint, lines))
}

/// Checks that the log continues a checkpoint that the verifier kept. Its root must have been asked for with
/// [`ChainChecker::remember`]. Returns how many entries it covers, if it holds.
pub fn check_pin(report: &mut Report, chain: &ChainChecker, pin: &[u8], vkey: &VerifierKey) -> Option<u64> {
    report.checked(Check::PinAndWitnesses);
    let mut fail = |seq: Option<u64>, reason: &'static str, detail: String| {
        report.fail(Check::PinAndWitnesses, seq, reason, detail);
        None
    };
    let (pin, _) = match Checkpoint::open(pin, vkey) {
        Ok(opened) => opened,
        Err(fault) => return fail(None, fault.of_pin(), format!("the pin cannot be used: {fault}")),
    };
    let (covered, size) = (pin.size, chain.size());
    if covered > size {
        return fail(Some(size), "pin_ahead", format!("the pin covers {covered} entries, there are {size}"));
    }
    if chain.root_at(covered) != Some(pin.root) {
        return fail(None, "pin_root", format!("the first {covered} entries are not those that were pinned"));
    }
    Some(covered)
}

/// Checks the cosignatures on the checkpoint that [`check_tree_root`] opened: every line by a known witness
/// verifies, and enough of them signed. Returns whether so.
pub fn check_witnesses(
    report: &mut Report,
    checkpoint: Option<&(Checkpoint, Vec<SignatureLine>)>,
    witnesses: &Witnesses,
) -> bool {
    report.checked(Check::PinAndWitnesses);
    let mut signed: BTreeSet<PublicKey> = BTreeSet::new();
    let mut sound = true;
    for witness in &witnesses.keys {
        let found = match checkpoint {
            Some((checkpoint, lines)) => checkpoint.verify_cosignature(lines, witness),
            None => Err(NoteFault::CosignatureMissing),
        };
        match found {
            Ok(_) => {
                signed.insert(witness.key);
            }
            Err(NoteFault::CosignatureMissing) => {}
            Err(fault) => {
                sound = false;
                report.fail(Check::PinAndWitnesses, None, fault.kind(), format!("{}: {fault}", witness.name));
            }
        }
    }
    if signed.len() < witnesses.quorum {
        sound = false;
        let detail = format!("{} of the {} witnesses needed signed", signed.len(), witnesses.quorum);
        report.fail(Check::PinAndWitnesses, None, NoteFault::CosignatureMissing.kind(), detail);
    }
    sound
}

/// Reports the entries behind the first `anchored`, which nothing given from outside covers.
pub fn report_tail(report: &mut Report, anchored: u64, size: u64) {
    report.checked(Check::UnanchoredTail);
    let tail = size.saturating_sub(anchored);
    if tail > 0 {
        let detail = format!("{tail} of {size} entries are covered by nothing from outside");
        report.report(Check::UnanchoredTail, Some(anchored), "unanchored", detail);
    }
}
