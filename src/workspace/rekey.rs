//! New keys for operators, and identities on paper that can give one.
//!
//! The order of things: the new sealed identity lies beside the old one (`op-1.json.new`) and is on disk; the entry that
//! makes its key count is committed; it takes the old one's name. So whatever a crash leaves, one of the two files is the
//! enrolled identity: where it is the new one, whoever unlocks next moves it. All of it happens under the writers' lock,
//! so that two at once cannot put each other's file away.

use std::path::{Path, PathBuf};

use super::{Appended, By, OperatorIdentity, Trusted, Tx, Workspace, WorkspaceError, read_sealed};
use crate::domain::event::{Hex32, OperatorRotated, RecoveryEnrolled};
use crate::domain::facts::{Change, Facts};
use crate::domain::id::{Id, IdKind};
use crate::domain::identity::Identity;
use crate::identity::{IdentityError, Passphrase, SealedIdentity, Signer, enrolment_message};
use crate::sys::files;
use std::rc::Rc;

/// A key that an operator is about to get, sealed already. Making one costs an Argon2 run: do it before any lock.
pub struct NewKey {
    id: Id,
    signer: Signer,
    sealed: Vec<u8>,
    file: PathBuf,
}

impl NewKey {
    /// A new key for `id`, sealed under this passphrase, for the identity in `file`.
    ///
    /// # Errors
    /// What random bytes and sealing give.
    pub fn make(ws: &Workspace, id: Id, file: &Path, passphrase: &Passphrase) -> Result<NewKey, WorkspaceError> {
        // A link stays one, and what it leads to is replaced.
        let file = file.canonicalize().unwrap_or_else(|_| file.to_path_buf());
        let wrong = |source: IdentityError| WorkspaceError::Identity { path: file.clone(), source };
        let signer = Signer::generate().map_err(wrong)?;
        let sealed = SealedIdentity::seal(&signer, passphrase, Some(&id.to_string()), Some(&ws.origin().name))
            .and_then(|s| s.to_json())
            .map_err(wrong)?;
        Ok(NewKey { id, signer, sealed, file })
    }

    /// Where it will lie.
    pub fn file(&self) -> &Path {
        &self.file
    }
}

/// The file beside an identity that may take its place.
fn beside(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    file.with_file_name(name)
}

fn proof(signer: &Signer, origin: &str) -> String {
    data_encoding::HEXLOWER.encode(&signer.sign(&enrolment_message(origin, &signer.public())))
}

impl Workspace {
    /// The identities on paper, retired ones too, in the order of their ids.
    pub fn recoveries(&self) -> Result<Vec<Rc<Identity>>, WorkspaceError> {
        self.facts().recoveries()
    }

    /// Gives an operator its new key, signed by its old one or by its identity on paper. When the transaction is on disk,
    /// call [`Workspace::finish_move`] with [`NewKey::file`].
    ///
    /// # Errors
    /// What appending and writing give.
    pub fn rekey(
        &self,
        tx: &mut Tx<'_>,
        by: By<'_>,
        new: &NewKey,
        reason: Option<String>,
    ) -> Result<(Appended, OperatorIdentity), WorkspaceError> {
        // What another one left beside the file must be where it belongs before it is written over.
        self.settle(&new.file)?;
        files::write_private_atomic(&beside(&new.file), &new.sealed)?;
        let public_key = Hex32(new.signer.public());
        let event = OperatorRotated { id: new.id, public_key, proof: proof(&new.signer, &self.origin().name), reason };
        let appended = match tx.append(by, event) {
            Ok(appended) => appended,
            Err(e) => {
                files::remove_file(&beside(&new.file));
                return Err(e);
            }
        };
        Ok((appended, OperatorIdentity::of(new.id, &new.signer)))
    }

