//! The pin: the newest checkpoint, kept outside the workspace. Locked, monotone, synced.

use std::path::Path;

use super::WorkspaceError;
use crate::domain::facts::Origin;
use crate::identity::PlainIdentity;
use crate::log::checkpoint::{Checkpoint, VerifierKey};
use crate::log::key::PublicKey;
use crate::log::tree::Frontier;
use crate::store::Head;
use crate::sys::files;
use crate::sys::lock::Lock;

/// The largest pin file: a checkpoint with some witnesses' lines.
pub(super) const MAX_PIN: usize = 65_536;

/// What the pin says of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PinState {
    /// It covers the log, or a part of it.
    Covers {
        /// Entries covered.
        size: u64,
        /// The note, as it lies there.
        note: Vec<u8>,
    },
    /// There is none.
    Missing,
    /// It cannot be read, or the log did not sign it.
    Broken(String),
    /// It covers more than there is: the log was rolled back or cut.
    Ahead {
        /// Entries covered.
        size: u64,
    },
    /// It has another root than the log at the same size.
    Forked {
        /// Entries covered.
        size: u64,
    },
}

/// The log's verifier key.
pub(super) fn vkey(origin: &Origin) -> VerifierKey {
    VerifierKey::for_log(&origin.name, &PublicKey(origin.log_key))
}

pub(super) fn state(dir: &Path, origin: &Origin, head: Option<&Head>) -> Result<PinState, WorkspaceError> {
    Ok(read(dir)?.map_or(PinState::Missing, |note| against(note, origin, head)))
}

/// What a pin that was read before says of the log.
pub(super) fn against(note: Vec<u8>, origin: &Origin, head: Option<&Head>) -> PinState {
    let checkpoint = match Checkpoint::open(&note, &vkey(origin)) {
        Ok((c, _)) => c,
        Err(e) => return PinState::Broken(e.to_string()),
    };
    let size = head.map_or(0, |h| h.size);
    if checkpoint.size > size {
        return PinState::Ahead { size: checkpoint.size };
    }
    let root = head.and_then(|h| Frontier::from_bytes(&h.frontier)).map(|f| f.root());
    if checkpoint.size == size && root != Some(checkpoint.root) {
        return PinState::Forked { size };
    }
    PinState::Covers { size: checkpoint.size, note }
}

/// The pin's bytes; `None` where there is none.
pub(super) fn read(dir: &Path) -> Result<Option<Vec<u8>>, WorkspaceError> {
    match files::read_private(&dir.join("pin"), MAX_PIN) {
        Ok(bytes) => Ok(Some(bytes.to_vec())),
        Err(e) if e.is_not_found() => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// A writer goes on only from a log that the pin knows. A missing pin is for `audit verify` to report.
pub(super) fn refuse_rollback(dir: &Path, origin: &Origin, head: Option<&Head>) -> Result<(), WorkspaceError> {
    refuse(state(dir, origin, head)?, head)
}

/// Only a pin that knows the log lets anything go on; a missing one is for `audit verify` to report.
pub(super) fn refuse(state: PinState, head: Option<&Head>) -> Result<(), WorkspaceError> {
    match state {
        PinState::Covers { .. } | PinState::Missing => Ok(()),
        PinState::Ahead { size } => Err(WorkspaceError::RolledBack { size: head.map_or(0, |h| h.size), pinned: size }),
        PinState::Forked { size } => {
            Err(WorkspaceError::integrity(None, format!("the pin remembers another log of {size} entries")))
        }
        PinState::Broken(why) => Err(WorkspaceError::integrity(None, format!("the pin does not hold: {why}"))),
    }
}

/// Moves the pin forward to the tree's end; never back.
pub(super) fn advance(dir: &Path, origin: &Origin, log: &PlainIdentity, tree: &Frontier) -> Result<(), WorkspaceError> {
    let _lock = Lock::wait(&dir.join("pin.lock"))?;
    let path = dir.join("pin");
    if let Ok(old) = files::read_private(&path, MAX_PIN)
        && let Ok((old, _)) = Checkpoint::open(&old, &vkey(origin))
        && old.size >= tree.size()
    {
        return Ok(());
    }
    let checkpoint = Checkpoint { origin: origin.name.clone(), size: tree.size(), root: tree.root() };
    let note = checkpoint.sign(|message| log.signer().sign(message), &PublicKey(origin.log_key));
    files::write_private_atomic(&path, note.as_bytes())?;
    Ok(())
}
