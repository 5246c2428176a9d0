use std::path::PathBuf;

use thiserror::Error;

use super::PATIENCE;
use crate::evidence::proof::{ConsistencyFault, note_does_not_hold};
use crate::identity::IdentityError;
use crate::log::checkpoint::NoteFault;
use crate::sys::SysError;

/// Why a witness refuses, or cannot go on.
#[derive(Debug, Error)]
pub enum WitnessError {
    /// There is no identity yet, and no name to make one with.
    #[error("this machine has no witness identity yet")]
    NoIdentity,
    /// There is one of another name.
    #[error("this machine's witness is called {0}")]
    OtherName(String),
    /// Its identity file.
    #[error("{}: {source}", path.display())]
    Identity {
        /// Which.
        path: PathBuf,
        /// What.
        source: IdentityError,
    },
    /// What was seen cannot be read. Nothing is signed on a guess.
    #[error("{} is not what this witness wrote: {why}", path.display())]
    State {
        /// Which file.
        path: PathBuf,
        /// What.
        why: String,
    },
    /// Another run holds the lock.
    #[error("another run of this witness has held its lock for {} seconds", PATIENCE.as_secs())]
    Busy,
    /// Files.
    #[error(transparent)]
    Sys(#[from] SysError),
    /// The checkpoint cannot be read, or is not signed by the log.
    #[error("{0}")]
    Note(#[from] NoteFault),
    /// A log that was never seen, and no key to trust it by.
    #[error("this witness has never seen the log {0}")]
    UnknownLog(String),
    /// The key given is not the one known.
    #[error("this witness knows the log {0} by another key")]
    OtherKey(String),
    /// The key given is another log's.
    #[error("the checkpoint is of the log {0}, and the key given is another log's")]
    ForeignLog(String),
    /// Fewer entries than were seen.
    #[error("rollback: the checkpoint covers {size} entries, and this witness saw {seen}")]
    Rollback {
        /// Entries covered.
        size: u64,
        /// Entries seen.
        seen: u64,
    },
    /// Two trees that cannot both be the log.
    #[error("FORK: the log signed two trees that cannot both be its own: one of {seen} entries, one of {size}")]
    Fork {
        /// Entries seen.
        seen: u64,
        /// Entries of the other one.
        size: u64,
        /// Where both notes are kept.
        evidence: PathBuf,
    },
    /// More entries than were seen, and nothing that shows that they continue them.
    #[error("the checkpoint covers {size} entries, this witness saw {seen}, and nothing shows that it continues them")]
    NoProof {
        /// Entries covered.
        size: u64,
        /// Entries seen.
        seen: u64,
    },
    /// A proof between other checkpoints.
    #[error("the proof leads from {old} to {new} entries, and one from {seen} to {size} is needed")]
    OtherProof {
        /// Where the proof begins.
        old: u64,
        /// Where it leads.
        new: u64,
        /// Where it must begin.
        seen: u64,
        /// Where it must lead.
        size: u64,
    },
    /// A proof that does not hold.
    #[error("{0}")]
    Proof(#[from] ConsistencyFault),
    /// A bundle that is too short, or has other entries than the checkpoint.
    #[error("the bundle does not have the {size} entries of the checkpoint")]
    Bundle {
        /// Entries of the checkpoint.
        size: u64,
    },
}

impl WitnessError {
    /// What was given was read and does not hold: an integrity failure.
    #[must_use]
    pub fn does_not_hold(&self) -> bool {
        match self {
            WitnessError::Note(fault) => note_does_not_hold(*fault),
            WitnessError::Proof(fault) => fault.does_not_hold(),
            WitnessError::State { .. }
            | WitnessError::OtherKey(_)
            | WitnessError::ForeignLog(_)
            | WitnessError::Rollback { .. }
            | WitnessError::Fork { .. }
            | WitnessError::Bundle { .. } => true,
            _ => false,
        }
    }
}
