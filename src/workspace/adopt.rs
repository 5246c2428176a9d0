//! The policy: the one that was adopted, and the texts that lie beside it for editing.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::{Place, Trusted, Workspace, WorkspaceError};
use crate::domain::event::Event;
use crate::domain::facts::Facts;
use crate::domain::id::Actor;
use crate::domain::rules::Rules;
use crate::domain::time::Time;
use crate::policy::file::MAX_TEXT;
use crate::sys::{SysError, files};

/// The policy in force, with the text that it was read from.
#[derive(Debug, Clone)]
pub struct Adopted {
    /// The entry that adopted it.
    pub seq: u64,
    /// When.
    pub at: Time,
    /// Who.
    pub by: Actor,
    /// Hex SHA-256 of the canonical rules.
    pub digest: String,
    /// What decides.
    pub rules: Rules,
    /// The text.
    pub source: String,
    /// Keys that an operator was asked about or set.
    pub confirmed: BTreeSet<String>,
    /// Why.
    pub reason: Option<String>,
}

impl Workspace {
    /// The policy in force, from its verified entry. `None` where none was ever adopted.
    ///
    /// # Errors
    /// What reading and verifying give.
    pub fn adopted(&self) -> Result<Option<Adopted>, WorkspaceError> {
        let Some(policy) = self.facts().policy()? else {
            return Ok(None);
        };
        self.adopted_by(policy.seq)
    }

    /// The policy that an entry adopted; `None` where that entry adopted none.
    ///
    /// # Errors
    /// What reading and verifying give.
    pub fn adopted_by(&self, seq: u64) -> Result<Option<Adopted>, WorkspaceError> {
        Ok(match self.event(seq)? {
            (entry, Event::PolicyAdopted(b)) => Some(Adopted {
                seq,
                at: entry.at,
                by: entry.actor,
                digest: b.digest,
                rules: Arc::unwrap_or_clone(b.rules),
                source: b.source,
                confirmed: b.confirmed,
                reason: b.reason,
            }),
            _ => None,
        })
    }

    /// Facts as they were just before an entry.
    pub fn facts_before(&self, seq: u64) -> Trusted<'_> {
        self.facts().before(seq)
    }

    /// Writes the policy's text, for editing. It decides nothing.
    ///
    /// # Errors
    /// What writing gives; the old text is then still there.
    pub fn write_policy_text(&self, text: &str) -> Result<(), WorkspaceError> {
        Ok(files::write_private_atomic(&self.place().policy(), text.as_bytes())?)
    }
}

impl Place {
    /// The policy's text, if there is one.
    ///
    /// # Errors
    /// A file that cannot be read, is too long, or is no text.
    pub fn policy_text(&self) -> Result<Option<String>, WorkspaceError> {
        match text(&self.policy(), files::read_limited_kept) {
            Err(WorkspaceError::Sys(e)) if e.is_not_found() => Ok(None),
            other => other.map(Some),
        }
    }

    /// The company's own catalogue: names and texts of `catalogue/*.toml`, by name.
    ///
    /// # Errors
    /// As [`Place::policy_text`].
    pub fn own_catalogue(&self) -> Result<Vec<(String, String)>, WorkspaceError> {
        let dir = self.catalogue();
        let entries = match std::fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => {
                return Err(SysError::Io { action: "read", path: dir, source }.into());
            }
        };
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(|source| SysError::Io { action: "read", path: dir.clone(), source })?.path();
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            // What an editor leaves beside a file begins with a dot.
            if name.ends_with(".toml") && !name.starts_with('.') {
                found.push((format!("catalogue/{name}"), text(&path, files::read_limited_kept)?));
            }
        }
        found.sort();
        Ok(found)
    }
}

/// A text of at most [`MAX_TEXT`] bytes.
///
/// # Errors
/// A file that cannot be read, is too long, or is no text.
pub fn read_text(path: &Path) -> Result<String, WorkspaceError> {
    text(path, files::read_limited)
}

fn text(path: &Path, read: fn(&Path, usize) -> Result<Vec<u8>, SysError>) -> Result<String, WorkspaceError> {
    let bytes = read(path, MAX_TEXT)?;
    String::from_utf8(bytes).map_err(|_| {
        let source = std::io::Error::new(std::io::ErrorKind::InvalidData, "it is not UTF-8 text");
        WorkspaceError::Sys(SysError::Io { action: "read", path: path.to_path_buf(), source })
    })
}
