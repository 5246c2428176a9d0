//! A log that may not be the newest one: how that is found, and what an operator's acceptance changes about it.

use std::path::Path;

use super::{Place, VerifyOptions, Workspace, WorkspaceError, pin, verify};
use crate::domain::authority::{Refusal, judge};
use crate::domain::event::Event;
use crate::domain::facts::InvalidEntry;
use crate::domain::time::Time;
use crate::log::hash::Hash;
use crate::log::tree::{Frontier, leaf_hash};
use crate::log::verdict::{Check, Status};
use crate::store::{Head, Write};
use crate::sys::files;

/// The file in a log's state directory that holds the path of its workspace.
const MEMORY: &str = "place";
/// No path is longer, in bytes.
const MAX_MEMORY: usize = 16_384;

impl Workspace {
    /// Why this may not be the newest log, as a writer would say it; `None` where nothing speaks against it.
    ///
    /// # Errors
    /// Where the pin or the log cannot be read, or the log's end is damaged.
    pub fn doubt(&self) -> Result<Option<WorkspaceError>, WorkspaceError> {
        let pin = pin::read(&self.state_dir(), &self.origin)?;
        let head = self.store.head()?;
        let found = self.refuse_tail_cut(head.as_ref()).and_then(|()| self.refuse_swapped()).and_then(|()| {
            let (size, root) = pin.named();
            match pin.refuse_rollback(head.as_ref()) {
                Err(e) if e.is_behind() && self.accepted(size, root)?.is_some() => Ok(()),
                Err(e) => Err(e),
                Ok(()) => pin::refuse_marked(&self.state_dir(), &self.origin, &self.store),
            }
        });
        match found {
            Err(e) if e.is_behind() => Ok(Some(e)),
            Err(e) => Err(e),
            Ok(()) => Ok(None),
        }
    }

    /// What a writer must not build on. The caller holds the write lock; an acceptance whose pin a crash left as it was is
    /// carried to its end here.
    pub(super) fn refuse_behind(&self, head: Option<&Head>) -> Result<(), WorkspaceError> {
        if head.is_none() {
            return Ok(());
        }
        self.refuse_swapped()?;
        let dir = self.state_dir();
        let pin = pin::read(&dir, &self.origin)?;
        let (size, root) = pin.named();
        match pin.refuse_rollback(head) {
            Ok(()) => {}
            Err(e) if e.is_behind() => match self.accepted(size, root)? {
                Some(tree) => return pin::replace(&dir, &self.origin, &self.log_identity()?, &tree),
                None => return Err(e),
            },
            Err(e) => return Err(e),
        }
        pin::refuse_marked(&dir, &self.origin, &self.store)
    }

    /// The log's end, if its last entry is an operator's acceptance of exactly that pin.
    pub(super) fn accepted(&self, size: u64, root: Hash) -> Result<Option<Frontier>, WorkspaceError> {
        let Some(head) = self.store.head()? else { return Ok(None) };
        let Some(last) = self.store.last_seq()? else { return Ok(None) };
        let Some(stored) = self.store.entry(last)?.filter(|s| s.columns.0 == "rollback.accepted/1") else {
            return Ok(None);
        };
        let (entry, event) = self.facts().verified(&stored)?;
        let Event::RollbackAccepted(body) = &event else { return Ok(None) };
        let right = body.pin_size == size && body.pin_root == root.to_hex();
        if !right || judge(&entry, &event, &self.facts().before(entry.seq)).is_err() {
            return Ok(None);
        }
        Ok(Frontier::from_bytes(&head.frontier).filter(|tree| tree.size() == last + 1))
    }

    /// Another workspace in the place of the one that was there has its own pin, which fits: but the state directory of the
    /// one that was there remembers the place, too.
    pub(super) fn refuse_swapped(&self) -> Result<(), WorkspaceError> {
        let Some(was) = was_here_before(&self.place, &self.origin.name) else { return Ok(()) };
        Err(WorkspaceError::OtherLog { dir: self.place.dir.clone(), was, is: self.origin.name.clone() })
    }

