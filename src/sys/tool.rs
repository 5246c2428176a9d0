//! Asking another program for something: started without a shell, in an environment of its own, for a limited time.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::fs::{Access, access};
use rustix::process::{Pid, Signal, kill_process_group};
use zeroize::{Zeroize, Zeroizing};

use super::SysError;

/// How often it is looked whether the program has ended.
const LOOK: Duration = Duration::from_millis(5);
/// What the program started may hold its output open for so long after its end.
const LINGER: Duration = Duration::from_millis(500);

/// A program to ask.
#[derive(Debug, Clone)]
pub struct Tool {
    program: PathBuf,
    environment: BTreeMap<String, OsString>,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By itself, with that status.
    Status(i32),
    /// By that signal.
    Signal(i32),
    /// It took too long, and was killed.
    TimedOut,
    /// It said more than was asked for, and was killed.
    TooMuch,
}

/// What it answered.
pub struct Answer {
    /// How it ended.
    pub end: End,
    /// What it wrote on standard output. Wiped when dropped.
    pub stdout: Zeroizing<Vec<u8>>,
    /// How much it wrote on standard error; what it wrote there was thrown away.
    pub stderr_bytes: u64,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answer({:?}, hidden, {} bytes on stderr)", self.end, self.stderr_bytes)
    }
}

/// The program of that name on a `PATH`, in its absolute directories only: a relative or empty entry would make what is
/// found depend on where one stands. Links are followed.
pub fn find(name: &str, path: &std::ffi::OsStr) -> Option<PathBuf> {
    std::env::split_paths(path)
        .filter(|dir| dir.is_absolute())
        .map(|dir| dir.join(name))
        .find(|p| p.is_file() && access(p, Access::EXEC_OK).is_ok())
        .and_then(|p| p.canonicalize().ok())
}

impl Tool {
    /// That program, in that environment and no other.
    pub fn new(program: PathBuf, environment: BTreeMap<String, OsString>) -> Tool {
        Tool { program, environment }
    }

    /// Starts it with nothing on standard input, and waits for its end, at most so long. It and everything that it started
    /// is killed when it takes longer, or says more than `most` bytes on standard output.
    ///
    /// # Errors
    /// [`SysError::Io`] if it cannot be started.
    pub fn ask(&self, args: &[&str], most: usize, patience: Duration) -> Result<Answer, SysError> {
        let mut child = Command::new(&self.program)
            .args(args)
            .env_clear()
            .envs(&self.environment)
            .current_dir(Path::new("/"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own, so that what it started can be ended with it.
            .process_group(0)
            .spawn()
            .map_err(SysError::io("start", &self.program))?;
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let (out, err) = (collect(child.stdout.take(), most), count(child.stderr.take()));
        let begin = Instant::now();
        let (end, stdout) = match out.recv_timeout(patience) {
            Ok(said) if said.len() > most => (End::TooMuch, Zeroizing::default()),
            Ok(said) => match wait(&mut child, patience.saturating_sub(begin.elapsed())) {
                Some(status) => (ended(status), said),
                None => (End::TimedOut, Zeroizing::default()),
            },
            Err(_) => (End::TimedOut, Zeroizing::default()),
        };
        if matches!(end, End::TimedOut | End::TooMuch) {
            stop(&mut child, group);
        }
        Ok(Answer { end, stdout, stderr_bytes: err.recv_timeout(LINGER).unwrap_or(0) })
    }
}

/// Reads what is said up to one byte more than is wanted. What holds it is as large as it will get from the start: a
/// buffer that grows leaves copies behind.
fn collect(from: Option<impl Read + Send + 'static>, most: usize) -> Receiver<Zeroizing<Vec<u8>>> {
    let (tell, told) = channel();
    if let Some(from) = from {
        std::thread::spawn(move || {
            let limit = most.saturating_add(1);
            let mut said = Zeroizing::new(Vec::with_capacity(limit));
            let wanted = u64::try_from(limit).unwrap_or(u64::MAX);
            // What cannot be read is told as what came so far; the exit status says more.
            let _ = from.take(wanted).read_to_end(&mut said);
            let _ = tell.send(said);
        });
    }
    told
}

/// Reads what is said and throws it away; gives its size.
fn count(from: Option<impl Read + Send + 'static>) -> Receiver<u64> {
    let (tell, told) = channel();
    if let Some(mut from) = from {
        std::thread::spawn(move || {
            let mut buffer = Zeroizing::new([0u8; 4096]);
            let mut size = 0u64;
            loop {
                match from.read(buffer.as_mut_slice()) {
                    Ok(0) => break,
                    Ok(n) => size += u64::try_from(n).unwrap_or(0),
                    Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(_) => break,
                }
                buffer.zeroize();
            }
            let _ = tell.send(size);
        });
    }
    told
}

/// Waits for the end, at most so long.
fn wait(child: &mut Child, most: Duration) -> Option<ExitStatus> {
    let begin = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if begin.elapsed() < most => std::thread::sleep(LOOK),
            Ok(None) | Err(_) => return None,
        }
    }
}

