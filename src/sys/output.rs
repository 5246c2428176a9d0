//! What is written for others: a directory or a file that appears under its name whole or not at all, and never in the
//! place of anything. Written beside its place under a temporary name; one that is dropped before its end is removed.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempDir};

use super::SysError;
use super::files::{parent_of, sync_dir};

/// A directory that is being written. It and those in it have mode 0700, its files 0600.
#[derive(Debug)]
pub struct NewDir {
    temporary: TempDir,
    target: PathBuf,
    inner: Vec<PathBuf>,
}

impl NewDir {
    /// Begins one that will be called `target`, where there is nothing, or an empty directory.
    ///
    /// # Errors
    /// [`SysError::Exists`] if anything else is there; [`SysError::Io`].
    pub fn beside(target: &Path) -> Result<NewDir, SysError> {
        let target = match target.symlink_metadata() {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => target.to_path_buf(),
            Err(e) => return Err(SysError::io("look at", target)(e)),
            Ok(there) if there.is_dir() && is_empty(target)? => {
                // So that `.` has a parent and a name.
                target.canonicalize().map_err(SysError::io("look at", target))?
            }
            Ok(_) => return Err(SysError::Exists { path: target.to_path_buf() }),
        };
        let temporary = tempfile::Builder::new()
            .prefix(".aosctl-")
            .suffix(".tmp")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(parent_of(&target))
            .map_err(SysError::io("write beside", &target))?;
        Ok(NewDir { temporary, target, inner: Vec::new() })
    }

    /// A new file in it, by its name with `/`; a directory that the name goes through is made.
    ///
    /// # Errors
    /// [`SysError::Io`].
    pub fn file(&mut self, name: &str) -> Result<File, SysError> {
        let path = self.temporary.path().join(name);
        let parent = parent_of(&path);
        if parent != self.temporary.path() && !self.inner.contains(&parent) {
            let make = DirBuilder::new().mode(0o700).recursive(true).create(&parent);
            make.map_err(SysError::io("create", &self.shown(name)))?;
            self.inner.push(parent);
        }
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        opened.map_err(SysError::io("create", &self.shown(name)))
    }

    /// Where it is being written: for looking at it before it gets its name.
    pub fn path(&self) -> &Path {
        self.temporary.path()
    }

    /// What a file in it will be called.
    pub fn shown(&self, name: &str) -> PathBuf {
        self.target.join(name)
    }

    /// Gives it its name. Its files were synced by whoever wrote them; returns when the names are on disk, too.
    ///
    /// # Errors
    /// [`SysError::Exists`] if something came into its place meanwhile; [`SysError::Io`].
    pub fn finish(self) -> Result<(), SysError> {
        for dir in self.inner {
            sync_dir(dir)?;
        }
        sync_dir(self.temporary.path().to_path_buf())?;
        // Only a place that is empty is taken: a directory with anything in it, and whatever is none, stays.
        use std::io::ErrorKind::{AlreadyExists, DirectoryNotEmpty, NotADirectory};
        std::fs::rename(self.temporary.path(), &self.target).map_err(|e| match e.kind() {
            AlreadyExists | DirectoryNotEmpty | NotADirectory => SysError::Exists { path: self.target.clone() },
            _ => SysError::io("create", &self.target)(e),
        })?;
        let _ = self.temporary.keep();
        sync_dir(parent_of(&self.target))
    }
}

fn is_empty(dir: &Path) -> Result<bool, SysError> {
    let mut entries = std::fs::read_dir(dir).map_err(SysError::io("look into", dir))?;
    Ok(entries.next().is_none())
}

/// A file of mode 0600 that is being written.
#[derive(Debug)]
pub struct NewFile {
    temporary: NamedTempFile,
    target: PathBuf,
}

impl NewFile {
    /// Begins one that will be called `target`, where there is nothing.
    ///
    /// # Errors
    /// [`SysError::Exists`] if anything is there, a dangling symbolic link too; [`SysError::Io`].
    pub fn beside(target: &Path) -> Result<NewFile, SysError> {
        if target.symlink_metadata().is_ok() {
            return Err(SysError::Exists { path: target.to_path_buf() });
        }
        let temporary = tempfile::Builder::new()
            .prefix(".aosctl-")
            .suffix(".tmp")
            .tempfile_in(parent_of(target))
            .map_err(SysError::io("write beside", target))?;
        Ok(NewFile { temporary, target: target.to_path_buf() })
    }

    /// To write into.
    pub fn file(&mut self) -> &mut File {
        self.temporary.as_file_mut()
    }

    /// What it will be called.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Gives it its name. Returns when it is on disk.
    ///
    /// # Errors
    /// [`SysError::Exists`] if something came into its place meanwhile; [`SysError::Io`].
    pub fn finish(self) -> Result<(), SysError> {
        self.temporary.as_file().sync_all().map_err(SysError::io("sync", &self.target))?;
        self.temporary.persist_noclobber(&self.target).map_err(|e| match e.error.kind() {
            std::io::ErrorKind::AlreadyExists => SysError::Exists { path: self.target.clone() },
            _ => SysError::io("create", &self.target)(e.error),
        })?;
        sync_dir(parent_of(&self.target))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_directory_appears_whole_or_not_at_all_and_replaces_nothing() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("out");
        let mut dir = NewDir::beside(&target).unwrap();
        dir.file("a").unwrap().write_all(b"1").unwrap();
        assert!(dir.file("a").is_err(), "a name twice");
        dir.file("b/c").unwrap();
        assert!(!target.exists());
        dir.finish().unwrap();
        let mode = |p: &str| target.join(p).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(""), mode("a"), mode("b"), mode("b/c")), (0o700, 0o600, 0o700, 0o600));
        assert!(matches!(NewDir::beside(&target), Err(SysError::Exists { .. })));
        // Something that comes meanwhile stays, and what was written goes.
        let late = place.path().join("late");
        let dir = NewDir::beside(&late).unwrap();
        std::fs::create_dir(&late).unwrap();
        std::fs::write(late.join("theirs"), "").unwrap();
        assert!(matches!(dir.finish(), Err(SysError::Exists { .. })));
        drop(NewDir::beside(&place.path().join("never")).unwrap());
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 2);
        // An empty directory is a place.
        let empty = place.path().join("empty");
        std::fs::create_dir(&empty).unwrap();
        let mut dir = NewDir::beside(&empty).unwrap();
        dir.file("a").unwrap();
        dir.finish().unwrap();
        assert!(empty.join("a").exists());
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all_and_replaces_nothing() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("out.tar");
        let mut file = NewFile::beside(&target).unwrap();
        file.file().write_all(b"1").unwrap();
        assert!(!target.exists());
        file.finish().unwrap();
        assert_eq!(target.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(matches!(NewFile::beside(&target), Err(SysError::Exists { .. })));
        let late = place.path().join("late");
        let file = NewFile::beside(&late).unwrap();
        std::os::unix::fs::symlink("nowhere", &late).unwrap();
        assert!(matches!(file.finish(), Err(SysError::Exists { .. })));
        drop(NewFile::beside(&place.path().join("never")).unwrap());
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 2);
    }
}
