//! Files that are private to the user, written so that a crash leaves the old content or the new, never a half.

use super::SysError;
use rustix::process::geteuid;
use std::fs::{DirBuilder, File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

/// A directory that goes when it is dropped: [`temporary_dir`].
pub use tempfile::TempDir as TemporaryDir;

/// Makes sure that `path` is a directory of this user, creating it and its missing parents with mode 0700.
///
/// One that is already there keeps its mode, but must belong to this user and be writable by nobody else.
///
/// # Errors
/// [`SysError::NotADirectory`], [`SysError::OtherOwner`], [`SysError::OpenToOthers`], or [`SysError::Io`].
pub fn create_private_dir(path: &Path) -> Result<(), SysError> {
    let missing: Vec<&Path> =
        path.ancestors().take_while(|dir| !dir.as_os_str().is_empty() && dir.symlink_metadata().is_err()).collect();
    for dir in missing.into_iter().rev() {
        match DirBuilder::new().mode(0o700).create(dir) {
            Ok(()) => sync_dir(parent_of(dir))?,
            // Another process was quicker; what it made is checked below.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(SysError::io("create the directory", dir)(error)),
        }
    }
    let metadata = path.metadata().map_err(SysError::io("look at", path))?;
    if !metadata.is_dir() {
        return Err(SysError::NotADirectory { path: path.to_path_buf() });
    }
    require_private(path, &metadata, 0o022, 0o700)
}

/// Gives a directory or file that was built beside `to` its name, in one step. Returns when the name is on disk.
///
/// # Errors
/// [`SysError::Io`], also where `to` is a directory that holds anything; nothing was changed then.
pub fn move_into_place(from: &Path, to: &Path) -> Result<(), SysError> {
    std::fs::rename(from, to).map_err(SysError::io("create", to))?;
    sync_dir(parent_of(to))
}

/// Returns when what was written into a file is on disk.
///
/// # Errors
/// [`SysError::Io`].
pub fn sync(path: &Path) -> Result<(), SysError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(SysError::io("sync", path))
}

/// Removes a file that this program made and nobody needs, as [`remove_tree`] does.
pub fn remove_file(path: &Path) {
    let _ = std::fs::remove_file(path);
}

/// A directory that is removed when this is dropped, if nothing is in it.
pub struct GoneIfEmpty(pub PathBuf);

impl Drop for GoneIfEmpty {
    fn drop(&mut self) {
        // Fails where something is in it, which is what is wanted.
        let _ = std::fs::remove_dir(&self.0);
    }
}

/// Removes a directory that this process made and nobody needs. What cannot be removed stays: the reason why it is not
/// needed is the error that matters.
pub fn remove_tree(path: &Path) {
    let _ = std::fs::remove_dir_all(path);
}

/// How old a temporary file must be to be nobody's any more: writing one takes milliseconds.
const NOBODYS: std::time::Duration = std::time::Duration::from_secs(3600);

/// Removes what writes that were cut off left in a directory: temporary files of this program, more than an hour old.
pub fn remove_old_temporaries(dir: &Path) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let ours = name.starts_with(".aosctl-") && name.ends_with(".tmp");
        let old =
            |m: &Metadata| m.is_file() && m.modified().is_ok_and(|at| at.elapsed().is_ok_and(|age| age > NOBODYS));
        if ours && entry.metadata().is_ok_and(|m| old(&m)) {
            remove_file(&entry.path());
        }
    }
}

/// A directory of mode 0700 for what need not outlive this process; it goes when it is dropped.
///
/// # Errors
/// [`SysError::Io`].
pub fn temporary_dir() -> Result<TemporaryDir, SysError> {
    tempfile::Builder::new()
        .prefix("aosctl-")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700))
        .tempdir()
        .map_err(SysError::io("create a temporary directory in", &std::env::temp_dir()))
}

/// Writes `bytes` to `path`, mode 0600, replacing what was there in one step. Returns when it is on disk.
///
/// # Errors
/// [`SysError::Io`]; the old content is then still there.
pub fn write_private_atomic(path: &Path, bytes: &[u8]) -> Result<(), SysError> {
    let file = write_beside(path, bytes)?;
    file.persist(path).map_err(|error| SysError::io("write", path)(error.error))?;
    sync_dir(parent_of(path))
}

/// Writes a report where its user wants it, as [`write_private_atomic`] does. Only a file may be replaced: a directory, a
/// device, a pipe or a symbolic link in its place stays what it is.
///
/// # Errors
/// [`SysError::NotAFile`] if anything else than a file is there; [`SysError::Io`].
pub fn write_report(path: &Path, bytes: &[u8]) -> Result<(), SysError> {
    match path.symlink_metadata() {
        Ok(there) if !there.is_file() => Err(SysError::NotAFile { path: path.to_path_buf() }),
        // What cannot be looked at cannot be written either; the write says why.
        _ => write_private_atomic(path, bytes),
    }
}

