//! Where a workspace lies.

use std::path::{Path, PathBuf};

use crate::sys::SysError;
use crate::sys::env::Env;

/// The directories of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The workspace itself.
    pub dir: PathBuf,
    /// The root of the state directories, one a log.
    pub state: PathBuf,
}

impl Place {
    /// `--workspace`, else `AOSCTL_WORKSPACE`, else the user's data directory. `None` for a user without a home.
    pub fn find(flag: Option<&Path>, env: &Env) -> Option<Place> {
        let dir = flag.or(env.workspace.as_deref()).or(env.default_data_dir.as_deref())?;
        Some(Place { dir: dir.to_path_buf(), state: env.state_dir()?.to_path_buf() })
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.dir.join("aosctl.db")
    }

    /// Whether the database is there. That nobody may look is not the same as that there is none.
    ///
    /// # Errors
    /// [`SysError::Io`] where this user may not look.
    pub fn has_database(&self) -> Result<bool, SysError> {
        let path = self.database();
        path.try_exists().map_err(|source| SysError::Io { action: "look at", path, source })
    }

    /// Sealed operator identities.
    pub fn operators(&self) -> PathBuf {
        self.dir.join("operators")
    }

    /// The policy's text, for editing; what counts is what was adopted.
    pub fn policy(&self) -> PathBuf {
        self.dir.join("policy.toml")
    }

    /// The user's own catalogue entries.
    pub fn catalogue(&self) -> PathBuf {
        self.dir.join("catalogue")
    }

    /// The workspace's directory, without links, as the state directory of its log remembers it; `None` where it cannot be
    /// found.
    pub(super) fn real(&self) -> Option<Vec<u8>> {
        let dir = self.dir.canonicalize().ok()?;
        Some(std::os::unix::ffi::OsStrExt::as_bytes(dir.as_os_str()).to_vec())
    }

    /// The state directory of a log.
    pub fn state_of(&self, origin: &str) -> PathBuf {
        self.state.join(origin.strip_prefix("aosctl/").unwrap_or(origin))
    }
}
