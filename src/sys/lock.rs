//! A lock between processes, held by an open file (`flock`).
//!
//! The kernel releases it when the process ends, however it ends, so a crash leaves no stale lock. The lock
//! file itself stays: removing it would let two processes lock two different files of the same name.

use super::SysError;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

/// An exclusive lock, held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock, waiting until it is free, at most so long; `None` says that somebody held it all that time: a
    /// stopped or hanging process must not stop everybody else without a word. The lock file is created (0600) where it
    /// is missing.
    ///
    /// # Errors
    /// [`SysError::Io`] if the file cannot be opened or the file system has no locks.
    pub fn wait(path: &Path, most: Duration) -> Result<Option<Self>, SysError> {
        Self::wait_for(path, open, most)
    }

    /// As [`Lock::wait`], of a directory itself: for those who put new files in the place of files in it, so that a lock
    /// on one of these would keep nobody out. Nothing is created.
    ///
    /// # Errors
    /// As [`Lock::wait`].
    pub fn wait_dir(dir: &Path, most: Duration) -> Result<Option<Self>, SysError> {
        Self::wait_for(dir, |dir| File::open(dir).map_err(SysError::io("open", dir)), most)
    }

    fn wait_for(
        path: &Path,
        open: impl Fn(&Path) -> Result<File, SysError>,
        most: Duration,
    ) -> Result<Option<Self>, SysError> {
        let file = open(path)?;
        if let Some(file) = take(path, file, FlockOperation::NonBlockingLockExclusive)? {
            return Ok(Some(Self { file }));
        }
        // The kernel's queue of waiters is fair and costs nothing, but knows no time limit; so a thread waits in it. Where
        // the limit comes first, the lock is released as soon as that thread gets it.
        let file = open(path)?;
        let (tell, told) = sync_channel(0);
        let of = path.to_path_buf();
        std::thread::spawn(move || {
            let _ = tell.send(take(&of, file, FlockOperation::LockExclusive));
        });
        match told.recv_timeout(most) {
            Ok(taken) => Ok(taken?.map(|file| Self { file })),
            Err(_) => Ok(None),
        }
    }

    /// Takes the lock if it is free now; `None` says that another process or another part of this one has it.
    ///
    /// # Errors
    /// As [`Lock::wait`].
    pub fn try_now(path: &Path) -> Result<Option<Self>, SysError> {
        let taken = take(path, open(path)?, FlockOperation::NonBlockingLockExclusive)?;
        Ok(taken.map(|file| Self { file }))
    }

    /// Does somebody hold the lock now? Creates no file, and those who only ask do not see each other.
    ///
    /// # Errors
    /// As [`Lock::wait`].
    pub fn is_held(path: &Path) -> Result<bool, SysError> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(e) => return Err(SysError::io("open the lock file", path)(e)),
        };
        Ok(take(path, file, FlockOperation::NonBlockingLockShared)?.is_none())
    }

    /// Is this lock's file still the one of that name? A lock on a file that was removed meanwhile keeps nobody out.
    pub fn is_of(&self, path: &Path) -> bool {
        match (self.file.metadata(), path.metadata()) {
            (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
            _ => false,
        }
    }
}

fn open(path: &Path) -> Result<File, SysError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(SysError::io("open the lock file", path))
}

/// The file with the lock on it; `None` where somebody else has it.
fn take(path: &Path, file: File, operation: FlockOperation) -> Result<Option<File>, SysError> {
    loop {
        match flock(&file, operation) {
            Ok(()) => return Ok(Some(file)),
            Err(Errno::WOULDBLOCK) => return Ok(None),
            Err(Errno::INTR) => {}
            Err(error) => return Err(SysError::io("lock", path)(error.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let long = Duration::from_secs(60);
        let held = Lock::wait(&path, long).unwrap().unwrap();
        assert!(Lock::try_now(&path).unwrap().is_none());
        assert!(Lock::is_held(&path).unwrap());
        let freed = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                let _lock = Lock::wait(&path, long).unwrap().unwrap();
                assert!(freed.load(Ordering::SeqCst), "got the lock while it was held");
            });
            std::thread::sleep(std::time::Duration::from_millis(50));
            freed.store(true, Ordering::SeqCst);
            drop(held);
            waiter.join().unwrap();
        });
        assert!(!Lock::is_held(&path).unwrap());
        assert!(Lock::try_now(&path).unwrap().is_some());
        assert!(path.exists());
    }

    #[test]
    fn nobody_waits_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let held = Lock::try_now(&path).unwrap().unwrap();
        assert!(Lock::wait(&path, Duration::from_millis(50)).unwrap().is_none());
        // The waiter that gave up gives the lock back when it gets it.
        drop(held);
        assert!(Lock::wait(&path, Duration::from_secs(60)).unwrap().is_some());
    }

    #[test]
    fn who_only_asks_makes_no_file_and_a_removed_file_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        assert!(!Lock::is_held(&path).unwrap());
        assert!(!path.exists());
        let held = Lock::try_now(&path).unwrap().unwrap();
        assert!(held.is_of(&path));
        std::fs::remove_file(&path).unwrap();
        assert!(!held.is_of(&path));
        let next = Lock::try_now(&path).unwrap().unwrap();
        assert!(next.is_of(&path) && !held.is_of(&path));
    }

    #[test]
    fn a_missing_directory_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Lock::wait(&dir.path().join("no/lock"), Duration::ZERO).unwrap_err().is_not_found());
    }
}