/// Would something that is written at `path` lie inside `dir`, once links and `..` are followed? What cannot be found is
/// compared as it is written; where the parent is missing, nothing can be written anyway.
pub fn lies_within(path: &Path, dir: &Path) -> bool {
    let real = |p: &Path| p.canonicalize().ok();
    let Some(dir) = real(dir) else { return path.starts_with(dir) };
    // The name itself counts, and, if it is a link, what it leads to.
    let named = path.file_name().and_then(|name| real(&parent_of(path)).map(|parent| parent.join(name)));
    named.into_iter().chain(real(path)).any(|p| p.starts_with(&dir))
}

/// Creates `path` with `bytes`, mode 0600, and never overwrites. The file appears whole or not at all.
/// Returns when it is on disk.
///
/// # Errors
/// [`SysError::Exists`] if anything is there already, a dangling symbolic link too; [`SysError::Io`].
pub fn create_private_new(path: &Path, bytes: &[u8]) -> Result<(), SysError> {
    let file = write_beside(path, bytes)?;
    file.persist_noclobber(path).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => SysError::Exists { path: path.to_path_buf() },
        _ => SysError::io("create", path)(error.error),
    })?;
    sync_dir(parent_of(path))
}

/// Reads a file that holds a secret: at most `max_bytes`, and only if it belongs to this user and nobody else
/// can read or write it. A symbolic link is followed; what is checked is the file that was opened. A pipe is
/// accepted too, for `--passphrase-file <(...)`.
///
/// # Errors
/// [`SysError::OpenToOthers`] (says `chmod 600 PATH`), [`SysError::OtherOwner`], [`SysError::NotAFile`],
/// [`SysError::TooLarge`], [`SysError::Io`].
pub fn read_private(path: &Path, max_bytes: usize) -> Result<Zeroizing<Vec<u8>>, SysError> {
    let (file, metadata) = open(path)?;
    require_private(path, &metadata, 0o077, 0o600)?;
    read_up_to(path, file, &metadata, max_bytes)
}

/// As [`read_private`], a file that aosctl keeps by itself: a pipe that somebody put in its place is refused, because
/// nobody writes into it and whoever opens it would wait for ever.
///
/// # Errors
/// As [`read_private`].
pub fn read_private_kept(path: &Path, max_bytes: usize) -> Result<Zeroizing<Vec<u8>>, SysError> {
    refuse_pipe(path)?;
    read_private(path, max_bytes)
}

/// As [`read_limited`], a file that aosctl keeps by itself; no pipe, as [`read_private_kept`].
///
/// # Errors
/// As [`read_limited`].
pub fn read_limited_kept(path: &Path, max_bytes: usize) -> Result<Vec<u8>, SysError> {
    refuse_pipe(path)?;
    read_limited(path, max_bytes)
}

fn refuse_pipe(path: &Path) -> Result<(), SysError> {
    let metadata = path.metadata().map_err(SysError::io("open", path))?;
    if metadata.is_file() { Ok(()) } else { Err(SysError::NotAFile { path: path.to_path_buf() }) }
}

/// Whether a file lies on a file system that is mounted read-only. It is opened for writing, and nothing is written.
pub fn is_on_read_only(path: &Path) -> bool {
    File::options().write(true).open(path).is_err_and(|e| e.kind() == io::ErrorKind::ReadOnlyFilesystem)
}

/// Reads a file of at most `max_bytes`.
///
/// # Errors
/// [`SysError::NotAFile`], [`SysError::TooLarge`], [`SysError::Io`].
pub fn read_limited(path: &Path, max_bytes: usize) -> Result<Vec<u8>, SysError> {
    let (file, metadata) = open(path)?;
    Ok(std::mem::take(&mut *read_up_to(path, file, &metadata, max_bytes)?))
}

/// Opens a file (or a pipe) for reading; a directory, a device or a socket is refused.
///
/// # Errors
/// [`SysError::NotAFile`], [`SysError::Io`].
pub fn open_file(path: &Path) -> Result<File, SysError> {
    open(path).map(|(file, _)| file)
}