    /// Only a log that is whole in itself can be accepted; what may be wrong is its pin, and tables that remember more than
    /// there is. Says whether the tables are what the log says.
    pub(super) fn verified_but_for_its_pin(&self, clock: Time) -> Result<bool, WorkspaceError> {
        let found = verify(&self.place, &VerifyOptions::default(), clock, &mut |_, _| {})?;
        let may_fail = [Check::PinAndWitnesses, Check::TreeRoot, Check::Projections, Check::UnanchoredTail];
        let failed = |check: Check| found.report.status(check) == Status::Failed;
        if let Some(v) = found.report.verdicts().iter().find(|v| failed(v.check) && !may_fail.contains(&v.check)) {
            let what = format!("{}: {}; a log that does not verify cannot be accepted", v.check.name(), v.detail);
            return Err(WorkspaceError::integrity(v.first_bad_seq, what));
        }
        Ok(!failed(Check::Projections))
    }

    /// Makes every table anew from the log, which was verified, and says where it ends.
    pub(super) fn replay_tables(&self, write: &Write<'_>) -> Result<(Head, Frontier), WorkspaceError> {
        write.clear_tables()?;
        let (facts, tables) = (self.facts(), write.tables());
        let mut tree = Frontier::new();
        let (mut leaf, mut at) = (Hash::ZERO, Time::from_millis(0));
        loop {
            let batch = self.store.range(tree.size(), 1_000)?;
            if batch.is_empty() {
                break;
            }
            for stored in batch {
                let (entry, event) = facts.verified(&stored)?;
                match judge(&entry, &event, &tables) {
                    Ok(changes) => {
                        for change in &changes {
                            tables.apply(change)?;
                        }
                    }
                    Err(Refusal::Fault(fault)) => tables.note_invalid(&InvalidEntry {
                        seq: entry.seq,
                        leaf: entry.leaf.clone(),
                        actor: entry.actor,
                        subject: entry.subject,
                        fault: fault.kind.to_string(),
                        voidable: true,
                        voided_seq: None,
                    })?,
                    Err(Refusal::Facts(e)) => return Err(e.into()),
                }
                leaf = leaf_hash(&stored.envelope);
                at = entry.at;
                tree.push(leaf);
            }
        }
        Ok((Head { size: tree.size(), frontier: tree.to_bytes(), leaf: leaf.0, at }, tree))
    }

    /// Remembers which log lies in this place. Called where one is made, restored or accepted.
    pub(super) fn remember_place(&self) -> Result<(), WorkspaceError> {
        remember(&self.place, &self.origin.name)
    }
}

/// The log that this place held before, if it is another one than `origin`: its state directory remembers the place.
pub(super) fn was_here_before(place: &Place, origin: &str) -> Option<String> {
    let here = place.real()?;
    let lies_here = |state: &Path| files::read_limited_kept(&state.join(MEMORY), MAX_MEMORY).is_ok_and(|m| m == here);
    if lies_here(&place.state_of(origin)) {
        return None;
    }
    let others = std::fs::read_dir(&place.state).into_iter().flatten().filter_map(|e| e.ok().map(|e| e.path()));
    let other = others.filter(|state| lies_here(state)).min()?;
    Some(format!("aosctl/{}", other.file_name().unwrap_or_default().to_string_lossy()))
}

/// As [`Workspace::remember_place`], where none is open.
pub(super) fn remember(place: &Place, origin: &str) -> Result<(), WorkspaceError> {
    let Some(here) = place.real() else { return Ok(()) };
    let own = place.state_of(origin);
    // Two logs cannot lie in one place: who was here before is forgotten.
    for other in std::fs::read_dir(&place.state).into_iter().flatten().filter_map(|e| e.ok().map(|e| e.path())) {
        let memory = other.join(MEMORY);
        if other != own && files::read_limited_kept(&memory, MAX_MEMORY).is_ok_and(|m| m == here) {
            files::remove_file(&memory);
        }
    }
    Ok(files::write_private_atomic(&own.join(MEMORY), &here)?)
}
