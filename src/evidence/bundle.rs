//! A bundle as somebody handed it over: a directory, a tar, or the zip of a pack. Nothing of it is believed, and nothing is
//! unpacked: every file is read where it lies.
//!
//! Two readers of one archive must never see other bytes. So an archive that one could read in two ways is refused: a name
//! twice, bytes between or behind the members, a zip whose two lists of its members differ, links, other names than plain
//! ones. Archives are read without a library: ustar and the stored zip are simple, and a library is made to be lenient.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::bundle_crc::CrcReader;
use super::{bundle_tar as tar, bundle_zip as zip};
use crate::sys::{SysError, files};
use crate::workspace::BundleFiles;

/// The largest checkpoint that is read: a note with a hundred lines of witnesses is far smaller.
const MAX_CHECKPOINT: usize = 65_536;

/// Room for reading ahead in one file.
const BUFFER: usize = 256 * 1024;

/// The most members of an archive.
pub(super) const MAX_MEMBERS: usize = 200_000;

/// Why something cannot be read as a bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// A file or directory.
    #[error(transparent)]
    Sys(#[from] SysError),
    /// It is no bundle, or one that could be read in two ways.
    #[error("{}: {what}", path.display())]
    NoBundle {
        /// Where.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}

/// Opens a bundle for [`crate::workspace::verify_bundle`].
///
/// # Errors
/// Where there is no bundle, or an archive that two readers could read in two ways.
pub fn open(path: &Path) -> Result<BundleFiles, BundleError> {
    let no = |what: String| BundleError::NoBundle { path: path.to_path_buf(), what };
    if path == Path::new("-") {
        return Err(no(format!("standard input cannot be: {SEVERAL}; write it into a file first")));
    }
    let metadata = path.metadata().map_err(|e| SysError::Io { action: "open", path: path.to_path_buf(), source: e })?;
    let place = match &metadata {
        there if there.is_dir() => Place::Dir(path.to_path_buf()),
        there if there.is_file() => Place::archive(path)?,
        // Before it is opened: whoever opens a pipe waits for a writer.
        _ => return Err(no(format!("it is not a file: {SEVERAL}"))),
    };
    let Some(entries) = place.file("entries.jsonl")? else {
        let inner = path.join("bundle");
        if metadata.is_dir() && inner.join("entries.jsonl").is_file() {
            return Err(no(format!("that is a pack, unpacked; its bundle is {}", inner.display())));
        }
        return Err(no("there is no entries.jsonl in it".into()));
    };
    let (payloads, some) = match (place.file("payloads.jsonl")?, place.file("payloads-some.jsonl")?) {
        (Some(_), Some(_)) => {
            return Err(no("it holds payloads.jsonl and payloads-some.jsonl: one of them is too many".into()));
        }
        (None, Some(some)) => (Some(some), true),
        (payloads, None) => (payloads, false),
    };
    let checkpoint = match place.file("checkpoint")? {
        None => None,
        Some(file) => {
            let mut bytes = Vec::new();
            let limit = u64::try_from(MAX_CHECKPOINT).unwrap_or(u64::MAX);
            file.take(limit + 1).read_to_end(&mut bytes).map_err(|e| no(format!("checkpoint: {e}")))?;
            Some(bytes)
        }
    };
    Ok(BundleFiles { entries, payloads, some, checkpoint })
}

/// Why an archive must be a file.
const SEVERAL: &str = "an archive is read in several places at once";

/// What unpacks a file that begins so.
fn packed_by(start: &[u8]) -> Option<&'static str> {
    let known: [(&[u8], _); 4] =
        [(b"\x1f\x8b", "gunzip"), (b"\x28\xb5\x2f\xfd", "zstd -d"), (b"\xfd7zXZ\0", "unxz"), (b"BZh", "bunzip2")];
    known.into_iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, program)| program)
}

enum Place {
    Dir(PathBuf),
    Archive { path: PathBuf, file: Arc<File>, members: BTreeMap<String, Member>, under: &'static str },
}

/// Where a member of an archive lies in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Member {
    pub at: u64,
    pub size: u64,
    /// Its CRC-32, where the archive says one.
    pub crc: Option<u32>,
}

