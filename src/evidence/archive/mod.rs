//! What a bundle is put into: a directory, a tar, a zip. The same names and bytes in each, nothing of when or where.

pub(super) mod crc;
mod tar;
mod zip;

pub use tar::Tar;
pub use zip::Zip;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::store::StoreError;
use crate::sys::SysError;
use crate::sys::output::NewDir;
use crate::workspace::WorkspaceError;

/// Bytes that are gathered before the system is asked to write them.
pub(super) const BUFFER: usize = 256 * 1024;

/// What can go wrong on the way out.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The workspace.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// Files.
    #[error(transparent)]
    Sys(#[from] SysError),
    /// What was being written could not be.
    #[error("cannot write {what}: {source}")]
    Write {
        /// The file, or what else was being written.
        what: String,
        /// The system's own reason.
        source: io::Error,
    },
    /// The log identity, without which there is no checkpoint, cannot be read.
    #[error("the log identity, which signs the checkpoint, cannot be used: {source}")]
    NoLogIdentity {
        /// Why.
        source: Box<WorkspaceError>,
    },
    /// Nothing was signed before that time.
    #[error("the log has no entry before {until}")]
    NothingBefore {
        /// The time.
        until: String,
    },
    /// A file that the archive has no room for.
    #[error("{name} is too large for a tar: {size} bytes")]
    TooLarge {
        /// The file.
        name: String,
        /// Its size, in bytes.
        size: u64,
    },
    /// What was read changed between two readings, which one snapshot does not allow.
    #[error("{name} was to have {expected} bytes, and another number came")]
    Changed {
        /// The file.
        name: String,
        /// Bytes that were counted.
        expected: u64,
    },
}

impl ExportError {
    /// A write that failed.
    pub fn write(what: impl Into<String>) -> impl FnOnce(io::Error) -> ExportError {
        let what = what.into();
        move |source| ExportError::Write { what, source }
    }

    /// Whether the disk is full, or the file may not grow further.
    pub fn is_full(&self) -> bool {
        let (ExportError::Write { source, .. } | ExportError::Sys(SysError::Io { source, .. })) = self else {
            return false;
        };
        matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
    }

    /// Whether nobody reads any more.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, ExportError::Write { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// What writes a file's bytes; it may be asked only once.
pub type Content<'a> = dyn FnMut(&mut dyn Write) -> Result<(), ExportError> + 'a;

/// Something that files are put into, one after another.
pub trait Archive {
    /// Puts a file of exactly so many bytes into it. The name goes down with `/`, and is plain ASCII.
    ///
    /// # Errors
    /// Whatever `content` says; [`ExportError::Write`]; [`ExportError::Changed`] if another number of bytes came.
    fn add(&mut self, name: &str, size: u64, content: &mut Content<'_>) -> Result<(), ExportError>;

    /// Puts a small file into it.
    ///
    /// # Errors
    /// As [`Archive::add`].
    fn add_bytes(&mut self, name: &str, bytes: &[u8]) -> Result<(), ExportError> {
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.add(name, size, &mut |out| out.write_all(bytes).map_err(ExportError::write(name)))
    }
}

/// Counts what goes through.
pub(super) struct Counted<'a> {
    out: &'a mut dyn Write,
    written: u64,
}

impl<'a> Counted<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Counted<'a> {
        Counted { out, written: 0 }
    }

    /// Were there as many bytes as there were to be?
    pub(super) fn require(&self, name: &str, expected: u64) -> Result<(), ExportError> {
        if self.written == expected { Ok(()) } else { Err(ExportError::Changed { name: name.into(), expected }) }
    }
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.out.write(bytes)?;
        self.written += u64::try_from(taken).unwrap_or(u64::MAX);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A directory as an archive.
pub struct Directory<'d> {
    dir: &'d mut NewDir,
}

impl<'d> Directory<'d> {
    /// Files go into this directory.
    pub fn new(dir: &'d mut NewDir) -> Directory<'d> {
        Directory { dir }
    }
}

impl Archive for Directory<'_> {
    fn add(&mut self, name: &str, size: u64, content: &mut Content<'_>) -> Result<(), ExportError> {
        let file = self.dir.file(name)?;
        let shown = || self.dir.shown(name).display().to_string();
        let mut buffer = BufWriter::with_capacity(BUFFER, file);
        let mut counted = Counted::new(&mut buffer);
        content(&mut counted).map_err(|e| named(e, &shown()))?;
        counted.require(name, size)?;
        buffer
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .and_then(|file| file.sync_all())
            .map_err(ExportError::write(shown()))
    }
}

/// The same error, with the path of the file that could not be written.
pub(super) fn named(e: ExportError, path: &str) -> ExportError {
    match e {
        ExportError::Write { source, .. } => ExportError::Write { what: path.into(), source },
        e => e,
    }
}

/// What a bundle is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Files in a directory.
    Directory,
    /// One tar (ustar).
    Tar,
}

impl Form {
    /// A tar where the name ends so, else a directory; `None` for the name of another kind of archive.
    pub fn of(path: &Path) -> Option<Form> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        let others = [".zip", ".gz", ".tgz", ".xz", ".txz", ".zst", ".bz2", ".7z", ".rar"];
        if others.iter().any(|end| name.ends_with(end)) {
            return None;
        }
        Some(if name.ends_with(".tar") { Form::Tar } else { Form::Directory })
    }

    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Form::Directory => "directory",
            Form::Tar => "tar",
        }
    }
}

/// Where a bundle goes.
pub enum Target<'a> {
    /// A place on the disk.
    Place(PathBuf, Form),
    /// A tar, to whoever reads.
    Stream(&'a mut dyn Write),
}
