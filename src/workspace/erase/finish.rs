//! Taking what was erased out of the files, and the mark that says that this is still to be done.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::left::Cleared;
use crate::store::Scrubbed;
use crate::sys::files;
use crate::workspace::{Place, Workspace, WorkspaceError};

/// The longest mark that is read.
const MARK_LIMIT: usize = 1 << 20;

/// The mark: entries of which members were erased, and whose bytes may still lie in a file. It lies in the workspace, so
/// that a copy of the workspace that was made meanwhile has it, too.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Mark {
    entries: Vec<u64>,
}

/// What became of the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// None are left in the workspace's files.
    pub clean: bool,
    /// Open copies of the database that were removed, because they held them or may have: from before a migration, and of a
    /// backup or an `init` that was cut off.
    pub removed: Vec<String>,
}

fn path(place: &Place) -> PathBuf {
    place.dir.join("erasing")
}

/// May bytes of something erased still lie in the workspace's files?
pub fn is_unfinished(place: &Place) -> bool {
    path(place).exists()
}

fn read(place: &Place) -> Mark {
    // One that cannot be read names nothing, and everything is cleaned.
    let bytes = files::read_limited_kept(&path(place), MARK_LIMIT).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

/// Sets the mark, inside the transaction that erases. If that fails later, there is only something to clean.
pub(super) fn mark(ws: &Workspace, seq: u64) -> Result<(), WorkspaceError> {
    let unfinished = is_unfinished(ws.place());
    let mut mark = read(ws.place());
    // One that names nothing means everything, and must go on doing so.
    if !unfinished || !mark.entries.is_empty() {
        mark.entries.push(seq);
    }
    let bytes = serde_json::to_vec(&mark).map_err(|e| WorkspaceError::Unwritable(e.to_string()))?;
    Ok(files::write_private_atomic(&path(ws.place()), &bytes)?)
}

/// Takes what was erased out of the database, its write-ahead log, the copies from before a migration and what commands
/// that were cut off left, and waits so long for those who still read. The mark goes only when nothing is left.
///
/// # Errors
/// What SQLite gives, above all a disk without room for a second copy of the database. The erasure stands all the same.
pub fn finish(ws: &Workspace, patience: Duration) -> Result<Finished, WorkspaceError> {
    let mut removed = ws.store().remove_copies_with(&read(ws.place()).entries);
    let place = ws.place();
    let mut cleared = Cleared::default();
    let scrubbed = ws.store().scrub(patience, || {
        cleared = ws.clear_left();
        if cleared.all {
            files::remove_file(&path(place));
        }
    })?;
    removed.append(&mut cleared.removed);
    Ok(Finished { clean: scrubbed == Scrubbed::Clean && cleared.all, removed })
}