    /// Enrols an identity on paper for the operator who signs.
    ///
    /// # Errors
    /// What appending gives.
    pub fn enrol_recovery(
        &self,
        tx: &mut Tx<'_>,
        by: By<'_>,
        paper: &Signer,
    ) -> Result<(Id, Appended), WorkspaceError> {
        let crate::domain::id::Actor::Identity(operator) = by.actor else {
            return Err(WorkspaceError::NoIdentity("an operator enrols it for itself".into()));
        };
        let id = tx.next_id(IdKind::Operator)?;
        let public_key = Hex32(paper.public());
        let event = RecoveryEnrolled { id, operator, public_key, proof: proof(paper, &self.origin().name) };
        Ok((id, tx.append(by, event)?))
    }

    /// Moves a new identity into the old one's place, if the log made its key count. Cheap where there is none.
    ///
    /// # Errors
    /// What reading, locking and moving give.
    pub fn finish_move(&self, file: &Path) -> Result<(), WorkspaceError> {
        let file = file.canonicalize().unwrap_or_else(|_| file.to_path_buf());
        if beside(&file).symlink_metadata().is_err() {
            return Ok(());
        }
        let _turn = self.store().write()?;
        self.settle(&file)
    }

    /// As [`Workspace::finish_move`], for who holds the writers' lock.
    fn settle(&self, file: &Path) -> Result<(), WorkspaceError> {
        let new = beside(file);
        if new.symlink_metadata().is_err() {
            return Ok(());
        }
        // What is no identity was cut off by nobody: these files are written whole. It is left for a person to look at.
        let Ok(sealed) = read_sealed(&new) else { return Ok(()) };
        let facts = self.facts();
        if facts.operators()?.iter().any(|o| o.public_key == sealed.public_key()) {
            files::move_into_place(&new, file)?;
        }
        Ok(())
    }

    /// Identities in the workspace that a crash kept from their place.
    pub(super) fn finish_moves(&self) -> Result<(), WorkspaceError> {
        let Ok(dir) = std::fs::read_dir(self.place().operators()) else { return Ok(()) };
        for path in dir.filter_map(|e| e.ok().map(|e| e.path())) {
            if path.to_string_lossy().ends_with(".json.new") {
                self.finish_move(&path.with_extension(""))?;
            }
        }
        Ok(())
    }

    /// Where the identity of an operator lies, as far as aosctl knows; else where it should.
    pub fn operator_home(&self, operator: &Identity) -> PathBuf {
        let id = operator.id.to_string();
        let theirs = |path: &PathBuf| {
            read_sealed(path).is_ok_and(|s| s.public_key() == operator.public_key || s.id() == Some(id.as_str()))
        };
        let outside = self.state_dir().join("operators");
        let in_dir = |dir: &Path| -> Vec<PathBuf> {
            let mut all: Vec<PathBuf> =
                std::fs::read_dir(dir).into_iter().flatten().filter_map(|e| e.ok().map(|e| e.path())).collect();
            all.retain(|p| p.extension().is_some_and(|x| x == "json"));
            all.sort();
            all
        };
        let inside = in_dir(&self.place().operators());
        let name = format!("{id}.json");
        if let Some(found) = inside.iter().chain(&in_dir(&outside)).find(|p| theirs(p)) {
            return found.clone();
        }
        // A second identity in the workspace would make everybody name theirs.
        let home = self.place().operators().join(&name);
        if inside.is_empty() || home.symlink_metadata().is_ok() { home } else { outside.join(name) }
    }
}

impl Trusted<'_> {
    /// The identities on paper, retired ones too, in the order of their ids.
    pub fn recoveries(&self) -> Result<Vec<Rc<Identity>>, WorkspaceError> {
        let mut found = Vec::new();
        for id in self.store().subjects(IdKind::Operator)? {
            found.extend(self.identity(id)?.filter(|i| i.recovers().is_some()));
        }
        Ok(found)
    }

    /// Every key that an operator ever signed with, oldest first.
    pub fn keys_ever(&self, operator: Id) -> Result<Vec<[u8; 32]>, WorkspaceError> {
        let mut found: Vec<[u8; 32]> = Vec::new();
        for (_, change) in self.history(operator)? {
            if let Change::Identity(i) = &*change
                && found.last() != Some(&i.public_key)
            {
                found.push(i.public_key);
            }
        }
        Ok(found)
    }
}
