//! Two copies of one log: which one is ahead, or where they part.

use std::io::BufReader;
use std::path::Path;

use super::pin::vkey;
use super::verify::read_line;
use super::{Place, Workspace, WorkspaceError};
use crate::log::checkpoint::Checkpoint;
use crate::log::tree::{Frontier, leaf_hash};
use crate::log::verify::inspect;
use crate::store::Store;
use crate::sys::files;

/// The longest checkpoint that is read, in bytes: with some witnesses' lines.
const MAX_NOTE: usize = 65_536;

/// The longest line of entries that is read whole: the longest envelope.
const MAX_ENVELOPE: usize = 65_535;

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
    /// The entries themselves were compared, not only a checkpoint of them.
    pub seen: bool,
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
        let by_note = self.compare_note(&other.join("checkpoint"))?;
        let entries = other.join("entries.jsonl");
        // A bundle has the entries themselves: they say where two copies part, and whether they do.
        let open = matches!(by_note.found, Compared::Fork { .. } | Compared::Behind { .. });
        if !open || !entries.symlink_metadata().is_ok_and(|there| there.is_file()) {
            return Ok(by_note);
        }
        let at = self.first_other(&entries)?;
        let found = if at.is_some() { Compared::Fork { at } } else { by_note.found };
        Ok(Other { found, seen: true, ..by_note })
    }

    /// The first entry of a bundle that is another one than here; `None` where those that both have are the same.
    fn first_other(&self, entries: &Path) -> Result<Option<u64>, WorkspaceError> {
        let mut file = BufReader::new(files::open_file(entries)?);
        let mut next = 0;
        loop {
            let ours = self.store().envelopes(next, 1_000)?;
            if ours.is_empty() {
                return Ok(None);
            }
            for (seq, envelope) in ours {
                match read_line(&mut file, MAX_ENVELOPE)? {
                    None => return Ok(None),
                    Some(line) if line.bytes != envelope => return Ok(Some(seq)),
                    Some(_) => next = seq + 1,
                }
            }
        }
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
            return Ok(Other { entries, found: Compared::OtherLog { name }, seen: true });
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
        Ok(Other { entries, found, seen: true })
    }

    fn compare_note(&self, path: &Path) -> Result<Other, WorkspaceError> {
        let note = files::read_limited(path, MAX_NOTE)?;
        let checkpoint = match Checkpoint::open(&note, &vkey(self.origin())) {
            Ok((checkpoint, _)) => checkpoint,
            Err(e) => {
                let name = String::from_utf8_lossy(&note).lines().next().unwrap_or_default().to_string();
                if name.starts_with("aosctl/") && name != self.origin().name {
                    return Ok(Other { entries: 0, found: Compared::OtherLog { name }, seen: false });
                }
                return Err(WorkspaceError::NotComparable { path: path.to_path_buf(), why: e.to_string() });
            }
        };
        let (ours, entries) = (self.size()?, checkpoint.size);
        if entries > ours {
            // A fork cannot be told from being behind by a checkpoint alone: the entries are missing.
            return Ok(Other { entries, found: by_size(ours, entries), seen: false });
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
        Ok(Other { entries, found, seen: false })
    }
}

fn by_size(ours: u64, theirs: u64) -> Compared {
    match ours.cmp(&theirs) {
        std::cmp::Ordering::Equal => Compared::Same,
        std::cmp::Ordering::Greater => Compared::Ahead { by: ours - theirs },
        std::cmp::Ordering::Less => Compared::Behind { by: theirs - ours },
    }
}
