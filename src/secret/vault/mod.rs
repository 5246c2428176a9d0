//! The embedded vault: one sealed file a secret, in `WORKSPACE/vault/`.
//!
//! A file is named after the key and its own digest, `k-3.<first 16 hex digits of its SHA-256>.sealed` (0600, in a 0700
//! directory), and the inventory's entry names the whole digest. So the order of things is: seal, which returns when the
//! file is on disk; append the entry that names it; remove the file of the entry before. A crash in between leaves a file
//! that no entry names, which is garbage and harmless, and never an entry without its file.
//!
//! - *Attended* files are sealed for every live operator: somebody has to unlock to open one.
//! - *Unattended* ones are sealed under `STATE/ORIGIN/vault.key` (32 random bytes, 0600), which lies outside the workspace,
//!   so that a copy of the workspace opens nothing. Whoever can read the state directory can open them.
//! - `fingerprint.sealed` holds the key of fingerprints. No entry names it, so an operator signs the file itself: otherwise
//!   somebody who can write here could put a key of his own in its place, and guess short secrets from their fingerprints.
//!   While an operator gets a new key by a code on paper, what that key signed waits beside it (`fingerprint.sealed.new`),
//!   and takes its place once the log has made the key count; whoever needs it next finishes what a crash cut off.

mod file;
mod fingerprint;

pub use fingerprint::FingerprintKey;

use self::file::{Closed, File, MAX_FILE};
use super::{Secret, SecretError};
use crate::domain::event::Hex32;
use crate::domain::id::{Id, IdKind};
use crate::domain::identity::Identity;
use crate::domain::key::Place;
use crate::identity::Signer;
use crate::sys::{SysError, files, random};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use zeroize::Zeroizing;

/// The operators of a log, by their identities' public keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Circle {
    /// For whom is sealed.
    pub live: Vec<[u8; 32]>,
    /// Everybody who is or was an operator: whose signature under the fingerprint key counts.
    pub ever: Vec<[u8; 32]>,
}

impl Circle {
    /// Of what `Facts::operators` gives, which is every operator, live or not.
    pub fn of(operators: &[Rc<Identity>]) -> Circle {
        let keys = |pick: fn(&Identity) -> bool| operators.iter().filter(|o| pick(o)).map(|o| o.public_key).collect();
        Circle { live: keys(Identity::is_live), ever: keys(|_| true) }
    }

    /// With identities on paper that live operators have: what nobody could open after a lost passphrase, they can. What
    /// one of them signs counts for nothing here.
    #[must_use]
    pub fn with_paper(mut self, papers: impl IntoIterator<Item = [u8; 32]>) -> Circle {
        self.live.extend(papers);
        self
    }

    /// With keys that operators signed with before they got another one.
    #[must_use]
    pub fn with_former(mut self, keys: impl IntoIterator<Item = [u8; 32]>) -> Circle {
        self.ever.extend(keys);
        self
    }

    /// With one more, who is just being enrolled.
    #[must_use]
    pub fn with(mut self, public_key: [u8; 32]) -> Circle {
        self.live.push(public_key);
        self.ever.push(public_key);
        self
    }

    /// Without one who is just being retired; what that one signed still counts.
    #[must_use]
    pub fn without(mut self, public_key: &[u8; 32]) -> Circle {
        self.live.retain(|k| k != public_key);
        self
    }
}

/// A file that was just sealed, and is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// An operator has to unlock to open it.
    pub attended: bool,
    /// SHA-256 of the file, for the entry.
    pub sha256: Hex32,
}

impl Sealed {
    /// As the inventory has it.
    pub fn place(&self) -> Place {
        Place::Sealed { attended: self.attended, sha256: self.sha256 }
    }
}

/// The vault of one workspace.
#[derive(Debug, Clone)]
pub struct Vault {
    dir: PathBuf,
    vault_key: PathBuf,
    origin: String,
}

impl Vault {
    /// The vault of a workspace: its directory, the state directory of its log (`Workspace::state_dir`), and its origin.
    /// Touches nothing.
    pub fn new(workspace: &Path, state: &Path, origin: &str) -> Vault {
        Vault { dir: workspace.join("vault"), vault_key: state.join("vault.key"), origin: origin.to_string() }
    }

    /// Seals a key's secret, anew each time. When this returns the file is on disk; only then may an entry name it.
    ///
    /// Read `operators` and call this inside the transaction that appends the entry, so that no operator is enrolled in
    /// between. It costs no Argon2 run.
    ///
    /// # Errors
    /// [`SecretError::NoRecipient`]; what random bytes and writing give.
    pub fn seal(&self, key: Id, attended: bool, secret: &Secret, operators: &Circle) -> Result<Sealed, SecretError> {
        let item = item_of(key)?;
        let file = if attended {
            File::attended(&self.origin, &item, secret, &operators.live, None)?
        } else {
            File::unattended(&self.origin, &item, secret, &self.vault_key(true)?)?
        };
        let bytes = file.to_json()?;
        let sha256 = digest(&bytes);
        files::create_private_dir(&self.dir)?;
        match files::create_private_new(&self.path(key, sha256), &bytes) {
            // Bytes of the same digest are the same bytes.
            Ok(()) | Err(SysError::Exists { .. }) => Ok(Sealed { attended, sha256 }),
            Err(e) => Err(e.into()),
        }
    }

