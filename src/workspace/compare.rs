//! Two copies of one log: which one is ahead, or where they part.

use std::path::Path;

use super::pin::vkey;
use super::{Place, Workspace, WorkspaceError};
use crate::log::checkpoint::Checkpoint;
use crate::log::tree::{Frontier, leaf_hash};
use crate::log::verify::inspect;
use crate::store::Store;
use crate::sys::files;

/// The longest checkpoint that is read, in bytes: with some witnesses' lines.
const MAX_NOTE: usize = 65_536;

/// What two copies are to each other, from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compared {
    /// Both have the same entries.
    Same,
    /// The other one is a beginning of this one.
    Ahead {
        /// Entries that only this one has.
        by: u64,
    },
    /// This one is a beginning of the other one.
    Behind {
        /// Entries that only the other one has.
        by: u64,
    },
    /// The same log, and both went on.
    Fork {
        /// The first entry that differs; `None` where the other's entries are not at hand.
        at: Option<u64>,
    },
    /// Another log.
    OtherLog {
        /// Its name.
        name: String,
    },
}

/// What this one was compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// Its entries, or those that the checkpoint covers.
    pub entries: u64,
    /// What they are to each other.
    pub found: Compared,
}

impl Workspace {
    /// Compares with another copy: a workspace directory, or a checkpoint of one (a pin, a bundle's, one that was kept). The
    /// other one is only read; that it verifies is not said.
    ///
    /// # Errors
    /// What is neither; what reading gives.
    pub fn compare(&self, other: &Path) -> Result<Other, WorkspaceError> {
        let _moment = self.store().snapshot_if_none()?;
        if !other.is_dir() {
            return self.compare_note(other);
        }
        let place = Place { dir: other.to_path_buf(), state: self.place().state.clone() };
        if place.database().exists() {
            return self.compare_store(&place);
        }
        self.compare_note(&other.join("checkpoint"))
    }

    fn size(&self) -> Result<u64, WorkspaceError> {
        Ok(self.store().last_seq()?.map_or(0, |n| n.saturating_add(1)))
    }

    fn compare_store(&self, place: &Place) -> Result<Other, WorkspaceError> {
        let Some(store) = Store::glimpse(&place.database()) else {
            let why = "its database is none of this version, or cannot be read".to_string();
            return Err(WorkspaceError::NotComparable { path: place.dir.clone(), why });
        };
        let _moment = store.snapshot()?;
        let entries = store.last_seq()?.map_or(0, |n| n.saturating_add(1));
        let first = store.entry(0)?.and_then(|s| inspect(&s.envelope, None).header().map(|h| h.log.clone()));
        let name = first.unwrap_or_default();
        if name != self.origin().name {
            return Ok(Other { entries, found: Compared::OtherLog { name } });
        }
        let (ours, common) = (self.size()?, self.size()?.min(entries));
        let same = |seq: u64| -> Result<bool, WorkspaceError> {
            let leaf = |s: &Store| -> Result<_, WorkspaceError> { Ok(s.entry(seq)?.map(|e| leaf_hash(&e.envelope))) };
            Ok(leaf(self.store())? == leaf(&store)?)
        };
        // Each entry names the one before it, so from the first that differs on all do.
        let (mut low, mut high) = (0, common);
        while low < high {
            let middle = low + (high - low) / 2;
            if same(middle)? { low = middle + 1 } else { high = middle }
        }
        let found = if low < common { Compared::Fork { at: Some(low) } } else { by_size(ours, entries) };
        Ok(Other { entries, found })
    }

    fn compare_note(&self, path: &Path) -> Result<Other, WorkspaceError> {
        let note = files::read_limited(path, MAX_NOTE)?;
        let checkpoint = match Checkpoint::open(&note, &vkey(self.origin())) {
            Ok((checkpoint, _)) => checkpoint,
            Err(e) => {
                let name = String::from_utf8_lossy(&note).lines().next().unwrap_or_default().to_string();
                if name.starts_with("aosctl/") && name != self.origin().name {
                    return Ok(Other { entries: 0, found: Compared::OtherLog { name } });
                }
                return Err(WorkspaceError::NotComparable { path: path.to_path_buf(), why: e.to_string() });
            }
        };
        let (ours, entries) = (self.size()?, checkpoint.size);
        if entries > ours {
            // A fork cannot be told from being behind by a checkpoint alone: the entries are missing.
            return Ok(Other { entries, found: by_size(ours, entries) });
        }
        let mut tree = Frontier::new();
        while tree.size() < entries {
            let most = usize::try_from(entries - tree.size()).unwrap_or(usize::MAX).min(1_000);
            let batch = self.store().range(tree.size(), most)?;
            if batch.is_empty() {
                break;
            }
            batch.iter().for_each(|e| tree.push(leaf_hash(&e.envelope)));
        }
        let found = if tree.root() == checkpoint.root { by_size(ours, entries) } else { Compared::Fork { at: None } };
        Ok(Other { entries, found })
    }
}

fn by_size(ours: u64, theirs: u64) -> Compared {
    match ours.cmp(&theirs) {
        std::cmp::Ordering::Equal => Compared::Same,
        std::cmp::Ordering::Greater => Compared::Ahead { by: ours - theirs },
        std::cmp::Ordering::Less => Compared::Behind { by: theirs - ours },
    }
}
