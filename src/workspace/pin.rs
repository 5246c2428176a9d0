//! The pin: the newest checkpoint, kept outside the workspace. Locked, monotone, synced.

use std::path::Path;

use super::WorkspaceError;
use crate::domain::facts::Origin;
use crate::identity::PlainIdentity;
use crate::log::checkpoint::{Checkpoint, VerifierKey};
use crate::log::hash::Hash;
use crate::log::key::PublicKey;
use crate::log::tree::{Frontier, leaf_hash};
use crate::store::{Head, Store};
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

/// What lies there: the note, and the checkpoint in it if the log signed one.
#[derive(Debug)]
pub(super) enum Pin {
    Missing,
    Broken(String),
    Found { checkpoint: Checkpoint, note: Vec<u8> },
}

/// The note as it lies there; `None` where there is none.
pub(super) fn note(dir: &Path) -> Result<Option<Vec<u8>>, WorkspaceError> {
    match files::read_private_kept(&dir.join("pin"), MAX_PIN) {
        Ok(bytes) => Ok(Some(bytes.to_vec())),
        Err(e) if e.is_not_found() => Ok(None),
        Err(SysError::NotAFile { path }) => Err(WorkspaceError::PinNotAFile { path }),
        Err(e) => Err(e.into()),
    }
}

/// Reads the pin. Whoever compares it with a log that others write reads it first: a pin only ever lags behind.
pub(super) fn read(dir: &Path, origin: &Origin) -> Result<Pin, WorkspaceError> {
    let Some(note) = note(dir)? else { return Ok(Pin::Missing) };
    Ok(match Checkpoint::open(&note, &vkey(origin)) {
        Ok((checkpoint, _)) => Pin::Found { checkpoint, note },
        Err(e) => Pin::Broken(e.to_string()),
    })
}

impl Pin {
    /// Size and root as `rollback.accepted/1` names them. Where there is no pin that holds: those of no entries.
    pub(super) fn named(&self) -> (u64, Hash) {
        match self {
            Pin::Found { checkpoint, .. } => (checkpoint.size, checkpoint.root),
            Pin::Missing | Pin::Broken(_) => (0, Frontier::new().root()),
        }
    }

