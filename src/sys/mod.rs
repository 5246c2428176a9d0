//! The one place that reads the clock, the environment and random bytes, and that writes files.
//!
//! Everything else is given what it needs, so that a test can give it something else and a release build
//! has no switch that fakes the time: an agent could use one to outlive its grant.

#![allow(clippy::disallowed_methods, reason = "this is the room in which clippy.toml allows them")]

pub mod again;
pub mod clock;
pub mod env;
pub mod files;
pub mod handover;
pub mod lock;
pub mod output;
pub mod process;
pub mod random;
pub mod tool;
pub mod watch;

use std::io;
use std::path::{Path, PathBuf};

/// What can go wrong between aosctl and the operating system.
#[derive(Debug, thiserror::Error)]
pub enum SysError {
    /// The operating system refused an operation on a path.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb: `read`, `create`.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The system's own reason.
        source: io::Error,
    },
    /// A file that is to be created is already there; nothing was changed.
    #[error("{} already exists", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file is larger than what it is for can be.
    #[error("{} is larger than {max_bytes} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most that is accepted, in bytes.
        max_bytes: usize,
    },
    /// A directory, a device or a socket stands where a file is expected.
    #[error("{} is not a file", path.display())]
    NotAFile {
        /// What was opened.
        path: PathBuf,
    },
    /// Something else than a directory stands where a directory is expected.
    #[error("{} is not a directory", path.display())]
    NotADirectory {
        /// What was found.
        path: PathBuf,
    },
    /// A file or directory that holds secrets is open to other users of the machine.
    #[error("{} is open to other users (mode {mode:04o}): chmod {wanted:03o} {}", path.display(), path.display())]
    OpenToOthers {
        /// The file or directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// The permission bits that it should have.
        wanted: u32,
    },
    /// A file or directory that holds secrets belongs to somebody else, who can change it at any time.
    #[error("{} belongs to another user (uid {owner})", path.display())]
    OtherOwner {
        /// The file or directory.
        path: PathBuf,
        /// The numeric id of its owner.
        owner: u32,
    },
    /// The operating system gave no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(String),
    /// The process could not be protected against core dumps.
    #[error("cannot switch core dumps off: {0}")]
    Harden(io::Error),
}

impl SysError {
    fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source: plain(source) }
    }

    /// Whether the reason is that the file or directory is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// The system's own reason. What makes temporary files puts their names behind it, in quotes: nobody knows those names.
fn plain(e: io::Error) -> io::Error {
    let text = e.to_string();
    match text.split_once(" at path \"") {
        Some((reason, _)) if e.get_ref().is_some() => io::Error::new(e.kind(), reason.to_owned()),
        _ => e,
    }
}
