//! Backups: everything that a workspace needs on another machine, in one sealed file.
//!
//! The database is copied out of a read snapshot, so writers wait only while that snapshot is taken and the small files
//! are read: at that moment nothing is half done, and every file that an entry names lies there. The pin in the backup is
//! a checkpoint of exactly that snapshot.

mod container;
mod restore;

pub use restore::{Restored, restore};

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use self::container::Packer;
use super::{Workspace, WorkspaceError, pin};
use crate::domain::time::Time;
use crate::identity::{Passphrase, SealedStream, StreamError};
use crate::log::tree::Frontier;
use crate::store::Store;
use crate::sys::lock::Lock;
use crate::sys::output::NewFile;
use crate::sys::{SysError, files};

/// A file beside the database that is larger is not one of ours: it is left out, and named.
const MAX_FILE: u64 = 16 * 1024 * 1024;
/// The longest list of backups that is read, in bytes.
const MAX_LIST: usize = 16 * 1024 * 1024;
/// How long to wait for another backup of the same log.
const TURN: std::time::Duration = std::time::Duration::from_secs(600);

const MANIFEST: &str = "manifest";
const DATABASE: &str = "database";
const MANIFEST_TAG: &str = "backup-manifest/v1";

/// What a backup says of itself; its first file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    aosctl: String,
    at: Time,
    entries: u64,
    origin: String,
    root: String,
}

/// A backup that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackedUp {
    /// When.
    pub at: Time,
    /// Entries that it holds.
    pub entries: u64,
    /// Their Merkle root, hex.
    pub root: String,
    /// Files in it, the database with them.
    pub files: Vec<String>,
    /// What was left out because it is no file of ours: links, and what is larger than 16 MiB.
    pub left_out: Vec<String>,
    /// Bytes of the sealed file.
    pub bytes: u64,
    /// SHA-256 of the sealed file, hex.
    pub sha256: String,
}

/// A line of the list of backups that were made, in the state directory. Where each went from there nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackupLine {
    /// When.
    pub at: Time,
    /// Bytes.
    pub bytes: u64,
    /// The name that it got, without directories.
    pub file: String,
    /// Its SHA-256, hex.
    pub sha256: String,
    /// Entries that it holds.
    pub size: u64,
}

struct Small {
    name: String,
    content: Zeroizing<Vec<u8>>,
}

impl Workspace {
    /// Writes a sealed backup into a new file. Others may write meanwhile. Costs an Argon2 run.
    ///
    /// # Errors
    /// A file that is there already; a log that is not the newest ([`Workspace::doubt`]), which must be accepted first;
    /// whatever reading and writing give. Nothing is left then.
    pub fn back_up(&self, clock: Time, passphrase: &Passphrase, to: &Path) -> Result<BackedUp, WorkspaceError> {
        if let Some(doubt) = self.doubt()? {
            return Err(doubt);
        }
        let log = self.log_identity()?;
        let mut file = NewFile::beside(to)?;
        let state = self.state_dir();
        let lock = self.backup_lock();
        let Some(_turn) = Lock::wait(&lock, TURN)? else {
            let source = std::io::Error::from(std::io::ErrorKind::TimedOut);
            return Err(SysError::Io { action: "wait for another backup at", path: lock, source }.into());
        };
        let written = |e: std::io::Error| {
            WorkspaceError::from(SysError::Io { action: "write", path: to.to_path_buf(), source: e })
        };
        let mut hashed =
            Hashed { out: BufWriter::new(file.file().try_clone().map_err(written)?), hash: Sha256::new(), bytes: 0 };
        let sealed = SealedStream::begin(&mut hashed, passphrase).map_err(|e| match e {
            StreamError::Io(e) => written(e),
            StreamError::Identity(source) => WorkspaceError::Identity { path: to.to_path_buf(), source },
        })?;

        let reader = Store::open(&self.place().database())?;
        let mut left_out = Vec::new();
        let (head, _snapshot, mut small) = {
            let _alone = self.store().write()?;
            let snapshot = reader.snapshot()?;
            // Asked now, because a snapshot begins with the first question.
            let head = reader.head()?.ok_or_else(|| WorkspaceError::integrity(0, "the log is empty"))?;
            let mut small = Vec::new();
            gather(&self.place().dir, "workspace", &not_the_database, &mut small, &mut left_out)?;
            gather(&state, "state", &not_for_others, &mut small, &mut left_out)?;
            (head, snapshot, small)
        };
        let tree = Frontier::from_bytes(&head.frontier)
            .filter(|tree| tree.size() == head.size)
            .ok_or_else(|| WorkspaceError::integrity(None, "table head: the tree's edge is unreadable"))?;
        let note = pin::signed(self.origin(), &log, &tree).into_bytes();
        small.push(Small { name: "state/pin".into(), content: Zeroizing::new(note) });
        let manifest = Manifest {
            aosctl: MANIFEST_TAG.into(),
            at: clock,
            entries: head.size,
            origin: self.origin().name.clone(),
            root: tree.root().to_hex(),
        };
        let first = serde_json::to_vec(&manifest).map_err(|e| WorkspaceError::Unwritable(e.to_string()))?;
        let mut copy = self.copy_database(&reader)?;

        let names: Vec<String> = small.iter().map(|s| s.name.clone()).chain([DATABASE.to_string()]).collect();
        let pack = || -> std::io::Result<()> {
            let mut packer = Packer::begin(sealed)?;
            let size = |len: usize| u64::try_from(len).unwrap_or(u64::MAX);
            packer.add(MANIFEST, size(first.len()), &mut first.as_slice())?;
            for s in &small {
                packer.add(&s.name, size(s.content.len()), &mut s.content.as_slice())?;
            }
            let length = copy.metadata()?.len();
            packer.add(DATABASE, length, &mut copy)?;
            packer.finish()?.finish()?.flush()
        };
        pack().map_err(written)?;
        let Hashed { hash, bytes, out } = hashed;
        drop(out);
        let sha256 = data_encoding::HEXLOWER.encode(&hash.finalize());
        file.finish()?;
        let done =
            BackedUp { at: clock, entries: head.size, root: manifest.root, files: names, left_out, bytes, sha256 };
        self.note_backup(&done, to)?;
        Ok(done)
    }