    /// What it says of a log that ends so.
    pub(super) fn state(self, head: Option<&Head>) -> PinState {
        let (checkpoint, note) = match self {
            Pin::Missing => return PinState::Missing,
            Pin::Broken(why) => return PinState::Broken(why),
            Pin::Found { checkpoint, note } => (checkpoint, note),
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

    /// Only a log that the pin knows may be built on, or decided by. Where there is no pin, nobody can tell: deleting it is
    /// how a rollback would be hidden. A log without entries has none yet.
    pub(super) fn refuse_rollback(self, head: Option<&Head>) -> Result<(), WorkspaceError> {
        match self.state(head) {
            PinState::Covers { .. } => Ok(()),
            PinState::Missing if head.is_none() => Ok(()),
            PinState::Missing => Err(WorkspaceError::PinMissing),
            PinState::Ahead { size } => {
                Err(WorkspaceError::RolledBack { size: head.map_or(0, |h| h.size), pinned: size })
            }
            PinState::Forked { size } => Err(WorkspaceError::Fork { pinned: size }),
            PinState::Broken(why) => Err(WorkspaceError::PinBroken { why }),
        }
    }
}

/// What marks that entries were appended to a log that was behind its pin. From then on its size proves nothing: with
/// enough of them it would grow past the pin, and the pin would move on as if nothing had been lost.
const MARK: &str = "behind";

/// Leaves the mark. Where the state directory is gone it is made: whoever takes rights away is not stopped by that.
pub(super) fn mark_behind(dir: &Path) -> Result<(), WorkspaceError> {
    files::create_private_dir(dir)?;
    Ok(files::write_private_atomic(&dir.join(MARK), b"")?)
}

/// Where the mark lies, the pin must be found in the log, entry by entry; then the mark goes.
pub(super) fn refuse_marked(dir: &Path, origin: &Origin, store: &Store) -> Result<(), WorkspaceError> {
    let mark = dir.join(MARK);
    if !mark.exists() {
        return Ok(());
    }
    let Pin::Found { checkpoint, .. } = read(dir, origin)? else { return Ok(()) };
    let mut tree = Frontier::new();
    while tree.size() < checkpoint.size {
        let most = usize::try_from(checkpoint.size - tree.size()).unwrap_or(usize::MAX).min(1_000);
        let entries = store.range(tree.size(), most)?;
        if entries.is_empty() {
            break;
        }
        entries.iter().for_each(|e| tree.push(leaf_hash(&e.envelope)));
    }
    if tree.size() != checkpoint.size || tree.root() != checkpoint.root {
        return Err(WorkspaceError::Fork { pinned: checkpoint.size });
    }
    files::remove_file(&mark);
    Ok(())
}

/// Holds the pin, so that nobody else moves it.
fn hold(dir: &Path) -> Result<Lock, WorkspaceError> {
    let lock = dir.join("pin.lock");
    Lock::wait(&lock, MOVING)?.ok_or_else(|| {
        let source = std::io::Error::from(std::io::ErrorKind::TimedOut);
        SysError::Io { action: "take the lock", path: lock, source }.into()
    })
}

/// The only way by which a pin goes back, after an operator's `rollback.accepted/1`: it becomes the log's present end.
/// What lay there is kept beside it, as evidence, and the mark goes last.
pub(super) fn replace(dir: &Path, origin: &Origin, log: &PlainIdentity, tree: &Frontier) -> Result<(), WorkspaceError> {
    let _lock = hold(dir)?;
    let path = dir.join("pin");
    if let Some(old) = note(dir)? {
        let size = Checkpoint::open(&old, &vkey(origin)).map_or("unreadable".into(), |(c, _)| c.size.to_string());
        keep_beside(dir, &size, &old)?;
    }
    files::write_private_atomic(&path, signed(origin, log, tree).as_bytes())?;
    files::remove_file(&dir.join(MARK));
    Ok(())
}

/// `pin.before-40`; with a number behind it where another one has that name.
fn keep_beside(dir: &Path, size: &str, note: &[u8]) -> Result<(), WorkspaceError> {
    for n in 1..1_000_u32 {
        let more = if n == 1 { String::new() } else { format!("-{n}") };
        let path = dir.join(format!("pin.before-{size}{more}"));
        match files::create_private_new(&path, note) {
            Err(SysError::Exists { .. }) => {
                if files::read_limited_kept(&path, MAX_PIN).is_ok_and(|kept| kept == note) {
                    return Ok(());
                }
            }
            other => return Ok(other?),
        }
    }
    Ok(())
}

/// A checkpoint of the tree, signed by the log.
pub(super) fn signed(origin: &Origin, log: &PlainIdentity, tree: &Frontier) -> String {
    let checkpoint = Checkpoint { origin: origin.name.clone(), size: tree.size(), root: tree.root() };
    checkpoint.sign(|message| log.signer().sign(message), &PublicKey(origin.log_key))
}

/// Takes another directory's pin over, if it covers more than the one here; what is here is kept beside it then.
pub(super) fn take_over(from: &Path, to: &Path, origin: &Origin) -> Result<(), WorkspaceError> {
    let _lock = hold(to)?;
    let Pin::Found { checkpoint: theirs, note: new } = read(from, origin)? else { return Ok(()) };
    match read(to, origin)? {
        Pin::Found { checkpoint, .. } if checkpoint.size >= theirs.size => return Ok(()),
        Pin::Found { checkpoint, note } => keep_beside(to, &checkpoint.size.to_string(), &note)?,
        // What does not hold is for somebody to look at, and stops whoever would widen.
        Pin::Broken(_) => return Ok(()),
        Pin::Missing => {}
    }
    Ok(files::write_private_atomic(&to.join("pin"), &new)?)
}

/// Moves the pin forward to the tree's end; never back.
pub(super) fn advance(dir: &Path, origin: &Origin, log: &PlainIdentity, tree: &Frontier) -> Result<(), WorkspaceError> {
    let _lock = hold(dir)?;
    let path = dir.join("pin");
    if let Ok(old) = files::read_private_kept(&path, MAX_PIN)
        && let Ok((old, _)) = Checkpoint::open(&old, &vkey(origin))
        && old.size >= tree.size()
    {
        return Ok(());
    }
    files::write_private_atomic(&path, signed(origin, log, tree).as_bytes())?;
    Ok(())
}
