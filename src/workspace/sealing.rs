//! Sealed identities of operators, where no workspace need be: made on the new operator's own machine, sealed anew.

use std::path::{Path, PathBuf};

use super::{Place, WorkspaceError};
use crate::identity::{EnrolmentLine, IdentityError, MAX_IDENTITY_FILE_BYTES, Passphrase, SealedIdentity, Signer};
use crate::sys::files;

impl Place {
    /// Where a new operator's sealed identity is written unless told otherwise. Not in the workspace: what lies there is
    /// the identity that its own user signs with.
    pub fn operator_file(&self, origin: &str, stem: &str) -> PathBuf {
        self.state_of(origin).join("operators").join(format!("{stem}.json"))
    }
}

/// Makes an identity for a new operator of the log `origin`, seals it into `file`, and gives the line that enrols it.
///
/// # Errors
/// A file that is there already; what sealing and writing give.
pub fn create_operator(file: &Path, origin: &str, passphrase: &Passphrase) -> Result<EnrolmentLine, WorkspaceError> {
    let wrong = |source: IdentityError| WorkspaceError::Identity { path: file.to_path_buf(), source };
    let signer = Signer::generate().map_err(wrong)?;
    let line = EnrolmentLine::create(&signer, origin).map_err(wrong)?;
    let sealed = SealedIdentity::seal(&signer, passphrase, None, Some(origin)).map_err(wrong)?;
    files::create_private_new(file, &sealed.to_json().map_err(wrong)?)?;
    Ok(line)
}

/// Makes sure that the directory of an identity that is written by default is there.
pub fn prepare_parent(file: &Path) -> Result<(), WorkspaceError> {
    match file.parent() {
        Some(parent) => Ok(files::create_private_dir(parent)?),
        None => Ok(()),
    }
}

/// Reads a sealed identity.
///
/// # Errors
/// A file that cannot be read, that others can read, or that holds something else.
pub fn read_sealed(file: &Path) -> Result<SealedIdentity, WorkspaceError> {
    let bytes = files::read_private(file, MAX_IDENTITY_FILE_BYTES)?;
    SealedIdentity::parse(&bytes).map_err(|source| WorkspaceError::Identity { path: file.to_path_buf(), source })
}

/// Seals an identity under another passphrase, in its place and in one step: the file opens with the old one or with the
/// new one, whatever happens in between.
///
/// # Errors
/// A wrong passphrase; what reading and writing give. The file is then as it was.
pub fn reseal(file: &Path, old: &Passphrase, new: &Passphrase) -> Result<(), WorkspaceError> {
    // A link stays one, and what it leads to is replaced.
    let file = file.canonicalize().unwrap_or_else(|_| file.to_path_buf());
    let wrong = |source: IdentityError| WorkspaceError::Identity { path: file.clone(), source };
    let sealed = read_sealed(&file)?.reseal(old, new).map_err(wrong)?;
    Ok(files::write_private_atomic(&file, &sealed.to_json().map_err(wrong)?)?)
}
