//! Handing bytes to one child: in memory, on a descriptor that only it inherits.

use std::fs::File;
use std::io::{self, PipeReader, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::path::PathBuf;
use std::thread;

use rustix::io::{FdFlags, fcntl_setfd};
use zeroize::Zeroizing;

use super::SysError;
use super::files::TemporaryDir;

/// A file that holds bytes for one child, and is gone with this value and that child.
///
/// On Linux it has no name: it is a `memfd`, sealed against every change, of mode 0600. The child finds it as
/// `/proc/self/fd/N`, because it inherits the descriptor, and can open it as often as it likes. Elsewhere, and where the
/// system has no such thing, it lies in a directory of mode 0700 that is removed with this value.
#[derive(Debug)]
pub struct Sheet {
    path: PathBuf,
    held: Held,
}

#[derive(Debug)]
enum Held {
    Memory(File),
    Directory {
        /// Removed when dropped.
        _dir: TemporaryDir,
    },
}

impl Sheet {
    /// Makes one.
    ///
    /// # Errors
    /// [`SysError::Io`].
    pub fn of(bytes: &[u8]) -> Result<Sheet, SysError> {
        if let Ok(file) = in_memory(bytes) {
            let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
            if path.exists() {
                return Ok(Sheet { path, held: Held::Memory(file) });
            }
        }
        let dir = super::files::temporary_dir()?;
        let path = dir.path().join("secret");
        super::files::create_private_new(&path, bytes)?;
        Ok(Sheet { path, held: Held::Directory { _dir: dir } })
    }

    /// Where the child finds it.
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// Lets the next child inherit it. Start that child at once, and no other one in between.
    ///
    /// # Errors
    /// What the system gives.
    pub fn inherit(&self) -> io::Result<()> {
        match &self.held {
            Held::Memory(file) => Ok(fcntl_setfd(file, FdFlags::empty())?),
            Held::Directory { .. } => Ok(()),
        }
    }
}

#[cfg(target_os = "linux")]
fn in_memory(bytes: &[u8]) -> io::Result<File> {
    use rustix::fs::{MemfdFlags, Mode, SealFlags, fchmod, fcntl_add_seals, memfd_create};
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Not executable, which some systems insist on; older ones do not know the word.
    let fd = memfd_create("secret", flags | MemfdFlags::NOEXEC_SEAL).or_else(|_| memfd_create("secret", flags))?;
    let mut file = File::from(fd);
    fchmod(&file, Mode::RUSR | Mode::WUSR)?;
    file.write_all(bytes)?;
    io::Seek::rewind(&mut file)?;
    fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(file)
}

/// A copy of a program in memory, which nobody can change any more: what is digested here is what runs. `None` where the
/// system has no such thing.
///
/// # Errors
/// What reading gives.
#[cfg(target_os = "linux")]
pub fn program_copy(name: &str, program: &File) -> io::Result<Option<File>> {
    use rustix::fs::{MemfdFlags, Mode, SealFlags, fchmod, fcntl_add_seals, memfd_create};
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // To be said on newer systems, unknown to older ones.
    let Ok(fd) = memfd_create(name, flags | MemfdFlags::EXEC).or_else(|_| memfd_create(name, flags)) else {
        return Ok(None);
    };
    let mut copy = File::from(fd);
    let mut from = program.try_clone()?;
    io::Seek::rewind(&mut from)?;
    io::copy(&mut from, &mut copy)?;
    fchmod(&copy, Mode::RUSR | Mode::XUSR)?;
    fcntl_add_seals(&copy, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    io::Seek::rewind(&mut copy)?;
    Ok(Some(copy))
}

/// As on Linux: there is no such thing here.
///
/// # Errors
/// None.
#[cfg(not(target_os = "linux"))]
pub fn program_copy(_: &str, _: &File) -> io::Result<Option<File>> {
    Ok(None)
}

#[cfg(not(target_os = "linux"))]
fn in_memory(_: &[u8]) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The end of a pipe that a child reads bytes from, then their end.
#[derive(Debug)]
pub struct Feed {
    reader: PipeReader,
    writer: io::PipeWriter,
}

impl Feed {
    /// A new pipe.
    ///
    /// # Errors
    /// What the system gives.
    pub fn new() -> io::Result<Feed> {
        let (reader, writer) = io::pipe()?;
        Ok(Feed { reader, writer })
    }

    /// The number of the descriptor that the child reads from, once [`Feed::inherit`] was called.
    pub fn number(&self) -> i32 {
        self.reader.as_raw_fd()
    }

    /// Lets the next child inherit the end to read from; as [`Sheet::inherit`].
    ///
    /// # Errors
    /// What the system gives.
    pub fn inherit(&self) -> io::Result<()> {
        Ok(fcntl_setfd(self.reader.as_fd(), FdFlags::empty())?)
    }

    /// The end to read from, for a child's standard input.
    ///
    /// # Errors
    /// What the system gives.
    pub fn stdin(&self) -> io::Result<PipeReader> {
        self.reader.try_clone()
    }

    /// Writes the bytes and ends the pipe, in a thread of its own: a pipe holds less than a secret may have, and nobody
    /// knows when the child reads, or whether. They are wiped when they were read, or when nobody can read them any more.
    /// Call it after the child was started.
    pub fn write(self, bytes: Zeroizing<Vec<u8>>) {
        let Feed { reader, mut writer } = self;
        // While this process could read from it, a child that ended without reading would never be noticed.
        drop(reader);
        thread::spawn(move || {
            let _ = writer.write_all(&bytes);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;
    use std::process::{Command, Stdio};

    fn out(command: &mut Command) -> String {
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    }

    #[test]
    fn a_sheet_is_read_as_often_as_wanted_and_changed_by_nobody() {
        let sheet = Sheet::of(b"secret").unwrap();
        let path = sheet.path().to_owned();
        assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o600);
        let read = "cat \"$0\" \"$0\"; echo x >> \"$0\" || true";
        // A child that was not meant inherits nothing.
        assert!(!path.starts_with("/proc") || out(Command::new("sh").args(["-c", read]).arg(&path)).is_empty());
        sheet.inherit().unwrap();
        assert_eq!(out(Command::new("sh").args(["-c", read]).arg(&path).stderr(Stdio::null())), "secretsecret");
        assert_eq!(out(Command::new("sh").args(["-c", "cat \"$0\""]).arg(&path)), "secret", "it was written to");
        drop(sheet);
        assert!(!path.exists());
    }

    #[test]
    fn a_feed_is_read_once_and_a_child_that_does_not_read_holds_nothing_up() {
        for size in [1, 70_000] {
            let feed = Feed::new().unwrap();
            feed.inherit().unwrap();
            let script = format!("wc -c <&{}", feed.number());
            let child = Command::new("sh").args(["-c", &script]).stdout(Stdio::piped()).spawn().unwrap();
            feed.write(Zeroizing::new(vec![b'x'; size]));
            let seen = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
            assert_eq!(seen.trim(), size.to_string());
        }
        let feed = Feed::new().unwrap();
        let mut child = Command::new("sh").args(["-c", "exit 0"]).stdin(feed.stdin().unwrap()).spawn().unwrap();
        feed.write(Zeroizing::new(vec![b'x'; 70_000]));
        assert!(child.wait().unwrap().success());
    }
}
