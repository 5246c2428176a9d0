//! Where a workspace lies.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

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

    /// The file, outside the workspace, that remembers which log lies here; `None` where the directory cannot be found.
    pub(super) fn memory(&self) -> Option<PathBuf> {
        let dir = self.dir.canonicalize().ok()?;
        let name = Sha256::digest(std::os::unix::ffi::OsStrExt::as_bytes(dir.as_os_str()));
        let name = data_encoding::HEXLOWER.encode(name.get(..16).unwrap_or_default());
        Some(self.state.join("places").join(name))
    }

    /// The state directory of a log.
    pub fn state_of(&self, origin: &str) -> PathBuf {
        self.state.join(origin.strip_prefix("aosctl/").unwrap_or(origin))
    }
}
