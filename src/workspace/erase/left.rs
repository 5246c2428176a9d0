//! What commands that were cut off left behind: open copies of the database, and temporary files.

use std::path::{Path, PathBuf};

use super::reach::HandedOut;
use crate::sys::files;
use crate::sys::lock::Lock;
use crate::workspace::Workspace;

/// What was cleared away.
#[derive(Debug, Default)]
pub(in crate::workspace) struct Cleared {
    /// Open copies of the database that are gone, by name.
    pub removed: Vec<String>,
    /// Nothing of the kind is left.
    pub all: bool,
}

impl Workspace {
    /// Removes what a killed `workspace backup` or `init` left of the database, and old temporary files.
    ///
    /// To be called under the writers' lock, when the write-ahead log was emptied: a backup that is running now then copies
    /// a later state, because an earlier one would have kept the log from being emptied.
    pub(super) fn clear_left(&self) -> Cleared {
        let mut cleared = self.clear_half_made();
        for dir in self.left_by_init() {
            files::remove_tree(&dir);
            cleared.count(&dir, &dir);
        }
        let place = self.place();
        let state = self.state_dir();
        for dir in [place.dir.clone(), place.operators(), place.catalogue(), place.dir.join("vault"), state.clone()] {
            files::remove_old_temporaries(&dir);
        }
        files::remove_old_temporaries(&state.join("agents"));
        cleared
    }

    /// The open copy of a backup that was cut off. One stat where there is none.
    pub(in crate::workspace) fn clear_half_made(&self) -> Cleared {
        let mut cleared = Cleared { removed: Vec::new(), all: true };
        let dir = self.half_made();
        if dir.symlink_metadata().is_err() {
            return cleared;
        }
        match Lock::try_now(&self.backup_lock()) {
            // Somebody makes a backup now, and removes it in time.
            Ok(None) => {}
            Ok(Some(_alone)) => {
                files::remove_tree(&dir);
                cleared.count(&dir, &dir.join("aosctl.db"));
            }
            Err(_) => cleared.all = false,
        }
        cleared
    }

    /// Directories in which an `init` of this very place was building when it was cut off. Now that a workspace lies there,
    /// none can go on.
    fn left_by_init(&self) -> Vec<PathBuf> {
        let Ok(dir) = self.place().dir.canonicalize() else { return Vec::new() };
        let stem = format!("{}.new-", dir.file_name().unwrap_or_default().to_string_lossy());
        let ours = |name: &str| {
            name.strip_prefix(&stem)
                .is_some_and(|rest| rest.len() == 12 && rest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
        };
        beside(&dir).into_iter().filter(|path| named(path, &ours)).collect()
    }

    /// What restores that were cut off left beside the workspace, as far as it may hold the payload of that entry. Another
    /// one may be at work there, so they are named and left.
    pub(super) fn left_by_restore(&self, seq: u64) -> Vec<HandedOut> {
        let Ok(dir) = self.place().dir.canonicalize() else { return Vec::new() };
        let ours = |name: &str| name.starts_with(".aosctl-") && name.ends_with(".tmp");
        let holds = |path: &PathBuf| {
            let copy = path.join("aosctl.db");
            copy.exists() && self.store().may_be_copied_in(&copy, seq)
        };
        beside(&dir)
            .into_iter()
            .filter(|path| named(path, &ours) && holds(path))
            .map(|path| HandedOut {
                kind: "unfinished restore",
                at: String::new(),
                file: path.display().to_string(),
                size: None,
            })
            .collect()
    }
}

impl Cleared {
    fn count(&mut self, path: &Path, name: &Path) {
        if path.symlink_metadata().is_ok() {
            self.all = false;
            return;
        }
        let last_two: Vec<_> = name.components().rev().take(2).map(|c| c.as_os_str().to_string_lossy()).collect();
        let shown = match last_two.as_slice() {
            [file, dir] if file == "aosctl.db" => format!("{dir}/{file}"),
            [file, ..] => file.to_string(),
            [] => String::new(),
        };
        self.removed.push(shown);
    }
}

fn named(path: &Path, ours: &dyn Fn(&str) -> bool) -> bool {
    path.is_dir() && path.file_name().is_some_and(|n| ours(&n.to_string_lossy()))
}

/// What lies beside a directory, in order.
fn beside(dir: &Path) -> Vec<PathBuf> {
    let Some(parent) = dir.parent() else { return Vec::new() };
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(parent).into_iter().flatten().filter_map(|e| e.ok().map(|e| e.path())).collect();
    found.sort();
    found
}
