//! Putting a backup back: built beside its place, proven there, and moved.

use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

use super::container::Unpacker;
use super::{DATABASE, MANIFEST, MANIFEST_TAG, MAX_FILE, Manifest};
use crate::domain::time::Time;
use crate::identity::{IdentityError, OpenedStream, Passphrase, PlainKind, StreamError};
use crate::log::verdict::Status;
use crate::sys::output::NewDir;
use crate::sys::{SysError, files};
use crate::workspace::{Place, VerifyOptions, Workspace, WorkspaceError, pin, read_plain, rollback, verify};

/// A workspace that was put back.
#[derive(Debug)]
pub struct Restored {
    /// The log's name.
    pub origin: String,
    /// Entries.
    pub entries: u64,
    /// Their Merkle root, hex.
    pub root: String,
    /// When the backup was made.
    pub backed_up_at: Time,
    /// When the last entry was signed.
    pub last_at: Option<Time>,
    /// The directory outside the workspace.
    pub state_dir: PathBuf,
    /// There was a state directory of this log already; it was kept, and only what it lacked was added.
    pub state_was_there: bool,
    /// Files of the backup that were not written because others were there, with another content.
    pub kept: Vec<String>,
    /// Why it is not the newest log, where this machine remembers a newer one.
    pub doubt: Option<WorkspaceError>,
}

/// Puts a backup back into a place where there is no workspace. Costs an Argon2 run and a full verification; `progress`
/// hears of that one.
///
/// # Errors
/// [`WorkspaceError::Exists`]; [`WorkspaceError::StateInUse`]; a wrong passphrase; [`WorkspaceError::BackupDamaged`] for a
/// file that was changed or cut off, and for a log in it that does not verify. Nothing is left then.
pub fn restore(
    place: &Place,
    file: &Path,
    passphrase: &Passphrase,
    clock: Time,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Restored, WorkspaceError> {
    if place.database().exists() {
        return Err(WorkspaceError::Exists { dir: place.dir.clone() });
    }
    if let Some(parent) = place.dir.parent().filter(|p| !p.as_os_str().is_empty() && !p.exists()) {
        files::create_private_dir(parent)?;
    }
    let mut dir = NewDir::beside(&place.dir)?;
    let opened = OpenedStream::open(BufReader::with_capacity(1 << 17, files::open_file(file)?), passphrase);
    let opened = opened.map_err(|e| match e {
        StreamError::Io(source) => SysError::Io { action: "read", path: file.to_path_buf(), source }.into(),
        StreamError::Identity(source @ IdentityError::WrongPassphrase) => {
            WorkspaceError::Identity { path: file.to_path_buf(), source }
        }
        StreamError::Identity(IdentityError::Malformed(why)) => {
            WorkspaceError::NotABackup { path: file.to_path_buf(), why }
        }
        StreamError::Identity(e) => WorkspaceError::NotABackup { path: file.to_path_buf(), why: e.to_string() },
    })?;
    let read = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof => damaged(file, e),
        _ => SysError::Io { action: "restore", path: file.to_path_buf(), source: e }.into(),
    };
    let mut unpacker = Unpacker::begin(opened).map_err(read)?;
    let manifest = manifest(&mut unpacker, file)?;
    let state_dir = place.state_of(&manifest.origin);
    let state_was_there = std::fs::read_dir(&state_dir).is_ok_and(|mut d| d.next().is_some());
    // Declared before what is put into it, so that it goes last, and only if it is empty.
    let _made = (!place.state.exists()).then(|| files::GoneIfEmpty(place.state.clone()));
    files::create_private_dir(&place.state)?;
    let name = state_dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // Never finished: its content is moved out of it.
    let mut staged = NewDir::beside(&place.state.join(format!(".restoring-{name}")))?;

    while let Some((member, size)) = unpacker.next_file().map_err(read)? {
        let mut out = if member == DATABASE {
            dir.file("aosctl.db")?
        } else if size > MAX_FILE {
            return Err(damaged(file, "a file in it is too large"));
        } else if let Some(inside) = member.strip_prefix("workspace/").filter(|n| !n.starts_with("aosctl.")) {
            dir.file(inside)?
        } else if let Some(inside) = member.strip_prefix("state/") {
            staged.file(&format!("{name}/{inside}"))?
        } else {
            return Err(damaged(file, "a file in it belongs nowhere"));
        };
        unpacker.copy(&mut out).and_then(|()| out.flush()).and_then(|()| out.sync_all()).map_err(read)?;
    }
    drop(unpacker);

    let building = Place { dir: dir.path().to_path_buf(), state: staged.path().to_path_buf() };
    let last_at = prove(&building, &manifest, file, clock, progress)?;
    for needed in [building.operators(), building.catalogue()] {
        files::create_private_dir(&needed)?;
    }
    let staged_state = building.state_of(&manifest.origin);
    let kept = if state_was_there {
        merge(&staged_state, &state_dir, &manifest.origin)?
    } else {
        files::create_private_dir(&staged_state.join("agents"))?;
        // An empty directory of that name gives way.
        files::move_into_place(&staged_state, &state_dir)?;
        Vec::new()
    };
    if let Err(e) = dir.finish() {
        if !state_was_there {
            files::remove_tree(&state_dir);
        }
        return Err(e.into());
    }
    rollback::remember(place, &manifest.origin)?;
    let doubt = Workspace::open(place.clone())?.doubt()?;
    Ok(Restored {
        origin: manifest.origin,
        entries: manifest.entries,
        root: manifest.root,
        backed_up_at: manifest.at,
        last_at,
        state_dir,
        state_was_there,
        kept,
        doubt,
    })
}

