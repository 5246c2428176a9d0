//! The identities that a command signs with.

use std::path::{Path, PathBuf};

use super::{By, Workspace, WorkspaceError, read_plain};
use crate::domain::facts::Facts;
use crate::domain::id::{Id, IdKind};
use crate::identity::{Passphrase, PlainIdentity, PlainKind, SealedIdentity, Signer};
use crate::sys::files;

/// An unlocked operator.
pub struct OperatorIdentity {
    /// `op-1`.
    pub id: Id,
    signer: Signer,
}

impl OperatorIdentity {
    /// Of somebody who just got a new key.
    pub(super) fn of(id: Id, signer: &Signer) -> OperatorIdentity {
        OperatorIdentity { id, signer: signer.again() }
    }

    /// To sign as.
    pub fn by(&self) -> By<'_> {
        By::identity(self.id, &self.signer)
    }

    /// To open what was sealed for this operator.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }
}

/// A presented agent.
pub struct AgentIdentity {
    /// `ag-2`.
    pub id: Id,
    identity: PlainIdentity,
}

impl AgentIdentity {
    /// To sign as.
    pub fn by(&self) -> By<'_> {
        By::identity(self.id, self.identity.signer())
    }
}

impl Workspace {
    /// The sealed operator identity to unlock: the file named, else the only one in the workspace.
    pub fn sealed_operator(&self, named: Option<&Path>) -> Result<(PathBuf, SealedIdentity), WorkspaceError> {
        // A new key that the log knows, and that a crash kept from its place, is put there first.
        match named {
            Some(p) => self.finish_move(p)?,
            None => self.finish_moves()?,
        }
        let path = match named {
            Some(p) => p.to_path_buf(),
            None => self.only_operator()?,
        };
        let bytes = files::read_private(&path, crate::identity::MAX_IDENTITY_FILE_BYTES)?;
        let sealed =
            SealedIdentity::parse(&bytes).map_err(|source| WorkspaceError::Identity { path: path.clone(), source })?;
        Ok((path, sealed))
    }

    fn only_operator(&self) -> Result<PathBuf, WorkspaceError> {
        let dir = self.place.operators();
        let mut found: Vec<PathBuf> = std::fs::read_dir(&dir)
            .into_iter()
            .flatten()
            .filter_map(|e| e.ok().map(|e| e.path()))
            .filter(|p| p.extension().is_some_and(|x| x == "json"))
            .collect();
        found.sort();
        match found.len() {
            0 => Err(WorkspaceError::NoIdentity(format!("there is no operator identity in {}", dir.display()))),
            1 => found.pop().ok_or_else(|| WorkspaceError::NoIdentity(String::new())),
            n => Err(WorkspaceError::NoIdentity(format!(
                "there are {n} operator identities in {}; name yours",
                dir.display()
            ))),
        }
    }

    /// Unlocks an operator (Argon2; call it before any lock is held) and finds who it is.
    pub fn unlock_operator(
        &self,
        path: &Path,
        sealed: &SealedIdentity,
        passphrase: &Passphrase,
    ) -> Result<OperatorIdentity, WorkspaceError> {
        let signer = sealed
            .unlock(passphrase)
            .map_err(|source| WorkspaceError::Identity { path: path.to_path_buf(), source })?;
        let public = signer.public();
        let facts = self.facts();
        let operators = facts.operators()?;
        let Some(identity) = operators.iter().find(|o| o.public_key == public) else {
            let older =
                operators.iter().find(|o| sealed.id().is_some_and(|id| id == o.id.to_string() && o.has_new_key()));
            let what = match older {
                Some(o) => {
                    format!("holds an older key of {}: another one took its place with entry {}", o.id, o.key_seq)
                }
                None => "is not enrolled in this workspace".into(),
            };
            return Err(WorkspaceError::NoIdentity(format!("{} {what}", path.display())));
        };
        if !identity.is_live() {
            return Err(WorkspaceError::NoIdentity(format!("{} was retired and can sign nothing", identity.id)));
        }
        Ok(OperatorIdentity { id: identity.id, signer })
    }

    /// The agent that an identity file presents. Whether it may do anything is for the entry to be judged.
    pub fn agent(&self, path: &Path) -> Result<AgentIdentity, WorkspaceError> {
        let identity = read_plain(path, PlainKind::Agent)?;
        if identity.origin() != self.origin.name {
            return Err(WorkspaceError::ForeignIdentity { path: path.to_path_buf() });
        }
        let id: Id = identity.id().parse().map_err(WorkspaceError::NoIdentity)?;
        let enrolled = self.facts().identity(id)?.filter(|_| id.kind == IdKind::Agent);
        match enrolled {
            Some(a) if a.public_key == identity.signer().public() => Ok(AgentIdentity { id, identity }),
            _ => Err(WorkspaceError::NoIdentity(format!("{} is not enrolled in this workspace", path.display()))),
        }
    }
}
