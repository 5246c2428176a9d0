//! What can go wrong with a workspace.

use std::path::PathBuf;

use crate::domain::authority::Fault;
use crate::domain::time::Time;
use crate::identity::IdentityError;
use crate::store::StoreError;
use crate::sys::SysError;

/// What can go wrong with a workspace.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// There is none.
    #[error("there is no workspace in {}", dir.display())]
    Missing {
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// There is one already.
    #[error("there is a workspace in {}", dir.display())]
    Exists {
        /// Where.
        dir: PathBuf,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Files, clock, random bytes.
    #[error(transparent)]
    Sys(#[from] SysError),
    /// An identity file.
    #[error("{}: {source}", path.display())]
    Identity {
        /// Which.
        path: PathBuf,
        /// What.
        source: IdentityError,
    },
    /// An identity of another log.
    #[error("{} belongs to another workspace", path.display())]
    ForeignIdentity {
        /// Which.
        path: PathBuf,
    },
    /// The log or the tables do not verify.
    #[error("the log does not verify: {detail}")]
    Integrity {
        /// Where it is wrong, if one entry is to blame.
        seq: Option<u64>,
        /// What.
        detail: String,
    },
    /// The log is older than its pin: somebody put an old copy back.
    #[error("the log has {size} entries, and its pin remembers {pinned}")]
    RolledBack {
        /// Entries in the log.
        size: u64,
        /// Entries that the pin covers.
        pinned: u64,
    },
    /// There was no pin to compare the log with. Only ever a warning: the next writer makes one.
    #[error("there was none, so what may have been removed before now cannot be found by it; a new one was made")]
    PinMissing,
    /// The last entry is from the future.
    #[error("the last entry was signed at {last}, and this machine's clock says {clock}")]
    ClockBehind {
        /// When the last entry was signed.
        last: Time,
        /// What the clock says.
        clock: Time,
    },
    /// The authority table says no.
    #[error("{}", .0.detail)]
    Refused(Fault),
    /// No identity to sign with.
    #[error("{0}")]
    NoIdentity(String),
    /// What should be a bundle is none.
    #[error("it cannot be read as a bundle: {0}")]
    NoBundle(String),
    /// Something that cannot be written into the log.
    #[error("it cannot be written into the log: {0}")]
    Unwritable(String),
}

impl WorkspaceError {
    /// Something does not verify.
    pub(super) fn integrity(seq: impl Into<Option<u64>>, detail: impl Into<String>) -> WorkspaceError {
        WorkspaceError::Integrity { seq: seq.into(), detail: detail.into() }
    }
}
