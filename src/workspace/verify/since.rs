//! What lies behind the pin, and nothing else: for a look every few minutes.
//!
//! The pin is taken for what it says: that the log which it covers was verified when it was signed, or will be. Where
//! nothing was appended since, the tree's edge in the table `head` must give the pin's root, and the last entry must be the
//! one that it ends with: nothing else is read. Where entries were appended, the edge at the pin's size is made anew from
//! the envelopes before it (hashed, not verified), and each entry behind it is verified as the hot path would: form,
//! signature, chain, tree, commitment, and its signer's authority on facts that rest on verified entries. Totals and
//! tables are not replayed, so projections are not checked.

use super::anchors::{Anchors, Outside, tail};
use super::run::{claim_of, report_invalid};
use super::source::Payloads;
use super::whole::{Ground, trusted_key};
use super::{Verification, VerifyOptions};
use crate::domain::authority::{Refusal, judge};
use crate::domain::event::{Event, TYPES};
use crate::domain::facts::{Facts, InvalidEntry};
use crate::domain::id::Actor;
use crate::domain::time::Time;
use crate::log::checkpoint::Checkpoint;
use crate::log::key::PublicKey;
use crate::log::tree::{Frontier, leaf_hash};
use crate::log::verdict::{Check, Report};
use crate::log::verify::{
    ChainChecker, Coverage, ErasureLedger, check_signature, check_signature_ready, check_tree_root, inspect,
};
use crate::store::{Head, Stored};
use crate::workspace::{Place, Trusted, Workspace, WorkspaceError, pin};

/// Entries that are read together.
const BATCH: usize = 1_000;

/// What each entry behind the pin is looked at for.
const LOOKED_AT: [Check; 5] =
    [Check::CanonicalForm, Check::Signatures, Check::Chain, Check::Commitments, Check::Authority];

/// Verifies what was appended behind the pin, and that what the pin covers is still what the log ends with.
///
/// # Errors
/// Only where nothing could be read at all, or entry 0 or the schema do not hold; whatever is wrong with the log is in the
/// report.
pub fn verify_since_pin(
    place: &Place,
    options: &VerifyOptions,
    outside: &Outside,
    clock: Time,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Verification, WorkspaceError> {
    let ws = Workspace::open(place.clone())?;
    let name = ws.origin().name.clone();
    let (vkey, trusted) = trusted_key(place, &name, options, ws.store())?;
    // Before the snapshot, as ever: a pin only lags behind.
    let note = pin::note(&ws.state_dir())?;
    let _snapshot = ws.store().snapshot()?;
    let mut report = Report::new();
    let head = match ws.store().head().map_err(WorkspaceError::from).and_then(|head| ws.sound(head)) {
        Ok(Some(head)) => head,
        Ok(None) => return Err(WorkspaceError::integrity(None, "the log is empty")),
        Err(WorkspaceError::Integrity { seq, detail }) => {
            report.fail(Check::TreeRoot, seq, "head", detail);
            ws.store().head().ok().flatten().unwrap_or(Head { size: 0, frontier: Vec::new(), leaf: [0; 32], at: clock })
        }
        Err(e) => return Err(e),
    };
    if vkey.as_ref().is_some_and(|k| k.key != PublicKey(ws.origin().log_key)) {
        let detail = "entry 0 carries another log key than the trusted one";
        report.fail(Check::Authority, Some(0), "log_key_not_trusted", detail);
    }
    let vkey = vkey.unwrap_or_else(|| pin::vkey(ws.origin()));
    let anchors = Anchors::open(outside, note.as_deref(), &vkey);
    let pinned = note.as_deref().and_then(|note| Checkpoint::open(note, &vkey).ok()).map(|(c, _)| c.size);
    let mut tail_of = Tail { ws: &ws, head: &head, report, ledger: ErasureLedger::new(), invalid: Vec::new() };
    let chain = tail_of.walk(pinned.unwrap_or(head.size).min(head.size), anchors.sizes().collect(), progress)?;
    let Tail { mut report, invalid, .. } = tail_of;

    check_tree_root(&mut report, &chain, note.as_deref(), &vkey, Coverage::Beginning);
    if Frontier::from_bytes(&head.frontier).is_none_or(|f| f != *chain.frontier()) || chain.last_leaf().0 != head.leaf {
        report.fail(Check::TreeRoot, None, "head", "table head: the tree's edge is not that of the entries");
    }
    let ground = Ground { place, name: &name, options, head: Some(head.size) };
    let covers = match &note {
        Some(note) => ground.check_pin(&mut report, &chain, note, &vkey),
        None => {
            ground.no_pin(&mut report, false);
            None
        }
    };
    let since = pinned.filter(|_| covers.is_some()).map_or(0, |n| n.min(head.size));
    if covers.is_none() {
        // What no pin vouches for was not looked at, so nothing is said of it.
        for check in LOOKED_AT {
            report.leave(check, "no_pin", "there is no pin by which the entries before it could be taken for verified");
        }
    }
    let anchored = anchors.compare(&mut report, &chain);
    let first = ws.store().entry(anchored.covered)?;
    let from = first.and_then(|s| inspect(&s.envelope, None).header().and_then(|h| h.at.parse().ok()));
    let unanchored = tail(&mut report, chain.size(), anchored.covered, from, covers);
    Ok(Verification {
        origin: name,
        size: chain.size(),
        root: chain.root().to_hex(),
        differences: Vec::new(),
        invalid,
        trusted,
        ahead_of_clock: Some(head.at).filter(|at| *at > clock),
        payloads: Payloads::Stored,
        unanchored,
        kept: anchored.kept,
        witnesses: anchored.witnesses,
        pinned: covers,
        since: Some(since),
        disputed: 0,
        report,
    })
}

struct Tail<'a> {
    ws: &'a Workspace,
    head: &'a Head,
    report: Report,
    ledger: ErasureLedger,
    invalid: Vec<InvalidEntry>,
}