/// Keeps everything that a reader gives, at most `max_bytes`, in a file that has no name and is gone with its handle.
/// It is left at its start.
///
/// # Errors
/// [`SysError::TooLarge`], [`SysError::Io`].
pub fn spool(name: &Path, reader: impl Read, max_bytes: u64) -> Result<File, SysError> {
    let io = SysError::io("keep a copy of", name);
    let mut reader = reader.take(max_bytes.saturating_add(1));
    let copied = tempfile::tempfile().and_then(|mut file| {
        let size = io::copy(&mut reader, &mut file)?;
        io::Seek::rewind(&mut file)?;
        Ok((file, size))
    });
    match copied {
        Ok((file, size)) if size <= max_bytes => Ok(file),
        Ok(_) => Err(SysError::TooLarge {
            path: name.to_path_buf(),
            max_bytes: usize::try_from(max_bytes).unwrap_or(usize::MAX),
        }),
        Err(error) => Err(io(error)),
    }
}

fn open(path: &Path) -> Result<(File, Metadata), SysError> {
    let file = File::open(path).map_err(SysError::io("open", path))?;
    let metadata = file.metadata().map_err(SysError::io("look at", path))?;
    if metadata.is_file() || std::os::unix::fs::FileTypeExt::is_fifo(&metadata.file_type()) {
        Ok((file, metadata))
    } else {
        Err(SysError::NotAFile { path: path.to_path_buf() })
    }
}

fn read_up_to(path: &Path, file: File, metadata: &Metadata, max_bytes: usize) -> Result<Zeroizing<Vec<u8>>, SysError> {
    let limit = max_bytes.saturating_add(1);
    // Room for everything from the start where it is small: a buffer that grows leaves copies behind. A file says how long
    // it is, and what is not made need not be wiped.
    let length = if metadata.is_file() { usize::try_from(metadata.len()).unwrap_or(limit) } else { limit };
    let mut bytes = Zeroizing::new(Vec::with_capacity(length.saturating_add(64).min(limit).min(64 * 1024)));
    let wanted = u64::try_from(limit).unwrap_or(u64::MAX);
    file.take(wanted).read_to_end(&mut bytes).map_err(SysError::io("read", path))?;
    if bytes.len() > max_bytes {
        return Err(SysError::TooLarge { path: path.to_path_buf(), max_bytes });
    }
    Ok(bytes)
}

fn require_private(path: &Path, metadata: &Metadata, forbidden: u32, wanted: u32) -> Result<(), SysError> {
    if metadata.uid() != geteuid().as_raw() {
        return Err(SysError::OtherOwner { path: path.to_path_buf(), owner: metadata.uid() });
    }
    let mode = metadata.mode() & 0o7777;
    if mode & forbidden != 0 {
        return Err(SysError::OpenToOthers { path: path.to_path_buf(), mode, wanted });
    }
    Ok(())
}

/// A synced file with `bytes` in the directory of `path`, removed again if it is dropped.
fn write_beside(path: &Path, bytes: &[u8]) -> Result<NamedTempFile, SysError> {
    // `tempfile` creates with mode 0600 and O_EXCL.
    let mut file = tempfile::Builder::new()
        .prefix(".aosctl-")
        .suffix(".tmp")
        .tempfile_in(parent_of(path))
        .map_err(SysError::io("write beside", path))?;
    file.write_all(bytes).map_err(SysError::io("write", path))?;
    file.as_file().sync_all().map_err(SysError::io("sync", path))?;
    Ok(file)
}

pub(super) fn parent_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        Some(_) => PathBuf::from("."),
        None => path.to_path_buf(),
    }
}