fn stop(child: &mut Child, group: Option<Pid>) {
    if let Some(group) = group {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

fn ended(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Status(code),
        (None, Some(signal)) => End::Signal(signal),
        (None, None) => End::Status(-1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const LONG: Duration = Duration::from_secs(60);

    fn tool(dir: &Path, script: &str) -> Tool {
        let program = dir.join("tool");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
        Tool::new(program, [("A".to_string(), "b".into())].into())
    }

    #[test]
    fn it_gets_its_arguments_and_its_environment_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let t = tool(dir.path(), "echo \"$#:$1:$2\"; echo \"$A:$HOME\"; pwd; cat; echo oops >&2; exit 3");
        let answer = t.ask(&["a b", "$(id)"], 1000, LONG).unwrap();
        assert_eq!(answer.end, End::Status(3));
        assert_eq!(String::from_utf8_lossy(&answer.stdout), "2:a b:$(id)\nb:\n/\n");
        assert_eq!(answer.stderr_bytes, 5);
        assert!(!format!("{answer:?}").contains("a b"));
        assert_eq!(tool(dir.path(), "kill -9 $$").ask(&[], 1, LONG).unwrap().end, End::Signal(9));
        assert!(Tool::new(dir.path().join("no"), BTreeMap::new()).ask(&[], 1, LONG).is_err());
    }

    #[test]
    fn what_takes_or_says_too_much_is_killed_with_all_that_it_started() {
        let dir = tempfile::tempdir().unwrap();
        let begin = Instant::now();
        for (script, end) in [
            ("sleep 100", End::TimedOut),
            ("/bin/sleep 100 & exit 0", End::TimedOut),
            ("exec >&-; sleep 100", End::TimedOut),
        ] {
            let answer = tool(dir.path(), script).ask(&[], 10, Duration::from_millis(300)).unwrap();
            assert_eq!((answer.end, answer.stdout.len()), (end, 0), "{script}");
        }
        let answer = tool(dir.path(), "printf 12345678901; sleep 100").ask(&[], 10, LONG).unwrap();
        assert_eq!((answer.end, answer.stdout.len()), (End::TooMuch, 0));
        let answer = tool(dir.path(), "printf 1234567890").ask(&[], 10, LONG).unwrap();
        assert_eq!((answer.end, answer.stdout.len()), (End::Status(0), 10));
        assert!(begin.elapsed() < Duration::from_secs(20), "it waited for what it killed");
    }

    #[test]
    fn only_absolute_directories_are_searched() {
        assert!(find("sh", "/usr/bin:/bin".as_ref()).unwrap().is_absolute());
        for path in ["", ".", "bin", ":", "../../../../../../bin"] {
            assert_eq!(find("sh", path.as_ref()), None, "{path}");
        }
        assert_eq!(find("no-such-program-anywhere", "/usr/bin:/bin".as_ref()), None);
    }
}
