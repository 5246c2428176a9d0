//! Waiting until something happens to the files of a directory, without asking all the time.
//!
//! On Linux the kernel tells (inotify). Elsewhere, and where it does not, the wait is a sleep that grows to one second.

use std::path::Path;
use std::time::Duration;

/// The longest sleep where the kernel does not tell.
const SLEEP: Duration = Duration::from_secs(1);
/// The longest wait where it does: a safety net for file systems that tell nothing.
const NET: Duration = Duration::from_secs(5);
/// The first sleep where the kernel does not tell, and the first wait after it told; each next one is twice as long.
const FIRST: Duration = Duration::from_millis(20);

/// A watched directory.
#[derive(Debug)]
pub struct Watch {
    #[cfg(target_os = "linux")]
    told: Option<std::os::fd::OwnedFd>,
    sleep: Duration,
}

impl Watch {
    /// Watches the files directly in a directory. Never fails: without the kernel's help it sleeps.
    pub fn directory(path: &Path) -> Watch {
        Watch {
            #[cfg(target_os = "linux")]
            told: linux::watch(path).ok(),
            sleep: FIRST,
        }
    }

    /// Waits until something was written in the directory, or `most` has passed, or for a few seconds: the caller looks
    /// again in any case. What happened between two calls ends the second one at once.
    pub fn wait(&mut self, most: Duration) {
        #[cfg(target_os = "linux")]
        if let Some(fd) = &self.told {
            match linux::wait(fd, most.min(self.sleep)) {
                // What was told of may not be visible yet (SQLite writes its log, syncs it, and only then shows it, by
                // memory that is told of to nobody): so the looks after it follow quickly, and then ever more slowly.
                Ok(true) => return self.sleep = FIRST,
                Ok(false) => return self.sleep = (self.sleep * 2).min(NET),
                Err(_) => self.told = None,
            }
        }
        #[cfg(not(target_os = "linux"))]
        let _ = NET;
        std::thread::sleep(self.sleep.min(most));
        self.sleep = (self.sleep * 2).min(SLEEP);
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::fs::inotify::{CreateFlags, Reader, WatchFlags, add_watch, init};
    use rustix::io::Errno;
    use std::mem::MaybeUninit;
    use std::os::fd::{AsFd, OwnedFd};
    use std::path::Path;
    use std::time::Duration;

    pub(super) fn watch(path: &Path) -> rustix::io::Result<OwnedFd> {
        let fd = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        // A transaction is written before it can be seen, and who looks in between sees nothing new. So the end of writing
        // counts too: a writer closes its lock file after its commit can be seen, even one that is killed.
        add_watch(&fd, path, WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::CLOSE_WRITE)?;
        Ok(fd)
    }

    /// Was anything told?
    pub(super) fn wait(fd: &OwnedFd, most: Duration) -> rustix::io::Result<bool> {
        let timeout = Timespec::try_from(most).map_err(|_| Errno::INVAL)?;
        match poll(&mut [PollFd::new(fd, PollFlags::IN)], Some(&timeout)) {
            // A signal ends the wait early; the caller looks again, which is right.
            Ok(0) | Err(Errno::INTR) => return Ok(false),
            Ok(_) => {}
            Err(e) => return Err(e),
        }
        // What is told does not matter, only that something was; everything told so far is one wake-up.
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(fd.as_fd(), &mut buffer);
        loop {
            match reader.next() {
                Ok(_) => {}
                Err(Errno::WOULDBLOCK) => return Ok(true),
                Err(Errno::INTR) => {}
                Err(e) => return Err(e),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_write_ends_the_wait_and_silence_lasts_as_long_as_asked() {
        let dir = tempfile::tempdir().unwrap();
        let mut watch = Watch::directory(dir.path());
        let start = Instant::now();
        watch.wait(Duration::from_millis(60));
        assert!(start.elapsed() >= Duration::from_millis(15));
        let file = dir.path().join("f");
        let writer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            std::fs::write(file, "x").unwrap();
        });
        let mut looks = 0;
        while !dir.path().join("f").exists() {
            watch.wait(Duration::from_secs(4));
            looks += 1;
            assert!(looks < 10, "each wait is twice as long");
        }
        writer.join().unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_end_of_writing_is_told_too() {
        let dir = tempfile::tempdir().unwrap();
        let open = std::fs::File::create(dir.path().join("f")).unwrap();
        let fd = linux::watch(dir.path()).unwrap();
        assert!(!linux::wait(&fd, Duration::from_millis(10)).unwrap());
        drop(open);
        assert!(linux::wait(&fd, Duration::from_secs(10)).unwrap());
    }

    #[test]
    fn a_missing_directory_is_slept_over() {
        let mut watch = Watch::directory(Path::new("/nonexistent-aosctl"));
        let start = Instant::now();
        for _ in 0..3 {
            watch.wait(Duration::from_millis(30));
        }
        assert!(start.elapsed() >= Duration::from_millis(60));
    }
}