/// Makes a new or renamed name in `dir` durable.
pub(super) fn sync_dir(dir: PathBuf) -> Result<(), SysError> {
    match File::open(&dir).and_then(|dir| dir.sync_all()) {
        // fsync(2): the file system has no such thing for directories, so there is nothing left to wait for.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        other => other.map_err(SysError::io("sync the directory", &dir)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn spooled_bytes_are_kept_whole_or_refused() {
        let mut file = spool(Path::new("-"), &b"abc"[..], 3).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "abc");
        assert!(matches!(spool(Path::new("-"), &b"abcd"[..], 3), Err(SysError::TooLarge { max_bytes: 3, .. })));
        assert!(open_file(Path::new("/")).is_err());
    }

    #[test]
    fn directories_are_private_with_their_parents() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a/b/c");
        create_private_dir(&deep).unwrap();
        create_private_dir(&deep).unwrap();
        for part in ["a", "a/b", "a/b/c"] {
            assert_eq!(mode(&dir.path().join(part)), 0o700, "{part}");
        }
        chmod(&deep, 0o755);
        create_private_dir(&deep).unwrap();
        chmod(&deep, 0o775);
        let error = create_private_dir(&deep).unwrap_err();
        assert!(error.to_string().ends_with(&format!("chmod 700 {}", deep.display())), "{error}");
        fs::write(dir.path().join("file"), "").unwrap();
        let error = create_private_dir(&dir.path().join("file")).unwrap_err();
        assert!(matches!(error, SysError::NotADirectory { .. }));
        symlink("nowhere", dir.path().join("link")).unwrap();
        create_private_dir(&dir.path().join("link")).unwrap_err();
    }

    #[test]
    fn writing_replaces_at_once_and_stays_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pin");
        write_private_atomic(&path, b"one").unwrap();
        chmod(&path, 0o644);
        write_private_atomic(&path, b"two").unwrap();
        assert_eq!((fs::read(&path).unwrap().as_slice(), mode(&path)), (b"two".as_slice(), 0o600));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file is left");
        write_private_atomic(dir.path(), b"x").unwrap_err();
    }

    #[test]
    fn a_built_directory_takes_its_name_at_once() {
        let dir = temporary_dir().unwrap();
        assert_eq!(mode(dir.path()), 0o700);
        let (built, place) = (dir.path().join("built"), dir.path().join("place"));
        for parent in [&built, &place] {
            create_private_dir(parent).unwrap();
            fs::write(parent.join("file"), "").unwrap();
        }
        move_into_place(&built, &place).unwrap_err();
        assert!(built.join("file").exists(), "a full directory was replaced");
        remove_file(&place.join("file"));
        move_into_place(&built, &place).unwrap();
        assert!(place.join("file").exists() && !built.exists());
        remove_tree(&place);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn creating_never_overwrites() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("identity");
        create_private_new(&path, b"one").unwrap();
        assert_eq!(mode(&path), 0o600);
        assert!(matches!(create_private_new(&path, b"two"), Err(SysError::Exists { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"one");
        let link = dir.path().join("link");
        symlink("nowhere", &link).unwrap();
        assert!(matches!(create_private_new(&link, b"two"), Err(SysError::Exists { .. })));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_lies_within_a_directory_is_seen_through_links_and_dots() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("ws/sub")).unwrap();
        fs::create_dir(at("out")).unwrap();
        fs::write(at("ws/db"), "").unwrap();
        symlink(at("ws"), at("link")).unwrap();
        symlink(at("ws/db"), at("out/db")).unwrap();
        for inside in ["ws/db", "ws/new", "ws/sub/new", "ws", "ws/sub/..", "out/../ws/db", "link/new", "out/db"] {
            assert!(lies_within(&at(inside), &at("ws")), "{inside}");
            assert!(lies_within(&at(inside), &at("link")), "{inside}, by the link");
        }
        for outside in ["out/page", "ws/../page", "wsx", "missing/page", "ws-page"] {
            assert!(!lies_within(&at(outside), &at("ws")), "{outside}");
        }
        assert!(lies_within(&at("none/db"), &at("none")), "a directory that is still to be made");
    }

    #[test]
    fn a_secret_that_others_can_touch_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("seed");
        create_private_new(&path, b"secret").unwrap();
        assert_eq!(&**read_private(&path, 6).unwrap(), b"secret");
        for bad in [0o640, 0o604, 0o620, 0o602, 0o610, 0o644] {
            chmod(&path, bad);
            let error = read_private(&path, 6).unwrap_err();
            assert!(error.to_string().ends_with(&format!("chmod 600 {}", path.display())), "{error}");
            assert!(!format!("{error:?}").contains("secret"));
        }
        let link = dir.path().join("link");
        symlink(&path, &link).unwrap();
        assert!(matches!(read_private(&link, 6), Err(SysError::OpenToOthers { .. })));
        chmod(&path, 0o400);
        assert_eq!(&**read_private(&link, 6).unwrap(), b"secret");
        if geteuid().is_root() {
            std::os::unix::fs::chown(&path, Some(12345), None).unwrap();
            assert!(matches!(read_private(&path, 6), Err(SysError::OtherOwner { owner: 12345, .. })));
        }
    }

    #[test]
    fn what_is_too_large_or_no_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, b"12345").unwrap();
        assert_eq!(read_limited(&path, 5).unwrap(), b"12345");
        assert!(matches!(read_limited(&path, 4), Err(SysError::TooLarge { max_bytes: 4, .. })));
        assert!(matches!(read_limited(dir.path(), 4), Err(SysError::NotAFile { .. })));
        assert!(matches!(read_limited(Path::new("/dev/zero"), 4), Err(SysError::NotAFile { .. })));
        assert!(read_limited(&dir.path().join("no"), 4).unwrap_err().is_not_found());
        assert!(read_private_kept(&dir.path().join("no"), 4).unwrap_err().is_not_found());
        let pipe = dir.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        assert!(matches!(read_private_kept(&pipe, 4), Err(SysError::NotAFile { .. })));
        assert!(matches!(read_limited_kept(&pipe, 4), Err(SysError::NotAFile { .. })));
    }
}
