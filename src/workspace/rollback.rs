//! A log that may not be the newest one: how that is found, and what an operator's acceptance changes about it.

use super::{Workspace, WorkspaceError, pin};
use crate::domain::authority::judge;
use crate::domain::event::Event;
use crate::log::hash::Hash;
use crate::log::tree::Frontier;
use crate::store::Head;
use crate::sys::files;

/// The name of a log and a line end.
const MAX_MEMORY: usize = 64;

impl Workspace {
    /// Why this may not be the newest log, as a writer would say it; `None` where nothing speaks against it.
    ///
    /// # Errors
    /// Where the pin or the log cannot be read, or the log's end is damaged.
    pub fn doubt(&self) -> Result<Option<WorkspaceError>, WorkspaceError> {
        let pin = pin::read(&self.state_dir(), &self.origin)?;
        let head = self.store.head()?;
        let found = self.refuse_swapped().and_then(|()| {
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

    /// Another workspace in the place of the one that was there has its own pin, which fits: the place remembers, too.
    pub(super) fn refuse_swapped(&self) -> Result<(), WorkspaceError> {
        let Some(memory) = self.place.memory() else { return Ok(()) };
        let was = match files::read_limited_kept(&memory, MAX_MEMORY) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).trim_end().to_string(),
            Err(e) if e.is_not_found() => return Ok(()),
            Err(e) => return Err(e.into()),
        };
        if was == self.origin.name {
            return Ok(());
        }
        let (dir, is) = (self.place.dir.clone(), self.origin.name.clone());
        Err(WorkspaceError::Swapped { dir, was, is })
    }

    /// Remembers which log lies in this place. Called where one is made, restored or accepted.
    pub(super) fn remember_place(&self) -> Result<(), WorkspaceError> {
        remember(&self.place, &self.origin.name)
    }
}

/// As [`Workspace::remember_place`], where none is open.
pub(super) fn remember(place: &super::Place, origin: &str) -> Result<(), WorkspaceError> {
    let Some(memory) = place.memory() else { return Ok(()) };
    if let Some(parent) = memory.parent() {
        files::create_private_dir(parent)?;
    }
    Ok(files::write_private_atomic(&memory, format!("{origin}\n").as_bytes())?)
}
