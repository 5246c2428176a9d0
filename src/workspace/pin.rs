//! The pin: the newest checkpoint, kept outside the workspace. Locked, monotone, synced.

use std::path::Path;

use super::WorkspaceError;
use crate::domain::facts::Origin;
use crate::identity::PlainIdentity;
use crate::log::checkpoint::{Checkpoint, VerifierKey};
use crate::log::key::PublicKey;
use crate::log::tree::Frontier;
use crate::store::Head;
use crate::sys::lock::Lock;
use crate::sys::{SysError, files};

/// The largest pin file: a checkpoint with some witnesses' lines.
pub(super) const MAX_PIN: usize = 65_536;

/// How long to wait for others that move the pin. The entry is on disk by then, and the next writer moves the pin too.
const MOVING: std::time::Duration = std::time::Duration::from_secs(12);

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

/// The pin as it lies there; `None` where there is none.
pub(super) fn read(dir: &Path) -> Result<Option<Vec<u8>>, WorkspaceError> {
    match files::read_private_kept(&dir.join("pin"), MAX_PIN) {
        Ok(bytes) => Ok(Some(bytes.to_vec())),
        Err(e) if e.is_not_found() => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// What a pin says of the log that ends there.
pub(super) fn judge(note: Option<Vec<u8>>, origin: &Origin, head: Option<&Head>) -> Result<PinState, WorkspaceError> {
    let Some(note) = note else { return Ok(PinState::Missing) };
    let checkpoint = match Checkpoint::open(&note, &vkey(origin)) {
        Ok((c, _)) => c,
        Err(e) => return Ok(PinState::Broken(e.to_string())),
    };
    let size = head.map_or(0, |h| h.size);
    if checkpoint.size > size {
        return Ok(PinState::Ahead { size: checkpoint.size });
    }
    let root = head.and_then(|h| Frontier::from_bytes(&h.frontier)).map(|f| f.root());
    if checkpoint.size == size && root != Some(checkpoint.root) {
        return Ok(PinState::Forked { size });
    }
    Ok(PinState::Covers { size: checkpoint.size, note })
}

/// A writer goes on only from a log that the pin knows. A missing pin is for `audit verify` to report.
pub(super) fn refuse_rollback(dir: &Path, origin: &Origin, head: Option<&Head>) -> Result<(), WorkspaceError> {
    match judge(read(dir)?, origin, head)? {
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
    let lock = dir.join("pin.lock");
    let Some(_lock) = Lock::wait(&lock, MOVING)? else {
        let source = std::io::Error::from(std::io::ErrorKind::TimedOut);
        return Err(SysError::Io { action: "take the lock", path: lock, source }.into());
    };
    let path = dir.join("pin");
    if let Ok(old) = files::read_private_kept(&path, MAX_PIN)
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
