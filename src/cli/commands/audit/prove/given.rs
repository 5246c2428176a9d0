//! The checkpoints that `audit prove` starts from and leads to.

use std::path::Path;

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::text::safe;
use crate::evidence::proof::note_does_not_hold;
use crate::evidence::witness::NOTE_LIMIT;
use crate::log::checkpoint::{Checkpoint, VerifierKey};
use crate::log::hash::Hash;
use crate::log::key::PublicKey;
use crate::sys::files;
use crate::workspace::{Proven, Workspace};

/// A checkpoint that the user brings.
pub(super) struct Given {
    /// Its file's name, safe to print.
    pub name: String,
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The note, as it came.
    pub note: String,
}

impl Given {
    /// Reads one that this log signed and that lies within it.
    pub fn read(ws: &Workspace, path: &Path) -> Result<Given, CliError> {
        let name = safe(&path.display().to_string());
        let bytes = files::read_limited(path, NOTE_LIMIT)?;
        let (checkpoint, _) = Checkpoint::open(&bytes, &log_key(ws)).map_err(|fault| {
            let what = format!("{name}: {fault}");
            if note_does_not_hold(fault) {
                CliError::new(Exit::Integrity, fault.kind(), what)
                    .because("it is not a checkpoint that this log signed, as it stands there")
            } else {
                CliError::could_not(fault.kind(), what)
            }
        })?;
        let total = ws.store().last_seq()?.map_or(0, |last| last + 1);
        if checkpoint.size > total {
            let what = format!("{name} covers {} entries, and the log has {total}", checkpoint.size);
            return Err(CliError::new(Exit::Integrity, "rolled_back", what)
                .because("the log was cut, or an older copy of the workspace was put back")
                .hint("put the newest copy of the workspace back, then: aosctl audit verify"));
        }
        // It opened, so it is UTF-8.
        Ok(Given { name, checkpoint, note: String::from_utf8_lossy(&bytes).into_owned() })
    }

    /// The last entry that it covers.
    pub fn last(&self) -> String {
        self.checkpoint.size.checked_sub(1).map_or_else(|| "none".into(), |last| last.to_string())
    }

    /// The log has another root at that size now.
    pub fn fork(&self, now: Hash) -> CliError {
        let Given { name, checkpoint, .. } = self;
        let what =
            format!("FORK: the first {} entries of this log are not those that it signed in {name}", checkpoint.size);
        CliError::new(Exit::Integrity, "fork", what)
            .because(format!("their root is {now} now, and the checkpoint says {}", checkpoint.root))
            .hint("keep that checkpoint: it is evidence that the log was rewritten")
            .hint("see what is wrong: aosctl audit verify")
    }
}

/// The note that a proof leads to: the one given, which must be this log's, or one signed now.
pub(super) fn against(ws: &Workspace, proven: &Proven, given: Option<Given>) -> Result<String, CliError> {
    match given {
        None => Ok(ws.sign_checkpoint(&proven.checkpoint)?),
        Some(given) if given.checkpoint.root != proven.checkpoint.root => Err(given.fork(proven.checkpoint.root)),
        Some(given) => Ok(given.note),
    }
}

/// The log's verifier key.
pub(super) fn log_key(ws: &Workspace) -> VerifierKey {
    VerifierKey::for_log(&ws.origin().name, &PublicKey(ws.origin().log_key))
}
