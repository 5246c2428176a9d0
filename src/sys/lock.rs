//! A lock between processes, held by an open file (`flock`).
//!
//! The kernel releases it when the process ends, however it ends, so a crash leaves no stale lock. The lock
//! file itself stays: removing it would let two processes lock two different files of the same name.

use super::SysError;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// An exclusive lock, held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, waiting until it is free. The lock file is created (0600) where it is missing.
    ///
    /// # Errors
    /// [`SysError::Io`] if the file cannot be opened or the file system has no locks.
    pub fn wait(path: &Path) -> Result<Self, SysError> {
        match Self::take(path, FlockOperation::LockExclusive)? {
            Some(lock) => Ok(lock),
            // The waiting form never answers "would block"; should a file system do so, say it.
            None => Err(SysError::io("lock", path)(Errno::WOULDBLOCK.into())),
        }
    }

    /// Takes the lock if it is free now; `None` says that another process or another part of this one has it.
    ///
    /// # Errors
    /// As [`Lock::wait`].
    pub fn try_now(path: &Path) -> Result<Option<Self>, SysError> {
        Self::take(path, FlockOperation::NonBlockingLockExclusive)
    }

    fn take(path: &Path, operation: FlockOperation) -> Result<Option<Self>, SysError> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(SysError::io("open the lock file", path))?;
        loop {
            match flock(&file, operation) {
                Ok(()) => return Ok(Some(Self { _file: file })),
                Err(Errno::WOULDBLOCK) => return Ok(None),
                Err(Errno::INTR) => {}
                Err(error) => return Err(SysError::io("lock", path)(error.into())),
            }
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
        let held = Lock::wait(&path).unwrap();
        assert!(Lock::try_now(&path).unwrap().is_none());
        let freed = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                let _lock = Lock::wait(&path).unwrap();
                assert!(freed.load(Ordering::SeqCst), "got the lock while it was held");
            });
            std::thread::sleep(std::time::Duration::from_millis(50));
            freed.store(true, Ordering::SeqCst);
            drop(held);
            waiter.join().unwrap();
        });
        assert!(Lock::try_now(&path).unwrap().is_some());
        assert!(path.exists());
    }

    #[test]
    fn a_missing_directory_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Lock::wait(&dir.path().join("no/lock")).unwrap_err().is_not_found());
    }
}