    /// Opens the file that a place names, which nothing else can stand in for. `signer` is an unlocked operator, needed for
    /// an attended one.
    ///
    /// # Errors
    /// [`SecretError::NoPlace`] and [`SecretError::NotSealed`] for other places; [`SecretError::NeedsOperator`];
    /// [`SecretError::Missing`], [`SecretError::Swapped`], [`SecretError::Malformed`], [`SecretError::Foreign`],
    /// [`SecretError::NotForYou`], [`SecretError::OtherVaultKey`], [`SecretError::Damaged`] about the file.
    pub fn open(&self, key: Id, place: &Place, signer: Option<&Signer>) -> Result<Secret, SecretError> {
        let (path, file, attended) = self.read(key, place)?;
        let opened = if attended {
            file.open_as(signer.ok_or(SecretError::NeedsOperator)?)
        } else {
            file.open_under(&self.vault_key(false)?)
        };
        opened.map_err(|why| self.closed(path, &file, why))
    }

    /// The public keys of those who can open an attended file.
    ///
    /// # Errors
    /// As [`Vault::open`], about the file.
    pub fn recipients(&self, key: Id, place: &Place) -> Result<Vec<[u8; 32]>, SecretError> {
        Ok(self.read(key, place)?.1.recipients())
    }

    /// Seals the secret of an attended file again, for the operators there are now. The old file stays until
    /// [`Vault::remove`].
    ///
    /// # Errors
    /// As [`Vault::open`] and [`Vault::seal`].
    pub fn reseal(&self, key: Id, place: &Place, signer: &Signer, operators: &Circle) -> Result<Sealed, SecretError> {
        let secret = self.open(key, place, Some(signer))?;
        let attended = matches!(place, Place::Sealed { attended: true, .. });
        self.seal(key, attended, &secret, operators)
    }

    /// Removes the file of a place that no entry names any more. Call it when the entry that replaces it is on disk. A file
    /// that cannot be removed stays, and harms nothing.
    pub fn remove(&self, key: Id, place: &Place) {
        if let Place::Sealed { sha256, .. } = place {
            files::remove_file(&self.path(key, *sha256));
        }
    }

    /// Where the file of a sealed key lies.
    pub fn path(&self, key: Id, sha256: Hex32) -> PathBuf {
        let digest = sha256.to_string();
        self.dir.join(format!("{key}.{}.sealed", digest.get(..16).unwrap_or_default()))
    }

    /// The file of a place, read, compared with its digest, and found to be sealed for this key of this log.
    fn read(&self, key: Id, place: &Place) -> Result<(PathBuf, File, bool), SecretError> {
        let item = item_of(key)?;
        let (attended, sha256) = match place {
            Place::Sealed { attended, sha256 } => (*attended, *sha256),
            Place::Reference(_) => return Err(SecretError::NotSealed),
            Place::Unknown => return Err(SecretError::NoPlace),
        };
        let path = self.path(key, sha256);
        let bytes = read_file(&path)?;
        if digest(&bytes) != sha256 {
            return Err(SecretError::Swapped { path });
        }
        let file = File::parse(&bytes).map_err(|why| malformed(&path, &why))?;
        let foreign = |what: &str| Err(SecretError::Foreign { path: path.clone(), what: what.into() });
        if file.origin != self.origin {
            return foreign("for another workspace");
        }
        if file.item != item {
            return foreign("for another key");
        }
        if file.is_attended() != attended {
            return foreign("the log says otherwise whether somebody has to unlock it");
        }
        Ok((path, file, attended))
    }

    /// The key of unattended secrets; made where it is missing and may be.
    fn vault_key(&self, make: bool) -> Result<Zeroizing<[u8; 32]>, SecretError> {
        let path = &self.vault_key;
        if make && path.symlink_metadata().is_err() {
            if let Some(parent) = path.parent() {
                files::create_private_dir(parent)?;
            }
            let fresh = Zeroizing::new(random::bytes::<32>()?);
            match files::create_private_new(path, fresh.as_slice()) {
                // Whoever was quicker made the one that counts.
                Ok(()) | Err(SysError::Exists { .. }) => {}
                Err(e) => return Err(e.into()),
            }
        }
        let bytes = match files::read_private_kept(path, 32) {
            Err(e) if e.is_not_found() => return Err(SecretError::Missing { path: path.clone() }),
            other => other?,
        };
        let wrong = || SecretError::Malformed { path: path.clone(), what: "it has not 32 bytes".into() };
        Ok(Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| wrong())?))
    }

    fn closed(&self, path: PathBuf, file: &File, why: Closed) -> SecretError {
        match why {
            Closed::NotForYou => SecretError::NotForYou { path, recipients: file.recipients() },
            Closed::OtherVaultKey => SecretError::OtherVaultKey { path, key: self.vault_key.clone() },
            Closed::Damaged => SecretError::Damaged { path },
            other => malformed(&path, &other),
        }
    }
}

fn malformed(path: &Path, why: &Closed) -> SecretError {
    let what = match why {
        Closed::Malformed(what) => what,
        _ => "it cannot be read",
    };
    SecretError::Malformed { path: path.to_path_buf(), what: what.into() }
}

fn read_file(path: &Path) -> Result<Vec<u8>, SecretError> {
    match files::read_limited_kept(path, MAX_FILE) {
        Err(e) if e.is_not_found() => Err(SecretError::Missing { path: path.to_path_buf() }),
        other => Ok(other?),
    }
}

fn digest(bytes: &[u8]) -> Hex32 {
    Hex32(Sha256::digest(bytes).into())
}

fn item_of(key: Id) -> Result<String, SecretError> {
    if key.kind == IdKind::Key { Ok(key.to_string()) } else { Err(SecretError::Internal("the id of a key")) }
}

#[cfg(test)]
mod tests;