    /// The database as that reader's snapshot shows it, in a file that has no name any more: whatever ends this process
    /// leaves no open copy behind. Between making and opening it there is one; the next command that writes clears it.
    fn copy_database(&self, reader: &Store) -> Result<File, WorkspaceError> {
        let dir = self.half_made();
        // What a crash left; the lock on backups is held.
        files::remove_tree(&dir);
        files::create_private_dir(&dir)?;
        let path = dir.join("aosctl.db");
        let opened = reader.copy_into(&path).map_err(WorkspaceError::from).and_then(|()| Ok(files::open_file(&path)?));
        files::remove_tree(&dir);
        opened
    }

    /// Where the open copy lies, while there is one.
    pub(super) fn half_made(&self) -> PathBuf {
        self.state_dir().join("backup.tmp")
    }

    /// Held by who makes a backup.
    pub(super) fn backup_lock(&self) -> PathBuf {
        self.state_dir().join("backup.lock")
    }

    fn list_of_backups(&self) -> PathBuf {
        self.state_dir().join("backups.jsonl")
    }

    /// The sealed backups that were made of this log on this machine, oldest first. They hold what was there then; erasing
    /// reaches none of them.
    ///
    /// # Errors
    /// What reading gives; a list that is none.
    pub fn backups(&self) -> Result<Vec<BackupLine>, WorkspaceError> {
        let path = self.list_of_backups();
        let bytes = match files::read_limited_kept(&path, MAX_LIST) {
            Err(e) if e.is_not_found() => return Ok(Vec::new()),
            other => other?,
        };
        let text = String::from_utf8_lossy(&bytes);
        text.lines()
            .filter(|l| !l.is_empty())
            .map(|line| {
                serde_json::from_str(line).map_err(|e| {
                    let source = std::io::Error::new(std::io::ErrorKind::InvalidData, e.to_string());
                    SysError::Io { action: "read", path: path.clone(), source }.into()
                })
            })
            .collect()
    }

    fn note_backup(&self, done: &BackedUp, to: &Path) -> Result<(), WorkspaceError> {
        let path = self.list_of_backups();
        let mut list = match files::read_limited_kept(&path, MAX_LIST) {
            Err(e) if e.is_not_found() => Vec::new(),
            other => other?,
        };
        let line = BackupLine {
            at: done.at,
            bytes: done.bytes,
            file: to.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            sha256: done.sha256.clone(),
            size: done.entries,
        };
        list.extend(serde_json::to_vec(&line).map_err(|e| WorkspaceError::Unwritable(e.to_string()))?);
        list.push(b'\n');
        Ok(files::write_private_atomic(&path, &list)?)
    }
}

/// Of the workspace: everything but the database, its copies, its locks, and what is being written.
fn not_the_database(name: &str) -> bool {
    !(name.starts_with("aosctl.") || name.starts_with(".aosctl-") || name.ends_with(".lock"))
}

/// Of the state directory: everything but what belongs to running processes, and the pin, which is made for the backup.
fn not_for_others(name: &str) -> bool {
    !(["pin", "behind", "place", "run", "backup.tmp"].contains(&name)
        || name.starts_with(".aosctl-")
        || name.ends_with(".lock"))
}

fn gather(
    dir: &Path,
    prefix: &str,
    wanted: &dyn Fn(&str) -> bool,
    small: &mut Vec<Small>,
    left_out: &mut Vec<String>,
) -> Result<(), WorkspaceError> {
    let io = |e| WorkspaceError::from(SysError::Io { action: "read", path: dir.to_path_buf(), source: e });
    let mut entries: Vec<_> = std::fs::read_dir(dir).map_err(io)?.collect::<Result<_, _>>().map_err(io)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let Ok(file) = entry.file_name().into_string() else {
            left_out.push(format!("{prefix}/{}", entry.file_name().to_string_lossy()));
            continue;
        };
        let name = format!("{prefix}/{file}");
        if !wanted(&file) {
            continue;
        }
        let kind = entry.file_type().map_err(io)?;
        if kind.is_dir() {
            gather(&entry.path(), &name, wanted, small, left_out)?;
        } else if kind.is_file() && entry.metadata().map_err(io)?.len() <= MAX_FILE {
            let length = usize::try_from(entry.metadata().map_err(io)?.len()).unwrap_or(0);
            // Room for everything from the start: a buffer that grows leaves copies behind.
            let mut content = Zeroizing::new(Vec::with_capacity(length + 1));
            let opened = files::open_file(&entry.path())?;
            opened.take(MAX_FILE).read_to_end(&mut content).map_err(io)?;
            small.push(Small { name, content });
        } else {
            left_out.push(name);
        }
    }
    Ok(())
}

/// Digests and counts what goes through.
struct Hashed<W: Write> {
    out: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.hash.update(bytes.get(..count).unwrap_or_default());
        self.bytes += u64::try_from(count).unwrap_or(0);
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}
