//! The child of `run`: started once, its output passed through and digested, its end waited for.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use sha2::{Digest, Sha256};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use super::secret::Handover;
use crate::domain::event::OutputDigests;
use crate::sys::clock::Stopwatch;
use crate::sys::handover::program_copy;
use crate::sys::process::Hardened;
use crate::workspace::command::{Program, digest_of};

/// What a program that was started leaves behind may hold its output open for so long before it is left alone.
const LINGER: Duration = Duration::from_secs(2);

/// What to start.
pub(super) struct Child<'a> {
    pub program: &'a Program,
    pub argv: &'a [String],
    pub directory: &'a Path,
    pub environment: &'a BTreeMap<String, OsString>,
    pub stdin: Option<File>,
    pub secret: Option<Handover>,
    pub stdout_to_stderr: bool,
}

/// How it ended.
pub(super) struct Ran {
    /// Exit status, or the negative number of the signal that killed it.
    pub status: i64,
    pub duration_ms: u64,
    pub output: OutputDigests,
    pub remarks: Vec<String>,
}

impl Child<'_> {
    /// Starts it and waits for its end. An error says that it did not start.
    pub fn run(self, hardened: &Hardened) -> io::Result<Ran> {
        // From here on a signal that means "end" ends the child, and aosctl lives to record that.
        let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT])?;
        let (path, _held) = executable(self.program, self.secret.is_some())?;
        let mut command = Command::new(path);
        command
            .args(self.argv.iter().skip(1))
            .current_dir(self.directory)
            .env_clear()
            .envs(self.environment)
            .stdin(self.stdin.map_or_else(Stdio::null, Stdio::from))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(name) = self.argv.first() {
            command.arg0(name);
        }
        let start = Stopwatch::start();
        let (mut child, _until_its_end) = match self.secret {
            None => (hardened.with_users_umask(|| command.spawn())?, None),
            Some(secret) => secret.give(&mut command, |command| hardened.with_users_umask(|| command.spawn()))?,
        };
        // It holds copies of what the child was given.
        drop(command);
        let alive = Arc::new(Mutex::new(i32::try_from(child.id()).ok().and_then(Pid::from_raw)));
        let target = alive.clone();
        std::thread::spawn(move || {
            for signal in signals.forever() {
                forward(signal, &target);
            }
        });
        let to_stderr = self.stdout_to_stderr;
        let out = pump(child.stdout.take(), move |bytes| {
            if to_stderr {
                io::stderr().lock().write_all(bytes)
            } else {
                io::stdout().lock().write_all(bytes).and_then(|()| io::stdout().flush())
            }
        });
        let err = pump(child.stderr.take(), |bytes| io::stderr().lock().write_all(bytes));
        wait_for_end(&alive);
        let status = child.wait()?;
        let duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let ended = Stopwatch::start();
        let (stdout, stderr) = (out.finish(&ended), err.finish(&ended));
        let mut remarks = Vec::new();
        if !(stdout.ended && stderr.ended) {
            remarks.push(
                "something that it started still holds its output, which is recorded up to its own end".to_string(),
            );
        }
        let output = OutputDigests {
            stdout_sha256: stdout.sha256,
            stdout_bytes: stdout.bytes,
            stderr_sha256: stderr.sha256,
            stderr_bytes: stderr.bytes,
        };
        Ok(Ran { status: status_number(status), duration_ms, output, remarks })
    }
}