impl Place {
    fn archive(path: &Path) -> Result<Place, BundleError> {
        let no = |what: String| BundleError::NoBundle { path: path.to_path_buf(), what };
        let file = files::open_file(path)?;
        let metadata = file.metadata().map_err(|e| no(e.to_string()))?;
        let section = Section::new(Arc::new(file), 0, metadata.len());
        let mut start = [0; 512];
        let read = section.fill(0, &mut start).map_err(|e| no(e.to_string()))?;
        let members = if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
            zip::members(&section).map_err(no)?
        } else if read == start.len() && tar::is_header(&start) {
            tar::members(&section).map_err(no)?
        } else {
            return Err(no(match packed_by(&start) {
                Some(program) => format!("it is compressed; unpack it first: {program}"),
                None => "it is neither a directory nor a tar nor a zip".into(),
            }));
        };
        // In a pack the bundle lies beside other things.
        let packed = members.contains_key("bundle/entries.jsonl");
        if packed && members.contains_key("entries.jsonl") {
            return Err(no("there are two bundles in it, one of them under bundle/".into()));
        }
        let under = if packed { "bundle/" } else { "" };
        Ok(Place::Archive { path: path.to_path_buf(), file: section.file, members, under })
    }

    fn file(&self, name: &str) -> Result<Option<Box<dyn BufRead>>, BundleError> {
        match self {
            Place::Dir(dir) => {
                let path = dir.join(name);
                let no = |what: &str| BundleError::NoBundle { path: path.clone(), what: what.into() };
                match path.symlink_metadata() {
                    Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
                    Err(source) => return Err(SysError::Io { action: "open", path: path.clone(), source }.into()),
                    Ok(there) if !there.is_file() => return Err(no("it is not a plain file")),
                    Ok(_) => {}
                }
                Ok(Some(Box::new(BufReader::with_capacity(BUFFER, files::open_file(&path)?))))
            }
            Place::Archive { file, members, under, path } => {
                let Some(member) = members.get(&format!("{under}{name}")) else { return Ok(None) };
                let section = Section::new(file.clone(), member.at, member.size);
                // An archive that was cut off while it was read would look like a shorter file.
                let whole = CrcReader::new(section, member.size, member.crc, format!("{}: {name}", path.display()));
                Ok(Some(Box::new(BufReader::with_capacity(BUFFER, whole))))
            }
        }
    }
}

/// A part of an open file, with a position of its own.
pub(super) struct Section {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl Section {
    fn new(file: Arc<File>, at: u64, size: u64) -> Section {
        Section { file, at, end: at.saturating_add(size) }
    }

    /// How long it is.
    pub fn len(&self) -> u64 {
        self.end - self.at
    }

    /// Fills a buffer from a place on; less only at the end.
    pub fn fill(&self, at: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let from = self.at.saturating_add(at).saturating_add(u64::try_from(filled).unwrap_or(u64::MAX));
            match self.file.read_at(rest, from) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(filled)
    }

    /// Exactly these bytes.
    ///
    /// # Errors
    /// In words, where the file ends before.
    pub fn exactly<const N: usize>(&self, at: u64) -> Result<[u8; N], String> {
        let mut bytes = [0; N];
        let read = self.fill(at, &mut bytes).map_err(|e| e.to_string())?;
        if read == N && at.saturating_add(N as u64) <= self.len() { Ok(bytes) } else { Err(CUT.into()) }
    }
}

/// What is said of an archive that ends too early.
pub(super) const CUT: &str = "the archive is cut off";

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(buffer.len());
        let Some(part) = buffer.get_mut(..most).filter(|part| !part.is_empty()) else { return Ok(0) };
        let read = self.file.read_at(part, self.at)?;
        self.at += u64::try_from(read).unwrap_or(0);
        Ok(read)
    }
}

/// A member's name as it may be in a bundle: plain, relative, without steps up or hidden characters. `./` before it is
/// left out.
///
/// # Errors
/// In words.
pub(super) fn plain_name(name: &[u8]) -> Result<String, String> {
    let shown = || String::from_utf8_lossy(name).escape_debug().to_string();
    let text = std::str::from_utf8(name).map_err(|_| format!("a member has a name that is not UTF-8: {}", shown()))?;
    let text = text.strip_prefix("./").unwrap_or(text);
    let parts = text.strip_suffix('/').unwrap_or(text).split('/');
    let good = parts.into_iter().all(|p| !p.is_empty() && p != "." && p != "..");
    if !good || text.chars().any(|c| c.is_control() || c == '\\') {
        return Err(format!("a member has a name that none in a bundle has: {}", shown()));
    }
    Ok(text.to_owned())
}

/// Keeps a member, once.
///
/// # Errors
/// In words, for a name that was there, or one member too many.
pub(super) fn keep(members: &mut BTreeMap<String, Member>, name: String, member: Member) -> Result<(), String> {
    if members.len() >= MAX_MEMBERS {
        return Err(format!("it has more than {MAX_MEMBERS} members"));
    }
    match members.insert(name.clone(), member) {
        None => Ok(()),
        Some(_) => Err(format!("the name {} is in it twice", name.escape_debug())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, kept) in [
            ("entries.jsonl", Some("entries.jsonl")),
            ("./entries.jsonl", Some("entries.jsonl")),
            ("identities/ag-1.pem", Some("identities/ag-1.pem")),
            ("identities/", Some("identities/")),
            ("../entries.jsonl", None),
            ("a/../entries.jsonl", None),
            ("/entries.jsonl", None),
            ("././entries.jsonl", None),
            ("a//b", None),
            ("", None),
            ("./", None),
            (".", None),
            ("a\\b", None),
            ("entries.jsonl\n", None),
            ("entries.jsonl\0x", None),
        ] {
            assert_eq!(plain_name(name.as_bytes()).ok().as_deref(), kept, "{name:?}");
        }
        assert!(plain_name(b"\xff").is_err());
    }
}