fn damaged(file: &Path, why: impl std::fmt::Display) -> WorkspaceError {
    WorkspaceError::BackupDamaged { path: file.to_path_buf(), why: why.to_string() }
}

fn manifest<R: Read>(unpacker: &mut Unpacker<R>, file: &Path) -> Result<Manifest, WorkspaceError> {
    let mut bytes = Vec::new();
    let named = unpacker.next_file().map_err(|e| damaged(file, e))?;
    if named.is_none_or(|(name, size)| name != MANIFEST || size > 4096) {
        return Err(damaged(file, "it does not say what it holds"));
    }
    unpacker.copy(&mut bytes).map_err(|e| damaged(file, e))?;
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|e| damaged(file, e))?;
    let hex = manifest.origin.strip_prefix("aosctl/").unwrap_or_default();
    let is_origin = hex.len() == 32 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if manifest.aosctl != MANIFEST_TAG || !is_origin {
        return Err(damaged(file, "it says of itself what this aosctl does not know"));
    }
    Ok(manifest)
}

/// Everything holds: it opens, it is the log that the backup says, its identity and its pin fit, and all of it verifies.
fn prove(
    building: &Place,
    manifest: &Manifest,
    file: &Path,
    clock: Time,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Option<Time>, WorkspaceError> {
    let ws = Workspace::open(building.clone())?;
    if ws.origin().name != manifest.origin {
        return Err(damaged(file, "it holds another log than it says"));
    }
    ws.log_identity()?;
    let last_at = ws.store().head()?.map(|h| h.at);
    drop(ws);
    let found = verify(building, &VerifyOptions::default(), clock, progress)?;
    let wrong: Vec<String> = found
        .report
        .verdicts()
        .iter()
        .filter(|v| v.status == Status::Failed)
        .map(|v| format!("{} ({})", v.check.name(), v.detail))
        .collect();
    if !wrong.is_empty() {
        return Err(damaged(file, format!("the log in it does not verify: {}", wrong.join(", "))));
    }
    if found.size != manifest.entries || found.root != manifest.root {
        return Err(damaged(file, "it holds other entries than it says"));
    }
    Ok(last_at)
}

/// Adds to a state directory what it lacks, and says what it has another content of. A pin only ever goes forward.
fn merge(from: &Path, to: &Path, origin: &str) -> Result<Vec<String>, WorkspaceError> {
    let ours = read_plain(&from.join("log.json"), PlainKind::Log)?;
    match read_plain(&to.join("log.json"), PlainKind::Log) {
        Ok(theirs) if theirs.origin() == origin && theirs.signer().public() == ours.signer().public() => {}
        Err(WorkspaceError::Sys(e)) if e.is_not_found() => {}
        _ => return Err(WorkspaceError::StateInUse { dir: to.to_path_buf() }),
    }
    let mut kept = Vec::new();
    let mut dirs = vec![PathBuf::new()];
    while let Some(dir) = dirs.pop() {
        let io = |e| WorkspaceError::from(SysError::Io { action: "read", path: from.join(&dir), source: e });
        for entry in std::fs::read_dir(from.join(&dir)).map_err(io)? {
            let entry = entry.map_err(io)?;
            let name = dir.join(entry.file_name());
            if entry.file_type().map_err(io)?.is_dir() {
                dirs.push(name);
                continue;
            }
            if name == Path::new("pin") {
                continue;
            }
            let target = to.join(&name);
            if let Some(parent) = target.parent() {
                files::create_private_dir(parent)?;
            }
            let max = usize::try_from(MAX_FILE).unwrap_or(usize::MAX);
            let content = files::read_private_kept(&entry.path(), max)?;
            match files::create_private_new(&target, &content) {
                Err(SysError::Exists { .. }) => {
                    let same = files::read_private_kept(&target, max).is_ok_and(|there| *there == *content);
                    if !same {
                        kept.push(name.display().to_string());
                    }
                }
                other => other?,
            }
        }
    }
    pin::take_over(
        from,
        to,
        &crate::domain::facts::Origin { name: origin.to_string(), log_key: ours.signer().public(), company: None },
    )?;
    kept.sort();
    Ok(kept)
}