/// What to hand to `exec`, and what has to stay open until then. An error: it is not what was digested any more.
///
/// Prompts, locks and the fetching of a secret lie between the first look at a program and its start, and an open
/// descriptor does not keep others from writing into the file. So it is digested again, at the last moment. A binary that
/// gets a secret is copied into sealed memory first, and it is that copy that is digested and runs: it finds itself there
/// too (`/proc/self/exe`), and not at its path.
///
/// Otherwise a binary is named by the descriptor that was digested, so that no other file can be slipped under its name in
/// between; the loader finds its own place by `/proc/self/exe`, which is still the file itself. A script cannot be: its
/// interpreter opens it again by name, after the descriptor is closed, and scripts look for their neighbours by that name.
/// So scripts, and binaries where there is no `/proc`, are started by their resolved path.
fn executable(program: &Program, secret: bool) -> io::Result<(PathBuf, Option<File>)> {
    let same = |file: &File| -> io::Result<()> {
        let (digest, _) = digest_of(file.try_clone()?, &program.path, u64::MAX).map_err(io::Error::other)?;
        if digest == program.sha256 { Ok(()) } else { Err(io::Error::other("it was changed after it was looked at")) }
    };
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd;
        use std::os::unix::fs::FileExt;
        let mut magic = [0u8; 4];
        let by_descriptor = |file: &File| PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
        let elf = program.file.read_exact_at(&mut magic, 0).is_ok() && magic == *b"\x7fELF";
        if elf && by_descriptor(&program.file).exists() {
            let name = program.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if secret && let Some(copy) = program_copy(&name, &program.file)? {
                same(&copy)?;
                return Ok((by_descriptor(&copy), Some(copy)));
            }
            same(&program.file)?;
            return Ok((by_descriptor(&program.file), None));
        }
    }
    same(&program.file)?;
    Ok((program.path.clone(), None))
}

/// Hands a signal on. What a terminal sends goes to the child without aosctl's help.
fn forward(signal: i32, target: &Mutex<Option<Pid>>) {
    let signal = match signal {
        SIGTERM => Signal::TERM,
        SIGHUP => Signal::HUP,
        _ => return,
    };
    let target = target.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pid) = *target {
        let _ = kill_process(pid, signal);
    }
}

/// Waits without reaping, so that the number cannot become another process's while a signal is on its way to it.
fn wait_for_end(alive: &Mutex<Option<Pid>>) {
    let pid = *alive.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pid) = pid {
        while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)
        {
        }
    }
    *alive.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

/// A stream that is passed through and digested by a thread of its own.
struct Pump {
    so_far: Arc<Mutex<(Sha256, u64)>>,
    ended: Receiver<()>,
}

/// What went through a stream.
struct Seen {
    sha256: String,
    bytes: u64,
    ended: bool,
}

fn pump(
    from: Option<impl Read + Send + 'static>,
    mut to: impl FnMut(&[u8]) -> io::Result<()> + Send + 'static,
) -> Pump {
    let so_far = Arc::new(Mutex::new((Sha256::new(), 0u64)));
    let (tell, ended) = channel();
    let shared = so_far.clone();
    if let Some(mut from) = from {
        std::thread::spawn(move || {
            let mut buffer = vec![0u8; 65_536];
            let mut heard = true;
            loop {
                let n = match from.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(n) => n,
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                    Err(_) => break,
                };
                let bytes = buffer.get(..n).unwrap_or_default();
                {
                    let mut so_far = shared.lock().unwrap_or_else(PoisonError::into_inner);
                    so_far.0.update(bytes);
                    so_far.1 += u64::try_from(n).unwrap_or(0);
                }
                // A reader that went away must not stop the child: what it does was approved.
                heard = heard && to(bytes).is_ok();
            }
            let _ = tell.send(());
        });
    }
    Pump { so_far, ended }
}

impl Pump {
    fn finish(self, since: &Stopwatch) -> Seen {
        let ended = self.ended.recv_timeout(LINGER.saturating_sub(since.elapsed())).is_ok();
        let so_far = self.so_far.lock().unwrap_or_else(PoisonError::into_inner);
        Seen { sha256: data_encoding::HEXLOWER.encode(&so_far.0.clone().finalize()), bytes: so_far.1, ended }
    }
}

fn status_number(status: ExitStatus) -> i64 {
    match (status.code(), status.signal()) {
        (Some(code), _) => i64::from(code),
        (None, Some(signal)) => -i64::from(signal),
        (None, None) => -1,
    }
}

/// The exit code that stands for a status, as a shell has it.
pub(super) fn exit_code(status: i64) -> u8 {
    let code = if status < 0 { 128 - status } else { status };
    u8::try_from(code).unwrap_or(u8::MAX)
}