impl Tail<'_> {
    /// From the pin to the end. `sizes` are those at which the root will be asked for.
    fn walk(
        &mut self,
        pinned: u64,
        sizes: Vec<u64>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<ChainChecker, WorkspaceError> {
        LOOKED_AT.into_iter().for_each(|check| self.report.checked(check));
        let origin = &self.ws.origin().name;
        let at_end = Frontier::from_bytes(&self.head.frontier).filter(|f| f.size() == self.head.size);
        if pinned == self.head.size
            && let Some(frontier) = at_end
            && sizes.iter().all(|s| *s >= pinned)
        {
            let leaf = crate::log::hash::Hash(self.head.leaf);
            return Ok(ChainChecker::resume(origin, frontier, leaf, &self.head.at.to_string()));
        }
        let mut chain = self.edge(pinned, &sizes, progress)?;
        let facts = self.ws.facts();
        let mut decided = 0;
        while let Some(from) = Some(chain.size()).filter(|n| *n < self.head.size) {
            let rows = self.ws.store().range(from, BATCH)?;
            if rows.is_empty() {
                break;
            }
            for stored in &rows {
                decided += u64::from(self.follow(stored, &mut chain, &facts)?);
            }
            progress(chain.size(), self.head.size);
        }
        for (seq, fault) in self.ledger.settle() {
            self.report.fail(Check::Commitments, Some(seq), fault.kind(), fault.to_string());
        }
        report_invalid(&mut self.report, &self.invalid);
        if decided > 0 {
            let detail = format!("the totals behind {decided} decisions: aosctl audit verify replays them");
            self.report.leave(Check::Authority, "totals_not_replayed", detail);
        }
        Ok(chain)
    }

    /// The tree's edge at the pin's size, from the envelopes before it, which are hashed and not verified.
    fn edge(
        &self,
        pinned: u64,
        sizes: &[u64],
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<ChainChecker, WorkspaceError> {
        let origin = &self.ws.origin().name;
        let mut tree = Frontier::new();
        let mut last = (crate::log::hash::Hash::ZERO, String::new());
        let mut roots = Vec::new();
        while tree.size() < pinned {
            let most = usize::try_from(pinned - tree.size()).unwrap_or(usize::MAX).min(BATCH);
            let rows = self.ws.store().envelopes(tree.size(), most)?;
            if rows.is_empty() {
                break;
            }
            for (_, envelope) in &rows {
                let leaf = leaf_hash(envelope);
                tree.push(leaf);
                if sizes.contains(&tree.size()) {
                    roots.push((tree.size(), tree.root()));
                }
                last.0 = leaf;
            }
            if let Some((_, envelope)) = rows.last() {
                last.1 = inspect(envelope, None).header().map(|h| h.at.clone()).unwrap_or_default();
            }
            progress(tree.size(), self.head.size);
        }
        let mut chain = ChainChecker::resume(origin, tree, last.0, &last.1);
        roots.into_iter().for_each(|(size, root)| chain.know(size, root));
        sizes.iter().for_each(|size| chain.remember(*size));
        Ok(chain)
    }

    /// One entry behind the pin. Says whether a decision hangs on totals that were not replayed.
    fn follow(
        &mut self,
        stored: &Stored,
        chain: &mut ChainChecker,
        facts: &Trusted<'_>,
    ) -> Result<bool, WorkspaceError> {
        let place = chain.size();
        let seen = inspect(&stored.envelope, stored.record.as_deref());
        seen.report_form(place, &mut self.report);
        seen.report_commitment(place, &mut self.report);
        self.ledger.missing(place, seen.payload.erased());
        let actor = seen.actor().and_then(|a| a.parse::<Actor>().ok());
        let before = facts.before(place);
        let of = |facts: &Trusted<'_>, id| facts.identity(id).map(|i| i.map(|i| PublicKey(i.public_key)));
        let key = match actor {
            Some(Actor::Log) => Ok(Some(PublicKey(self.ws.origin().log_key))),
            // Entry 0 was verified when the workspace was opened.
            Some(Actor::Identity(id)) if place == 0 => of(&self.ws.facts(), id),
            Some(Actor::Identity(id)) => of(&before, id),
            None => Ok(None),
        };
        let key = match key {
            Err(WorkspaceError::Integrity { detail, .. }) => {
                self.report.fail(Check::Authority, Some(place), "facts", detail);
                None
            }
            key => key?,
        };
        let signature = match &key {
            Some(key) => check_signature(&seen, key),
            None => check_signature_ready(&seen, None),
        };
        if let Err(fault) = &signature {
            self.report.fail(Check::Signatures, Some(place), fault.reason(), fault.to_string());
        }
        if let Some(fault) = chain.feed(&seen) {
            self.report.fail(Check::Chain, Some(place), fault.kind(), fault.to_string());
        }
        let (entry, event) = match facts.verified(stored) {
            Ok(pair) => pair,
            Err(WorkspaceError::Integrity { detail, .. }) => {
                match (facts.is_no_event(stored), seen.header(), actor) {
                    // As in a replay of the whole log: invalid, and an operator may have voided it since.
                    (true, Some(h), Some(actor)) => self.invalid.push(InvalidEntry {
                        seq: place,
                        leaf: seen.leaf().to_hex(),
                        actor,
                        subject: h.subject.parse().ok(),
                        fault: if TYPES.contains(&h.kind.as_str()) { "body" } else { "unknown_type" }.to_owned(),
                        voidable: true,
                        voided_seq: None,
                    }),
                    _ => self.report.fail(Check::Authority, Some(place), "not_valid", detail),
                }
                return Ok(false);
            }
            Err(e) => return Err(e),
        };
        match judge(&entry, &event, &before) {
            Ok(_) => self.count(place, &event)?,
            Err(Refusal::Fault(fault)) => self.invalid.push(InvalidEntry {
                seq: place,
                leaf: entry.leaf,
                actor: entry.actor,
                subject: entry.subject,
                fault: fault.kind.to_owned(),
                voidable: true,
                voided_seq: None,
            }),
            Err(Refusal::Facts(WorkspaceError::Integrity { detail, .. })) => {
                self.report.fail(Check::Authority, Some(place), "facts", detail);
            }
            Err(Refusal::Facts(e)) => return Err(e),
        }
        Ok(matches!(event, Event::RequestMade(_) | Event::RequestClaimed(_)))
    }

    /// What a valid entry says of others.
    fn count(&mut self, place: u64, event: &Event) -> Result<(), WorkspaceError> {
        match event {
            Event::EntryVoided(b) => {
                self.invalid.iter_mut().filter(|e| e.seq == b.seq).for_each(|e| e.voided_seq = Some(place));
            }
            Event::PayloadErased(b) => {
                if let Err(fault) = self.ledger.claim(place, &claim_of(b)) {
                    self.report.fail(Check::Authority, Some(place), fault.kind(), fault.to_string());
                }
                let target = self.ws.store().entry(b.seq)?;
                let gone =
                    target.map(|s| inspect(&s.envelope, s.record.as_deref())).map(|s| s.payload.erased().to_vec());
                let gone: Vec<String> =
                    gone.unwrap_or_default().into_iter().filter(|m| b.members.contains(m)).collect();
                self.ledger.missing(b.seq, &gone);
            }
            _ => {}
        }
        Ok(())
    }
}
