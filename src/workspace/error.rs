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
    /// The tables count entries that are not there any more: the end of the log was cut off.
    #[error("the log ends after {size} entries, and its tables count {counted}")]
    TailCut {
        /// Entries in the log.
        size: u64,
        /// Entries that the tables count.
        counted: u64,
    },
    /// The pin knows another log of the same name: two copies of a workspace were used, or an old one was and then grew.
    #[error("the pin remembers {pinned} entries of this log, and not these")]
    Fork {
        /// Entries that the pin covers.
        pinned: u64,
    },
    /// What lies in the place of the pin is none, or the log did not sign it.
    #[error("the pin does not hold: {why}")]
    PinBroken {
        /// What is wrong with it.
        why: String,
    },
    /// There is no pin to compare the log with.
    #[error("the pin is missing: nobody can tell whether this is the newest log")]
    PinMissing,
    /// Where this workspace lies there was another one.
    #[error("{} holds another workspace than before: {is}, where {was} was", dir.display())]
    OtherLog {
        /// Where.
        dir: PathBuf,
        /// The log that was there.
        was: String,
        /// The log that is there.
        is: String,
    },
    /// What should be restored is no backup.
    #[error("{} is no backup: {why}", path.display())]
    NotABackup {
        /// Which file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// A backup that was changed or cut off, or whose log does not verify.
    #[error("{} cannot be restored: {why}", path.display())]
    BackupDamaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// What a workspace should be compared with is neither a workspace nor a checkpoint.
    #[error("{} cannot be compared with: {why}", path.display())]
    NotComparable {
        /// Which.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// A state directory of that log is there, and has another log identity.
    #[error("{} belongs to a log of the same name with another identity", dir.display())]
    StateInUse {
        /// Which.
        dir: PathBuf,
    },
    /// Nothing was rolled back.
    #[error("the log is the one that its pin remembers; there is nothing to accept")]
    NothingToAccept,
    /// A directory, a pipe or a device lies in the pin's place.
    #[error("{} is not a file", path.display())]
    PinNotAFile {
        /// Where.
        path: PathBuf,
    },
    /// The log identity is not where it should be.
    #[error("the log identity is not there: {}", path.display())]
    NoLogIdentity {
        /// Where it should be.
        path: PathBuf,
    },
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
    /// Something that cannot be written into the log.
    #[error("it cannot be written into the log: {0}")]
    Unwritable(String),
}

impl WorkspaceError {
    /// The log may not be the newest one: a writer may take rights away and nothing else, until an operator accepts it.
    pub fn is_behind(&self) -> bool {
        use WorkspaceError as W;
        matches!(
            self,
            W::RolledBack { .. }
                | W::TailCut { .. }
                | W::Fork { .. }
                | W::PinBroken { .. }
                | W::PinMissing
                | W::OtherLog { .. }
        )
    }

    /// Something does not verify.
    pub(super) fn integrity(seq: impl Into<Option<u64>>, detail: impl Into<String>) -> WorkspaceError {
        WorkspaceError::Integrity { seq: seq.into(), detail: detail.into() }
    }
}
